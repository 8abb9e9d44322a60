"""Drills: something breaks, the learner is paged, repairs it, and a machine checks the recovery.

A lab's `drill.py` has `plant(lab) -> Page`, which plants the fault in what is running, and `restore(lab)`, which
puts the clean state back. The recovery is judged by the exercise `drill`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flightschool.curriculum import Outcome
from flightschool.i18n import _
from flightschool.learn.display import Card, show, verdict_card

if TYPE_CHECKING:
    import types

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
    """A drill that is under way: its page, its clock, and the check of the recovery."""

    def __init__(self, lab: Lab, drill: types.ModuleType) -> None:
        self._lab = lab
        self._drill = drill
        self.page: Page = drill.plant(lab)
        self._paged = time.monotonic()
        self._restored: float | None = None

    def _ipython_display_(self) -> None:
        show(self.page.card())

    def __repr__(self) -> str:
        return repr(self.page.card())

    @property
    def seconds_to_restore(self) -> float | None:
        """Seconds from the page to the first check that passed; None while it has not."""
        return None if self._restored is None else self._restored - self._paged

    def check(self, answer: Any) -> None:
        """Judge the recovery and show the verdict, with the time to restore once it has passed."""
        question = self._lab.question("drill")
        verdict = question.judge(answer)
        if verdict.outcome is Outcome.PASSED and self._restored is None:
            self._restored = time.monotonic()
        clock: tuple[tuple[str, str], ...] = ()
        if (seconds := self.seconds_to_restore) is not None:
            clock = ((_("Time to restore"), _("{minutes:.1f} minutes").format(minutes=seconds / 60)),)
        show(verdict_card(question.exercise, verdict, clock))

    def hint(self) -> None:
        """The next hint."""
        self._lab.question("drill").hint()

    def abandon(self) -> None:
        """Give up: put the clean state back."""
        self._drill.restore(self._lab)
        self._restored = None
