"""`grades.xml`: JUnit XML, as CI systems read it; a suite a learner, a case an exercise.

The form is the intersection of what Jenkins' `junit-10.xsd` (xunit-plugin) allows and what GitLab's parser reads. GitLab tells cases apart by class
name and name and shows the text inside a failure, not its message; Jenkins takes what is before a class name's last dot for a package.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

from flightschool.curriculum import Outcome
from flightschool.grading.model import Mark, Result, Round
from flightschool.grading.reports.text import line, plain, stem
from flightschool.grading.reports.words import headline, number, outcome_word, percent
from flightschool.i18n import _

LONGEST = 500
"""Characters of one text; GitLab takes no file of more than 30 MB."""

_ELEMENTS = {
    Outcome.PASSED: "",
    Outcome.PARTLY: "failure",
    Outcome.FAILED: "failure",
    Outcome.NOT_ATTEMPTED: "skipped",
    Outcome.ERROR: "error",
    Outcome.TIMED_OUT: "error",
    Outcome.OUT_OF_MEMORY: "error",
}


def grades(round: Round, names: Mapping[str, str]) -> Iterator[str]:
    """The file, a suite at a time."""
    counts: Counter[str] = Counter()
    for result in round.results:
        counts += _counts(result)
    total = Element(
        "testsuites",
        name=headline(round.module, round.title),
        tests=str(counts.total()),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        time=f"{sum(result.seconds for result in round.results):.3f}",
    )
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield tostring(total, "unicode").replace(" />", ">\n")
    for result in round.results:
        yield tostring(_suite(result, round, names), "unicode") + "\n"
    yield "</testsuites>\n"


def _counts(result: Result) -> Counter[str]:
    counts = Counter(_ELEMENTS[mark.outcome] for mark in result.marks)
    if result.failure or result.refused:
        counts["error"] += 1
    return counts


def _suite(result: Result, round: Round, names: Mapping[str, str]) -> Element:
    counts = _counts(result)
    suite = Element(
        "testsuite",
        name=line(names.get(result.learner, result.learner)),
        tests=str(counts.total()),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
        time=f"{result.seconds:.3f}",
        timestamp=round.graded_at.isoformat(timespec="seconds"),
    )
    # The stem has no dot, and no two learners share one.
    place = f"{round.module}.{stem(result.learner)}"
    if result.failure or result.refused:
        case = SubElement(suite, "testcase", classname=place, name=_("submission"), time="0")
        reason = plain(result.failure or result.refused, LONGEST)
        SubElement(
            case, "error", type="failed" if result.failure else "refused", message=line(reason)
        ).text = reason
    for mark in result.marks:
        _case(suite, mark, place)
    return suite


def _case(suite: Element, mark: Mark, place: str) -> None:
    case = SubElement(
        suite, "testcase", classname=place, name=line(f"{mark.exercise} · {mark.title}"), time="0"
    )
    if element := _ELEMENTS[mark.outcome]:
        message = outcome_word(mark.outcome)
        if mark.outcome is Outcome.PARTLY:
            message = _("{outcome}: {earned} of {points} points, {share}").format(
                outcome=message,
                earned=number(mark.earned),
                points=number(mark.points),
                share=percent(mark.share),
            )
        texts = (mark.message, mark.found, mark.expected, mark.try_next)
        text = "\n".join([message, *(plain(text, LONGEST) for text in texts if text)])
        SubElement(case, element, type=str(mark.outcome), message=message).text = text
