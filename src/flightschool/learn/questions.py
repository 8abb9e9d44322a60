"""A question in a notebook: one exercise with its check and its ladder of hints."""

from __future__ import annotations

import linecache
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightschool import paths
from flightschool.curriculum import Exercise, Judge, NotAttempted, Outcome, Verdict
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.learn.display import Card, show, verdict_card
from flightschool.learn.evidence import plain
from flightschool.learn.stubs import untouched

if TYPE_CHECKING:
    from flightschool.data import World

_OURS = str(Path(__file__).resolve().parents[1])


class Question:
    """One exercise as a learner meets it: `q1.check(answer)`, `q1.hint()`."""

    def __init__(self, exercise: Exercise, judge: Judge, world: World) -> None:
        self.exercise = exercise
        self._judge = judge
        self._world = world
        self._rung = 0

    def __repr__(self) -> str:
        return _("{id} · {title} ({points:g} points): check(answer), hint()").format(
            id=self.exercise.id, title=self.exercise.title, points=self.exercise.points
        )

    def judge(self, answer: Any) -> Verdict:
        """The verdict on an answer, without showing it."""
        return judge_answer(self.exercise, self._judge, answer, self._world)

    def check(self, answer: Any) -> None:
        """Judge an answer and show the verdict."""
        show(verdict_card(self.exercise, self.judge(answer)))

    def hint(self) -> None:
        """Show the next rung of the ladder; after the last one, the last one again."""
        total = len(self.exercise.hints)
        rung = min(self._rung, total - 1)
        self._rung = rung + 1
        head = _("Hint {number} of {total} for {id}").format(
            number=rung + 1, total=total, id=self.exercise.id
        )
        show(Card(head, (("", self.exercise.hints[rung]),)))


def judge_answer(exercise: Exercise, judge: Judge, answer: Any, world: World) -> Verdict:
    """Probe and judge one answer, both in this process: instant feedback, not a mark.

    What the learner's code raises becomes the outcome *error*, with the learner's own line.
    """
    if untouched(answer):
        return not_attempted()
    try:
        evidence = plain(exercise.probe(answer, world))
    except NotAttempted:
        return not_attempted()
    except FlightSchoolError as error:
        return Verdict.failed(
            found=str(error),
            expected=_("An answer that can be read."),
            try_next=_("Look at the task's last line: it names what to return."),
        )
    except MemoryError:
        return Verdict(
            Outcome.OUT_OF_MEMORY,
            found=_("The memory ran out while your code ran."),
            try_next=_("Aggregate or filter before you collect."),
        )
    except Exception as error:
        return Verdict(
            Outcome.ERROR,
            found=own_line(error),
            try_next=_("Run that line alone, in a cell of its own, and look at what goes in."),
        )
    return judge(evidence, world)


def not_attempted() -> Verdict:
    """The verdict on an untouched stub. It costs nothing."""
    return Verdict(
        Outcome.NOT_ATTEMPTED,
        message=_(
            "Replace the line “Your code here” above, run that cell, then this one again. A hint costs nothing: use hint()."
        ),
    )


def own_line(error: BaseException) -> str:
    """The error in one sentence, with the last line of the learner's own code that led to it."""
    what = (
        f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}".rstrip(
            ": "
        )
    )
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _learners(frame.filename)]
    if not frames:
        return what
    line = frames[-1]
    code = (line.line or linecache.getline(line.filename, line.lineno or 0)).strip()
    return _("{what} — at line {number} of your cell: {code}").format(
        what=what, number=line.lineno, code=code
    )


def _learners(filename: str) -> bool:
    """Whether a frame's file is the learner's: a notebook cell, and neither ours nor a library's."""
    return not (
        filename.startswith((_OURS, str(paths.LABS), "<frozen"))
        or "site-packages" in filename
        or "/lib/python" in filename
    )
