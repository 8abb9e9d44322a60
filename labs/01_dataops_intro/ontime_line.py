"""The line: a day's raw file goes in, a checked report comes out, and each stage is timed.

Three stages, as in every data pipeline: ingest, transform, deliver; after each a check that can stop the line. The report itself
is a function that the line is given, so a better one can be released without touching the line.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pandas as pd

from flightschool.data import a_day, raw_day
from flightschool.errors import FlightSchoolError
from flightschool.i18n import translations

_ = translations("01_dataops_intro")

Report = Callable[[pd.DataFrame, str], pd.DataFrame]
NEEDED = (
    "year",
    "month",
    "day",
    "carrier",
    "flight",
    "origin",
    "dest",
    "sched_dep_time",
    "dep_time",
    "arr_delay",
)
ONE_FLIGHT = ["year", "month", "day", "carrier", "flight", "origin"]
"""What names one flight: no two of the 336,776 agree in all of these."""


class LineStopped(FlightSchoolError):
    """A check did not hold, so nothing was delivered. The message says which, and what was seen."""


@dataclass
class Run:
    """What one run of the line gave: the report's table, and the seconds that each stage took."""

    day: date
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    seconds: dict[str, float] = field(default_factory=dict)


def run(day: date, inbox: Path, report: Report, by: str = "origin") -> Run:
    """Take one day through the line. Raises LineStopped when a check does not hold."""
    result = Run(day)
    started = time.perf_counter()

    def lap(stage: str) -> None:
        result.seconds[stage] = time.perf_counter() - started - sum(result.seconds.values())

    flights = ingest(day, inbox)
    lap("ingest")
    check_input(flights, day)
    lap("check")
    result.table = report(flights, by)
    lap("transform")
    reconcile(result.table, flights)
    lap("reconcile")
    return result


def ingest(day: date, inbox: Path) -> pd.DataFrame:
    """The flights of the raw file of `day`. Raises LineStopped when it did not arrive."""
    path = inbox / f"flights-{day}.csv"
    if not path.is_file():
        raise LineStopped(
            _("{file} did not arrive: ask the source to send it, then run again.").format(file=path.name)
        )
    return pd.read_csv(path)


def check_input(flights: pd.DataFrame, day: date) -> None:
    """Does the input keep its promises: columns, the right day, each flight once? Raises LineStopped if not."""
    if missing := [name for name in NEEDED if name not in flights]:
        raise LineStopped(
            _("{day}: the file has no column {missing}.").format(day=day, missing=", ".join(missing))
        )
    if flights.empty:
        raise LineStopped(_("{day}: the file has no rows.").format(day=day))
    other = int((pd.to_datetime(flights[["year", "month", "day"]]).dt.date != day).sum())
    if other:
        raise LineStopped(_("{day}: {other} rows belong to another day.").format(day=day, other=other))
    twice = int(flights.duplicated(ONE_FLIGHT).sum())
    if twice:
        raise LineStopped(_("{day}: {twice} flights stand in the file twice.").format(day=day, twice=twice))


def reconcile(table: pd.DataFrame, flights: pd.DataFrame) -> None:
    """The control total: does the report account for every flight of the input? Raises LineStopped if not."""
    if not isinstance(table, pd.DataFrame) or "scheduled" not in table:
        raise LineStopped(
            _("The report has no column scheduled, so nobody can tell whether it accounts for every flight.")
        )
    accounted = int(table["scheduled"].sum())
    if accounted != len(flights):
        raise LineStopped(
            _("The report accounts for {accounted} of {total} flights.").format(
                accounted=accounted, total=len(flights)
            )
        )


def release(candidate: Report, days: Iterable[date], inbox: Path) -> str:
    """Automated deployment: a new report goes live only if it holds on every past day. Raises LineStopped if not."""
    held = [run(day, inbox, candidate).day for day in days]
    return _("Released: every check held on {days} past days.").format(days=len(held))


def main() -> None:
    """Take one day through the line and print its departure report and the milliseconds that each stage took."""
    from departures import departure_report  # a neighbour when this file is run by itself

    parser = argparse.ArgumentParser(description=_("The departure report of a day, made by the line."))
    parser.add_argument("day", help=_("a day of 2013, such as 2013-02-08"))
    parser.add_argument(
        "--inbox", type=Path, help=_("folder of raw files; by default the day's is made on the spot")
    )
    parser.add_argument(
        "--by", choices=("origin", "carrier"), default="origin", help=_("a row for each of these")
    )
    options = parser.parse_args()
    try:
        day = a_day(options.day)
        with tempfile.TemporaryDirectory(prefix="flightschool-") as made:
            inbox = options.inbox or raw_day(day, Path(made)).parent
            done = run(day, inbox, departure_report, options.by)
    except FlightSchoolError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(done.table.to_string(index=False))
    print(", ".join(f"{stage} {1000 * seconds:.0f} ms" for stage, seconds in done.seconds.items()))


if __name__ == "__main__":
    main()
