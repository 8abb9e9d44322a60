"""A learner's page: points, each exercise's outcome, what was found and what to try next; nothing that `Mark` doesn't hold."""

from collections.abc import Iterator, Mapping

from flightschool.curriculum import Outcome
from flightschool.grading.model import Mark, Result, Round
from flightschool.grading.reports import pages
from flightschool.grading.reports.text import line, plain
from flightschool.grading.reports.words import SIGNS, duration, headline, moment, number, percent
from flightschool.i18n import _
from flightschool.learn.display import outcome_word


def page(result: Result, round: Round, names: Mapping[str, str]) -> Iterator[str]:
    """The page as HTML, piece by piece."""
    return pages.render(
        "feedback.html.j2",
        {
            "course": pages.course(),
            "headline": headline(round.module, round.title),
            "name": line(names.get(result.learner, result.learner)),
            "points_title": _("Points"),
            "total": _total(result, round),
            "times": list(_times(result)),
            "trouble": _trouble(result),
            "notices_title": _("About your notebook"),
            "notices": [plain(notice) for notice in result.notices],
            "exercises_title": _("Exercises"),
            "columns": (_("exercise"), _("outcome"), _("points")),
            "exercises": [_exercise(mark, place) for place, mark in enumerate(result.marks, 1)],
            "footer": _("Graded on {when}, on data that no learner has seen.").format(
                when=moment(round.graded_at)
            ),
        },
    )


def _total(result: Result, round: Round) -> str:
    if result.failure:
        return _("No mark yet")
    return _("{earned} of {points} points").format(earned=number(result.earned), points=number(round.points))


def _times(result: Result) -> Iterator[str]:
    if result.received is None:
        return
    when = moment(result.received)
    if not result.days_late:
        yield _("Handed in on {when}.").format(when=when)
        return
    late = duration(result.days_late)
    yield _("Handed in on {when}, {late} after the deadline.").format(when=when, late=late)
    if result.kept < 1 and not result.failure:
        before = number(sum(mark.earned for mark in result.marks))
        yield _("That leaves {kept} of the points: {before} became {after}.").format(
            kept=percent(result.kept), before=before, after=number(result.earned)
        )


def _trouble(result: Result) -> Mapping[str, str] | None:
    if result.failure:
        what = _(
            "The grader could not finish. It is no fault of yours; your submission will be graded again."
        )
    elif result.refused:
        what = _("Your submission could not be graded, so it counts as not attempted.")
    else:
        return None
    return {"what": what, "why": plain(result.failure or result.refused)}


def _exercise(mark: Mark, place: int) -> Mapping[str, object]:
    texts = (
        (_("What happened"), mark.found),
        (_("What was asked"), mark.expected),
        (_("Try next"), mark.try_next),
    )
    return {
        "place": place,
        "says": any((mark.message, mark.found, mark.expected, mark.try_next)),
        "title": line(f"{mark.exercise} · {mark.title}"),
        "outcome": Outcome(mark.outcome).value,
        "sign": SIGNS[mark.outcome],
        "word": outcome_word(mark.outcome),
        "points": _("{earned} of {points} points").format(
            earned=number(mark.earned), points=number(mark.points)
        ),
        "short": _("{earned} of {points}").format(earned=number(mark.earned), points=number(mark.points)),
        "message": plain(mark.message),
        "texts": [(label, plain(text), "\n  " in text) for label, text in texts if text],
    }
