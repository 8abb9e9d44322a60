"""All solution notebooks, executed headless and judged by their own checks: `flightschool run`."""

import json
import os
import shutil
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from flightschool import paths
from flightschool.curriculum import Outcome
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.learn.display import VERDICT_MIME
from flightschool.services.process import Supervised, uninterrupted
from flightschool.services.telemetry import OFF

if TYPE_CHECKING:
    import psutil

TICK = 0.25
"""Seconds between two looks at what runs: progress, and memory."""
DEADLINE = 45 * 60.0
"""Seconds that a notebook may take, three times what the longest is meant to."""
MIB = 2**20


class Ending(StrEnum):
    """What became of a notebook."""

    OK = "ok"
    CHECKS = "checks not passed"
    FAILED = "failed"
    KILLED = "killed"
    TIMED_OUT = "timed out"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Result:
    """One notebook's run.

    `minutes` is wall time; `memory` the largest sum of resident memory, in bytes, of its process tree with all the
    servers that it started, sampled (pages that two processes share count twice). `reason` is one line for a person,
    empty when all is well.
    """

    name: str
    ending: Ending
    minutes: float
    memory: int
    passed: int
    total: int
    reason: str
    notebook: Path | None
    """As executed, kept even when it failed."""
    html: Path | None


def main(names: Sequence[str], jobs: int = 1) -> int:
    """Run these modules (all when none is named), print the table; 0 when all are well, 1 if not, 130 on Ctrl-C.

    Raises:
        FlightSchoolError: as `run_all`.
    """
    results = run_all(names or None, jobs)
    if any(one.ending is Ending.INTERRUPTED for one in results):
        return 130
    return 0 if all(one.ending is Ending.OK for one in results) else 1


def run_all(
    modules: Sequence[str] | None = None,
    jobs: int = 1,
    out: Path | None = None,
    *,
    source: Path | None = None,
    deadline: float = DEADLINE,
    console: Console | None = None,
) -> list[Result]:
    """Execute solution notebooks by stock papermill, `jobs` at once, and report.

    Args:
        modules: ids (`07_data_quality`), numbers (`7`) or topics (`data_quality`); all by default.
        jobs: how many at once.
        out: folder for the executed notebooks, their HTML and logs; `build/run/` by default.
        source: folder of the notebooks; `build/solutions/` by default.
        deadline: seconds for one notebook.
        console: where progress and table go.

    Returns:
        One result a notebook, in their order. Ctrl-C ends what runs at once: those are *interrupted*, the
        finished ones are kept.

    Raises:
        FlightSchoolError: there is no such notebook, or `out` cannot be written.
    """
    source = (source or paths.BUILD / "solutions").resolve()
    out = (out or paths.BUILD / "run").resolve()
    console = console or Console()
    notebooks = choose(source, modules)
    with writing(out):
        environment = kernel_environment(out)
        waiting = deque(Run(notebook, out, environment, deadline) for notebook in notebooks)
        runs = list(waiting)
        for run in runs:
            run.clear()
    active: list[Run] = []
    with progress_bar(console) as progress:
        try:
            while waiting or active:
                while waiting and len(active) < jobs:
                    with writing(out):
                        active.append(waiting.popleft())
                        active[-1].start(progress)
                time.sleep(TICK)
                for run in [run for run in active if run.look(progress)]:
                    active.remove(run)
                    if not console.is_terminal:
                        console.print(
                            f"{run.name}: {run.result().ending} {run.result().reason}".strip(), markup=False
                        )
        except KeyboardInterrupt:
            console.print(_("Interrupted: stopping. Finished notebooks are kept in {out}.").format(out=out))
        finally:
            for run in active:
                run.interrupt()
    results = [run.result() for run in runs]
    console.print(table(results))
    return results


def choose(source: Path, modules: Sequence[str] | None) -> list[Path]:
    """The notebooks of these modules, in their order; raises FlightSchoolError naming those that exist."""
    known = sorted(source.glob("[0-9][0-9]_*.ipynb"))
    if not known:
        raise FlightSchoolError(
            _("There are no solution notebooks in {folder}: run `make build` first.").format(folder=source)
        )
    if modules is None:
        return known
    chosen = []
    for name in modules:
        found = [
            path
            for path in known
            if name in (path.stem, path.stem[:2], path.stem[:2].lstrip("0"), path.stem[3:])
        ]
        if not found:
            raise FlightSchoolError(
                _("There is no module {name!r}. Choose one of: {known}.").format(
                    name=name, known=", ".join(path.stem for path in known)
                )
            )
        chosen += found
    return sorted(set(chosen))


