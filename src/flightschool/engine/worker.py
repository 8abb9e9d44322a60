"""The process that executes one notebook by papermill, tells how far it is, and makes an HTML of what came out.

    python -m flightschool.engine.worker INPUT OUTPUT.ipynb OUTPUT.html EVENTS FOLDER

EVENTS is a file of JSON lines: `{"cells": 20}` once, `{"done": 3}` after each cell, `{"failed": {…}}` with the fields
of `Failure` at most once. Exit status 0 when every cell ran.
"""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook

ENGINE = "flightschool-telling"
START_TIMEOUT = 180
"""Seconds that a kernel may take to start: a busy machine is no failure."""


@dataclass(frozen=True)
class Failure:
    """Where and why a notebook stopped: a cell's number from 1 (0: before the first), its name, the error's line."""

    cell: int
    name: str
    error: str


class Telling(NBClientEngine):  # type: ignore[misc]
    """papermill's own engine, which says after each cell how far it is."""

    events: ClassVar[Path]
    current: ClassVar[tuple[int, Any] | None] = None
    cells: ClassVar[int] = 0
    done: ClassVar[int] = 0

    @classmethod
    def tell(cls, **event: Any) -> None:
        """Append one event."""
        with cls.events.open("a") as file:
            file.write(json.dumps(event) + "\n")

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> None:
        """Execute as papermill does."""
        start, complete = nb_man.cell_start, nb_man.cell_complete

        def started(cell: Any, index: int) -> None:
            cls.current = (index, cell)
            start(cell, index)

        def completed(cell: Any, cell_index: int) -> None:
            complete(cell, cell_index=cell_index)
            cls.done = cell_index + 1
            cls.tell(done=cls.done)

        nb_man.cell_start, nb_man.cell_complete = started, completed
        cls.cells = len(nb_man.nb.cells)
        cls.tell(cells=cls.cells)
        super().execute_managed_notebook(nb_man, kernel_name, **options)


def name_of(cell: Any) -> str:
    """What an author calls a cell: the exercise's or check's id, else its first line."""
    if grade_id := cell.metadata.get("nbgrader", {}).get("grade_id"):
        return str(grade_id)
    lines = [line for line in cell.source.splitlines() if line.strip()]
    return str(lines[0][:60]) if lines else str(cell.get("id", ""))


def execute(source: Path, output: Path, folder: Path) -> Failure | None:
    """Execute one notebook in `folder` with this Python's kernel; what stopped it, if anything did."""
    papermill_engines.register(ENGINE, Telling)
    try:
        execute_notebook(
            source,
            output,
            engine_name=ENGINE,
            kernel_name="python3",
            progress_bar=False,
            start_timeout=START_TIMEOUT,
            cwd=folder,
        )
    except PapermillExecutionError as error:
        message = f"{error.ename}: {error.evalue}".strip().splitlines()
        return _failure(message[0] if message else "")
    except Exception as error:  # the kernel died, the notebook is damaged, the disk is full …: all are told
        return _failure(f"{type(error).__name__}: {error}".splitlines()[0])
    if Telling.done < Telling.cells:  # papermill takes sys.exit(0) in a cell for success
        return _failure("SystemExit")
    return None


def _failure(error: str) -> Failure:
    if Telling.current is None:
        return Failure(0, "", error)
    index, cell = Telling.current
    return Failure(index + 1, name_of(cell), error)


def write_html(notebook: Path, page: Path) -> None:
    """The executed notebook as one HTML file."""
    from nbconvert import HTMLExporter

    text, _resources = HTMLExporter(embed_images=True).from_filename(  # type: ignore[no-untyped-call]
        str(notebook)
    )
    new = page.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(page)


def main(source: Path, output: Path, page: Path, events: Path, folder: Path) -> int:
    """Execute, tell, convert."""
    Telling.events = events
    failure = execute(source, output, folder)
    if failure is not None:
        Telling.tell(failed=asdict(failure))
    if output.is_file():
        write_html(output, page)
    return 0 if failure is None else 1


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
