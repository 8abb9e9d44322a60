"""The judge of a quiz of letters: all, some, none, and evidence of any form."""

import pytest

from flightschool.curriculum import Outcome, Verdict
from flightschool.learn.quizzes import letters

RIGHT = {"one": "a", "two": "b", "three": "c", "four": "a"}


def verdict(evidence: object) -> Verdict:
    return letters(evidence, RIGHT, passed="All.", back=lambda wrong: f"Go back to {' and '.join(wrong)}.")


def test_all_right_passes() -> None:
    assert verdict(RIGHT) == Verdict.passed("All.")


def test_a_part_is_worth_its_part_and_says_where_to_look() -> None:
    found = verdict({**RIGHT, "two": "c", "four": None})
    assert (found.outcome, found.share) == (Outcome.PARTLY, 0.5)
    assert found.found == "2 of 4 do not fit: two, four."
    assert found.try_next == "Go back to two and four."


@pytest.mark.parametrize("evidence", [None, "abca", ["a", "b", "c", "a"], {}, {"one": ["a"]}, {"one": "A"}])
def test_what_is_no_right_letter_is_worth_nothing(evidence: object) -> None:
    found = verdict(evidence)
    assert (found.outcome, found.share) == (Outcome.FAILED, 0)
    assert found.expected == "One letter, a, b or c, for each of one, two, three, four."
