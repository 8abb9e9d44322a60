"""The week of the drill: over five nights the source sends one day twice and one day late.

The night folder holds `inbox/` (the files, and `deliveries.csv`, the source's own log of what it sent when), `nightly.log` and
`warehouse.duckdb`, filled by `nightly.run` once a night.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightschool.data import raw

from . import nightly
from .deliveries import corrected, write

if TYPE_CHECKING:
    from flightschool.data import World

NIGHTS = 5
LATE, TWICE = 1, 3
"""Which of the five days came late, and which came twice."""


def days(world: World) -> list[date]:
    """Five days in a row, all in the data, with one before and one after them."""
    first = min(max(world.days(1)[0], date(2013, 1, 2)), date(2013, 12, 26))
    return [first + timedelta(days=n) for n in range(NIGHTS)]


def sent_again(world: World, day: date) -> Any:
    """A day's flights as the source sends them the second time: mended."""
    return corrected(world.flights(day), world.rng(f"sent again {day}"))


def plant_night(folder: Path, world: World, *, healthy: bool = False) -> Path:
    """Run the five nights in a new folder; healthy: every day comes once, in time. Returns the folder."""
    inbox = folder / "inbox"
    inbox.mkdir(parents=True)
    five = days(world)
    with (folder / "nightly.log").open("w", encoding="utf-8") as log:
        for night, day in enumerate(five):
            morning = day + timedelta(days=1)
            if healthy or night != LATE:
                deliver(inbox, day, raw.file_name(day), f"{morning} 01:{10 + night}", world.flights(day))
            if not healthy and night == TWICE:
                name = f"flights-{day}.1.csv"
                deliver(inbox, day, name, f"{morning} 01:52", sent_again(world, day))
            nightly.run(
                inbox,
                folder / "warehouse.duckdb",
                lambda line, at=morning: print(at, "02:00", line, file=log),
            )
            print(morning, "02:00 night run finished, state success", file=log)
            if not healthy and night == LATE + 1:
                late = five[LATE]
                deliver(inbox, late, raw.file_name(late), f"{morning} 06:31", world.flights(late))
    return folder


def deliver(inbox: Path, day: date, name: str, at: str, flights: Any) -> None:
    """Put a file into the inbox and note it in `deliveries.csv`."""
    log = inbox / "deliveries.csv"
    new = not log.exists()
    write(flights, inbox, name)
    with log.open("a", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        if new:
            rows.writerow(["received_at", "file", "flight_date", "rows"])
        rows.writerow([at, name, day, len(flights)])
