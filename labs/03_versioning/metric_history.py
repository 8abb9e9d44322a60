"""Seeded histories of a small program that prints one metric: somewhere in each it went wrong, and some commits don't run at all.

`python ontime.py flights.csv` prints `{"on_time_share": 0.7312}`. A history begins with a commit whose figure is right (tag `published`) and ends
on main with one whose figure is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from flightrepo import Repository, Version, lay_down

from flightschool.data.raw import render

if TYPE_CHECKING:
    import random
    from datetime import date

    import pandas as pd

    from flightschool.data import World

HISTORIES = 3
TOLERANCE = 0.001
"""A share that is nearer than this to the published one is the same: rounding is no fault."""

PROGRAM = '''"""{title}"""

import csv
import json
import sys
{imports}
LATE_FROM = {late}


def on_time_share(path):
    """Flights that reached the gate in time, of all that were scheduled."""
    scheduled = on_time = 0
    with open(path, newline="", encoding="utf-8") as file:
        for flight in csv.DictReader(file){colon}
{body}
    return on_time / scheduled


print(json.dumps({{"on_time_share": {printed}}}))
'''
RIGHT = """\
            scheduled += 1
            if flight["arr_delay"] != "NA" and float(flight["arr_delay"]) < LATE_FROM:
                on_time += 1"""
BODIES = {
    "cancelled": """\
            if flight["arr_delay"] == "NA":
                continue
            scheduled += 1
            if float(flight["arr_delay"]) < LATE_FROM:
                on_time += 1""",
    "departure": RIGHT.replace("arr_delay", "dep_delay"),
    "boundary": RIGHT.replace("< LATE_FROM", "<= LATE_FROM"),
}
SLOTS: Mapping[str, str] = {
    "title": "The share of flights that arrived on time.",
    "imports": "",
    "late": "15",
    "colon": ":",
    "body": RIGHT,
    "printed": "round(on_time_share(sys.argv[1]), 4)",
}
BREAKS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "cancelled": ("Skip rows without a delay, they only cost time", {"body": BODIES["cancelled"]}),
    "departure": ("Use the same column as the departure board", {"body": BODIES["departure"]}),
    "boundary": ("Make the comparison read like the handbook", {"body": BODIES["boundary"]}),
    "limit": ("Take the limit from the winter timetable", {"late": "30"}),
}
"""What makes the figure wrong: the commit's message, and what it changes."""
STUCK: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "syntax": ("Tidy up the loop", "Run again", {"colon": ""}),
    "import": (
        "Move the rules to a file of their own (1 of 2)",
        "Keep the rules here after all",
        {"imports": "import rules_of_the_house\n"},
    ),
    "silent": ("Print the figure only when asked to", "Always print the figure", {"printed": "None"}),
}
"""What can't be tested: the message that begins it, the one that ends it, and what is changed meanwhile."""
CHORES = (
    "Say in the README who reads the figure",
    "Note the meeting of Tuesday",
    "Add a picture of the airport",
    "Correct a typing error",
    "List the carriers",
    "Write down how to call the program",
    "Thank the summer intern",
    "Note where the raw files come from",
)


@dataclass(frozen=True)
class Plan:
    """A history before it is built. `culprit`, `rounded` and `stuck` are places in `versions`, counted from 0."""

    day: date
    published: float
    versions: tuple[Version, ...]
    culprit: int
    rounded: int
    stuck: tuple[int, ...]


def plan(world: World, number: int) -> Plan:
    """History number 0, 1, … of a world; 0 is also the learner's own."""
    rng = world.rng(f"history {number}")
    day, published, breaks = _day(world, rng)
    length = rng.randint(26, 34)
    middle = length // 2
    # The middle is what git bisect asks for first. In the first two histories it can't be tested, with the fault behind or before it.
    stuck = tuple(range(middle - 1, middle + 2)) if number < 2 else ()
    late = number == 0 or (number > 1 and rng.random() < 0.5)
    culprit = rng.randint(middle + 5, length - 4) if late else rng.randint(5, middle - 5)
    rounded = rng.randint(1, culprit - 3)
    while late and rounded in (*stuck, *(place + 1 for place in stuck)):
        rounded = rng.randint(1, culprit - 3)
    kind = rng.choice(list(STUCK)) if number else rng.choice(["syntax", "import"])
    if number == 1:
        kind = "silent"
    started, ended, meanwhile = STUCK[kind]
    message, broken = BREAKS[rng.choice(breaks)]
    at = datetime(2013, 3, 4, 9, tzinfo=UTC)
    slots, notes, versions = dict(SLOTS), ["# On time"], []
    for place in range(length):
        at += timedelta(hours=rng.randint(3, 40), minutes=rng.randint(0, 59))
        said = rng.choice(CHORES) if place else "Publish the share of flights that arrived on time"
        if place == culprit:
            said, slots = message, slots | broken
        elif place == rounded:
            said = "Three digits are enough for a report"
            slots = slots | {"printed": SLOTS["printed"].replace("4", "3")}
        elif stuck and place == stuck[0]:
            said, kept, slots = started, slots, slots | meanwhile
        elif stuck and place == stuck[-1] + 1:
            said, slots = ended, kept
        notes.append(f"- {at:%Y-%m-%d}: {said}")
        files = {
            "ontime.py": PROGRAM.format(**slots).encode(),
            "README.md": ("\n".join(notes) + "\n").encode(),
        }
        versions.append(Version(said, at, files))
    return Plan(day, published, tuple(versions), culprit, rounded, stuck)


def build(this: Plan, folder: Path) -> tuple[Repository, list[str], Path]:
    """The repository of a plan, its commits from the first on, and the day's raw file beside it."""
    from flightschool.data import day as flights_of

    repository = Repository(folder / "ontime").init()
    commits = lay_down(repository, this.versions)
    repository.git("tag", "published", commits[0])
    raw = folder / f"flights-{this.day}.csv"
    raw.write_bytes(render(flights_of(this.day)))
    return repository, commits, raw


def _day(world: World, rng: random.Random) -> tuple[date, float, list[str]]:
    """A day on which every fault shows and rounding to three digits does, too: the day, its right share, the faults."""
    days = world.days(40)
    rng.shuffle(days)
    for day in days:
        flights = world.flights(day)
        right = _share(flights, "")
        shows = [name for name in BREAKS if abs(_share(flights, name) - right) > 4 * TOLERANCE]
        if len(shows) == len(BREAKS) and round(right, 4) != round(right, 3):
            return day, round(right, 4), shows
    raise AssertionError("no day of forty shows every fault")


def _share(flights: pd.DataFrame, fault: str) -> float:
    """What the program prints with that fault in it, before rounding."""
    delay = flights.dep_delay if fault == "departure" else flights.arr_delay
    late = 30 if fault == "limit" else 15
    on_time = delay <= late if fault == "boundary" else delay < late
    return float(on_time.sum() / (delay.notna().sum() if fault == "cancelled" else len(flights)))
