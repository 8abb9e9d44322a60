"""The judges of the light notebook, with the reference answers."""

from typing import Any

import pandas as pd

from flightschool.curriculum import Verdict, judge
from flightschool.data import World
from flightschool.learn import compare
from flightschool.learn.evidence import plain, table

from . import turnarounds
from .exercises import LOGS


def _logs(world: World) -> list[pd.DataFrame]:
    return [turnarounds.log(world.seed, number) for number in LOGS]


def _each(evidence: Any) -> list[Any]:
    """What was found for each log."""
    given = evidence if isinstance(evidence, list) else []
    return [given[number] if number < len(given) else None for number in LOGS]


@judge("q1")
def late_share(evidence: Any, world: World) -> Verdict:
    expected = "For each gate a share from 0 to 1."
    all_right = all_of_all = True
    for found, turns in zip(_each(evidence), _logs(world), strict=True):
        late = turns.actual > turns.planned
        shares = late[turns.actual.notna()].groupby(turns.gate).mean().to_dict()
        all_right &= _alike(found, shares)
        all_of_all &= _alike(found, late.groupby(turns.gate).mean().to_dict())
    if all_right:
        return Verdict.passed("Each share is of what was recorded.")
    if all_of_all:
        return Verdict.partly(
            0.5,
            expected=expected,
            found="Your shares are of all turnarounds, recorded or not.",
            try_next="Drop those without an actual time first.",
        )
    return Verdict.failed(
        expected=expected, found="Your shares are others.", try_next="Count one gate by hand."
    )


def _alike(found: Any, wanted: dict[str, float]) -> bool:
    return (
        isinstance(found, dict)
        and found.keys() == wanted.keys()
        and all(compare.same(found[gate], share) for gate, share in wanted.items())
    )


@judge("q2")
def slowest(evidence: Any, world: World) -> Verdict:
    for found, turns, n in zip(_each(evidence), _logs(world), (2, 4), strict=True):
        over = (turns.actual - turns.planned).groupby(turns.carrier).mean()
        wanted = over.sort_values(ascending=False).index[:n].tolist()
        if found != plain(wanted):
            turned = found == plain(over.sort_values().index[:n].tolist())
            return Verdict.failed(
                expected="A list of carriers, the slowest first.",
                found="These are the fastest." if turned else "Your list is another.",
                try_next="Sort the means downwards." if turned else "Take actual - planned, not actual.",
            )
    return Verdict.passed("The slowest come first.")


@judge("q3")
def by_gate(evidence: Any, world: World) -> Verdict:
    for found, turns in zip(_each(evidence), _logs(world), strict=True):
        wanted = turns.groupby("gate").agg(turns=("gate", "size"), minutes=("actual", "sum"))
        if difference := compare.tables(found, table(wanted), key=["gate"]):
            return Verdict.failed(
                expected="One row a gate: gate, turns, minutes.",
                found=difference.sentence,
                try_next="Count rows, not values."
                if difference.column == "turns"
                else "Look at one gate alone.",
            )
    return Verdict.passed("Every turnaround is counted.")
