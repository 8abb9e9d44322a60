"""What the course consists of: modules and their exercises, read from solutions/ and labs/.

No other file knows the list. A module is `solutions/NN_topic.py`; its exercises are declared in
`labs/NN_topic/exercises.py` and judged by `labs/NN_topic/judges.py`. The two are loaded apart, since a graded
learner's process has the first in reach and never the second.
"""

from __future__ import annotations

import importlib
import re
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightschool import paths
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

if TYPE_CHECKING:
    from flightschool.data import World

MODULE_NAME = re.compile(r"[0-9][0-9]_[a-z][a-z0-9_]*")


class Outcome(StrEnum):
    """The seven things that can come of an attempt. They are never merged."""

    PASSED = "passed"
    PARTLY = "partly"
    FAILED = "failed"
    NOT_ATTEMPTED = "not_attempted"
    ERROR = "error"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"


@dataclass(frozen=True)
class Verdict:
    """What came of an attempt, in the learner's terms; never the hidden answer.

    `share` is the part of the exercise's points that it earns, from 0 to 1.
    """

    outcome: Outcome
    share: float = 0.0
    message: str = ""
    expected: str = ""
    found: str = ""
    try_next: str = ""

    @classmethod
    def passed(cls, message: str) -> Verdict:
        """All points; `message` says what that proves and how a professional would go further."""
        return cls(Outcome.PASSED, share=1.0, message=message)

    @classmethod
    def partly(cls, share: float, *, expected: str, found: str, try_next: str) -> Verdict:
        """A part of the points, `share` strictly between 0 and 1."""
        if not 0 < share < 1:
            raise ValueError(f"share is {share}; a part lies strictly between 0 and 1")
        return cls(Outcome.PARTLY, share=share, expected=expected, found=found, try_next=try_next)

    @classmethod
    def failed(cls, *, expected: str, found: str, try_next: str) -> Verdict:
        """No points: what was expected, what was found, and what to try next."""
        return cls(Outcome.FAILED, expected=expected, found=found, try_next=try_next)

    @property
    def text(self) -> str:
        """All that the verdict says, as one string."""
        return " ".join(filter(None, (self.message, self.found, self.expected, self.try_next)))


class NotAttempted(Exception):
    """Raised by a probe that finds nothing of the learner's to look at, such as a file not yet written."""


Probe = Callable[[Any, "World"], Any]
JudgeFunction = Callable[[Any, "World"], Verdict]


@dataclass(frozen=True)
class Exercise:
    """One thing to do. `probe(answer, world)` turns the learner's answer into evidence, which is plain data."""

    id: str
    title: str
    points: float
    hints: tuple[str, ...]
    probe: Probe


@dataclass(frozen=True)
class Judge:
    """Compares the evidence of one exercise with what the reference gives on the same world."""

    exercise: str
    function: JudgeFunction

    def __call__(self, evidence: Any, world: World) -> Verdict:
        return self.function(evidence, world)


def exercise(id: str, *, title: str, points: float, hints: Sequence[str]) -> Callable[[Probe], Exercise]:
    """Declare an exercise; the decorated function is its probe."""
    if points <= 0:
        raise ValueError(f"exercise {id}: points must be positive")
    if not 2 <= len(hints) <= 4:
        raise ValueError(f"exercise {id}: a ladder of hints has two to four rungs, from vague to concrete")

    def declare(probe: Probe) -> Exercise:
        return Exercise(id, title, points, tuple(hints), probe)

    return declare


def judge(exercise: str) -> Callable[[JudgeFunction], Judge]:
    """Declare the judge of an exercise."""
    return lambda function: Judge(exercise, function)


@dataclass(frozen=True)
class Module:
    """One of the course's modules: where its four places are, and what it asks."""

    id: str
    solutions: Path = field(default=paths.SOLUTIONS, repr=False)
    labs: Path = field(default=paths.LABS, repr=False)

    @property
    def number(self) -> str:
        """Two digits, such as `07`."""
        return self.id[:2]

    @property
    def source(self) -> Path:
        """The jupytext percent script that the notebooks are made from."""
        return self.solutions / f"{self.id}.py"

    @property
    def lab(self) -> Path:
        """The folder of the module's lab code."""
        return self.labs / self.id

    @cached_property
    def title(self) -> str:
        """The source's first heading, without its number: `Why DataOps`."""
        for line in self.source.read_text(encoding="utf-8").splitlines():
            if heading := re.match(r"#\s+#\s+(?:\d\d\s*·\s*)?(.+)", line):
                return heading[1].strip()
        return self.id

    @cached_property
    def exercises(self) -> Mapping[str, Exercise]:
        """The exercises by id, in the order of their declaration."""
        if not (self.lab / "exercises.py").is_file():
            return {}
        found = vars(load_lab_file(self.lab, "exercises")).values()
        return {item.id: item for item in found if isinstance(item, Exercise)}

    @cached_property
    def judges(self) -> Mapping[str, Judge]:
        """The judges by exercise id. Not in reach of a graded learner: there the file is absent."""
        found = vars(load_lab_file(self.lab, "judges")).values()
        return {item.exercise: item for item in found if isinstance(item, Judge)}

    @property
    def points(self) -> float:
        """The sum over all exercises."""
        return sum(item.points for item in self.exercises.values())


def modules(solutions: Path = paths.SOLUTIONS, labs: Path = paths.LABS) -> list[Module]:
    """All modules, in their order."""
    names = sorted(path.stem for path in solutions.glob("*.py") if MODULE_NAME.fullmatch(path.stem))
    return [Module(name, solutions, labs) for name in names]


def module(name: str, solutions: Path = paths.SOLUTIONS, labs: Path = paths.LABS) -> Module:
    """One module by its id (`07_data_quality`), number (`07` or `7`) or topic (`data_quality`).

    Raises FlightSchoolError, naming those that exist, when there is none of that name.
    """
    known = modules(solutions, labs)
    for one in known:
        if name in (one.id, one.number, one.number.lstrip("0"), one.id[3:]):
            return one
    raise FlightSchoolError(
        _("There is no module {name!r}. Choose one of: {known}.").format(
            name=name, known=", ".join(one.id for one in known)
        )
    )


def load_lab_file(lab: Path, name: str) -> types.ModuleType:
    """Import `labs/NN_topic/<name>.py`, once, as `flightschool_labs.NN_topic.<name>`.

    A module's name begins with a digit, which an import statement can't say; relative imports between the
    files of one lab work. Raises FileNotFoundError when the file is absent.
    """
    if not (lab / f"{name}.py").is_file():
        raise FileNotFoundError(lab / f"{name}.py")
    parent = "flightschool_labs"
    if lab.parent != paths.LABS:
        parent += f"_{abs(hash(lab.parent)):x}"  # another tree of labs, as tests have
    for package, folder in ((parent, lab.parent), (f"{parent}.{lab.name}", lab)):
        if package not in sys.modules:
            sys.modules[package] = types.ModuleType(package)
            sys.modules[package].__path__ = [str(folder)]
    return importlib.import_module(f"{parent}.{lab.name}.{name}")
