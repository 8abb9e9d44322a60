"""The judge of a quiz that is answered by letters, for the judges of modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flightschool.curriculum import Verdict
from flightschool.i18n import _


def letters(
    evidence: Any, right: Mapping[str, str], *, passed: str, back: Callable[[Sequence[str]], str]
) -> Verdict:
    """The verdict on a letter a question: passed, partly, or failed when none is right.

    Args:
        evidence: a dict by question; anything else has no right letter.
        right: the letters by question.
        passed: what to say when all are right.
        back: where to go back to, from the questions that were missed, in the order of `right`.
    """
    given = evidence if isinstance(evidence, dict) else {}
    wrong = [name for name, letter in right.items() if given.get(name) != letter]
    if not wrong:
        return Verdict.passed(passed)
    said = {
        "expected": _("One letter, a, b or c, for each of {names}.").format(names=", ".join(right)),
        "found": _("{n} of {total} do not fit: {names}.").format(
            n=len(wrong), total=len(right), names=", ".join(wrong)
        ),
        "try_next": back(wrong),
    }
    if len(wrong) == len(right):
        return Verdict.failed(**said)
    return Verdict.partly(1 - len(wrong) / len(right), **said)
