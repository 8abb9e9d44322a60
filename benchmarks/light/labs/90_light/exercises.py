"""The exercises of the light notebook: what is asked, the hints, and the probes."""

from typing import TYPE_CHECKING, Any

from flightschool.curriculum import exercise
from flightschool.learn.evidence import table

from . import turnarounds

if TYPE_CHECKING:
    from flightschool.data import World

LOGS = (0, 1)
"""The logs of a world that an answer is tried on; the learner sees number 0."""


@exercise(
    "q1",
    title="Late turnarounds by gate",
    points=2,
    hints=("Which turnarounds have no actual time?", "The mean of a comparison is a share."),
)
def late_share(answer: Any, world: "World") -> Any:
    """Call the learner's function on two logs."""
    return [answer(turnarounds.log(world.seed, number)) for number in LOGS]


@exercise(
    "q2",
    title="The slowest carriers",
    points=2,
    hints=("By how many minutes did each turnaround miss its plan?", "Sort the means, the greatest first."),
)
def slowest(answer: Any, world: "World") -> Any:
    """Ask the learner's function for the slowest 2 and 4 of two logs."""
    return [answer(turnarounds.log(world.seed, number), n) for number, n in zip(LOGS, (2, 4), strict=True)]


@exercise(
    "q3",
    title="Turnarounds and minutes by gate",
    points=1,
    hints=("A turnaround that was not recorded is still one.", "groupby(…).agg(turns=…, minutes=…)"),
)
def by_gate(answer: Any, world: "World") -> Any:
    """Call the learner's function on two logs."""
    return [table(answer(turnarounds.log(world.seed, number))) for number in LOGS]
