"""The course's own notebook of a module, prepared for finding its cells in a submission; read once, never from a submission."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from flightschool.errors import FlightSchoolError
from flightschool.grading import names, notebook
from flightschool.grading.notebook import Cell
from flightschool.i18n import _

CHECK = "-check"
DEMO = "demo"
"""Tag of a given cell that only demonstrates: no cell without the tag needs it."""
CHANGES = "changes:"
"""Tag of a demo that changes what an earlier cell's name stands for, such as a database: `changes:warehouse`."""
PARAMETERS = "parameters"
SEED = "seed"

_SEED = re.compile(rf"^{SEED}[ \t]{{0,9}}(?::[^=\n]{{1,50}})?=(?!=)[^\n]*$", re.MULTILINE)
_TOKEN = re.compile(r"\w+|[^\w\s]")


class Role(Enum):
    """What a cell of the course is for."""

    TEXT = auto()
    GIVEN = auto()
    ANSWER = auto()
    CHECK = auto()
    PARAMETERS = auto()


@dataclass(frozen=True)
class Canonical:
    """Everything about the course's cells that doesn't depend on a submission; all sequences are in their order.

    `squeezed` is each cell's text without blank lines and ends of lines, `stubs` the untouched texts of each exercise's answer in all
    languages, `defined` the names that only this exercise's stub defines, `demos` the names by which a learner's code would need each demo.
    """

    cells: tuple[Cell, ...]
    roles: tuple[Role, ...]
    exercises: tuple[str, ...]
    squeezed: tuple[str, ...]
    demos: Mapping[int, frozenset[str]]
    by_id: Mapping[str, int]
    by_text: Mapping[tuple[str, str], tuple[int, ...]]
    answers: Mapping[str, int]
    checks: Mapping[str, int]
    parameters: int | None
    stubs: Mapping[str, frozenset[str]]
    defined: Mapping[str, frozenset[str]]
    receivers: Mapping[str, int]
    tokens: Mapping[int, Counter[str]]

    def seeded(self, seed: int) -> str:
        """The parameters cell with this seed."""
        assert self.parameters is not None
        return reseeded(self.cells[self.parameters].source, seed)


def read_canonical(path: Path) -> Canonical:
    """The course's learner notebook of a module; translations beside it (`fr/NN_topic.ipynb`) give their stubs.

    Raises:
        FlightSchoolError: it is missing or damaged.
    """
    try:
        cells = notebook.cells(path.read_bytes())
        others = [notebook.cells(other.read_bytes()) for other in sorted(path.parent.glob(f"*/{path.name}"))]
    except (OSError, notebook.Unreadable) as error:
        sentence = _("{path} can't be read ({error}): run `make build`.")
        raise FlightSchoolError(sentence.format(path=path, error=error)) from None
    return _canonical(tuple(cells), others)


def squeeze(source: str) -> str:
    """The text without blank lines and without blanks at the ends of lines."""
    return "\n".join([line.rstrip() for line in source.split("\n") if line and not line.isspace()])


def reseeded(source: str, seed: int) -> str:
    """The code with each assignment to `seed` at its margin replaced."""
    return _SEED.sub(f"{SEED} = {seed}", source)


def only_seeds(squeezed: str) -> bool:
    """Whether the code does nothing but assign the seed."""
    lines = [line for line in squeezed.split("\n") if not line.startswith("#")]
    return bool(lines) and len(lines) <= 5 and all(_SEED.fullmatch(line) for line in lines)


def checked(source: str) -> str:
    """The receiver, such as `lab.q1`, when all that the code does is to call its `.check(…)`; else empty."""
    if ".check" not in source or len(source) > 2_000:
        return ""
    try:
        statements = names.tree(source).body
    except names.CANNOT_PARSE:
        return ""
    receivers = set()
    for statement in statements:
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="check", value=receiver))):
                receivers.add(ast.unparse(receiver))
            case _:
                return ""
    return receivers.pop() if len(receivers) == 1 else ""


def tokens(source: str) -> Counter[str]:
    """Words and signs of a text, counted; of its first characters only, so that the time is bounded."""
    return Counter(_TOKEN.findall(source[:8_000]))


def alike(one: Counter[str], other: Counter[str]) -> float:
    """The share of words and signs that two texts have in common, from 0 to 1 (Sørensen and Dice); their order counts for nothing."""
    return 2 * (one & other).total() / ((one.total() + other.total()) or 1)


def _canonical(cells: tuple[Cell, ...], others: list[list[Cell]]) -> Canonical:
    ids = {cell.grade_id for cell in cells}
    checks, answers, roles, exercises = {}, {}, [], []
    parameters = None
    for index, cell in enumerate(cells):
        exercise = cell.grade_id.removesuffix(CHECK)
        if cell.kind != "code":
            role = Role.TEXT
        elif cell.grade_id.endswith(CHECK) and exercise in ids:
            role, checks[exercise] = Role.CHECK, index
        elif cell.grade_id and cell.grade_id + CHECK in ids:
            role, answers[exercise] = Role.ANSWER, index
        elif PARAMETERS in cell.tags:
            role, parameters = Role.PARAMETERS, index
        else:
            role = Role.GIVEN
        roles.append(role)
        exercises.append(exercise if role in (Role.ANSWER, Role.CHECK) else "")
    squeezed = tuple(squeeze(cell.source) for cell in cells)
    by_text: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, cell in enumerate(cells):
        by_text[cell.kind, squeezed[index]].append(index)
    everywhere = [*cells, *(cell for other in others for cell in other)]
    stubs = {
        exercise: frozenset(
            squeeze(cell.source) for cell in everywhere if cell.kind == "code" and cell.grade_id == exercise
        )
        for exercise in answers
    }
    code = [index for index, cell in enumerate(cells) if cell.kind == "code"]
    defined = {index: names.defined(cells[index].source) for index in code}
    bound = {index: names.bound(cells[index].source) for index in code}
    unique = {
        exercise: defined[index] - frozenset().union(*(bound[other] for other in code if other != index))
        for exercise, index in answers.items()
    }
    return Canonical(
        cells=cells,
        roles=tuple(roles),
        exercises=tuple(exercises),
        squeezed=squeezed,
        demos={index: bound[index] | _changes(cells[index]) for index in code if DEMO in cells[index].tags},
        by_id={name: index for index, cell in enumerate(cells) for name in (cell.id, cell.grade_id) if name},
        by_text={key: tuple(found) for key, found in by_text.items()},
        answers=answers,
        checks=checks,
        parameters=parameters,
        stubs=stubs,
        defined=unique,
        receivers={checked(cells[index].source): index for index in checks.values()},
        tokens={index: tokens(cells[index].source) for index in code},
    )


def _changes(cell: Cell) -> frozenset[str]:
    return frozenset(tag.removeprefix(CHANGES) for tag in cell.tags if tag.startswith(CHANGES))