def kernel_environment(out: Path) -> dict[str, str]:
    """The environment in which notebooks run: this very Python's kernel, nobody's own settings, no telemetry.

    The kernel `python3` of this Python goes to the front of Jupyter's search path, so that one which a user has
    installed under the same name is not taken.
    """
    from ipykernel.kernelspec import write_kernel_spec

    jupyter = out / "jupyter"
    shutil.rmtree(jupyter, ignore_errors=True)
    (jupyter / "config").mkdir(parents=True)
    (jupyter / "kernels").mkdir()
    write_kernel_spec(jupyter / "kernels" / "python3")
    return {
        **os.environ,
        **OFF,
        "FLIGHTSCHOOL_HOME": str(paths.ROOT),
        "FLIGHTSCHOOL_STATE": str(paths.STATE),
        "FLIGHTSCHOOL_PROGRESS": "off",  # a run of the solutions is nobody's progress
        "IPYTHONDIR": str(jupyter / "ipython"),
        "JUPYTER_CONFIG_DIR": str(jupyter / "config"),
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_PATH": str(jupyter),
        "JUPYTER_PLATFORM_DIRS": "1",
        "JUPYTER_RUNTIME_DIR": str(jupyter / "runtime"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "PYSPARK_PYTHON": sys.executable,
    }


class Run:
    """One notebook on its way from waiting to a result."""

    def __init__(self, source: Path, out: Path, environment: dict[str, str], deadline: float) -> None:
        self.source, self.environment, self.deadline = source, environment, deadline
        self.name = source.stem
        self.notebook, self.html = out / f"{self.name}.ipynb", out / f"{self.name}.html"
        self.log, self.events = out / f"{self.name}.log", out / f"{self.name}.events"
        self.folder = out / "work" / self.name
        self.process: Supervised | None = None
        self.task: TaskID | None = None
        self.begin = self.seconds = 0.0
        self.memory = 0
        self._result: Result | None = None

    def clear(self) -> None:
        """Remove what an earlier run left, so that nothing old can be taken for new."""
        for path in (self.notebook, self.html, self.log, self.events):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, progress: Progress) -> None:
        """Start the worker."""
        self.folder.mkdir(parents=True)
        self.events.touch()
        self.task = progress.add_task(self.name, total=None, memory="")
        self.begin = time.monotonic()
        command = [sys.executable, "-P", "-m", "flightschool.engine.worker"]
        files = [self.source, self.notebook, self.html, self.events, self.folder]
        with uninterrupted():
            self.process = Supervised(
                [*command, *map(str, files)], log=self.log, env=self.environment, cwd=self.folder
            )

    def look(self, progress: Progress) -> bool:
        """Update progress and memory; True when it has ended, well or not."""
        assert self.process is not None
        assert self.task is not None
        status = self.process.poll()
        self.memory = max(self.memory, resident(self.process.tree()))
        self.seconds = time.monotonic() - self.begin
        told = self._told()
        cells, done = told.get("cells"), told.get("done", 0)
        progress.update(self.task, total=cells, completed=done, memory=f"{self.memory / MIB:.0f} MiB")
        if status is None and self.seconds > self.deadline:
            self.process.stop(now=True)
            minutes = self.deadline / 60
            self._finish(Ending.TIMED_OUT, _("not done after {minutes:.1f} min").format(minutes=minutes))
        elif status is not None:
            self.process.stop()
            self._end(status, told)
        return self._result is not None

    def interrupt(self) -> None:
        """End it at once, with all that it started."""
        if self.process is not None:
            self.process.stop(now=True)

    def result(self) -> Result:
        """What came of it."""
        return self._result or self._made(Ending.INTERRUPTED, "")

    def _told(self) -> dict[str, Any]:
        """The worker's events so far, the newest of each kind."""
        told: dict[str, Any] = {}
        for line in self.events.read_text().splitlines():
            try:
                told |= json.loads(line)
            except ValueError:  # half a line: it is being written
                break
        return told

    def _end(self, status: int, told: dict[str, Any]) -> None:
        if failure := told.get("failed"):
            where = (
                _("cell {cell} ({name})").format(**failure) if failure["cell"] else _("before the first cell")
            )
            if failure["error"].startswith("DeadKernelError"):
                reason = _("{where}: the kernel was killed, perhaps for want of memory").format(where=where)
                self._finish(Ending.KILLED, reason)
            else:
                self._finish(Ending.FAILED, f"{where}: {failure['error']}")
        elif status > 128:
            reason = _("the process was killed by signal {n}, perhaps for want of memory").format(
                n=status - 128
            )
            self._finish(Ending.KILLED, reason)
        elif status:
            assert self.process is not None
            self._finish(Ending.FAILED, self.process.tail(1))
        else:
            self._finish(Ending.OK, "")

    def _finish(self, ending: Ending, reason: str) -> None:
        result = self._made(ending, reason)
        if ending is Ending.OK and result.passed < result.total:
            missing = ", ".join(
                f"{name} {outcome}"
                for name, outcome in checks(self.notebook).items()
                if outcome != Outcome.PASSED
            )
            result = replace(result, ending=Ending.CHECKS, reason=missing)
        self._result = result
        self.events.unlink(missing_ok=True)

    def _made(self, ending: Ending, reason: str) -> Result:
        found: dict[str, str] = {}
        for path in (self.notebook, self.source):
            # not begun, killed while papermill was writing it, or damaged from the start
            with suppress(FileNotFoundError, ValueError):
                found = checks(path)
                break
        return Result(
            name=self.name,
            ending=ending,
            minutes=self.seconds / 60,
            memory=self.memory,
            passed=sum(outcome == Outcome.PASSED for outcome in found.values()),
            total=len(found),
            reason=reason,
            notebook=self.notebook if self.notebook.is_file() else None,
            html=self.html if self.html.is_file() else None,
        )


