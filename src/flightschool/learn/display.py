"""How verdicts, hints and pages look: HTML in JupyterLab, plain text elsewhere, and data for machines.

Colour is never the only signal: each outcome has a sign and a word of its own.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from typing import Any

from flightschool.curriculum import Exercise, Outcome, Verdict
from flightschool.i18n import _

LONGEST = 1_000
"""Characters of one line of a verdict; what a learner's code says may be longer than anybody reads."""

VERDICT_MIME = "application/vnd.flightschool.verdict+json"

# sign, colour of the bar (told apart in greyscale, too)
_LOOKS = {
    Outcome.PASSED: ("✓", "#1b7837"),
    Outcome.PARTLY: ("◐", "#b8860b"),
    Outcome.FAILED: ("✗", "#b2182b"),
    Outcome.NOT_ATTEMPTED: ("○", "#6e6e6e"),
    Outcome.ERROR: ("!", "#762a83"),
    Outcome.TIMED_OUT: ("⏱", "#762a83"),
    Outcome.OUT_OF_MEMORY: ("▣", "#762a83"),
}


def outcome_word(outcome: Outcome) -> str:
    """The outcome as a person says it."""
    return {
        Outcome.PASSED: _("passed"),
        Outcome.PARTLY: _("partly"),
        Outcome.FAILED: _("not yet"),
        Outcome.NOT_ATTEMPTED: _("not attempted yet"),
        Outcome.ERROR: _("your code raised an error"),
        Outcome.TIMED_OUT: _("took too long"),
        Outcome.OUT_OF_MEMORY: _("needed too much memory"),
    }[outcome]


@dataclass(frozen=True)
class Card:
    """A short message in the notebook: a head line and some labelled lines.

    `lines` are (label, text); an empty label makes a plain paragraph. `code` sets the texts as code. `data` is the
    machine's copy.
    """

    head: str
    lines: tuple[tuple[str, str], ...]
    colour: str = "#2166ac"
    data: tuple[str, Any] | None = None
    code: bool = False

    def __repr__(self) -> str:
        return "\n".join(
            [self.head, *(f"  {label + ': ' if label else ''}{text}" for label, text in self.lines)]
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        rows = "".join(
            f"<div style='margin-top:.25em'>{f'<b>{escape(label)}:</b> ' if label else ''}{self._html(text)}</div>"
            for label, text in self.lines
        )
        html = (
            f"<div role='status' style='border-left:.4em solid {self.colour};padding:.4em .8em;margin:.3em 0;max-width:60em'>"
            f"<b>{escape(self.head)}</b>{rows}</div>"
        )
        bundle: dict[str, Any] = {"text/plain": repr(self), "text/html": html}
        if self.data:
            bundle[self.data[0]] = self.data[1]
        return bundle

    def _html(self, text: str) -> str:
        if self.code:
            return f"<pre style='white-space:pre-wrap'>{escape(text)}</pre>"
        return escape(text).replace("\n", "<br>")


def verdict_card(exercise: Exercise, verdict: Verdict, extra: Iterable[tuple[str, str]] = ()) -> Card:
    """The verdict on one exercise, for a person and (as VERDICT_MIME) for a machine."""
    sign, colour = _LOOKS[verdict.outcome]
    points = exercise.points * verdict.share
    scored = verdict.outcome in (Outcome.PASSED, Outcome.PARTLY, Outcome.FAILED)
    mark = (
        _(" · {points:g} of {total:g} points").format(points=points, total=exercise.points) if scored else ""
    )
    lines = [
        ("", verdict.message),
        (_("What happened"), verdict.found),
        (_("What was asked"), verdict.expected),
        (_("Try next"), verdict.try_next),
        *extra,
    ]
    return Card(
        head=f"{sign} {exercise.id} · {exercise.title}: {outcome_word(verdict.outcome)}{mark}",
        lines=tuple(
            (label, textwrap.shorten(text, LONGEST, placeholder=" …") if len(text) > LONGEST else text)
            for label, text in lines
            if text
        ),
        colour=colour,
        data=(
            VERDICT_MIME,
            {
                "exercise": exercise.id,
                "outcome": str(verdict.outcome),
                "points": points,
                "max_points": exercise.points,
            },
        ),
    )


def show(card: Card) -> None:
    """Display in a notebook; print elsewhere."""
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        print(card)  # noqa: T201
        return
    if get_ipython() is None:
        print(card)  # noqa: T201
    else:
        display(card)  # type: ignore[no-untyped-call]
