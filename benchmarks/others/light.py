"""The light course: one notebook of twelve pandas cells, on which graders are measured, and any number of submissions of it."""

import itertools
import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat

from flightschool import publish
from flightschool.curriculum import Module, module
from others.environments import ROOT

SOURCE = ROOT / "benchmarks" / "light"
ID = "90_light"

ANSWERS: dict[str, tuple[tuple[float, str], ...]] = {
    "q1": (
        (
            2,
            "def late_share(turns):\n"
            "    shares = {}\n"
            "    for gate, part in turns.dropna().groupby('gate'):\n"
            "        shares[gate] = float((part.actual > part.planned).mean())\n"
            "    return shares\n\n\nlate_share(turns)",
        ),
        (
            1,
            "def late_share(turns):\n"
            "    late = turns.actual > turns.planned\n"
            "    return late.groupby(turns.gate).mean().to_dict()\n\n\nlate_share(turns)",
        ),
        (0, "def late_share(turns):\n    return turns.delay.mean()\n\n\nlate_share"),
    ),
    "q2": (
        (
            2,
            "def slowest(turns, n):\n"
            "    over = turns.assign(over=turns.actual - turns.planned).groupby('carrier').over.mean()\n"
            "    return list(over.nlargest(n).index)\n\n\nslowest(turns, 3)",
        ),
        (0, "def slowest(turns, n):\n    return sorted(turns.carrier.unique())[:n]\n\n\nslowest(turns, 3)"),
    ),
    "q3": (
        (
            1,
            "def by_gate(turns):\n"
            "    table = turns.groupby('gate').actual.agg(['size', 'sum'])\n"
            "    return table.rename(columns={'size': 'turns', 'sum': 'minutes'})\n\n\nby_gate(turns)",
        ),
        (0, "def by_gate(turns):\n    return turns.groupby('gate').actual.sum()\n\n\nby_gate(turns)"),
    ),
}
"""By exercise: points, and the code that earns them."""


@dataclass(frozen=True)
class Handed:
    """A submission, and the marks that it deserves by exercise."""

    learner: str
    notebook: bytes
    marks: Mapping[str, float]


@dataclass(frozen=True)
class Course:
    """A checkout with this one module in it."""

    root: Path

    @property
    def module(self) -> Module:
        """Its module."""
        return module(ID, self.root / "solutions", self.root / "labs")

    @property
    def release(self) -> bytes:
        """What learners get."""
        return (self.root / "notebooks" / f"{ID}.ipynb").read_bytes()

    @property
    def solution(self) -> bytes:
        """What its author has."""
        return (self.root / "build" / "solutions" / f"{ID}.ipynb").read_bytes()

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process take this checkout for the course."""
        return {
            "FLIGHTSCHOOL_HOME": str(self.root),
            "FLIGHTSCHOOL_STATE": str(self.root / ".flightschool"),
            "FLIGHTSCHOOL_PROGRESS": "off",
        }

    def submissions(self, n: int) -> list[Handed]:
        """So many learners, no two with the same bytes, with right, partly right and wrong answers, and some stubs."""
        choices = {name: [*known, (0.0, "")] for name, known in ANSWERS.items()}
        mixes = list(itertools.product(*choices.values()))
        random.Random(0).shuffle(mixes)
        handed = []
        for number in range(1, n + 1):
            mix = mixes[number % len(mixes)]
            answers = {
                name: f"# learner {number}\n{code}"
                for name, (_, code) in zip(choices, mix, strict=True)
                if code
            }
            marks = {name: points for name, (points, _code) in zip(choices, mix, strict=True)}
            learner = f"learner-{number:04}"
            handed.append(Handed(learner, answered(self.release, answers, learner), marks))
        return handed


def course(folder: Path) -> Course:
    """Lay the course out in an empty folder: sources, lab, datasets, generated notebooks."""
    skipped = shutil.ignore_patterns("__pycache__", "*.pyc")
    for room in ("solutions", "labs"):
        shutil.copytree(SOURCE / room, folder / room, ignore=skipped)
    shutil.copytree(ROOT / "datasets", folder / "datasets", ignore=skipped)
    publish.build("en", house=publish.House.at(folder))
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # graders run learners' code as another user
    return Course(folder)


def answered(release: bytes, answers: Mapping[str, str], learner: str = "") -> bytes:
    """A learner notebook with these codes in the cells of these exercises, and its learner's name in the metadata."""
    notebook = nbformat.reads(release.decode(), as_version=4)  # type: ignore[no-untyped-call]
    notebook.metadata["learner"] = learner
    for cell in notebook.cells:
        marked = cell.metadata.get("nbgrader", {})
        if marked.get("solution") and marked["grade_id"] in answers:
            cell.source = answers[marked["grade_id"]]
    return str(nbformat.writes(notebook)).encode()  # type: ignore[no-untyped-call]
