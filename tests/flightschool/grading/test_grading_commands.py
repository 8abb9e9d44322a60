"""`flightschool grade`: what it says, what it writes, how it ends; and docs/grading.md, whose commands are run."""

import ast
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from flightschool import paths
from flightschool.engine import sandbox
from flightschool.errors import FlightSchoolError
from flightschool.grading import commands, intake, session
from flightschool.grading.gradebook import NAME, Gradebook
from flightschool.grading.model import Limits, Round, Submission

sys.path.insert(0, str(Path(__file__).parent))  # worker processes get this path, too

import grading_fakes as fakes

MODULE = "01_dataops_intro"
GUIDE = (paths.ROOT / "docs" / "grading.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
Run = Callable[..., Result]


def hand_in(folder: Path, **orders: str) -> None:
    folder.mkdir(exist_ok=True)
    for learner, order in orders.items():
        (folder / f"{learner}.ipynb").write_text(order)


def find(folder: Path, _module: object) -> Any:
    """One submission a file: what a notebook looks like is not this file's matter."""
    files = sorted(folder.iterdir())
    return intake.Found(
        submissions=tuple(Submission(path.stem, path) for path in files if path.suffix == ".ipynb"),
        problems=tuple(f"{path.name}: no notebook" for path in files if path.suffix == ".txt"),
    )


@pytest.fixture(autouse=True)
def faked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADING_FAKES_LOG", str(tmp_path / "log"))
    monkeypatch.setattr(session, "work", fakes.work)
    monkeypatch.setattr(intake, "find", find)
    monkeypatch.setattr(intake, "read", lambda submission: submission.file.read_bytes())
    support = sandbox.Support(walls="", bubblewrap="", containers=(), counted=False)
    monkeypatch.setattr(sandbox, "available", lambda: support)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run() -> Run:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(commands.grade)

    def invoke(*arguments: object, **given: Any) -> Result:
        return CliRunner().invoke(
            app, ["submissions", "--module", "01", "--jobs", "1", *map(str, arguments)], **given
        )

    return invoke


def test_all_graded(run: Run) -> None:
    hand_in(Path("submissions"), ada="points 1", bob="points 0.25", eve="points 0.25")
    done = run()
    assert done.exit_code == 0, done.output
    rows = {
        key.strip(): value
        for key, value in re.findall(r"^ +(\S.*?)  +(\S.*?)\s*$", done.stdout, re.MULTILINE)
    }
    assert rows["graded now"] == "3"
    assert rows["unchanged since before"] == "0"
    assert rows["refused"] == rows["not graded"] == "0"
    assert rows["points, mean"].startswith("2.00 / ")
    assert rows["points, median"].startswith("1.00 / ")
    for name in ("grades.csv", "index.html"):
        assert f"grades/{MODULE}/{name}\n" in done.stdout
        assert Path("grades", MODULE, name).is_file()
    assert f"grades/{MODULE}/feedback/ (3 pages)" in done.stdout
    again = run()
    assert re.search(r"unchanged since before +3 *\n", again.stdout)
    assert len(fakes.calls()) == 3


def test_what_was_not_graded_is_named_and_counted(run: Run) -> None:
    orders = {f"learner{number:02}": "raise" for number in range(12)}
    hand_in(Path("submissions"), ada="points 1", **orders)
    Path("submissions", "notes.txt").touch()
    done = run()
    assert done.exit_code == 1
    assert "not taken: notes.txt: no notebook" in done.stderr
    assert done.stderr.count("not graded, try again: learner") == 10
    assert "not graded, try again: and 2 more" in done.stderr
    assert "RuntimeError: the disk is full It was tried twice." in done.stderr


def test_a_hostile_name_reaches_no_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(Path("submissions"), ada="raise")
    evil = "\x1b]0;gotcha\x07\x1b[31m[bold]ada"
    found = find(Path("submissions"), None)
    found = intake.Found(submissions=(Submission(evil, found.submissions[0].file),), problems=(evil,))
    monkeypatch.setattr(intake, "find", lambda *_: found)
    done = run()
    assert "\x1b" not in done.output
    assert "\x07" not in done.output
    assert "[31m[bold]ada" in done.stderr


def test_who_is_gone_is_named(run: Run) -> None:
    hand_in(Path("submissions"), ada="points 1", bob="points 1")
    run()
    Path("submissions", "bob.ipynb").unlink()
    done = run()
    assert done.exit_code == 0
    assert "no submission any more, kept in the gradebook: bob" in done.stderr


def test_being_late_costs_and_grades_nothing_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(Path("submissions"), ada="points 1")
    due = datetime(2026, 3, 1, 18, tzinfo=UTC)
    found = intake.Found(
        submissions=(Submission("ada", Path("submissions/ada.ipynb"), received=due + timedelta(days=1.5)),),
        problems=(),
    )
    monkeypatch.setattr(intake, "find", lambda *_: found)

    def earned() -> float:
        told = json.loads(Path("grades", MODULE, "grades.json").read_text())
        return float(told["submissions"][0]["earned"])

    assert run().exit_code == 0
    assert earned() == 4
    assert run("--deadline", due.isoformat()).exit_code == 0
    assert earned() == 4
    assert run("--deadline", due.isoformat(), "--late", "10%/day").exit_code == 0
    assert earned() == pytest.approx(3.2)
    assert len(fakes.calls()) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--late", "10%/day"], "needs a deadline"),
        (["--deadline", "2026-03-01"], "is no time"),
        (["--deadline", "soon"], "is no time"),
        (["--deadline", "2026-03-01T18:00", "--late", "a lot"], "no late policy"),
        (["--module", "99"], "no module"),
        (["--executor", "spark://here"], "is no executor"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(run: Run, arguments: list[str], says: str) -> None:
    hand_in(Path("submissions"), ada="points 1")
    done = run(*arguments)
    assert isinstance(done.exception, FlightSchoolError)
    assert says in str(done.exception)
    assert not Path("grades").exists()


def test_without_walls_only_when_told_in_so_many_words(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    hand_in(Path("submissions"), ada="points 1")
    support = sandbox.Support(walls="There are none here.", bubblewrap="no", containers=(), counted=False)
    monkeypatch.setattr(sandbox, "available", lambda: support)
    done = run()
    assert isinstance(done.exception, sandbox.NoSandbox)
    assert "There are none here" in str(done.exception)
    assert not fakes.calls()
    assert run("--trust-every-submission").exit_code == 0


def test_the_options_reach_the_work(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from flightschool.grading import batch

    seen: dict[str, Any] = {}

    def grade(*_given: Any, **options: Any) -> Round:
        seen.update(options)
        raise FlightSchoolError("enough")

    monkeypatch.setattr(batch, "grade", grade)
    hand_in(Path("submissions"))
    run()
    assert seen["limits"] == Limits()
    assert seen["regrade"] is False
    with Gradebook(Path("grades", MODULE, NAME)) as book:
        assert seen["seed"] == book.seed(MODULE)
    limits = ["--cell-timeout", 5, "--notebook-timeout", 50, "--memory", 512]
    run(*limits, "--seed", 7, "--regrade", "--trust-every-submission")
    assert seen["limits"] == Limits(cell=5, notebook=50, memory=2**29, walls=False)
    assert (seen["seed"], seen["regrade"]) == (7, True)


def test_the_help_says_the_limits(run: Run) -> None:
    said = " ".join(run("--help", env={"COLUMNS": "200"}).stdout.split())
    for option, default in (
        ("--cell-timeout", f"{Limits().cell:g}"),
        ("--notebook-timeout", f"{Limits().notebook:g}"),
        ("--memory", str(Limits().memory // commands.MIB)),
    ):
        assert re.search(rf"{option} [^│]* {default} by default", said), (option, said)


def test_a_time_without_a_zone_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    try:
        assert commands.moment("2026-03-01T18:00").utcoffset() == timedelta(hours=5, minutes=45)
        assert commands.moment("2026-03-01 18:00+01:00").utcoffset() == timedelta(hours=1)
    finally:
        monkeypatch.undo()
        time.tzset()


INTERRUPTED = """
import sys
sys.path.insert(0, sys.argv[1])
import grading_fakes as fakes
import test_grading_commands as tests
import typer
from flightschool.grading import commands, intake, session

if __name__ == "__main__":
    session.work, intake.find = fakes.work, tests.find
    intake.read = lambda submission: submission.file.read_bytes()
    app = typer.Typer()
    app.command()(commands.grade)
    app(["submissions", "--module", "01", "--jobs", "1", "--trust-every-submission"])
"""


def test_ctrl_c_keeps_what_is_done_and_says_so(tmp_path: Path) -> None:
    hand_in(Path("submissions"), ada="points 1", bob="points 1", eve="sleep 300")
    script = tmp_path / "grade.py"
    script.write_text(INTERRUPTED)
    grader = subprocess.Popen(
        [sys.executable, str(script), str(Path(__file__).parent)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + 60
    while "eve" not in fakes.calls() and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.2)
    os.killpg(grader.pid, signal.SIGINT)
    out, err = grader.communicate(timeout=60)
    assert grader.returncode == 130, out + err
    assert err == "Interrupted. What is graded is kept (2 of 3): give the same command again to go on.\n"
    with Gradebook(Path("grades", MODULE, NAME)) as book:
        assert set(book.finished(MODULE)) == {"ada", "bob"}


def test_a_second_grader_is_refused(run: Run) -> None:
    hand_in(Path("submissions"), ada="points 1")
    with Gradebook(Path("grades", MODULE, NAME)):
        done = run()
    assert isinstance(done.exception, FlightSchoolError)
    assert "Another program holds" in str(done.exception)
    assert not fakes.calls()


def test_the_guides_commands_work(run: Run) -> None:
    hand_in(Path("submissions"), ada="points 1")
    assert {language for language, _text in BLOCKS} == {"sh", "python"}
    assert GUIDE.count("```") == 2 * len(BLOCKS)
    graded = 0
    for language, text in BLOCKS:
        if language == "python":
            ast.parse(text)
        for line in text.splitlines() if language == "sh" else ():
            words = shlex.split(line)
            if words[0] == "flightschool" and "--executor" not in words:
                assert words[:5] == ["flightschool", "grade", "submissions", "--module", "01"]
                done = run(*words[5:])
                assert done.exit_code == 0, done.output
                graded += 1
    assert graded == 2


def test_the_guides_history_can_be_read(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    hand_in(Path("submissions"), ada="points 0.25")
    run()
    hand_in(Path("submissions"), ada="points 1")
    run()
    (code,) = [text for language, text in BLOCKS if language == "python" and "Gradebook" in text]
    exec(compile(code, "grading.md", "exec"), {})
    assert capsys.readouterr().out.endswith("1.0 of 4.0\n")


def test_the_guide_names_every_option_that_it_uses(run: Run) -> None:
    said = run("--help", env={"COLUMNS": "300"}).stdout
    options = set(re.findall(r"`(--[a-z-]+)", GUIDE)) - {"--nthreads"}
    assert len(options) > 5
    for option in options:
        assert option in said


@pytest.fixture
def dask_of_the_guide() -> Iterator[str]:
    """The scheduler and workers of the guide's block, on loopback; the address that it names."""
    pytest.importorskip("distributed", reason="dask.distributed is not installed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    (block,) = [text for _language, text in BLOCKS if "dask scheduler" in text]
    lines = [
        shlex.split(line.replace("$SCHEDULER", "127.0.0.1").replace("8786", port))
        for line in block.splitlines()
    ]
    python_path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    quiet: Any = {"env": {**os.environ, "PYTHONPATH": python_path}, "stderr": subprocess.DEVNULL}
    scheduler, worker, grade = lines
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_scheduler", *scheduler[2:], "--no-dashboard"],
            **quiet,
        ),
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "distributed.cli.dask_worker",
                *worker[2:],
                "--no-dashboard",
                "--host",
                "127.0.0.1",
            ],
            **quiet,
        ),
    ]
    yield grade[grade.index("--executor") + 1]
    for process in reversed(started):
        process.terminate()
        process.wait(30)


@pytest.mark.slow
def test_the_guides_cluster_grades(run: Run, dask_of_the_guide: str) -> None:
    from distributed import Client

    with Client(dask_of_the_guide.replace("dask", "tcp"), timeout=120) as client:
        client.wait_for_workers(8, timeout=300)  # eight imports on two cores
    hand_in(Path("submissions"), **{f"learner{number:02}": "points 1" for number in range(40)})
    Path("submissions", "learner07.ipynb").write_text("die")
    done = run("--executor", dask_of_the_guide, "--trust-every-submission")
    assert done.exit_code == 1, done.output
    assert re.search(r"graded now +39 *\n", done.stdout)
    assert "learner07: The process that graded it died" in done.stderr
    assert len(set(fakes.calls())) == 40
