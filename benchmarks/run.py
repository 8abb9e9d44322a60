"""`flightschool run` beside stock papermill, one notebook after the other: wall time of all solutions, in pairs, medians.

    python benchmarks/run.py [--pairs 3] [--thirteen] [--json FILE]

A pair is a cold run of each (no state, nothing cached, no cost remembered), one straight after the other. Ours is the whole
command, HTML included, which papermill does not make. Then the command again with nothing changed, and with one lab edited.
All this happens in a copy of the checkout. `--thirteen` runs a course of thirteen notebooks, made of those that there are, taken
in turn; what stock papermill needs for it is the sum of what it needed for each.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from report import ROOT, keep, machine

COPIED = ("src", "labs", "solutions", "datasets", "environment", "pyproject.toml")
GOAL_COLD, GOAL_UNCHANGED = 0.5, 3.0
"""Parts of stock papermill's time; seconds."""
COURSE = """
import sys
from pathlib import Path
from flightschool.engine.runner import run_all
run_all(source=Path(sys.argv[1]), out=Path(sys.argv[2]))
"""


class House:
    """A copy of the checkout, in which everything is run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "checkout"
        self.root.mkdir()
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, self.root / name)
        self.run = self.root / "build" / "run"
        self._states = 0
        self.forget()

    def forget(self) -> None:
        """Begin with a state of its own: as on a machine on which nothing ever ran."""
        self._states += 1
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "FLIGHTSCHOOL_HOME": str(self.root),
            "FLIGHTSCHOOL_STATE": str(self.folder / f"s{self._states}"),
            "FLIGHTSCHOOL_PROGRESS": "off",
            "PYTHONPATH": os.pathsep.join(str(self.root / name) for name in ("src", "labs")),
        }

    def timed(self, *arguments: object) -> tuple[float, str]:
        """Seconds of a Python command, and what it printed; ends the benchmark when it fails."""
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-P", *map(str, arguments)],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        took = time.monotonic() - began
        if done.returncode:
            sys.exit(
                f"{' '.join(map(str, arguments))} failed, so there is nothing to measure:\n{done.stdout[-4000:]}"
            )
        return took, done.stdout

    def ours(self) -> tuple[float, dict[str, str]]:
        """Seconds of `flightschool run`, and what it said of each notebook."""
        took, said = self.timed("-m", "flightschool", "run")
        return took, dict(re.findall(r"^(\d\d_\w+): (.*)$", said, re.MULTILINE))

    def stock(self, notebook: Path) -> float:
        """Seconds of one notebook by the command `papermill`; the result is in stock/."""
        out = self.folder / "stock"
        work = out / f"work-{notebook.stem}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        return self.timed(
            "-m", "papermill", notebook, out / notebook.name, "--cwd", work, "-k", "python3",
            "--no-progress-bar", "--start-timeout", 180,
        )[0]  # fmt: skip


def main() -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--thirteen", action="store_true", help="also a course of thirteen notebooks")
    parser.add_argument("--json", type=Path, help="where to keep the figures")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fsrun", ignore_cleanup_errors=True) as folder:
        figures = measure(House(Path(folder)), options.pairs, options.thirteen)
    show(figures)
    keep("run", figures, options.json)
    return 0


def measure(house: House, pairs: int, thirteen: bool) -> dict[str, Any]:
    """All figures, in seconds."""
    solutions = house.root / "build" / "solutions"
    house.timed(
        "-c", "from flightschool import publish, curriculum; publish.write_solutions(curriculum.modules())"
    )
    notebooks = sorted(solutions.glob("*.ipynb"))
    stock: dict[str, list[float]] = {path.stem: [] for path in notebooks}
    cold: list[float] = []
    for pair in range(pairs):
        for turn in ("stock", "ours") if pair % 2 else ("ours", "stock"):
            house.forget()
            if turn == "stock":
                for path in notebooks:
                    stock[path.stem].append(house.stock(path))
            else:
                cold.append(house.ours()[0])
    whole = [sum(times) for times in zip(*stock.values(), strict=True)]
    figures: dict[str, Any] = {
        "pairs": pairs,
        "stock papermill, one after the other": statistics.median(whole),
        "flightschool run, cold": statistics.median(cold),
        "ratio": statistics.median(ours / theirs for ours, theirs in zip(cold, whole, strict=True)),
        "notebooks": {
            path.stem: {
                "stock": statistics.median(stock[path.stem]),
                "cells, stock": cells(house.folder / "stock" / path.name),
                "cells, ours": cells(house.run / path.name),
            }
            for path in notebooks
        },
    }
    house.ours()  # so that all is cached, whichever came last
    figures["flightschool run, nothing changed"] = statistics.median(house.ours()[0] for _ in range(5))
    edited = house.root / "labs" / notebooks[0].stem / "exercises.py"
    edited.write_text(edited.read_text() + "\n# edited\n")
    took, said = house.ours()
    figures["flightschool run, one lab edited"] = took
    figures["executed then"] = [name for name, outcome in said.items() if outcome != "cached"]
    if thirteen:
        figures["thirteen"] = course(
            house, notebooks, {name: statistics.median(t) for name, t in stock.items()}
        )
    return figures


def course(house: House, notebooks: Sequence[Path], stock: Mapping[str, float]) -> dict[str, Any]:
    """A course of thirteen notebooks, first with unknown costs, then with known ones."""
    source, out = house.folder / "thirteen", house.folder / "thirteen-run"
    source.mkdir()
    taken = list(islice(cycle(notebooks), 13))
    for number, path in enumerate(taken, 1):
        shutil.copy(path, source / f"{number:02}_{path.stem[3:]}.ipynb")
    house.forget()
    ours = house.timed("-c", COURSE, source, out)[0]
    theirs = sum(stock[path.stem] for path in taken)
    return {"stock, summed": theirs, "ours, cold": ours, "ratio": ours / theirs}


def cells(notebook: Path, most: int = 8) -> dict[str, Any]:
    """Seconds of all cells, and of the slowest, each by its first line."""
    found = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in found if cell["cell_type"] == "code"]
    slowest = sorted(code, key=lambda cell: -(cell["metadata"]["papermill"]["duration"] or 0))[:most]
    return {
        "all": sum(cell["metadata"]["papermill"]["duration"] or 0 for cell in code),
        "slowest": {
            "".join(cell["source"]).strip().splitlines()[0][:60]: cell["metadata"]["papermill"]["duration"]
            for cell in slowest
        },
    }


def show(figures: Mapping[str, Any]) -> None:
    """Tables to the terminal."""
    for name, notebook in figures["notebooks"].items():
        print(f"\n{name:60} {'stock':>8} {'ours':>8}")
        theirs, ours = notebook["cells, stock"], notebook["cells, ours"]
        for cell, seconds in theirs["slowest"].items():
            print(f"  {cell:58} {seconds:8.2f} {ours['slowest'].get(cell, float('nan')):8.2f}")
        print(f"  {'all cells':58} {theirs['all']:8.2f} {ours['all']:8.2f}")
        print(f"  {'with start and end':58} {notebook['stock']:8.2f}")
    print()
    for name in (
        "stock papermill, one after the other",
        "flightschool run, cold",
        "flightschool run, nothing changed",
        "flightschool run, one lab edited",
    ):
        print(f"{name:60} {figures[name]:8.2f} s")
    print(f"executed after that edit: {', '.join(figures['executed then'])}")
    met = {True: "met", False: "missed"}
    ratio, again = figures["ratio"], figures["flightschool run, nothing changed"]
    print(f"cold: {ratio:.2f} of stock papermill; goal {GOAL_COLD}: {met[ratio <= GOAL_COLD]}")
    print(f"nothing changed: {again:.2f} s; goal {GOAL_UNCHANGED:.0f} s: {met[again <= GOAL_UNCHANGED]}")
    if "thirteen" in figures:
        one = figures["thirteen"]
        sentence = "a course of thirteen: {0:.0f} s of {1:.0f} s, {2:.2f} of stock papermill"
        print(sentence.format(one["ours, cold"], one["stock, summed"], one["ratio"]))
    load = machine()["load_average"][0]
    print(f"medians of {figures['pairs']} pairs; load average {load:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    sys.exit(main())
