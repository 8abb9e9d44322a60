"""A learner's answers, carried from an older notebook of a module into a newer one."""

from pathlib import Path
from typing import Any

import nbformat

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.publish import shelf


def carry_answers(old: Path, new: Path, target: Path, base: Path) -> tuple[str, ...]:
    """Write `target`: the notebook `new`, with the answers that a learner gave in `old`, which began as `base`.

    Exercise cells are found by their nbgrader id; those that differ from `base` keep the learner's text, all else
    is `new`'s. The other files stay as they are (`target` may be one of them, and is replaced atomically).

    Returns:
        The ids of the exercises that were answered.

    Raises:
        FlightSchoolError: one of the three is missing, or no notebook any more.
    """
    page = _load(new)
    stubs, answers = _sources(base), _sources(old)
    carried = []
    for cell in _exercises(page):
        exercise = cell.metadata["nbgrader"]["grade_id"]
        if exercise in answers and answers[exercise] != stubs.get(exercise):
            cell.source = answers[exercise]
            cell.outputs, cell.execution_count = [], None
            carried.append(exercise)
    shelf.write(target, shelf.serialise(page))
    return tuple(carried)


def _sources(path: Path) -> dict[str, str]:
    return {cell.metadata["nbgrader"]["grade_id"]: cell.source for cell in _exercises(_load(path))}


def _load(path: Path) -> Any:
    try:
        return nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]
    except FileNotFoundError:
        raise FlightSchoolError(_("{path} is missing: run `make build`.").format(path=path)) from None
    except Exception as error:  # nbformat raises many kinds, and UnicodeDecodeError comes before it
        sentence = _(
            "{path} is no notebook any more ({error}): open it in a text editor to save what is in it."
        )
        raise FlightSchoolError(sentence.format(path=path, error=str(error).split("\n")[0])) from error


def _exercises(notebook: Any) -> list[Any]:
    def is_exercise(cell: Any) -> bool:
        found = cell.metadata.get("nbgrader")
        return (
            isinstance(found, dict)
            and found.get("solution") is True
            and isinstance(found.get("grade_id"), str)
        )

    return [cell for cell in notebook.cells if cell.cell_type == "code" and is_exercise(cell)]
