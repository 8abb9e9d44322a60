"""What grading hands from one of its files to the next: submissions, plans, marks, results, rounds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from flightschool.curriculum import Outcome

Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True)
class Submission:
    """What one learner handed in for one module, as found; nothing of it is read yet but its size.

    `member` is the path inside the archive `file` and empty for a plain notebook. `received` has a zone, None where nothing says when.
    `also` names files of the same learner that were not taken, for the instructor.
    """

    learner: str
    file: Path
    member: str = ""
    received: datetime | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """One cell to execute. With an `exercise` it is that exercise's check, re-made from the course's own notebook."""

    code: str
    cell_id: str
    exercise: str = ""


@dataclass(frozen=True)
class Plan:
    """What of a submission is executed, in order.

    `answers` is the learner's own code for each exercise, empty text where it is still the stub. `notices` are sentences for the learner
    about what was mended in the notebook.
    """

    steps: tuple[Step, ...]
    answers: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Record):
    """What the code of one submission may use. Seconds and bytes."""

    cell: float = Field(default=60, gt=0, description="Wall seconds of one cell.")
    notebook: float = Field(default=600, gt=0, description="Wall seconds of the whole submission.")
    memory: int = Field(default=2 * 2**30, gt=0)
    writable: int = Field(default=2**30, gt=0)
    processes: int = Field(default=512, gt=0)
    walls: bool = Field(
        default=True, description="Whether it runs in the sandbox; without only where it is trusted."
    )
    output: int = Field(default=32 * 2**20, gt=0, description="Bytes that it may print, and of evidence.")


class Task(_Record):
    """All that a worker needs to grade one submission, on whichever machine it is; `notebook` is the file as handed in."""

    module: str
    learner: str
    file: str
    fingerprint: str
    notebook: bytes = Field(repr=False)
    seed: int = Field(repr=False, description="Of the secret world.")
    limits: Limits = Limits()


class Mark(_Record):
    """What came of one exercise. All texts but `title` may hold a learner's own words: escape them."""

    exercise: str
    title: str
    points: float = Field(gt=0, description="The most points that the exercise gives.")
    outcome: Outcome
    share: Share = Field(description="The part of the points that the answer earns.")
    message: str = ""
    expected: str = ""
    found: str = ""
    try_next: str = ""

    @property
    def earned(self) -> float:
        """Points, before any penalty."""
        return self.points * self.share


class Result(_Record):
    """What came of one submission.

    `refused` says why nothing of it could be graded (no notebook, damaged): its marks are then all *not attempted*. `failure` says why the
    grader itself could not do it (it is to be graded again): it has no marks then.
    """

    learner: str
    file: str = Field(description="Where the submission was found, relative to the folder that was graded.")
    fingerprint: str = Field(description="SHA-256 of all that the marks depend on, in hexadecimal.")
    marks: tuple[Mark, ...] = ()
    notices: tuple[str, ...] = ()
    refused: str = ""
    failure: str = ""
    received: datetime | None = None
    days_late: float = Field(default=0, ge=0, description="Days after the deadline; 0 when in time.")
    kept: Share = Field(default=1, description="The part of the points that the late penalty leaves.")
    seconds: float = Field(default=0, ge=0, description="Wall time of grading it.")
    answers: dict[str, str] = Field(default_factory=dict, description="The learner's code for each exercise.")

    @property
    def earned(self) -> float:
        """Points after the penalty, rounded to a hundredth as gradebooks have them."""
        return round(sum(mark.earned for mark in self.marks) * self.kept, 2)

    @property
    def points(self) -> float:
        """The most that could be earned."""
        return sum(mark.points for mark in self.marks)


class Round(_Record):
    """All results of one module: what the reports are made from. The secret seed is not in it."""

    module: str
    title: str
    points: float
    graded_at: datetime
    results: tuple[Result, ...]
