"""Whatever a learner hands to a check, a verdict comes back that a person can read: never our traceback."""

import pandas as pd
import pytest

from flightschool.curriculum import Outcome, modules
from flightschool.data import World
from flightschool.learn.display import verdict_card
from flightschool.learn.questions import HOLE, judge_answer

EXERCISES = [(module, id) for module in modules() for id in module.exercises]


class Evil:
    """Agrees with everything, and can be neither shown nor copied."""

    def __eq__(self, other):
        return True

    __hash__ = None

    def __repr__(self):
        raise RuntimeError("no repr")

    __str__ = __repr__

    def __reduce__(self):
        raise RuntimeError("no reduce")


class EvilError(Exception):
    def __str__(self):
        raise RuntimeError("no str")


def raising(*arguments):
    raise EvilError


def leaving(*arguments):
    raise SystemExit(0)


def generating(*arguments):
    yield 1


ODD = {
    "none": None,
    "a number": 3,
    "nan": float("nan"),
    "infinity": float("inf"),
    "text": "x" * 10_000,
    "a generator": (n for n in range(3)),
    "a type": dict,
    "evil": Evil(),
    "a path to nowhere": "/nonexistent/../../etc",
    "an empty frame": pd.DataFrame(),
    "a dict of odd things": {"a": Evil(), "since": float("nan"), 3: [None]},
    "raises": raising,
    "leaves": leaving,
    "yields": generating,
    "returns nothing": lambda *arguments: {},
    "returns evil": lambda *arguments: Evil(),
    "returns infinity": lambda *arguments: float("inf"),
    "returns another table": lambda *arguments: pd.DataFrame({"a": [float("nan")], "b": [[1]]}),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda pair: f"{pair[0].id}-{pair[1]}")
def test_an_odd_answer_gets_a_verdict(exercise, odd):
    module, id = exercise
    verdict = judge_answer(module.exercises[id], module.judges[id], ODD[odd], World(0))
    assert verdict.outcome in (Outcome.FAILED, Outcome.ERROR, Outcome.NOT_ATTEMPTED), verdict
    assert HOLE not in verdict.text
    assert verdict.text
    assert len(repr(verdict_card(module.exercises[id], verdict))) < 5_000, "a message that nobody would read"


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.id)
def test_a_huge_table_is_refused_and_not_compared(module):
    huge = pd.DataFrame({"carrier": range(300_000)})
    for id, exercise in module.exercises.items():
        verdict = judge_answer(exercise, module.judges[id], lambda *arguments: huge, World(0))
        assert verdict.outcome in (Outcome.FAILED, Outcome.ERROR, Outcome.NOT_ATTEMPTED)
