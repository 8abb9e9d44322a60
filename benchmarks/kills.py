"""Grades the same submissions twice, once undisturbed and once with the grader killed by SIGKILL again and again.

    python benchmarks/kills.py [--submissions 1000] [--kills 10] [--module NN] [--jobs N] [--seed N] [--json FILE]

Without --module a stand-in takes the place of the session: a few milliseconds a submission, marks made from its bytes. What must
hold: both gradebooks have the same results; no submission whose result a kill had left in the gradebook was worked on again (each
call of a worker leaves a line in a file); nothing of a killed grader still runs. Work that was in flight when a
kill came is done again; how much that was is printed. Exit status 1 when something does not hold.
"""

import argparse
import functools
import hashlib
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console

from flightschool import curriculum, paths
from flightschool.curriculum import Outcome
from flightschool.engine import fingerprint, machine
from flightschool.grading import batch
from flightschool.grading.executors import Processes
from flightschool.grading.gradebook import NAME, Gradebook
from flightschool.grading.model import Limits, Mark, Result, Submission, Task
from flightschool.grading.progress import Watch

STAND_IN = curriculum.modules()[0]
ENDING = 10.0
"""Seconds for all that a killed grader has started to be gone."""


def stand_in(task: Task) -> Result:
    """Work without a notebook: 5 to 25 ms, marks made from the submission's bytes."""
    digest = hashlib.sha256(task.notebook + task.seed.to_bytes(8, "big")).digest()
    time.sleep(0.005 + digest[0] / 12_800)
    marks = tuple(
        Mark(exercise=f"q{n}", title=f"{n}", points=2, outcome=Outcome.PARTLY, share=digest[n] / 255)
        for n in range(1, 6)
    )
    return Result(learner=task.learner, file=task.file, fingerprint=task.fingerprint, marks=marks)


def logged(task: Task, *, log: str, real: bool) -> Result:
    """Work, with a line in the log first."""
    with Path(log).open("a") as file:
        file.write(f"{task.learner}\n")
    if real:
        from flightschool.grading import session

        return session.work(task)
    return stand_in(task)


def life(folder: Path, out: Path, log: Path, module: str, jobs: int) -> None:
    """One life of a grader: from wherever the one before it was killed to the end, or to its own kill."""
    chosen = curriculum.module(module) if module else STAND_IN
    work = functools.partial(logged, log=str(log), real=bool(module))
    with Gradebook(out / NAME) as book, Processes(jobs) as crew:
        batch.grade(
            [Submission(path.stem, path) for path in sorted(folder.iterdir())],
            chosen,
            book,
            crew,
            folder=folder,
            seed=book.seed(chosen.id),
            limits=Limits(),
            progress=Watch(Console(file=(out / "progress").open("a"))),
            read=lambda submission: submission.file.read_bytes(),
            work=work,
        )


def hand_in(folder: Path, count: int, module: str) -> None:
    """Submissions, each with other bytes: notebooks by turns solved and untouched, or a line for the stand-in."""
    folder.mkdir()
    if not module:
        for number in range(count):
            (folder / f"learner{number:05}.ipynb").write_text(f"submission {number}\n")
        return
    import nbformat  # here, since each worker imports this file

    from flightschool import publish

    chosen = curriculum.module(module)
    solved, untouched = (
        publish.solution_notebook(chosen),
        (paths.NOTEBOOKS / f"{chosen.id}.ipynb").read_bytes(),
    )
    for number in range(count):
        page = nbformat.reads((untouched, solved)[number % 2].decode(), as_version=4)
        page.cells.append(nbformat.v4.new_markdown_cell(f"Number {number}", id=f"number-{number}"))
        nbformat.write(page, folder / f"learner{number:05}.ipynb")


def lines(path: Path) -> list[str]:
    """The learners worked on so far."""
    return path.read_text().split() if path.exists() else []


def copied(out: Path) -> dict[str, dict[str, Any]]:
    """What a copy of the gradebook says, without the seconds; the original is left for the grader to mend."""
    with tempfile.TemporaryDirectory() as name:
        for path in out.glob(f"{NAME}*"):
            shutil.copy(path, name)
        return told(Path(name))


