"""A question in a notebook: one exercise with its check and its ladder of hints."""

from __future__ import annotations

import linecache
import re
import textwrap
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightschool import paths
from flightschool.curriculum import Exercise, Judge, Module, NotAttempted, Outcome, Verdict
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.learn import nbgrader, progress
from flightschool.learn.display import Card, show, verdict_card
from flightschool.learn.evidence import plain
from flightschool.learn.handover import hand_over
from flightschool.learn.stubs import untouched

if TYPE_CHECKING:
    from flightschool.data import World

HONEST_ATTEMPTS = 3
"""So many answers that did not pass before a solution is shown."""

HOLE = _("This check could not make sense of the answer, which is a fault of the check")

_OURS = str(Path(__file__).resolve().parents[1])


class Question:
    """One exercise as a learner meets it: `q1.check(answer)`, `q1.hint()`, and after honest attempts `q1.solution()`.

    Without a `module` nothing is recorded and there is no solution to show. Without a `judge` (in a graded run) the
    evidence is handed over, and nobody here says what it is worth.
    """

    def __init__(
        self, exercise: Exercise, judge: Judge | None, world: World, module: Module | None = None
    ) -> None:
        self.exercise = exercise
        self._judge = judge
        self._world = world
        self._module = module
        self._rung = 0
        self._attempts = 0

    def __repr__(self) -> str:
        return _("{id} · {title} ({points:g} points): check(answer), hint()").format(
            id=self.exercise.id, title=self.exercise.title, points=self.exercise.points
        )

    def judge(self, answer: Any) -> Verdict | None:
        """The verdict on an answer, without showing it; None when its evidence was handed over."""
        if self._judge is None:
            self._hand_over(answer)
            return None
        return judge_answer(self.exercise, self._judge, answer, self._world)

    def check(self, answer: Any) -> float | None:
        """Judge an answer and show the verdict; under nbgrader return the points, else None."""
        verdict = self.judge(answer)
        return None if verdict is None else self.present(verdict)

    def _hand_over(self, answer: Any) -> None:
        way = hand_over()
        assert way is not None, "without a judge there is a way out"
        found = probe_answer(self.exercise, answer, self._world)
        if isinstance(found, Verdict):
            way.nothing(
                self.exercise.id,
                outcome=found.outcome,
                message=found.message,
                found=found.found,
                expected=found.expected,
                try_next=found.try_next,
            )
        else:
            way.evidence(self.exercise.id, found.data)

    def present(self, verdict: Verdict, extra: Iterable[tuple[str, str]] = ()) -> float | None:
        """Show a verdict and record it; under nbgrader return the points, else None."""
        lines = list(extra)
        if verdict.outcome not in (Outcome.PASSED, Outcome.NOT_ATTEMPTED):
            self._attempts += 1
            if self._attempts == HONEST_ATTEMPTS and self._solution() is not None:
                lines.append(
                    (
                        _("Stuck"),
                        _("lab.{id}.solution() shows one way, if you want to see it.").format(
                            id=self.exercise.id
                        ),
                    )
                )
        nbgrader.clear()
        show(verdict_card(self.exercise, verdict, lines))
        if self._module:
            progress.record(self._module, self.exercise, verdict, seed=self._world.seed)
        return nbgrader.points(self.exercise, verdict)

    def hint(self) -> None:
        """Show the next rung of the ladder; after the last one, the last one again."""
        total = len(self.exercise.hints)
        rung = min(self._rung, total - 1)
        self._rung = rung + 1
        head = _("Hint {number} of {total} for {id}").format(
            number=rung + 1, total=total, id=self.exercise.id
        )
        show(Card(head, (("", self.exercise.hints[rung]),)))
        if self._module:
            progress.hint(self._module, self.exercise, rung + 1, seed=self._world.seed)

    def solution(self) -> None:
        """Show one way to do it, after three honest attempts; a graded run has none to show."""
        text = self._solution()
        if text is None:
            show(Card(_("There is no solution here to show."), ()))
        elif self._attempts < HONEST_ATTEMPTS:
            left = HONEST_ATTEMPTS - self._attempts
            show(Card(_("First {left} more attempts of your own; hint() helps.").format(left=left), ()))
        else:
            show(Card(_("One way to do {id}").format(id=self.exercise.id), (("", text),), code=True))

    def _solution(self) -> str | None:
        return solution_of(self._module.source, self.exercise.id) if self._module else None


