"""A world: what an exercise is asked on. A seed chooses days, carriers, airports, passengers and faults."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flightschool.data import reading
from flightschool.data.faults import TABLES, FileFault, Files, RawFile, TableFault, due
from flightschool.data.raw import file_name, render
from flightschool.data.writing import atomic
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

T = TypeVar("T")

DAILY_PASSENGERS = 200
"""Rows of passengers that arrive a day."""

_NO_WEATHER = date(2013, 12, 31)


@dataclass(frozen=True)
class Planted:
    """A fault, its rate, and which days it hits: named ones, or so many of those asked for."""

    fault: TableFault | FileFault
    rate: float
    days: int | tuple[date, ...]


@dataclass(frozen=True)
class World:
    """Inputs chosen by a seed. Immutable; the same seed and faults give the same bytes on every machine.

    What `flights`, `weather`, `passengers` and `bookings` return is clean; faults show in `batch`, `files` and
    `write_raw`. Flights, weather and passengers arrive day by day; a fault hits the table that it names.
    """

    seed: int
    faults: tuple[Planted, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.seed, int) or isinstance(self.seed, bool):
            raise FlightSchoolError(
                _("The seed {seed!r} is not a whole number; give one, such as 0.").format(seed=self.seed)
            )

    def rng(self, purpose: str) -> random.Random:
        """A fresh generator for one purpose; other purposes neither disturb nor reveal it."""
        digest = hashlib.sha256(f"flightschool/{self.seed}/{purpose}".encode()).digest()
        return random.Random(int.from_bytes(digest, "big"))

    def days(self, n: int) -> list[date]:
        """n different days of 2013, in order. More days contain the fewer: days(3) are among days(5)."""
        return sorted(self._choose("days", reading.DAYS, n))

    def carriers(self, n: int) -> list[str]:
        """n different carriers of those that fly every day, ordered by code; more contain the fewer."""
        return sorted(self._choose("carriers", _daily_carriers(), n))

    @property
    def airports(self) -> list[str]:
        """New York's three airports in the order of this world: the first is the one to ask about."""
        return self._choose("airports", ["EWR", "JFK", "LGA"], 3)

    def flights(self, d: date) -> pd.DataFrame:
        """The clean flights of one day, in source order (see `flightschool.data.day`)."""
        return reading.day(d)

    def weather(self, d: date) -> pd.DataFrame:
        """The clean weather of one local day, hour by hour, in source order; no rows on 2013-12-31."""
        d = reading.a_day(d)
        frame = reading.frame("weather", d.month)
        return frame[frame["day"] == d.day].reset_index(drop=True)

    def passengers(self, n: int) -> pd.DataFrame:
        """The first n passengers of this seed; dates are datetime64."""
        from flightschool.data import people

        return _people_frame(people.passengers(n, self.seed), people.PASSENGERS)

    def bookings(self, n: int, of: int | None = None) -> pd.DataFrame:
        """The first n bookings of this seed by passengers 1 … of (n // 4 by default); fares are float64."""
        from flightschool.data import people

        return _people_frame(people.bookings(n, self.seed, of), people.BOOKINGS)

    def plant(
        self, fault: TableFault | FileFault, rate: float | None = None, days: int | Iterable[date] = 1
    ) -> World:
        """This world with one more fault, on top of those it has.

        `rate` is the fault's extent within a batch, above 0 to 1, `fault.usual` by default (0.05 for most). `days`
        names the days it hits, or says how many of those that are asked for; the seed chooses which.

        Raises:
            FlightSchoolError: the rate or the number of days is out of range, or the fault could not be told.
        """
        rate = fault.usual if rate is None else rate
        if not 0 < rate <= 1:
            raise FlightSchoolError(
                _("A rate of {rate} can't be planted; give one above 0, up to 1.").format(rate=rate)
            )
        if rate < fault.least:
            raise FlightSchoolError(
                _("A {fault} of {rate} can't be told from what real days do; give at least {least}.").format(
                    fault=fault.name, rate=rate, least=fault.least
                )
            )
        if isinstance(days, int) and days < 1:
            raise FlightSchoolError(_("A fault can't hit {days} days; give at least 1.").format(days=days))
        named = days if isinstance(days, int) else tuple(reading.a_day(d) for d in days)
        if fault.table == "weather" and named == (_NO_WEATHER,):
            raise reading.NoSuchData(
                _("There is no weather on {day}; choose another day.").format(day=_NO_WEATHER)
            )
        return replace(self, faults=(*self.faults, Planted(fault, rate, named)))

    def hit(self, days: Iterable[date] | None = None) -> dict[date, list[str]]:
        """What a judge knows and a learner finds out: the names of the faults of each day that has any."""
        asked = self._asked(days)
        named = {
            d: [p.fault.name for n, p in enumerate(self.faults) if d in self._hit(n, asked)] for d in asked
        }
        return {d: names for d, names in named.items() if names}

    def batch(self, d: date, days: Iterable[date] | None = None, table: str = "flights") -> pd.DataFrame:
        """The flights, weather or passengers of one day as they arrive, with this world's table faults.

        `days` are all the days asked for, of which a fault hits some; by default as for `write_raw`.

        Raises:
            NoSuchData: the table does not arrive by day.
        """
        asked = self._asked(days)
        frame = self._clean(d, table)
        for n, planted in enumerate(self.faults):
            fault = planted.fault
            if isinstance(fault, TableFault) and fault.table == table and d in self._hit(n, asked):
                frame = fault.plant(frame, self.rng(f"fault {n} on {d}"), planted.rate)
        return frame

    def files(self, days: Iterable[date] | None = None, table: str = "flights") -> Files:
        """The raw files of the days, a week of this world by default, as they arrive, with all its faults."""
        asked = self._asked(days)
        return tuple(file for d in asked for file in self._files(d, asked, table))

    def write_raw(
        self,
        folder: Path,
        days: Iterable[date] | None = None,
        until: datetime | None = None,
        table: str = "flights",
    ) -> list[Path]:
        """Write `files` into a folder, each with its time of arrival as the time of modification.

        With `until`, an aware datetime, only those that have arrived by then: what is late comes with a later call.

        Raises:
            FlightSchoolError: `until` has no zone, or the folder can't be written.
        """
        if until is not None and until.tzinfo is None:
            raise FlightSchoolError(
                _("The time {until} has no zone; add one, such as tzinfo=UTC.").format(until=until)
            )
        written = []
        for file in self.files(days, table):
            if until is not None and file.arrived > until:
                continue
            path = Path(folder) / file.name
            with atomic(path) as target:
                target.write(file.content)
                target.flush()
                os.utime(target.fileno(), (file.arrived.timestamp(), file.arrived.timestamp()))
            written.append(path)
        return written

    def _clean(self, d: date, table: str) -> pd.DataFrame:
        d = reading.a_day(d)
        if table == "flights":
            return reading.day(d)
        if table == "weather":
            return self.weather(d)
        if table == "passengers":
            from flightschool.data import people

            after = DAILY_PASSENGERS * reading.DAYS.index(d)
            return _people_frame(people.passengers(DAILY_PASSENGERS, self.seed, after), people.PASSENGERS)
        raise reading.NoSuchData(
            _("No batches of {table!r} arrive by day; choose one of {tables}.").format(
                table=table, tables=", ".join(TABLES)
            )
        )

    def _files(self, d: date, asked: list[date], table: str) -> Files:
        files: Files = (RawFile(d, file_name(d, table), render(self.batch(d, asked, table)), due(d)),)
        for n, planted in enumerate(self.faults):
            fault = planted.fault
            if isinstance(fault, FileFault) and fault.table == table and d in self._hit(n, asked):
                files = fault.plant(files, self.rng(f"fault {n} on {d}"), planted.rate)
        return files

    def _asked(self, days: Iterable[date] | None) -> list[date]:
        return self.days(7) if days is None else sorted({reading.a_day(d) for d in days})

    def _hit(self, n: int, asked: list[date]) -> set[date]:
        days = self.faults[n].days
        if self.faults[n].fault.table == "weather":
            asked = [d for d in asked if d != _NO_WEATHER]
        if isinstance(days, int):
            return set(self._choose(f"days of fault {n}", asked, min(days, len(asked))))
        return set(days) & set(asked)

    def _choose(self, purpose: str, among: list[T], n: int) -> list[T]:
        """n different ones, ranked by hash: stable across versions of Python, and more contain the fewer."""
        if not 0 <= n <= len(among):
            raise FlightSchoolError(
                _("{n} {purpose} can't be chosen; there are {most}.").format(
                    n=n, purpose=purpose, most=len(among)
                )
            )
        return sorted(among, key=lambda x: hashlib.sha256(f"{self.seed}/{purpose}/{x}".encode()).digest())[:n]


@lru_cache(maxsize=1)
def _daily_carriers() -> list[str]:
    flown = reading.load("flights").select(["month", "day", "carrier"])
    days = (
        flown.group_by(["carrier", "month", "day"])
        .aggregate([])
        .group_by("carrier")
        .aggregate([("day", "count")])
    )
    return sorted(row["carrier"] for row in days.to_pylist() if row["day_count"] == len(reading.DAYS))


def _people_frame(batches: Any, schema: pa.Schema) -> pd.DataFrame:
    import pyarrow as pa

    table = pa.Table.from_batches(islice(batches, None), schema)
    kinds = {pa.date32(): pa.timestamp("ns"), pa.decimal128(9, 2): pa.float64()}
    wide = pa.schema(field.with_type(kinds.get(field.type, field.type)) for field in schema)
    return reading.to_frame(table.cast(wide))