def told(out: Path) -> dict[str, dict[str, Any]]:
    """The results in a gradebook by learner, without the seconds that they took."""
    found: dict[str, dict[str, Any]] = {}
    with Gradebook(out / NAME) as book:
        for module in curriculum.modules():
            for learner in book.finished(module.id):
                result = book.get(module.id, learner)
                assert result is not None
                found[learner] = result.model_dump(mode="json", exclude={"seconds"})
    return found


def thresholds(kills: int, count: int, chance: random.Random) -> Iterator[int | None]:
    """After how many calls the lives end, one after the other, None for the last. One in four ends as it begins."""
    for threshold in sorted(chance.randrange(count) for _kill in range(kills)):
        yield 0 if chance.random() < 0.25 else threshold
    yield None


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--module", default="")
    parser.add_argument("--jobs", type=int, default=machine.cores())
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--life", nargs=3, type=Path, metavar=("FOLDER", "OUT", "LOG"), help=argparse.SUPPRESS
    )
    chosen = parser.parse_args()
    if chosen.life:
        life(*chosen.life, chosen.module, chosen.jobs)
        return 0
    module = curriculum.module(chosen.module) if chosen.module else STAND_IN
    course = fingerprint.course(module)
    with tempfile.TemporaryDirectory(prefix="flightschool-kills-") as name:
        status = compare(Path(name), chosen)
    if fingerprint.course(module) != course:
        print(
            "The course was edited meanwhile, so it was rightly graded again: measure anew.", file=sys.stderr
        )
        return 3
    return status


def compare(work: Path, chosen: argparse.Namespace) -> int:
    """The two runs, and what came of them."""
    folder, calm, killed = work / "handed-in", work / "calm", work / "killed"
    hand_in(folder, chosen.submissions, chosen.module)
    Gradebook(calm / NAME).close()
    killed.mkdir()
    shutil.copy(calm / NAME, killed / NAME)  # the same secret, so the same world

    def start(out: Path) -> subprocess.Popen[bytes]:
        command = [sys.executable, __file__, "--module", chosen.module, "--jobs", str(chosen.jobs)]
        return subprocess.Popen(
            [*command, "--life", str(folder), str(out), str(out / "log")],
            # What tidies up after a kill says so.
            env={**os.environ, "PYTHONWARNINGS": "ignore:resource_tracker:UserWarning"},
        )

    begin = time.monotonic()
    if start(calm).wait():
        print("The undisturbed run failed.", file=sys.stderr)
        return 1
    seconds = time.monotonic() - begin
    chance = random.Random(chosen.seed)
    kills, again, survivors, failures = 0, Counter[str](), 0, 0
    for threshold in thresholds(chosen.kills, chosen.submissions, chance):
        kept, before = copied(killed), len(lines(killed / "log"))
        grader = start(killed)
        if threshold is None:
            failures += grader.wait() != 0
        else:
            while grader.poll() is None and len(lines(killed / "log")) < threshold:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.5))
            below = psutil.Process(grader.pid).children(recursive=True) if grader.poll() is None else []
            kills += grader.poll() is None
            grader.kill()
            grader.wait()
            survivors += len(psutil.wait_procs(below, ENDING)[1])
        again.update(learner for learner in lines(killed / "log")[before:] if learner in kept)
    calls = lines(killed / "log")
    same = told(calm) == told(killed)
    complete = len(told(killed)) == chosen.submissions
    figures = {
        "submissions": chosen.submissions,
        "kills": kills,
        "seconds undisturbed": round(seconds, 1),
        "calls of workers": len(calls),
        "in flight at a kill, done again": len(calls) - len(set(calls)),
        "kept, and yet graded again": again.total(),
        "processes that survived": survivors,
        "all graded": complete,
        "gradebooks equal": same,
    }
    for what, value in figures.items():
        print(f"{what:<34}{value}")
    if chosen.json:
        machine = {
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        }
        told_ = {"machine": machine, "module": chosen.module or "stand-in", "jobs": chosen.jobs, **figures}
        chosen.json.write_text(json.dumps(told_, indent=2) + "\n")
    held = same and complete and not (again or survivors or failures)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
