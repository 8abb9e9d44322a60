"""The instructor's page: what needs a look, how the points are spread, which exercises were hard, who handed in what."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import quantiles

from flightschool.curriculum import Outcome
from flightschool.grading.model import Mark, Result, Round
from flightschool.grading.reports import pages
from flightschool.grading.reports.similarity import ALIKE, Alike, alike
from flightschool.grading.reports.tables import unknown_to_moodle
from flightschool.grading.reports.text import line, plain, stem
from flightschool.grading.reports.words import (
    SIGNS,
    State,
    duration,
    headline,
    moment,
    number,
    outcome_word,
    percent,
    state,
    state_word,
)
from flightschool.i18n import _

MOST = 100
"""Rows of a list that nobody reads to the end."""
BINS = 10
_WIDTH, _HEIGHT, _LEFT, _TOP, _FLOOR = 320, 190, 4, 34, 150


@dataclass(frozen=True)
class Person:
    """A learner as pages link to one."""

    name: str
    link: str


def page(round: Round, names: Mapping[str, str]) -> Iterator[str]:
    """The page as HTML, piece by piece."""
    people = {
        result.learner: Person(
            line(names.get(result.learner, result.learner)), f"feedback/{stem(result.learner)}.html"
        )
        for result in round.results
    }
    states = Counter(state(result) for result in round.results)
    ids = list(dict.fromkeys(mark.exercise for result in round.results for mark in result.marks))
    pairs = _by_pair(alike(round.results))
    words = {outcome: outcome_word(outcome) for outcome in Outcome}
    return pages.render(
        "overview.html.j2",
        {
            "course": pages.course(),
            "headline": headline(round.module, round.title),
            "title": _("results"),
            "summary": _(
                "Learners: {all}. Graded: {graded}. Could not be graded: {refused}. To grade again: {failed}."
            ).format(
                all=len(round.results),
                graded=states[State.GRADED],
                refused=states[State.REFUSED],
                failed=states[State.FAILED],
            ),
            "troubles_title": _("What needs a look"),
            "troubles": list(_troubles(round, people)),
            "spread": _spread(round),
            "exercises_title": _("Which exercises were hardest?"),
            "exercises_caption": _(
                "The hardest first. The mean share of its points that an exercise gave, and how many had each outcome."
            ),
            "exercise_columns": (_("exercise"), _("mean"), *words.values()),
            "exercises": list(_exercises(round)),
            "all": _("all"),
            "totals": _cells(list(_marks(round))),
            "alike_title": _("Which answers are unusually alike?"),
            "alike_meaning": _meaning(),
            "alike": [(people[one], people[other], ", ".join(where)) for (one, other), where in pairs[:MOST]],
            "alike_found": _found(len(pairs)),
            "learners_title": _("Learners"),
            "learners_caption": _(
                "Points after the late penalty; in the columns of the exercises, points before it. A name leads to the learner's page."
            ),
            "learner_columns": [
                (_("learner"), False),
                (_("points of {points}").format(points=number(round.points)), True),
                (_("status"), False),
                (_("late"), True),
                *((line(id, 30), True) for id in ids),
            ],
            "learners": (_learner(result, people[result.learner], ids, words) for result in round.results),
            "footer": _("Graded on {when}. Signs: {signs}.").format(
                when=moment(round.graded_at),
                signs=", ".join(f"{sign} {words[outcome]}" for outcome, sign in SIGNS.items()),
            ),
        },
    )


def _troubles(round: Round, people: Mapping[str, Person]) -> Iterator[Mapping[str, object]]:
    reasons = {result.learner: plain(result.failure or result.refused, 300, 5) for result in round.results}
    by_state = {
        one: [result.learner for result in round.results if state(result) is one]
        for one in (State.FAILED, State.REFUSED)
    }
    groups: Iterable[tuple[str, str, Sequence[str]]] = (
        (
            _("To grade again"),
            _("The grader could not do these. Run the same command again; what is graded stays as it is."),
            by_state[State.FAILED],
        ),
        (
            _("Could not be graded"),
            _("These have no points. Ask for another file, or look at what was handed in."),
            by_state[State.REFUSED],
        ),
        (
            _("Not in grades-moodle.csv"),
            _("Moodle can't look up such names. Enter these marks by hand."),
            unknown_to_moodle(round),
        ),
    )
    for title, advice, learners in groups:
        if learners:
            yield {
                "title": title,
                "advice": advice,
                "learners": [(people[one], reasons[one]) for one in learners[:MOST]],
                "more": _more(len(learners)),
            }


def _more(length: int) -> str:
    return (
        _("More of them: {more}; see the list of learners.").format(more=length - MOST)
        if length > MOST
        else ""
    )


def _spread(round: Round) -> Mapping[str, object] | None:
    """The histogram of points, as places in an SVG of `_WIDTH` by `_HEIGHT`."""
    earned = [result.earned for result in round.results if state(result) is not State.FAILED]
    if not earned or round.points <= 0:
        return None
    counts = Counter(min(int(points / round.points * BINS), BINS - 1) for points in earned)
    step = (_WIDTH - 2 * _LEFT - 12) / BINS
    most = max(counts.values())
    bars = []
    for bin in sorted(counts):
        height = max(1, int((_FLOOR - _TOP) * counts[bin] / most))
        x = _LEFT + 6 + bin * step
        bars.append(
            {
                "x": number(x + 1),
                "y": _FLOOR - height,
                "width": number(step - 2),
                "height": number(height),
                "middle": number(x + step / 2),
                "count": counts[bin],
            }
        )
    ticks = [
        {"x": number(_LEFT + 6 + bin * step), "label": number(round.points * bin / BINS)}
        for bin in range(0, BINS + 1, 2)
    ]
    low, middle, high = quantiles(earned, n=4, method="inclusive") if len(earned) > 1 else earned * 3
    return {
        "title": _("How are the points spread?"),
        "width": _WIDTH,
        "height": _HEIGHT,
        "left": _LEFT,
        "right": _WIDTH - _LEFT,
        "floor": _FLOOR,
        "bars": bars,
        "ticks": ticks,
        "upright": _("learners"),
        "across": _("points, of {points}").format(points=number(round.points)),
        "alternative": _(
            "Learners with a mark: {count}. The median is {median} of {points} points; the middle half have {low} to {high}. "
            "Full points: {full}. No point: {none}."
        ).format(
            count=len(earned),
            median=number(middle),
            points=number(round.points),
            low=number(low),
            high=number(high),
            full=sum(one >= round.points for one in earned),
            none=sum(one == 0 for one in earned),
        ),
    }


def _marks(round: Round) -> Iterator[Mark]:
    return (mark for result in round.results for mark in result.marks)


def _exercises(round: Round) -> Iterator[tuple[str, list[str]]]:
    marks: dict[str, list[Mark]] = {}
    for mark in _marks(round):
        marks.setdefault(mark.exercise, []).append(mark)
    for exercise, of_one in sorted(marks.items(), key=lambda item: _mean(item[1])):
        yield line(f"{exercise} · {of_one[0].title}"), _cells(of_one)


def _mean(marks: Sequence[Mark]) -> float:
    points = sum(mark.points for mark in marks)
    return sum(mark.earned for mark in marks) / points if points else 0.0


def _cells(marks: Sequence[Mark]) -> list[str]:
    counts = Counter(mark.outcome for mark in marks)
    return [percent(_mean(marks)), *(str(counts[outcome]) for outcome in Outcome)]


def _by_pair(found: Iterable[Alike]) -> list[tuple[tuple[str, str], list[str]]]:
    """For each pair its exercises, most alike first; the pairs with the most in common first."""
    pairs = [
        (pair, list(ones))
        for pair, ones in groupby(sorted(found, key=lambda one: one.learners), lambda one: one.learners)
    ]
    pairs.sort(key=lambda item: (-sum(one.share for one in item[1]), item[0]))
    return [
        (
            pair,
            [
                f"{line(one.exercise, 30)} {percent(one.share)}"
                for one in sorted(ones, key=lambda one: -one.share)
            ],
        )
        for pair, ones in pairs
    ]


def _meaning() -> str:
    return _(
        "The number is the part of two answers' steps that both have; names, numbers, short texts, comments and layout make no difference. "
        "What more than a tenth of the class wrote is left out, and so are short answers. It is a reason to look at both, not a proof: "
        "two people may think alike, or have read the same page. Pairs from {least} on are shown."
    ).format(least=percent(ALIKE))


def _found(pairs: int) -> str:
    if pairs > MOST:
        return _("Pairs: {pairs}; the {most} most alike are shown.").format(pairs=pairs, most=MOST)
    return _("Pairs: {pairs}.").format(pairs=pairs) if pairs else _("There is no such pair.")


def _learner(
    result: Result, person: Person, ids: Sequence[str], words: Mapping[Outcome, str]
) -> Mapping[str, object]:
    marks = {mark.exercise: mark for mark in result.marks}
    return {
        "name": person.name,
        "link": person.link,
        "status": state_word(result),
        "late": duration(result.days_late) if result.days_late else "",
        "points": "–" if state(result) is State.FAILED else number(result.earned),
        "cells": [
            {
                "sign": SIGNS[marks[id].outcome],
                "word": words[marks[id].outcome],
                "points": number(marks[id].earned),
            }
            if id in marks
            else {"sign": "", "word": "", "points": "–"}
            for id in ids
        ],
    }
