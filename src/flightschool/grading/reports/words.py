"""How results are called in the reports: states, outcomes, points, times."""

from datetime import datetime
from enum import StrEnum

from flightschool.curriculum import Outcome
from flightschool.grading.model import Result
from flightschool.i18n import _

SIGNS = {
    Outcome.PASSED: "✓",
    Outcome.PARTLY: "◐",
    Outcome.FAILED: "✗",
    Outcome.NOT_ATTEMPTED: "○",
    Outcome.ERROR: "!",
    Outcome.TIMED_OUT: "◷",
    Outcome.OUT_OF_MEMORY: "▣",
}


class State(StrEnum):
    """What became of a submission as a whole."""

    GRADED = "graded"
    REFUSED = "refused"
    """Nothing of it could be graded: no points."""
    FAILED = "failed"
    """The grader could not do it: no mark, to be graded again."""


def state(result: Result) -> State:
    """What became of it."""
    if result.failure:
        return State.FAILED
    return State.REFUSED if result.refused else State.GRADED


def state_word(result: Result) -> str:
    """The same for an instructor."""
    return {
        State.GRADED: _("graded"),
        State.REFUSED: _("could not be graded"),
        State.FAILED: _("grade again"),
    }[state(result)]


def outcome_word(outcome: Outcome) -> str:
    """An outcome as an instructor says it; `flightschool.learn.display` has the learner's words."""
    return {
        Outcome.PASSED: _("passed"),
        Outcome.PARTLY: _("partly"),
        Outcome.FAILED: _("failed"),
        Outcome.NOT_ATTEMPTED: _("not attempted"),
        Outcome.ERROR: _("error"),
        Outcome.TIMED_OUT: _("timed out"),
        Outcome.OUT_OF_MEMORY: _("out of memory"),
    }[outcome]


def number(value: float) -> str:
    """Two decimals at most, none that are zero: `7.5`, `13`, `0`."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def percent(share: float) -> str:
    """`67 %`, which no line breaks; never 0 or 100 for something that is not quite."""
    rounded = round(100 * share)
    if rounded in (0, 100) and share not in (0, 1):
        rounded = min(max(rounded, 1), 99)
    return _("{percent}\N{NO-BREAK SPACE}%").format(percent=rounded)


def duration(days: float) -> str:
    """A time in the two largest of its units, as in `2 d 6 h` and `45 min`."""
    minutes = max(1, round(days * 24 * 60))
    hours, minutes = divmod(minutes, 60)
    whole, hours = divmod(hours, 24)
    if whole:
        return (_("{days} d {hours} h") if hours else _("{days} d")).format(days=whole, hours=hours)
    if hours:
        return (_("{hours} h {minutes} min") if minutes else _("{hours} h")).format(
            hours=hours, minutes=minutes
        )
    return _("{minutes} min").format(minutes=minutes)


def moment(time: datetime) -> str:
    """A date and a time of day with its distance from UTC: `2026-03-01 23:59 +01:00`."""
    return time.isoformat(" ", "minutes").replace("+", " +")


def headline(module: str, title: str) -> str:
    """The module's number and title: `07 · Data quality`."""
    return f"{module[:2]} · {title}" if module[:2].isdigit() else title
