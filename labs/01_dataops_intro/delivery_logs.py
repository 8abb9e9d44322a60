"""Logs of a team at work, made from a world's seed: the way of a report, deployments and incidents.

They hold only what such systems record: who took what when. What follows from them is the learner's to find.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from flightschool.data import World

STEPS = {
    "extract": "Ops",
    "clean": "Data Engineer",
    "forecast": "Scientist",
    "write": "Analyst",
    "publish": "Dev",
}
"""The steps of the daily report in their order, and who does each."""

WEEKS = 4
"""Length of the delivery logs."""


def value_stream(world: "World", log: int = 0, reports: int = 20) -> pd.DataFrame:
    """The event log of `reports` daily reports on their way through the five steps: one row a hand-over.

    Columns: `report` (the day it is about), `step`, `role`, `attempt` (from 1), `queued_at` (its input lay ready), `started_at`,
    `finished_at`, `accepted` (could the next one use it as it was? If not, the step is done again).
    """
    return _value_stream(world, log, reports).copy()


@lru_cache(maxsize=64)
def _value_stream(world: "World", log: int, reports: int) -> pd.DataFrame:
    rng = world.rng(f"value stream {log}")
    waits, works = [15.0, 30.0, 45.0, 70.0, 390.0], [6.0, 12.0, 20.0, 35.0, 80.0]
    rng.shuffle(waits)
    rng.shuffle(works)
    while waits.index(max(waits)) == works.index(
        max(works)
    ):  # the slowest worker need not be the longest queue
        rng.shuffle(works)
    usable = rng.sample([0.97, 0.95, 0.9, 0.85, 0.7], len(STEPS))
    days = sorted(world.days(reports))
    spread, stuck, stuck_on = 0.4, -1, days[0]
    if log:
        waits, works, usable, stuck = _another_team(rng)
        spread, stuck_on = 0.15, rng.choice(days)
    rows = []
    for day in days:
        ready = datetime(day.year, day.month, day.day) + timedelta(days=1, minutes=rng.randint(300, 420))
        for place, (step, role) in enumerate(STEPS.items()):
            attempt, accepted = 0, False
            while not accepted:
                attempt += 1
                started = ready + _about(rng, waits[place], spread)
                if place == stuck and day == stuck_on and attempt == 1:
                    started += timedelta(minutes=1500)
                finished = started + _about(rng, works[place], spread)
                accepted = rng.random() < usable[place] or attempt == 3
                rows.append((day, step, role, attempt, ready, started, finished, accepted))
                # A rejected hand-over is noticed later, and only then lies ready to be done again.
                ready = finished if accepted else finished + _about(rng, 25)
    columns = ["report", "step", "role", "attempt", "queued_at", "started_at", "finished_at", "accepted"]
    return pd.DataFrame(rows, columns=columns)


def _another_team(rng: random.Random) -> tuple[list[float], list[float], list[float], int]:
    """Minutes of waiting and of work, the usable share, and the step that is stuck for a day once.

    The first log has one queue that dwarfs all else. Here one step has the longest queue, a second nearly as long a one with
    long work behind it, and a third got stuck on a single day: three different answers to three different questions.
    """
    queue, slow, stuck, *others = rng.sample(range(len(STEPS)), len(STEPS))
    waits, works, usable = [0.0] * len(STEPS), [0.0] * len(STEPS), [0.0] * len(STEPS)
    for place, wait, work, good in (
        (queue, 300.0, 6.0, 0.97),
        (slow, 240.0, 220.0, 0.95),
        *zip(
            (stuck, *others),
            (15.0, 30.0, 45.0),
            (12.0, 20.0, 35.0),
            rng.sample([0.9, 0.85, 0.7], 3),
            strict=True,
        ),
    ):
        waits[place], works[place], usable[place] = wait, work, good
    return waits, works, usable, stuck


@dataclass(frozen=True)
class DeliveryLogs:
    """Four weeks of a team: what was deployed and what went wrong.

    `deployments`: one row a change: `deployment`, `environment` (staging or production), `change`, `committed_at`, `deployed_at`.
    `incidents`: `incident`, `kind` (data: a published table was wrong, late or missing; service: something was down), `began_at`,
    `detected_at`, `restored_at`, `caused_by` (the deployment that caused it, or missing).
    """

    deployments: pd.DataFrame
    incidents: pd.DataFrame


def delivery(world: "World", log: int = 0) -> DeliveryLogs:
    """The delivery logs number `log` of a world."""
    made = _delivery(world, log)
    return DeliveryLogs(made.deployments.copy(), made.incidents.copy())


@lru_cache(maxsize=64)
def _delivery(world: "World", log: int) -> DeliveryLogs:
    rng = world.rng(f"delivery {log}")
    first = min(world.days(5))
    start = datetime(first.year, first.month, first.day)
    changes: list[tuple[str, str, str, datetime, datetime]] = []
    live: list[tuple[str, datetime]] = []
    for number, at in enumerate(
        sorted(rng.uniform(12, 24 * 7 * WEEKS - 40) for _unused in range(rng.randint(13, 22))), 1
    ):
        deployed = start + _hours(at)
        size = rng.choice([1, 1, 1, 2, 3, 5])
        commits = [
            deployed - timedelta(minutes=5 + 540 * rng.lognormvariate(0, 0.9)) for _unused in range(size)
        ]
        shipped = rng.random() < 0.75 or number <= 6  # the others were tried in staging and never shipped
        tried = max(deployed - _hours(rng.uniform(0.2, 3)), max(commits) + timedelta(minutes=4))
        for environment, when in (("staging", tried), ("production", deployed))[: 1 + shipped]:
            name = f"{environment[0].upper()}-{number:03d}"
            changes += [
                (name, environment, f"C-{number:03d}{i}", _minute(committed), _minute(when))
                for i, committed in enumerate(commits)
            ]
        if shipped:
            live.append((f"P-{number:03d}", deployed))
    incidents = _incidents(rng, start, live)
    if log:  # as another tool exports them: in no order
        incidents = incidents.iloc[rng.sample(range(len(incidents)), len(incidents))].reset_index(drop=True)
    columns = ["deployment", "environment", "change", "committed_at", "deployed_at"]
    return DeliveryLogs(pd.DataFrame(changes, columns=columns), incidents)


def _incidents(rng: random.Random, start: datetime, live: list[tuple[str, datetime]]) -> pd.DataFrame:
    """Some deployments fail, one of them twice over; upstream trouble comes on its own, and some of it at the same time."""
    rows = []

    def add(kind: str, began: datetime, hours: float, caused_by: str | None) -> None:
        detected = began + _hours(hours * rng.uniform(0.1, 0.8))
        rows.append((kind, _minute(began), _minute(detected), _minute(began + _hours(hours)), caused_by))

    bad = rng.sample(live, rng.randint(3, 5))
    for name, when in bad:
        add(rng.choice(["data", "service"]), when + _hours(rng.uniform(0.1, 2)), rng.uniform(1, 9), name)
    name, when = bad[0]
    add("data", when + _hours(1), rng.uniform(3, 8), name)
    for _unused in range(rng.randint(2, 3)):
        began, hours = start + _hours(rng.uniform(5, 24 * 7 * WEEKS - 80)), rng.uniform(6, 30)
        add("data", began, hours, None)
        add("data", began + _hours(hours * rng.uniform(0.2, 0.8)), rng.uniform(5, 20), None)
    add("service", start + _hours(rng.uniform(5, 400)), rng.uniform(15, 40), None)
    rows.sort(key=lambda row: row[1])
    table = pd.DataFrame(rows, columns=["kind", "began_at", "detected_at", "restored_at", "caused_by"])
    table.insert(0, "incident", [f"I-{i:02d}" for i in range(1, len(table) + 1)])
    return table


def _about(rng: random.Random, minutes: float, spread: float = 0.4) -> timedelta:
    """A time around `minutes`, spread as waiting and working times are: many shorter, a few far longer."""
    return timedelta(minutes=max(1, round(minutes * rng.lognormvariate(-(spread**2) / 2, spread))))


def _hours(hours: float) -> timedelta:
    return timedelta(hours=hours)


def _minute(when: datetime) -> datetime:
    return when.replace(second=0, microsecond=0)
