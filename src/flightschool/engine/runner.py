"""All solution notebooks, executed headless and judged by their own checks: `flightschool run`.

The most expensive goes first, as many at once as there are cores and memory; what ran well, and depends on nothing that
has changed since, is not executed again.
"""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from flightschool import paths
from flightschool.engine import machine, pieces
from flightschool.engine.cache import Cache
from flightschool.engine.results import Ending, Result
from flightschool.engine.schedule import MIB, Run, Schedule, in_order
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.learn.lab import fresh_folder
from flightschool.services.telemetry import OFF

DEADLINE = 45 * 60.0
"""Seconds that a notebook may take, three times what the longest is meant to."""


def main(names: Sequence[str], jobs: int = 0, *, fresh: bool = False) -> int:
    """Run these modules (all when none is named), print the table; 0 when all are well, 1 if not, 130 on Ctrl-C.

    Raises:
        FlightSchoolError: as `run_all`.
    """
    results = run_all(names or None, jobs, fresh=fresh)
    if any(one.ending is Ending.INTERRUPTED for one in results):
        return 130
    return 0 if all(one.ending is Ending.OK for one in results) else 1


def run_all(
    modules: Sequence[str] | None = None,
    jobs: int = 0,
    out: Path | None = None,
    *,
    source: Path | None = None,
    fresh: bool = False,
    deadline: float = DEADLINE,
    console: Console | None = None,
) -> list[Result]:
    """Execute solution notebooks by papermill and our engine, `jobs` at once, and report.

    Args:
        modules: ids (`07_data_quality`), numbers (`7`) or topics (`data_quality`); all by default.
        jobs: how many at once at most, 0 for as many as there are cores. Memory may allow fewer.
        out: folder for the executed notebooks, their HTML and logs; `build/run/` by default.
        source: folder of notebooks; by default they are made from the curriculum's sources.
        fresh: execute those, too, for which nothing has changed.
        deadline: seconds for one notebook.
        console: where progress and table go.

    Returns:
        One result a notebook, in their order. Ctrl-C ends what runs at once: those are *interrupted*, the
        finished ones are kept.

    Raises:
        FlightSchoolError: there is no such notebook, a source has a mistake, or `out` cannot be written.
    """
    if source is None:
        chosen = pieces.from_curriculum(modules)
    else:
        chosen = pieces.from_folder(source.resolve(), modules)
    out = (out or paths.BUILD / "run").resolve()
    console = console or Console()
    cache = Cache(paths.STATE / "runs")
    runs = [Run(piece, out) for piece in chosen]

    def over(run: Run) -> None:
        if not console.is_terminal and run.result is not None:
            console.print(f"{run.name}: {outcome(run.result)}", markup=False)

    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        for log in out.glob("worker-*.log"):
            log.unlink()
        for run in runs:
            run.clear()
            if not fresh and run.recall(cache):
                over(run)
        waiting = [run for run in runs if run.result is None]
        if waiting:
            with progress_bar(console) as progress:
                folder, environment = fresh_folder(paths.STATE / "work", "run"), kernel_environment(out)
                schedule = Schedule(
                    jobs or machine.cores(), folder, out, environment, deadline, cache, progress, over
                )
                try:
                    schedule.hire(len(waiting))
                    pieces.make(run.piece for run in waiting)
                    schedule.work(in_order(waiting, cache))
                except KeyboardInterrupt:
                    sentence = _("Interrupted: stopping. Finished notebooks are kept in {out}.")
                    console.print(sentence.format(out=out), markup=False)
                finally:
                    schedule.stop()
    results = [run.result or run.made(Ending.INTERRUPTED, "") for run in runs]
    console.print(table(results))
    return results


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


def table(results: Iterable[Result]) -> Table:
    """One row a notebook."""
    rows = Table()
    for heading in (_("notebook"), _("minutes"), _("memory (MiB)"), _("checks"), _("result")):
        right = heading not in (_("notebook"), _("result"))
        rows.add_column(heading, justify="right" if right else "left", overflow="fold")
    for one in results:
        rows.add_row(
            one.name,
            f"{one.minutes:.1f}",
            f"{one.memory / MIB:.0f}",
            f"{one.passed}/{one.total}",
            Text(outcome(one), style="green" if one.ending is Ending.OK else "red"),
        )
    return rows


def outcome(result: Result) -> str:
    """How it ended and why, in a line."""
    words = {
        Ending.OK: _("cached") if result.cached else _("ok"),
        Ending.CHECKS: _("checks not passed"),
        Ending.FAILED: _("failed"),
        Ending.KILLED: _("killed"),
        Ending.TIMED_OUT: _("timed out"),
        Ending.INTERRUPTED: _("interrupted"),
    }
    return f"{words[result.ending]}: {result.reason}" if result.reason else words[result.ending]


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
