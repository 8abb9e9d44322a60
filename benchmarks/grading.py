"""Grading beside nbgrader and otter-grader, on the same submissions of a light notebook: wall and CPU time, memory, marks.

    python benchmarks/grading.py [--submissions 100] [--pairs 3] [--many 1000] [--without otter] [--json FILE]

In each pair all graders grade the same submissions, one grader straight after the other. Ours is the command
`flightschool grade`, sandbox, hidden world and judging included, with an empty gradebook; two submissions alone tell what its start takes. `--many` submissions are then graded by
ours alone, and watched: memory of all its processes, and the rate from beginning to end. 0 leaves that out.
"""

import argparse
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import report
from others import light
from others.environments import Unavailable
from others.measured import Measured, run
from others.nbgrader_course import nbgrader_autograde
from others.otter_run import otter_run

SEED = 20130208
OWN = """
import json, sys, time
from pathlib import Path
from flightschool.engine import shell as shells
from flightschool.grading import notebook, plan, preload

canonical, shell, seconds = plan.read_canonical(Path(sys.argv[1])), shells.build(), []
with shell.builtin_trap, shell.display_trap:
    for name in [sys.argv[2], *sys.argv[2:]]:  # twice the first, which warms up
        steps = plan.plan(notebook.cells(Path(name).read_bytes()), canonical, 0).steps
        shell.reset()
        begin = time.process_time()
        for step in steps:
            shell.run_cell(step.code, store_history=True)
        seconds.append(time.process_time() - begin)
print(json.dumps(seconds[1:]))
"""
"""CPU seconds of the cells themselves, checks and the outputs' making included, in one warm shell without any grader around."""


def handed_in(folder: Path, submissions: Sequence[light.Handed]) -> Path:
    """The submissions as files."""
    folder.mkdir(parents=True)
    for one in submissions:
        (folder / f"{one.learner}.ipynb").write_bytes(one.notebook)
    return folder


def ours(course: light.Course, submitted: Path, out: Path, n: int) -> Measured:
    """`flightschool grade` on all of them."""
    command = [sys.executable, "-m", "flightschool", "grade", str(submitted), "--module", light.ID]
    ran = run([*command, "--out", str(out), "--seed", str(SEED)], out.parent, os.environ | course.environment)
    if ran.status:
        raise SystemExit(f"flightschool grade failed:\n{ran.said}")
    told = json.loads((out / "grades.json").read_text())
    marks = {
        one["learner"]: {mark["exercise"]: mark["earned"] for mark in one["exercises"]}
        for one in told["submissions"]
    }
    return Measured(ran.wall, ran.cpu, n, marks)


def own_code(course: light.Course, submitted: Path) -> float:
    """Median CPU seconds of a submission's own cells."""
    paths = [
        str(course.root / "notebooks" / f"{light.ID}.ipynb"),
        *map(str, sorted(submitted.glob("*.ipynb"))),
    ]
    environment = os.environ | course.environment | {"FLIGHTSCHOOL_MODULE": light.ID}
    ran = run([sys.executable, "-c", OWN, *paths], submitted.parent, environment)
    if ran.status:
        raise SystemExit(f"the cells could not be run:\n{ran.said}")
    return statistics.median(json.loads(ran.said.splitlines()[-1]))