def judge_answer(exercise: Exercise, judge: Judge, answer: Any, world: World) -> Verdict:
    """Probe and judge one answer, both in this process: instant feedback, not a mark."""
    found = probe_answer(exercise, answer, world)
    return found if isinstance(found, Verdict) else judge_evidence(judge, found.data, world)


@dataclass(frozen=True)
class Evidence:
    """What a probe has found, as plain data."""

    data: Any


def probe_answer(exercise: Exercise, answer: Any, world: World) -> Evidence | Verdict:
    """The evidence of an answer, or the verdict where there is none.

    What the learner's code raises becomes the outcome *error*, with the learner's own line.
    """
    if untouched(answer):
        return not_attempted(exercise)
    try:
        return Evidence(plain(exercise.probe(answer, world)))
    except NotAttempted:
        return not_attempted(exercise)
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
    except (Exception, SystemExit) as error:
        return _raised(error, answer)


def judge_evidence(judge: Judge, evidence: Any, world: World) -> Verdict:
    """The verdict on evidence, whatever it is."""
    try:
        return judge(evidence, world)
    except Exception as error:  # a hole in a judge, and no fault of the learner's
        return Verdict(
            Outcome.ERROR,
            found=_("{hole} ({error}).").format(hole=HOLE, error=type(error).__name__),
            try_next=_("Nothing is counted. Return what the task names, in the form it names."),
        )


def not_attempted(exercise: Exercise) -> Verdict:
    """The verdict on an untouched stub. It costs nothing."""
    return Verdict(
        Outcome.NOT_ATTEMPTED,
        message=_(
            "Replace the line “Your code here” above, run that cell, then this one again. A hint costs nothing: {hint}."
        ).format(hint=hint_of(exercise)),
    )


def hint_of(exercise: Exercise) -> str:
    """What a learner types for a hint."""
    return "incident.hint()" if exercise.id == "drill" else f"lab.{exercise.id}.hint()"


def _raised(error: BaseException, answer: Any) -> Verdict:
    if line := own_line(error):
        return Verdict(
            Outcome.ERROR,
            found=line,
            try_next=_("Run that line alone, in a cell of its own, and look at what goes in."),
        )
    return Verdict(
        Outcome.ERROR,
        found=_("{error} What you handed to check(…) is of type {kind}.").format(
            error=spell(error), kind=type(answer).__name__
        ),
        try_next=_("Compare it with the task's last lines: they name what to hand over."),
    )


def own_line(error: BaseException) -> str | None:
    """The error with the last line of the learner's own code that led to it; None when none of it did."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _learners(frame.filename)]
    if not frames:
        return None
    line = frames[-1]
    code = (line.line or linecache.getline(line.filename, line.lineno or 0)).strip()
    return _("{error} At line {number} of your cell: {code}").format(
        error=spell(error), number=line.lineno, code=code
    )


def spell(error: BaseException) -> str:
    """Type and first line of an error, whatever its `__str__` does."""
    try:
        text = str(error).strip()
    except Exception:
        text = ""
    first = text.splitlines()[0][:300] if text else ""
    return f"{type(error).__name__}: {first.rstrip('.')}." if first else f"{type(error).__name__}."


def _learners(filename: str) -> bool:
    """Whether a frame's file is the learner's: a notebook cell, and neither ours nor a library's."""
    return not (
        filename.startswith((_OURS, str(paths.LABS), "<frozen"))
        or "site-packages" in filename
        or "/lib/python" in filename
    )


def solution_of(source: Path, exercise: str) -> str | None:
    """What stands between the solution markers of an exercise in a module's source; None where the source is absent."""
    try:
        cells = re.split(r"^# %%", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
    except OSError:
        return None
    for cell in cells:
        if f'exercise="{exercise}"' in cell.partition("\n")[0]:
            regions = re.findall(
                r"### BEGIN SOLUTION\n(.*?)^\s*### END SOLUTION", cell, re.DOTALL | re.MULTILINE
            )
            return "\n".join(textwrap.dedent(region).rstrip() for region in regions) or None
    return None
