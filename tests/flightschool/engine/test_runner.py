"""The runner, on small notebooks that end in every way a notebook can end."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from rich.console import Console

from flightschool import paths
from flightschool.engine import schedule
from flightschool.engine.results import Ending, Result, checks
from flightschool.engine.runner import run_all

pytestmark = pytest.mark.slow

VERDICT = (
    "from IPython.display import display\n"
    "display({{'application/vnd.flightschool.verdict+json':"
    " {{'exercise': '{0}', 'outcome': '{1}', 'points': 0, 'max_points': 2}}}}, raw=True)"
)


def check(exercise: str, outcome: str) -> Any:
    """A check cell, as the publisher makes it."""
    cell = nbformat.v4.new_code_cell(VERDICT.format(exercise, outcome))
    cell.metadata["nbgrader"] = {"grade": True, "solution": False, "grade_id": f"{exercise}-check"}
    return cell


Write = Callable[..., None]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "solutions"
    folder.mkdir()
    return folder


@pytest.fixture
def write(source: Path) -> Write:
    """Write a solution notebook of these cells (code as text)."""

    def make(name: str, *cells: Any) -> None:
        made = [nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
        nbformat.write(nbformat.v4.new_notebook(cells=made), source / f"{name}.ipynb")

    return make


@pytest.fixture
def run(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Result]]:
    monkeypatch.setattr(paths, "STATE", tmp_path / "state")

    def call(*names: str, jobs: int = 1, **options: Any) -> list[Result]:
        options.setdefault("console", Console(file=io.StringIO(), width=200))
        return run_all(names or None, jobs, tmp_path / "run", source=source, **options)

    return call


def test_each_ending(write: Write, run: Callable[..., list[Result]], tmp_path: Path) -> None:
    write("01_well", "x = 1", check("q1", "failed"), check("q1", "passed"), check("q2", "passed"))
    write("02_raising", check("q1", "passed"), "a = 1\nb = a / 0", check("q2", "passed"))
    write("03_unpassed", check("q1", "passed"), check("q2", "partly"))
    write("04_killed", "import os, signal", "os.kill(os.getpid(), signal.SIGKILL)")
    text = io.StringIO()
    well, raising, unpassed, killed = run(jobs=2, console=Console(file=text, width=200))

    assert (well.ending, well.passed, well.total, well.reason) == (Ending.OK, 2, 2, "")
    assert raising.ending is Ending.FAILED
    assert raising.reason == "cell 2 (a = 1): ZeroDivisionError: division by zero"
    assert (raising.passed, raising.total) == (1, 2)
    assert (unpassed.ending, unpassed.reason) == (Ending.CHECKS, "q2 partly")
    assert (unpassed.passed, unpassed.total) == (1, 2)
    assert killed.ending is Ending.KILLED
    assert killed.reason.startswith(
        "cell 2 (os.kill(os.getpid(), signal.SIGKILL)): The notebook's process was killed"
    )

    for one in (well, raising, unpassed, killed):
        assert one.minutes > 0
        assert not one.cached
        assert one.notebook == tmp_path / "run" / f"{one.name}.ipynb"
        assert one.html is not None
        assert "<html" in one.html.read_text()
        assert one.name in text.getvalue()
    assert "ZeroDivisionError" in raising.html.read_text()  # type: ignore[union-attr]
    assert "q2 partly" in text.getvalue()
    assert "2/2" in text.getvalue()


def test_a_check_without_verdict_is_not_passed(write: Write, run: Callable[..., list[Result]]) -> None:
    silent = check("q1", "passed")
    silent.source = "pass"
    write("01_silent", silent)
    (result,) = run()
    assert (result.ending, result.reason, result.total) == (Ending.CHECKS, "q1 no verdict", 1)


def test_leaving_early_with_status_0_is_a_failure(write: Write, run: Callable[..., list[Result]]) -> None:
    write("01_leaving", "raise SystemExit(0)", "x = 1")
    (result,) = run()
    assert (result.ending, result.reason) == (Ending.FAILED, "cell 1 (raise SystemExit(0)): SystemExit")


def test_deadline(write: Write, run: Callable[..., list[Result]]) -> None:
    write("01_endless", "import time", "time.sleep(600)")
    (result,) = run(deadline=1)
    assert result.ending is Ending.TIMED_OUT
    assert result.reason.startswith("cell 2 (time.sleep(600)): The notebook was not done after 1 s")
    assert result.html is not None


def test_a_worker_that_hangs_is_ended_and_the_others_go_on(
    write: Write, run: Callable[..., list[Result]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "PATIENCE", 10.0)
    write(
        "01_hanging",
        "import psutil, signal, time\npsutil.Process().parents()[2].send_signal(signal.SIGSTOP)\ntime.sleep(600)",
    )
    write("02_quick", "x = 1")
    hanging, quick = run(deadline=1)
    assert (hanging.ending, hanging.html) == (Ending.TIMED_OUT, None)
    assert hanging.reason.startswith("not done after")
    assert quick.ending is Ending.OK


def test_memory_is_of_the_whole_tree(write: Write, run: Callable[..., list[Result]]) -> None:
    hungry = "import time; held = b'x' * 300_000_000; time.sleep(1.5)"
    write(
        "01_hungry", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {hungry!r}], check=True)"
    )
    (result,) = run()
    assert 300_000_000 < result.memory < 600_000_000


def test_memory_of_the_engine_itself_is_not_the_notebooks(
    write: Write, run: Callable[..., list[Result]]
) -> None:
    write("01_sleeping", "import time; time.sleep(1.5)")
    (result,) = run()
    assert 20 * 2**20 < result.memory < 200 * 2**20


def test_the_kernel_is_this_python_though_another_has_its_name(
    write: Write, run: Callable[..., list[Result]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other" / "kernels" / "python3"
    other.mkdir(parents=True)
    argv = ["/no/such/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (other / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "other"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    write("01_which", "import sys, os\nprint(sys.executable, os.environ['DO_NOT_TRACK'], sep='|')")
    (result,) = run()
    assert result.ending is Ending.OK
    assert result.notebook is not None
    outputs = nbformat.read(result.notebook, 4).cells[0].outputs
    assert outputs[0].text.strip() == f"{sys.executable}|1"


def test_nothing_of_an_earlier_run_is_taken_for_new(write: Write, run: Callable[..., list[Result]]) -> None:
    write("01_changing", check("q1", "passed"))
    (first,) = run()
    assert first.ending is Ending.OK
    # Its own supervisor, then the worker, two above that: what comes of it is told by nobody inside.
    write(
        "01_changing",
        "import os, psutil, signal\n"
        "for one in psutil.Process().parents()[:3][::-1]: one.send_signal(signal.SIGKILL)",
        check("q1", "passed"),
    )
    write("02_well", "x = 1")
    second, well = run()
    assert second.ending is Ending.KILLED
    assert "signal 9" in second.reason
    assert (second.passed, second.html) == (0, None)
    assert well.ending is Ending.OK


def test_a_daemon_of_a_notebook_does_not_outlive_it(
    write: Write, run: Callable[..., list[Result]], tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    write(
        "01_leaving",
        "import subprocess, pathlib\n"
        "p = subprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(p.pid))",
    )
    (result,) = run()
    assert result.ending is Ending.OK
    assert not psutil.pid_exists(int(pid.read_text()))


def test_a_damaged_notebook_is_a_failure_of_its_own(
    write: Write, run: Callable[..., list[Result]], source: Path
) -> None:
    write("01_well", "x = 1")
    (source / "02_damaged.ipynb").write_text('{"cells": [')
    well, damaged = run()
    assert well.ending is Ending.OK
    assert damaged.ending is Ending.FAILED
    assert damaged.reason.startswith("before the first cell: ")


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_ctrl_c_or_kill_ends_all_and_keeps_the_finished(
    write: Write, source: Path, tmp_path: Path, ending: signal.Signals
) -> None:
    pid = tmp_path / "pid"
    write("01_quick", "# the longest goes first" * 100, check("q1", "passed"))
    write(
        "02_endless",
        "import os, time, pathlib\nfrom flightschool import services\nservices.kafka()",
        f"pathlib.Path({str(pid)!r}).write_text(str(os.getpid())); time.sleep(60)",
    )
    write("03_waiting", "x = 1")
    code = (
        "import sys; from pathlib import Path; from flightschool.engine.runner import run_all\n"
        f"print([str(r.ending) for r in run_all(None, 1, Path({str(tmp_path / 'run')!r}), source=Path({str(source)!r}))])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "FLIGHTSCHOOL_STATE": str(tmp_path / "state")},
    )
    end = time.monotonic() + 60
    while not pid.exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    below = psutil.Process(process.pid).children(recursive=True)
    assert int(pid.read_text()) in {one.pid for one in below}
    begin = time.monotonic()
    process.send_signal(ending)
    said, _error = process.communicate(timeout=10)
    while any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in below):
        assert time.monotonic() - begin < 5
        time.sleep(0.02)
    if ending is signal.SIGINT:
        assert said.strip().endswith("['ok', 'interrupted', 'interrupted']")
        assert "Interrupted" in said
    assert checks(tmp_path / "run" / "01_quick.ipynb") == {"q1": "passed"}
    assert (tmp_path / "run" / "01_quick.html").is_file()
