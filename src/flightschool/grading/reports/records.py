"""`grades.json`: the round for another program; `docs/grades.schema.json` says what is in it."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from flightschool.curriculum import Outcome
from flightschool.grading.model import Mark, Result, Round
from flightschool.grading.reports.text import stem
from flightschool.grading.reports.words import State, state

VERSION: Literal[1] = 1
LONGEST = 10_000
"""Characters of a text; what is beyond is cut."""

# JSON escapes only what is below a space; a terminal and an editor obey these, too.
_UNSEEN = re.compile("[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GradedExercise(_Record):
    """What came of one exercise. All texts but the title may hold a learner's own words: escape them."""

    exercise: str = Field(description="Its id in the module, such as `q1`.")
    title: str
    points: float = Field(gt=0, description="The most points that it gives.")
    earned: float = Field(ge=0, description="Points before the late penalty.")
    share: float = Field(ge=0, le=1, description="The part of the points that the answer earns.")
    outcome: Outcome = Field(description="One of seven, never merged.")
    message: str = Field(
        max_length=LONGEST, description="What a passed check proves, or what the grader says."
    )
    expected: str = Field(max_length=LONGEST, description="What was asked, in the learner's terms.")
    found: str = Field(max_length=LONGEST, description="What the answer did.")
    try_next: str = Field(max_length=LONGEST, description="What to try next.")


class GradedSubmission(_Record):
    """What came of one learner's submission."""

    learner: str = Field(description="Who it is of, as the submission's file or folder says.")
    name: str = Field(description="What the learner is called; empty where no list of names was given.")
    file: str = Field(description="Where it was found, relative to the folder that was graded.")
    fingerprint: str = Field(description="SHA-256 of all that the marks depend on, in hexadecimal.")
    feedback: str = Field(description="The learner's page, relative to this file.")
    status: State = Field(
        description="`graded`; `refused`: nothing of it could be graded, so that it has no points; "
        "`failed`: the grader could not do it, so that it has no mark and is to be graded again."
    )
    reason: str = Field(
        max_length=LONGEST, description="Why it was refused, or why grading failed; else empty."
    )
    notices: list[str] = Field(description="What was mended in the notebook, as told to the learner.")
    received: datetime | None = Field(
        description="When it arrived, with its zone; null where nothing says so."
    )
    days_late: float = Field(ge=0, description="Days of 24 hours after the deadline; 0 when in time.")
    kept: float = Field(ge=0, le=1, description="The part of the points that the late penalty leaves.")
    earned: float | None = Field(
        ge=0, description="Points after the penalty, to a hundredth; null when grading failed."
    )
    points: float = Field(ge=0, description="The most that could be earned.")
    seconds: float = Field(ge=0, description="Wall time of grading it.")
    exercises: list[GradedExercise] = Field(description="In the module's order; none when grading failed.")


class Grades(_Record):
    """The marks of all learners for one module. The learners' code and the secret seed are not in it."""

    version: Literal[1] = Field(description="Of this schema. A change that breaks a reader raises it.")
    module: str = Field(description="Such as `07_data_quality`.")
    title: str
    points: float = Field(ge=0, description="The most points that the module gives.")
    graded_at: datetime
    submissions: list[GradedSubmission] = Field(description="A learner has one.")


def grades(round: Round, names: Mapping[str, str]) -> Iterator[str]:
    """The file, piece by piece, so that a large round is never in memory twice."""
    empty = Grades(
        version=VERSION,
        module=round.module,
        title=round.title,
        points=round.points,
        graded_at=round.graded_at,
        submissions=[],
    )
    yield _json(empty).removesuffix("]}")
    for place, result in enumerate(round.results):
        yield (",\n" if place else "\n") + _json(_submission(result, round, names))
    yield "\n]}\n"


def schema() -> str:
    """The JSON Schema of the file, as text."""
    found = Grades.model_json_schema(mode="serialization")
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:flightschool:grades:{VERSION}",
    }
    return json.dumps(head | found, indent=2, ensure_ascii=False) + "\n"


def _submission(result: Result, round: Round, names: Mapping[str, str]) -> GradedSubmission:
    return GradedSubmission(
        learner=result.learner,
        name=names.get(result.learner, ""),
        file=result.file,
        fingerprint=result.fingerprint,
        feedback=f"feedback/{stem(result.learner)}.html",
        status=state(result),
        reason=(result.failure or result.refused)[:LONGEST],
        notices=[notice[:LONGEST] for notice in result.notices],
        received=result.received,
        days_late=result.days_late,
        kept=result.kept,
        earned=None if result.failure else result.earned,
        points=round.points,
        seconds=result.seconds,
        exercises=[_exercise(mark) for mark in result.marks],
    )


def _exercise(mark: Mark) -> GradedExercise:
    return GradedExercise(
        exercise=mark.exercise,
        title=mark.title,
        points=mark.points,
        earned=round(mark.earned, 4),
        share=mark.share,
        outcome=mark.outcome,
        message=mark.message[:LONGEST],
        expected=mark.expected[:LONGEST],
        found=mark.found[:LONGEST],
        try_next=mark.try_next[:LONGEST],
    )


def _json(record: BaseModel) -> str:
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", record.model_dump_json())
