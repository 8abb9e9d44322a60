"""The real data: tables, months and days of 2013, each file proven by its checksum before it is used."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from flightschool import paths
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

DAYS: list[date] = [date(2013, 1, 1) + timedelta(days=n) for n in range(365)]
"""All days of the data, in order."""

NAMES = ("flights", "weather", "planes", "airports", "airlines")
"""The tables that `load` knows. What their columns mean is in datasets/schemas/."""

KEY = ("year", "month", "day", "carrier", "flight", "origin")
"""The columns that tell one flight from every other."""


class DamagedData(FlightSchoolError):
    """A data file is missing, or is not the file that was committed."""


class NoSuchData(FlightSchoolError):
    """A table, month or day was asked for that the data do not have."""


class Check(NamedTuple):
    """What `verify` found out about one file."""

    path: Path
    ok: bool
    problem: str


def load(name: str, month: int | None = None) -> pa.Table:
    """One of the tables `NAMES`, or one month of flights or weather, in the order of the source.

    Integers have 32 bits, times are UTC, missing values are nulls; a field that is never missing says so.

    Raises:
        NoSuchData: there is no such table or month.
        DamagedData: a file does not match its checksum in datasets/datapackage.json.
    """
    if name not in NAMES:
        raise NoSuchData(
            _("There is no table {name!r}; choose one of {names}.").format(name=name, names=", ".join(NAMES))
        )
    if month is not None:
        if name not in ("flights", "weather"):
            raise NoSuchData(_("The table {name} has no months; leave the month out.").format(name=name))
        if month not in range(1, 13):
            raise NoSuchData(
                _("There is no month {month}; the data have the months 1 to 12 of 2013.").format(month=month)
            )
    if name == "flights":
        if month is not None:
            return _table(_month_file(month))
        import pyarrow as pa

        return pa.concat_tables(_table(_month_file(m)) for m in range(1, 13))
    table = _table(f"{name}.parquet")
    if month is not None:
        import pyarrow.compute as pc

        return table.filter(pc.equal(table["month"], month))
    return table


def frame(name: str, month: int | None = None) -> pd.DataFrame:
    """`load` as pandas: whole numbers are int64, or float64 with NaN in every column that can miss a value.

    The types depend on the column only, not on whether this month happens to miss a value.
    """
    return to_frame(load(name, month))


def day(d: date) -> pd.DataFrame:
    """The flights scheduled to leave on one day, local time, in the order of the source; types as in `frame`."""
    d = a_day(d)
    try:
        stamp = _stamp(paths.DATASETS / _month_file(d.month))
    except OSError:
        return to_frame(day_table(d))  # which says what is missing
    return _day(d, stamp).copy()


@lru_cache(maxsize=64)
def _day(d: date, stamp: tuple[Any, ...]) -> pd.DataFrame:
    """A day's frame while its file keeps its stamp: a check asks for the same few days over and over."""
    return to_frame(day_table(d))


def day_table(d: date) -> pa.Table:
    """The flights of one day as Arrow.

    Raises:
        NoSuchData: the day is not in 2013.
    """
    d = a_day(d)
    import numpy as np

    table = load("flights", d.month)
    # A month is sorted by day: two binary searches and a slice, no copy.
    first, last = np.searchsorted(table["day"].to_numpy(), [d.day, d.day + 1])
    return table.slice(first, last - first)


def a_day(d: date | str) -> date:
    """A day of the data, from a date, a datetime or text such as 2013-02-08.

    Raises:
        NoSuchData: the text is not a date, or the day is not in 2013.
    """
    try:
        parsed = date.fromisoformat(d) if isinstance(d, str) else date(d.year, d.month, d.day)
    except (ValueError, AttributeError):
        raise NoSuchData(_("{day!r} is not a date; write it as 2013-02-08.").format(day=d)) from None
    if parsed.year != 2013:
        raise NoSuchData(
            _("There are no flights on {day}; the data go from 2013-01-01 to 2013-12-31.").format(day=parsed)
        )
    return parsed


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Arrow to pandas with types that depend on the schema alone (see `frame`)."""
    import pyarrow as pa

    wide = pa.schema(
        f.with_type(pa.float64() if f.nullable else pa.int64()) if pa.types.is_integer(f.type) else f
        for f in table.schema
    )
    result: pd.DataFrame = table.cast(wide).to_pandas(coerce_temporal_nanoseconds=True)
    for f in table.schema:
        if f.nullable and pa.types.is_string(f.type):
            # None to NaN: as read_csv has it, and as pandas wants it when two frames are compared.
            result[f.name] = result[f.name].where(result[f.name].notna(), float("nan"))
    return result


def verify() -> list[Check]:
    """Hash every file of the data package again, whatever was verified before.

    Raises:
        DamagedData: datasets/datapackage.json itself cannot be read.
    """
    checks = []
    for relative in _checksums(_stamp(_descriptor())):
        try:
            _prove(relative)
        except DamagedData as error:
            checks.append(Check(paths.DATASETS / relative, False, str(error)))
        else:
            checks.append(Check(paths.DATASETS / relative, True, ""))
    return checks


def _month_file(month: int) -> str:
    return f"flights/2013-{month:02}.parquet"


def _table(relative: str) -> pa.Table:
    try:
        stamp = _stamp(paths.DATASETS / relative)
    except OSError:
        raise _damaged(relative, _("is missing")) from None
    return _proven(relative, stamp)


@lru_cache(maxsize=32)
def _proven(relative: str, stamp: tuple[Any, ...]) -> pa.Table:
    """A verified table. Cached while the file keeps its stamp: hashed and decoded once a process (all: 45 MB)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Read from the bytes that were hashed: the file cannot change in between.
    return pq.read_table(pa.BufferReader(_prove(relative)))


def _prove(relative: str) -> bytes:
    """The bytes of a file that matches its checksum."""
    checksums = _checksums(_stamp(_descriptor()))
    if relative not in checksums:
        raise _damaged("datapackage.json", _("does not list {path}").format(path=relative))
    try:
        content = (paths.DATASETS / relative).read_bytes()
    except FileNotFoundError:
        raise _damaged(relative, _("is missing")) from None
    except OSError as error:
        raise DamagedData(
            _("{path} can't be read ({reason}); check its permissions.").format(
                path=f"datasets/{relative}", reason=error.strerror
            )
        ) from None
    if hashlib.sha256(content).hexdigest() != checksums[relative]:
        raise _damaged(relative, _("is damaged (it does not match its checksum)"))
    return content


@lru_cache(maxsize=4)
def _checksums(stamp: tuple[Any, ...]) -> dict[str, str]:
    """SHA-256 by path relative to datasets/, as datapackage.json has them."""
    try:
        package = json.loads(_descriptor().read_text(encoding="utf-8"))
        return {r["path"]: r["hash"].removeprefix("sha256:") for r in package["resources"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise _damaged("datapackage.json", _("is damaged")) from None


def _descriptor() -> Path:
    path = paths.DATASETS / "datapackage.json"
    if not path.is_file():
        raise _damaged("datapackage.json", _("is missing"))
    return path


def _stamp(path: Path) -> tuple[Any, ...]:
    """What changes when a file does."""
    stat = path.stat()
    return (str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _damaged(relative: str, problem: str) -> DamagedData:
    path = f"datasets/{relative}"
    return DamagedData(
        _("{path} {problem}; get it back with `git restore {path}`, run in the project's folder.").format(
            path=path, problem=problem
        )
    )
