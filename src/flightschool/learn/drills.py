"""Drills: something breaks, the learner is paged, repairs it, and a machine checks the recovery.

A lab's `drill.py` has `plant(lab) -> Page`, which plants the fault in what is running, and `restore(lab)`, which
puts the clean state back. The recovery is judged by the exercise `drill`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flightschool.curriculum import Outcome
from flightschool.i18n import _
from flightschool.learn import progress
from flightschool.learn.display import Card, show
from flightschool.learn.journal import Kind

if TYPE_CHECKING:
    import types

    from flightschool.learn.handover import PlantedOutside
    from flightschool.learn.lab import Lab


@dataclass(frozen=True)
class Page:
    """What the pager shows: the symptom, never the cause.

    `severity` such as SEV2; `at` is the time of the alert as the story has it; `look` names where evidence lies.
    """

    severity: str
    title: str
    symptom: str
    noticed_by: str
    at: str
    look: tuple[str, ...] = ()
    runbook: str = ""

    def card(self) -> Card:
        """The page as it is shown."""
        lines = [
            (_("At"), self.at),
            (_("Noticed by"), self.noticed_by),
            (_("Symptom"), self.symptom),
            *((_("Look at"), place) for place in self.look),
            (_("Runbook"), self.runbook),
        ]
        head = f"☎ {self.severity} · {self.title}"
        return Card(head, tuple((label, text) for label, text in lines if text), colour="#b2182b")


class Incident:
    """A drill that is under way: its page, its clock, the check of the recovery, and the postmortem.

    The clock runs from the page: to `detected(…)`, the time to detect; from there to the first check that passes, the
    time to repair; both together are the time to restore.
    """

    def __init__(self, lab: Lab, drill: types.ModuleType | PlantedOutside) -> None:
        self._lab = lab
        self._drill = drill
        self._run = uuid4().hex
        self.page: Page = drill.plant(lab)
        self._record(Kind.PAGED)
        self._paged = time.monotonic()
        self._detected: float | None = None
        self._restored: float | None = None
        self.finding = ""

    def _ipython_display_(self) -> None:
        show(self.page.card())

    def __repr__(self) -> str:
        return repr(self.page.card())

    @property
    def seconds_to_detect(self) -> float | None:
        """Seconds from the page to the first finding; None while there is none."""
        return None if self._detected is None else self._detected - self._paged

    @property
    def seconds_to_restore(self) -> float | None:
        """Seconds from the page to the first check that passed; None while it has not."""
        return None if self._restored is None else self._restored - self._paged

    def detected(self, finding: str) -> None:
        """Note what is wrong, in your own words; the first note stops the clock of detection."""
        if not isinstance(finding, str) or not finding.strip():
            show(Card(_("Nothing noted: say in a sentence what is wrong and since when."), ()))
            return
        if self._detected is None:
            self._detected = time.monotonic()
            self._record(Kind.DETECTED)
        self.finding = finding.strip()
        show(Card(_("Noted: {finding}").format(finding=self.finding), self._times()))

    def check(self, answer: Any) -> float | None:
        """Judge the recovery and show the verdict, with the times once it has passed; return what `Question.check` does."""
        question = self._lab.question("drill")
        verdict = question.judge(answer)
        if verdict is None:
            return None
        if verdict.outcome is Outcome.PASSED and self._restored is None:
            self._restored = time.monotonic()
            self._record(Kind.RESTORED)
        return question.present(verdict, self._times() if self._restored else ())

    def hint(self) -> None:
        """The next hint."""
        self._lab.question("drill").hint()

    def postmortem(self) -> None:
        """Write a short postmortem form, with the times filled in, to `postmortem.md` in the work folder; show it."""
        blank = _("(write a line)")
        lines = (
            (_("What was seen"), f"{self.page.at} · {self.page.symptom}"),
            (_("What was wrong"), self.finding or blank),
            *self._times(),
            (_("What went well"), blank),
            (_("What was luck"), blank),
            (_("Why nothing stopped it"), blank),
            (_("One change to the system"), blank),
        )
        head = _("Postmortem · {title}").format(title=self.page.title)
        path = self._lab.workdir / "postmortem.md"
        text = "".join(f"- **{label}**: {said}\n" for label, said in lines)
        path.write_text(f"# {head}\n\n{text}", encoding="utf-8")
        show(Card(head, (*lines, ("", _("To fill in: {path}").format(path=path)))))

    def abandon(self) -> None:
        """Give up: put the clean state back and stop the clock."""
        self._drill.restore(self._lab)
        self._record(Kind.ABANDONED)
        self._paged, self._detected, self._restored = time.monotonic(), None, None
        show(Card(_("Abandoned: what the drill had broken is as it was before."), ()))

    def _record(self, stage: Kind) -> None:
        progress.drill(self._lab.module, self._run, stage, seed=self._lab.seed)

    def _times(self) -> tuple[tuple[str, str], ...]:
        """The times that are known."""
        repair = None
        if self._restored is not None and self._detected is not None:
            repair = self._restored - self._detected
        times = (
            (_("Time to detect"), self.seconds_to_detect),
            (_("Time to repair"), repair),
            (_("Time to restore"), self.seconds_to_restore),
        )
        return tuple((label, _spell(seconds)) for label, seconds in times if seconds is not None)


def _spell(seconds: float) -> str:
    if seconds < 90:
        return _("{seconds:.0f} s").format(seconds=seconds)
    return _("{minutes:.1f} min").format(minutes=seconds / 60)