def watched(course: light.Course, folder: Path, n: int) -> dict[str, float]:
    """Grade many: memory of all processes together (proportional set sizes, bytes) and the rate, early and late.

    Early and late are the second and the last quarter of the submissions.
    """
    submitted = handed_in(folder / "many", course.submissions(n))
    done, samples = threading.Event(), list[tuple[float, int]]()

    def look() -> None:
        while not done.wait(0.5):
            total = 0
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    total += process.memory_full_info().pss
            samples.append((time.time(), total))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        measured = ours(course, submitted, folder / "many-grades", n)
    finally:
        done.set()
        thread.join()
    with sqlite3.connect(folder / "many-grades" / "gradebook.sqlite") as book:
        rows = book.execute("SELECT graded_at FROM results ORDER BY graded_at").fetchall()
    times = [datetime.fromisoformat(at).timestamp() for (at,) in rows]
    quarters = [times[len(times) * quarter // 4] for quarter in range(4)] + [times[-1]]

    def between(quarter: int) -> tuple[float, float]:
        begin, end = quarters[quarter], quarters[quarter + 1]
        held = [total for at, total in samples if begin <= at <= end] or [0]
        return len(times) / 4 / (end - begin), statistics.median(held)

    (early_rate, early_memory), (late_rate, late_memory) = between(1), between(3)
    return {
        "submissions": n,
        "seconds": measured.wall,
        "peak memory": max(total for _at, total in samples),
        "early memory": early_memory,
        "late memory": late_memory,
        "early rate": early_rate,
        "late rate": late_rate,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=100)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--many", type=int, default=1000)
    parser.add_argument("--without", choices=("nbgrader", "otter"), action="append", default=[])
    parser.add_argument("--json", type=Path, help="where to keep the figures")
    chosen = parser.parse_args()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        course = light.course(folder / "course")
        submissions = course.submissions(chosen.submissions)
        submitted = handed_in(folder / "submitted", submissions)
        notebooks = {one.learner: one.notebook for one in submissions}
        wanted = {one.learner: dict(one.marks) for one in submissions}
        graders: dict[str, Callable[[Path], Measured]] = {
            "flightschool": lambda out: ours(course, submitted, out, len(submissions)),
            "nbgrader": lambda out: nbgrader_autograde(out, notebooks, course),
            "otter": lambda out: otter_run(out, notebooks),
        }
        graders = {name: grade for name, grade in graders.items() if name not in chosen.without}
        runs: dict[str, list[Measured]] = {grader: [] for grader in graders}
        two = handed_in(folder / "two", submissions[:2])
        starts = []
        for pair in range(chosen.pairs):
            starts.append(ours(course, two, folder / f"start-{pair}", 2))
            for grader, grade in graders.items():
                try:
                    runs[grader].append(grade(folder / f"{grader}-{pair}"))
                except Unavailable as error:
                    print(f"{grader} is left out: {error}", file=sys.stderr)
        own = own_code(course, submitted)
        found["own code"] = {"cpu": own}
        start = {what: statistics.median(getattr(one, what) for one in starts) for what in ("wall", "cpu")}
        further = statistics.median(
            (one.cpu - first.cpu) / (one.n - first.n)
            for one, first in zip(runs["flightschool"], starts, strict=True)
        )
        found["start"], found["each further"] = start, {"cpu": further, "overhead": further - own}
        rows = []
        mine = statistics.median(one.wall for one in runs["flightschool"])
        for grader, measured in runs.items():
            if not measured:
                continue
            wall, cpu = (
                statistics.median(getattr(one, what) for one in measured) / len(submissions)
                for what in ("wall", "cpu")
            )
            right = sum(measured[-1].marks.get(learner) == marks for learner, marks in wanted.items())
            times = wall * len(submissions) / mine
            found[grader] = {
                "wall": wall,
                "cpu": cpu,
                "overhead": cpu - own,
                "right": right,
                "times ours": times,
            }
            rows.append(
                (
                    grader,
                    f"{wall * 1e3:.0f}",
                    f"{cpu * 1e3:.0f}",
                    f"{(cpu - own) * 1e3:.0f}",
                    f"{times:.1f}×",
                    str(right),
                )
            )
        print(
            f"{len(submissions)} submissions, medians of {chosen.pairs}; the cells' own code: {own * 1e3:.0f} ms of CPU"
        )
        heading = ("a submission", "wall ms", "CPU ms", "overhead ms", "wall : ours", "right marks")
        for row in (heading, *rows):
            print("".join(f"{cell:<14}" for cell in row))
        print(
            f"two submissions alone take {start['wall']:.1f} s, {start['cpu']:.1f} s of CPU; "
            f"each further one {further * 1e3:.0f} ms of CPU, {(further - own) * 1e3:.0f} of them overhead"
        )
        if chosen.many:
            found["many"] = many = watched(course, folder, chosen.many)
            print(
                f"{chosen.many} submissions: {many['seconds']:.0f} s, at most {many['peak memory'] / 2**20:.0f} MiB in all; "
                f"second quarter {many['early rate']:.1f} a second in {many['early memory'] / 2**20:.0f} MiB, "
                f"last {many['late rate']:.1f} in {many['late memory'] / 2**20:.0f} MiB"
            )
    report.keep("grading", found, chosen.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
