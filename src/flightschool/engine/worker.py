"""The process that executes notebooks by papermill, one after the other, and renders them; it tells how far it is.

    python -m flightschool.engine.worker TASKS EVENTS

TASKS is a named pipe of JSON lines, each a task: `{"execute": {…}}` with the arguments of `execute`, or `{"render": {…}}`
with those of `render`. EVENTS is a file of JSON lines: `{"pid": 4711}` at first; `{"cells": 20}` once a notebook,
`{"done": 3}` after each of its cells; after a task `{"ended": null}`, or with the fields of `Failure`.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

# jsonschema, which reads notebooks, imports this to know IRIs, of which no notebook has one: a grammar that takes 0.7 s.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

START_TIMEOUT = 180
"""Seconds that a notebook's process may take to start: a busy machine is no failure."""
SAVING = 1.0
"""Seconds between two savings of a notebook that runs. papermill's own way, twice a cell, costs a second a notebook."""


@dataclass(frozen=True)
class Failure:
    """Where and why a notebook stopped.

    `cell` is a cell's number from 1 (0: before the first), `name` what its author calls it; `error` is the kind of the
    error and `message` its first line.
    """

    cell: int
    name: str
    error: str
    message: str


class Teller:
    """Says to whoever started us what happens; remembers at which cell a notebook is."""

    events: ClassVar[Path]

    def __init__(self) -> None:
        self.current: tuple[int, Any] | None = None
        self.cells = self.done = 0

    @classmethod
    def tell(cls, **event: Any) -> None:
        """Append one event."""
        with cls.events.open("a") as file:
            file.write(json.dumps(event) + "\n")

    def watch(self, nb_man: Any) -> None:
        """Follow papermill's notebook manager through the cells."""
        start, complete, save = nb_man.cell_start, nb_man.cell_complete, nb_man.save
        saved = 0.0

        def started(cell: Any, index: int) -> None:
            self.current = (index, cell)
            start(cell, index)

        def completed(cell: Any, cell_index: int) -> None:
            complete(cell, cell_index=cell_index)
            self.done = cell_index + 1
            self.tell(done=self.done)

        def save_now_and_then(**options: Any) -> None:
            nonlocal saved
            if time.monotonic() - saved >= SAVING:
                save(**options)
                saved = time.monotonic()

        nb_man.cell_start, nb_man.cell_complete, nb_man.save = started, completed, save_now_and_then
        self.cells = len(nb_man.nb.cells)
        self.tell(cells=self.cells)

    def failure(self, error: str, message: str) -> Failure:
        """That error, at the cell where the notebook is."""
        lines = message.strip().splitlines() or [""]
        if self.current is None:
            return Failure(0, "", error, lines[0])
        index, cell = self.current
        return Failure(index + 1, name_of(cell), error, lines[0])


def name_of(cell: Any) -> str:
    """What an author calls a cell: the exercise's or check's id, else its first line."""
    if grade_id := cell.metadata.get("nbgrader", {}).get("grade_id"):
        return str(grade_id)
    lines = [line for line in cell.source.splitlines() if line.strip()]
    return str(lines[0][:60]) if lines else str(cell.get("id", ""))


def execute(source: str, output: str, folder: str, deadline: float) -> Failure | None:
    """Execute one notebook in `folder` by the engine `flightschool`, in `deadline` seconds; what stopped it, if anything did."""
    from papermill.engines import papermill_engines
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook

    from flightschool.engine.papermill import FlightSchoolEngine

    teller = Teller()

    class Telling(FlightSchoolEngine):
        """The engine, which says after each cell how far it is."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, *args: Any, **options: Any) -> None:
            teller.watch(nb_man)
            super().execute_managed_notebook(nb_man, *args, **options)

    papermill_engines.register("flightschool", Telling)
    try:
        execute_notebook(
            source,
            output,
            engine_name="flightschool",
            kernel_name="python3",
            progress_bar=False,
            start_timeout=START_TIMEOUT,
            notebook_timeout=deadline,
            cwd=folder,
        )
    except PapermillExecutionError as error:
        return teller.failure(str(error.ename), str(error.evalue))
    except Exception as error:  # the kernel died, the notebook is damaged, the disk is full …: all are told
        return teller.failure(type(error).__name__, str(error))
    if teller.done < teller.cells:  # papermill takes sys.exit(0) in a cell for success
        return teller.failure("SystemExit", "")
    return None


def render(notebook: str, page: str) -> Failure | None:
    """Write the executed notebook as one HTML file; what went wrong, if anything did."""
    from nbconvert import HTMLExporter

    try:
        text, _resources = HTMLExporter(embed_images=True).from_filename(  # type: ignore[no-untyped-call]
            notebook
        )
        new = Path(page).with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(page)
    except Exception as error:  # a notebook may hold whatever a program can print
        return Teller().failure(type(error).__name__, str(error))
    return None


WORK: dict[str, Callable[..., Failure | None]] = {"execute": execute, "render": render}


def warm_up() -> None:
    """Start the warm process while we import: both take a second, and a machine has more than one core."""
    from flightschool.engine import warm

    def start() -> None:
        with suppress(Exception):  # the first notebook will try again, and say why not
            if warm.missing() is None:
                warm.template(START_TIMEOUT)

    threading.Thread(target=start, daemon=True).start()
    import papermill.execute  # noqa: F401


def main(tasks: Path, events: Path) -> int:
    """Do what comes; returns when nobody can send any more."""
    Teller.events = events
    Teller.tell(pid=os.getpid())
    warm_up()
    with tasks.open(encoding="utf-8") as lines:
        for line in lines:
            ((kind, arguments),) = json.loads(line).items()
            failure = WORK[kind](**arguments)
            Teller.tell(ended=None if failure is None else asdict(failure))
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
