"""The reports desk: thirty days of departure reports with all that led to them, one fault of the source among it.

`<desk>/inbox` holds the raw files as the source sent them, `<desk>/outbox` the published reports, `<desk>/logs` the run log and
the deployment log (JSON lines). The thirty-first file has arrived and its report is not out yet.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from . import departures

if TYPE_CHECKING:
    from flightschool.data import World

REPORTS = 30
CARRIERS = ("UA", "B6", "EV", "DL", "AA", "MQ")
"""Carriers with dozens of flights a day: some of them are late every day, so a change of their unit shows in every report."""

STORMS = (
    "2013-03-08",
    "2013-04-22",
    "2013-05-23",
    "2013-06-13",
    "2013-07-01",
    "2013-07-22",
    "2013-08-08",
    "2013-09-12",
)
"""Days with far fewer flights on time than usual: each a plausible and wrong first guess."""


@dataclass(frozen=True)
class Month:
    """What happened on one desk. `fault` days carry the fault; `released` is the day of an innocent deployment."""

    days: tuple[date, ...]
    carrier: str
    fault: tuple[date, ...]
    released: date
    version: int
    bystander: str

    def __contains__(self, day: date) -> bool:
        return day in self.fault


def month(world: "World") -> Month:
    """The month of a world: it begins about two weeks before the fault, which begins just after a storm."""
    rng = world.rng("drill")
    first = date.fromisoformat(rng.choice(STORMS)) + timedelta(days=rng.randint(2, 4))
    start = first - timedelta(days=rng.randint(9, 13))
    days = tuple(start + timedelta(days=i) for i in range(REPORTS + 1))
    # On these days the source fell back to its old system, so what it sent was right.
    spared = {first + timedelta(days=i) for i in rng.sample(range(4, 12), 2)}
    carrier, bystander = rng.sample(CARRIERS, 2)
    return Month(
        days=days,
        carrier=carrier,
        fault=tuple(day for day in days if day >= first and day not in spared),
        released=first + timedelta(days=rng.randint(1, 3)),
        version=rng.randint(4, 8),
        bystander=bystander,
    )


def lay_out(world: "World", desk: Path, *, fault: bool = True) -> Month:
    """Write the whole desk, with the fault or as it should have been."""
    this = month(world)
    for room in ("inbox", "outbox", "logs"):
        (desk / room).mkdir(parents=True, exist_ok=True)
    log = []
    for day in this.days:
        raw = delivered(world, this, day, fault=fault)
        path = desk / "inbox" / f"flights-{day}.csv"
        raw.to_csv(path, index=False, na_rep="NA", lineterminator="\n", date_format="%Y-%m-%dT%H:%M:%SZ")
        log.append(_ingested(day, path, raw))
        if day != this.days[-1]:
            report = departures.departure_report(pd.read_csv(path))
            log.append(_published(this, day, departures.publish(report, day, desk / "outbox"), report))
    _write_lines(desk / "logs" / "runs.jsonl", log)
    _write_lines(desk / "logs" / "deployments.jsonl", _deployments(this))
    return this


def delivered(world: "World", this: Month, day: date, *, fault: bool = True) -> pd.DataFrame:
    """The raw rows of a day as the source sent them, with `feed_version`, which counts each carrier's releases of its own feed."""
    flights = world.flights(day).convert_dtypes()
    bad = fault and day in this
    versions = {carrier: 3 + sum(map(ord, carrier)) % 5 for carrier in CARRIERS}
    versions[this.carrier] = this.version + bad
    # It changed as well, to the very same number, and no harm came of it: numbers are each carrier's own.
    versions[this.bystander] = this.version + (day >= this.released)
    flights["feed_version"] = [versions.get(carrier, 2) for carrier in flights.carrier]
    if bad:
        theirs = flights.carrier == this.carrier
        hours = (flights.dep_delay.astype("Float64") / 60).round(2)
        sent = flights.dep_delay.astype("string").mask(theirs, hours.astype("string"))
        flights["dep_delay"] = sent
    return flights


def _ingested(day: date, path: Path, raw: pd.DataFrame) -> dict[str, Any]:
    feeds = raw.groupby("carrier").feed_version.first()
    return {
        "at": _at(day, 6, 5),
        "step": "ingest",
        "file": path.name,
        "rows": len(raw),
        "without_departure": int(raw.dep_time.isna().sum()),
        "feeds": {str(carrier): int(version) for carrier, version in feeds.items()},
        "outcome": "ok",
    }


def _published(this: Month, day: date, path: Path, report: pd.DataFrame) -> dict[str, Any]:
    return {
        "at": _at(day, 6, 9),
        "step": "publish",
        "file": path.name,
        "code": "1.8.0" if day >= this.released else "1.7.3",
        "scheduled": int(report.scheduled.sum()),
        "left_on_time": int(report.left_on_time.sum()),
        "outcome": "ok",
    }


def _deployments(this: Month) -> Iterator[dict[str, Any]]:
    """Releases of the team's own code. None of them did any harm."""
    yield {
        "at": _at(this.days[3] - timedelta(days=1), 15, 20),
        "service": "departure-report",
        "version": "1.7.3",
        "what": "log the number of rows without a departure",
        "outcome": "ok",
    }
    yield {
        "at": _at(this.released - timedelta(days=1), 16, 45),
        "service": "departure-report",
        "version": "1.8.0",
        "what": "faster grouping by airport",
        "outcome": "ok",
    }


def _at(day: date, hour: int, minute: int) -> str:
    """A time on the morning after `day`, when its report is made."""
    return datetime.combine(day + timedelta(days=1), time(hour, minute)).isoformat()


def _write_lines(path: Path, lines: Any) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