NO_VERDICT = "no verdict"


def checks(notebook: Path) -> dict[str, str]:
    """The outcome of each check in an executed notebook: the last verdict on each exercise.

    A check cell without a verdict in its outputs counts as *no verdict*, so that a check which says nothing is not
    taken for one that passed.
    """
    found: dict[str, str] = {}
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        verdicts = {
            verdict["exercise"]: str(verdict["outcome"]) for verdict in _verdicts(cell.get("outputs", []))
        }
        marked = cell["metadata"].get("nbgrader", {})
        if marked.get("grade") and not marked.get("solution") and not verdicts:
            found.setdefault(marked["grade_id"].removesuffix("-check"), NO_VERDICT)
        found |= verdicts
    return found


def _verdicts(outputs: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for output in outputs:
        if verdict := output.get("data", {}).get(VERDICT_MIME):
            yield verdict


def resident(processes: "Iterable[psutil.Process]") -> int:
    """The sum of their resident memory, in bytes; those that have just ended count nothing."""
    import psutil

    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def table(results: Iterable[Result]) -> Table:
    """One row a notebook."""
    rows = Table()
    for heading in (_("notebook"), _("minutes"), _("memory (MiB)"), _("checks"), _("result")):
        right = heading not in (_("notebook"), _("result"))
        rows.add_column(heading, justify="right" if right else "left", overflow="fold")
    words = {
        Ending.OK: _("ok"),
        Ending.CHECKS: _("checks not passed"),
        Ending.FAILED: _("failed"),
        Ending.KILLED: _("killed"),
        Ending.TIMED_OUT: _("timed out"),
        Ending.INTERRUPTED: _("interrupted"),
    }
    for one in results:
        result = f"{words[one.ending]}: {one.reason}" if one.reason else words[one.ending]
        rows.add_row(
            one.name,
            f"{one.minutes:.1f}",
            f"{one.memory / MIB:.0f}",
            f"{one.passed}/{one.total}",
            Text(result, style="green" if one.ending is Ending.OK else "red"),
        )
    return rows


def progress_bar(console: Console) -> Progress:
    """One bar a notebook, by cells."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn(_("{task.completed}/{task.total} cells")),
        TextColumn("{task.fields[memory]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


@contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turn an error of the file system into a sentence."""
    try:
        yield
    except OSError as error:
        raise FlightSchoolError(
            _("Cannot write to {folder}: {reason}.").format(folder=out, reason=error.strerror)
        ) from error
