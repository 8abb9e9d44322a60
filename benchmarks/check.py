"""Measures `check` for answers that are values or functions on data frames: median and 95th percentile; keeps JSON.

Every right answer of the exercises named below is judged on several worlds, several times, as `q1.check(answer)` does it
without the display. The share that the answer itself takes is told apart, since no judge can make a learner's code faster.
Usage: python benchmarks/check.py [--runs N] [--worlds N]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "build" / "benchmarks"
DATA_ANSWERS = {"01_dataops_intro": ("q1", "q2", "q3", "q4", "q5", "quiz"), "02_data_lifecycle": ("quiz",)}
"""Exercises that need no server: their answers are values, or functions of frames and files."""
GOAL = 0.1
"""Seconds, for the median and the 95th percentile."""


def main() -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="how often each answer is judged on each world")
    parser.add_argument("--worlds", type=int, default=4, help="on how many worlds")
    options = parser.parse_args()
    os.environ["FLIGHTSCHOOL_PROGRESS"] = "off"
    sys.path.insert(0, str(ROOT / "tests"))
    from labs.kit import SEEDS, fixtures

    rows = []
    for module, exercises in DATA_ANSWERS.items():
        for fixture in fixtures(module):
            if fixture.kind == "passing" and fixture.exercise in exercises:
                rows.append(measure(module, fixture, SEEDS[: options.worlds], options.runs))
    report(rows)
    return 0


def measure(module_id: str, fixture: Any, seeds: tuple[int, ...], runs: int) -> dict[str, Any]:
    """Seconds of each check, and of the answer's own code in it; the first of each world is kept apart."""
    from flightschool.curriculum import Outcome, module
    from flightschool.data import World
    from flightschool.learn.questions import judge_answer

    home = module(module_id)
    exercise, judge = home.exercises[fixture.exercise], home.judges[fixture.exercise]
    first, total, own = [], [], []
    for seed in seeds:
        world = World(seed)
        for run in range(runs + 1):
            spent: list[float] = []
            answer = timed(fixture.answer(world), spent)
            began = time.perf_counter()
            verdict = judge_answer(exercise, judge, answer, world)
            took = time.perf_counter() - began
            if verdict.outcome is not Outcome.PASSED:
                sys.exit(f"{module_id} {fixture.exercise} {fixture.name}: {verdict.text}")
            if run:
                total.append(took)
                own.append(sum(spent))
            else:
                first.append(took)
    return {
        "exercise": f"{module_id[:2]} {fixture.exercise}",
        "answer": fixture.name,
        "first": max(first),
        "total": total,
        "own": own,
    }


def timed(answer: Any, spent: list[float]) -> Any:
    """The answer, which adds the seconds of its calls to `spent` when it is a function."""
    if not callable(answer):
        return answer

    def call(*arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return answer(*arguments)
        finally:
            spent.append(time.perf_counter() - began)

    return call


def p95(seconds: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]


def report(rows: list[dict[str, Any]]) -> None:
    """Table to the terminal in milliseconds, JSON with the machine's description into the ignored folder build/."""
    figures = []

    def line(name: str, answer: str, total: list[float], own: list[float], first: float) -> None:
        ours = [a - b for a, b in zip(total, own, strict=True)]
        row = {
            "exercise": name,
            "answer": answer,
            "median_ms": 1e3 * statistics.median(total),
            "p95_ms": 1e3 * p95(total),
            "ours_median_ms": 1e3 * statistics.median(ours),
            "ours_p95_ms": 1e3 * p95(ours),
            "first_ms": 1e3 * first,
            "checks": len(total),
        }
        figures.append(row)
        print(
            f"{name:10} {answer:30}"
            + "".join(
                f"{row[key]:9.1f}"
                for key in ("median_ms", "p95_ms", "ours_median_ms", "ours_p95_ms", "first_ms")
            )
        )

    heads = ("median", "p95", "ours", "p95 ours", "first")
    print(f"{'exercise':10} {'answer (ms)':30}" + "".join(f"{head:>9}" for head in heads))
    for row in rows:
        line(row["exercise"], row["answer"], row["total"], row["own"], row["first"])

    def all_of(name: str) -> list[float]:
        return [value for row in rows for value in row[name]]

    line("all", "", all_of("total"), all_of("own"), max(row["first"] for row in rows))
    whole = figures[-1]
    met = whole["median_ms"] < 1e3 * GOAL and whole["p95_ms"] < 1e3 * GOAL
    load = os.getloadavg()
    print(
        f"goal {1e3 * GOAL:.0f} ms: {'met' if met else 'missed'}; load average {load[0]:.1f} on {os.cpu_count()} cores"
    )
    RESULTS.mkdir(parents=True, exist_ok=True)
    content = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "system": platform.platform(),
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            "load_average": load,
        },
        "goal_ms": 1e3 * GOAL,
        "met": met,
        "figures": figures,
    }
    (RESULTS / "check.json").write_text(json.dumps(content, indent=2) + "\n")
    print(f"kept in {(RESULTS / 'check.json').relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
