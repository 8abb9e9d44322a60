"""Made-up passengers and their bookings on the real flights: seeded, skewed, from one row to ten million.

Every column is drawn by counter (see `draws`), batch after batch, so memory does not grow with the rows. What the
columns mean is in datasets/schemas/passengers.json and bookings.json.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flightschool.data import reading
from flightschool.data import vocabulary as words
from flightschool.data.draws import I64, Rows
from flightschool.data.writing import atomic
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

if TYPE_CHECKING:
    import numpy.typing as npt

MOST = 10_000_000
"""Most rows of one table."""

BATCH = 65_536

_EPOCH = date(1970, 1, 1)
_TIERS = ("gold", "silver", "basic")
_TIER_SHARES = (10, 90, 900)
_TIER_BOOKINGS = (15, 35, 50)
_CABINS = ("first", "premium", "economy")
_DOMAINS = ("example.com", "example.org", "example.net")
_SEATS = 150

PASSENGERS = pa.schema(
    [
        pa.field("passenger_id", pa.string(), nullable=False),
        pa.field("full_name", pa.string(), nullable=False),
        pa.field("sex", pa.string(), nullable=False),
        pa.field("birth_date", pa.date32(), nullable=False),
        pa.field("email", pa.string(), nullable=False),
        pa.field("phone", pa.string(), nullable=False),
        pa.field("passport_number", pa.string(), nullable=False),
        pa.field("home_airport", pa.string(), nullable=False),
        pa.field("home_postcode", pa.string(), nullable=False),
        pa.field("frequent_flyer", pa.string(), nullable=False),
        pa.field("registered_on", pa.date32(), nullable=False),
        pa.field("consent_marketing", pa.bool_(), nullable=False),
        pa.field("consent_analytics", pa.bool_(), nullable=False),
        pa.field("erasure_requested_on", pa.date32()),
    ]
)

BOOKINGS = pa.schema(
    [
        pa.field("booking_id", pa.string(), nullable=False),
        pa.field("passenger_id", pa.string(), nullable=False),
        pa.field("flight_date", pa.date32(), nullable=False),
        pa.field("carrier", pa.string(), nullable=False),
        pa.field("flight", pa.int32(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("dest", pa.string(), nullable=False),
        pa.field("booked_at", pa.timestamp("s", tz="UTC"), nullable=False),
        pa.field("cabin", pa.string(), nullable=False),
        pa.field("seat", pa.string(), nullable=False),
        pa.field("fare", pa.decimal128(9, 2), nullable=False),
    ]
)

Progress = Callable[[int], object]
"""Told the number of rows after each batch."""


def passengers(rows: int, seed: int, after: int = 0) -> Iterator[pa.RecordBatch]:
    """Passengers after + 1 … after + rows of a seed, in batches of the schema `PASSENGERS`.

    Raises:
        FlightSchoolError: rows, or rows and `after` together, is not between 1 and `MOST`.
    """
    _countable(rows)
    _countable(after + rows)
    return (_passengers(seed, after + first, count) for first, count in _spans(rows))


def bookings(rows: int, seed: int, of: int | None = None) -> Iterator[pa.RecordBatch]:
    """Bookings 1 … rows of a seed, in batches of the schema `BOOKINGS`.

    They are made by the passengers 1 … `of` of the same seed; by default one passenger for four bookings.

    Raises:
        FlightSchoolError: rows or `of` is not between 1 and `MOST`.
        DamagedData: the flights they join to are damaged.
    """
    _countable(rows)
    of = max(rows // 4, 1) if of is None else of
    _countable(of)
    book = _Book(seed, of)
    return (book.batch(first, count) for first, count in _spans(rows))


def write_passengers(path: Path, rows: int, seed: int, progress: Progress | None = None) -> Path:
    """Write `passengers` to a .csv or .parquet file, atomically.

    Raises:
        FlightSchoolError: another suffix, a wrong number of rows, or a place that can't be written.
    """
    return _write(Path(path), passengers(rows, seed), PASSENGERS, progress)


def write_bookings(
    path: Path, rows: int, seed: int, of: int | None = None, progress: Progress | None = None
) -> Path:
    """Write `bookings` to a .csv or .parquet file, atomically.

    Raises:
        FlightSchoolError: another suffix, a wrong number of rows, or a place that can't be written.
    """
    return _write(Path(path), bookings(rows, seed, of), BOOKINGS, progress)


def _write(
    path: Path, batches: Iterator[pa.RecordBatch], schema: pa.Schema, progress: Progress | None
) -> Path:
    from pyarrow.csv import CSVWriter, WriteOptions
    from pyarrow.parquet import ParquetWriter

    # Unquoted: no value has a comma or a quote in it, and Arrow refuses to write one that has.
    writers: dict[str, Callable[[Any], Any]] = {
        ".csv": lambda file: CSVWriter(
            file, schema, write_options=WriteOptions(quoting_style="none", quoting_header="none")
        ),
        ".parquet": lambda file: ParquetWriter(file, schema, compression="zstd"),
    }
    if path.suffix not in writers:
        raise FlightSchoolError(
            _("{path} must end in .csv or .parquet; the ending says which of the two is written.").format(
                path=path
            )
        )
    with atomic(path) as file, writers[path.suffix](file) as writer:
        for batch in batches:
            writer.write_batch(batch)
            if progress:
                progress(batch.num_rows)
    return path


def _countable(rows: int) -> None:
    if not 1 <= rows <= MOST:
        raise FlightSchoolError(
            _("{rows} rows can't be made; ask for 1 to {most}.").format(rows=rows, most=MOST)
        )


def _spans(rows: int) -> Iterator[tuple[int, int]]:
    return ((first, min(BATCH, rows - first)) for first in range(0, rows, BATCH))


# --- passengers ---------------------------------------------------------------------------------------------


def _people(seed: int, first: int, count: int) -> Rows:
    return Rows.span("passengers", seed, first, count)


def _home(rows: Rows) -> I64:
    """Index into PLACES a passenger."""
    return rows.pick("home", [place.weight for place in words.PLACES])


def _tier(rows: Rows) -> I64:
    """Index into _TIERS a passenger."""
    return rows.pick("tier", _TIER_SHARES)


def _passengers(seed: int, first: int, count: int) -> pa.RecordBatch:
    rows = _people(seed, first, count)
    home = _home(rows)
    sex = rows.pick("sex", (495, 495, 10))
    born = _born(rows)
    of_age = born <= _days(date(1997, 1, 1))  # 16 when 2013 began
    given = _given(rows, sex)
    family = rows.pick("family", words.ranked(len(words.FAMILY)))
    numbers = pa.array(rows.index + np.uint64(1)).cast(pa.string())
    columns = [
        _padded("P", numbers),
        pc.binary_join_element_wise(
            _take(words.FEMALE + words.MALE, given), _initial(rows), _take(words.FAMILY, family), ""
        ),
        _take(("F", "M", "X"), sex),
        _date(born),
        pc.binary_join_element_wise(
            pc.binary_join_element_wise(
                _take(_slugs(words.FEMALE + words.MALE), given), _take(_slugs(words.FAMILY), family), "."
            ),
            numbers,
            "@",
            _take(_DOMAINS, rows.pick("domain", (70, 20, 10))),
            "",
        ),
        _phone(rows, home),
        _padded("ZZ", pa.array(rows.shuffled("passport", 100_000_000)).cast(pa.string())),
        _take([place.airport for place in words.PLACES], home),
        _postcode(rows, home),
        _take(_TIERS, _tier(rows)),
        _date(_days(date(2005, 1, 1)) + rows.below("registered", 2556)),
        pa.array(of_age & rows.chance("marketing", 420)),
        pa.array(of_age & rows.chance("analytics", 610)),
        _date(_days(date(2014, 1, 1)) + rows.below("erasure day", 90), ~rows.chance("erasure", 2)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=PASSENGERS)


def _born(rows: Rows) -> I64:
    """Days since 1970 of birth: years 1923 to 2004, most of them between 1955 and 1990."""
    old = [(1923, 1932, 2), (1933, 1942, 6), (1943, 1952, 12), (1953, 1962, 18)]  # from, to, weight of a year
    young = [(1963, 1972, 21), (1973, 1982, 23), (1983, 1992, 20), (1993, 1998, 8), (1999, 2004, 4)]
    decades = old + young
    years = [year for start, end, _weight in decades for year in range(start, end + 1)]
    weights = [weight for start, end, weight in decades for _year in range(start, end + 1)]
    starts = np.array([_days(date(year, 1, 1)) for year in [*years, years[-1] + 1]])
    year = rows.pick("birth year", weights)
    born: I64 = starts[year] + rows.below("birth day", np.diff(starts)[year])
    return born


def _given(rows: Rows, sex: I64) -> I64:
    """Index into FEMALE + MALE a passenger; X takes from either."""
    female = np.where(sex == 2, rows.chance("given list", 500), sex == 0)
    women = rows.pick("given, female", words.ranked(len(words.FEMALE)))
    men = rows.pick("given, male", words.ranked(len(words.MALE)))
    return np.where(female, women, len(words.FEMALE) + men)


def _initial(rows: Rows) -> pa.Array:
    """What stands between given and family name: a space, or a middle initial for two of five."""
    letters = [f" {letter}. " for letter in "AEJLMRSTCDBKPGHNWFOV"]
    return _take([" ", *letters], rows.pick("initial", [60, *[2] * len(letters)]))


def _phone(rows: Rows, home: I64) -> pa.Array:
    codes, offsets, counts = _ragged([place.area_codes for place in words.PLACES])
    area = offsets[home] + rows.below("area", counts[home])
    lines = [f"-555-01{line:02}" for line in range(100)]
    return pc.binary_join_element_wise("+1-", _take(codes, area), _take(lines, rows.below("line", 100)), "")


def _postcode(rows: Rows, home: I64) -> pa.Array:
    prefixes, offsets, counts = _ragged([place.postcodes for place in words.PLACES])
    # The smaller of two draws: the first regions of a place, and low numbers, hold more people.
    skewed = np.minimum(rows.below("region", counts[home]), rows.below("region again", counts[home]))
    tail = np.minimum(rows.below("postcode", 100), rows.below("postcode again", 100))
    return pc.binary_join_element_wise(
        _take(prefixes, offsets[home] + skewed), _take([f"{n:02}" for n in range(100)], tail), ""
    )


# --- bookings -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Flights:
    """The columns of all flights that a booking copies or computes from, by row number."""

    table: pa.Table
    departure: npt.NDArray[np.int64]  # seconds since 1970
    distance: npt.NDArray[np.int64]  # miles
    place: npt.NDArray[np.int64]  # index of the destination in PLACES, -1 where nobody lives


@lru_cache(maxsize=1)
def _flights() -> _Flights:
    table = reading.load("flights").combine_chunks()
    hour = table["time_hour"].cast(pa.timestamp("s", tz="UTC")).cast(pa.int64()).to_numpy()
    minute = table["minute"].to_numpy().astype(np.int64)
    months = np.array([_days(date(2013, month, 1)) for month in range(1, 13)])
    days = months[table["month"].to_numpy() - 1] + table["day"].to_numpy() - 1
    airports = pa.array([place.airport for place in words.PLACES])
    place = pc.fill_null(pc.index_in(table["dest"], airports), -1).to_numpy().astype(np.int64)
    copied = table.select(["carrier", "flight", "origin", "dest"]).add_column(0, "flight_date", _date(days))
    distance = table["distance"].to_numpy().astype(np.int64)
    return _Flights(copied.combine_chunks(), hour + 60 * minute, distance, place)


class _Book:
    """The bookings of a population: who, on which flight and seat, when, for how much."""

    def __init__(self, seed: int, population: int) -> None:
        self.seed = seed
        self.flights = _flights()
        groups = np.empty(population, dtype=np.uint8)
        for first, count in _spans(population):
            rows = _people(seed, first, count)
            groups[first : first + count] = _tier(rows) * len(words.PLACES) + _home(rows)
        # Passengers by tier, then home: a group is a stretch, and so are all locals of a tier.
        self.order = np.argsort(groups, kind="stable").astype(np.int32)
        sizes = np.bincount(groups, minlength=len(_TIERS) * len(words.PLACES))
        self.bounds = np.concatenate([[0], np.cumsum(sizes)])

    def batch(self, first: int, count: int) -> pa.RecordBatch:
        """Bookings first … first + count - 1, numbered from 0."""
        rows = Rows.span("bookings", self.seed, first, count)
        # A booking is a place in the shuffled row of all seats of all flights, so none is sold twice.
        slot = rows.shuffled("slot", len(self.flights.departure) * _SEATS)
        flight, seat = np.divmod(slot, _SEATS)
        row = seat // 6 + 1
        cabin = np.where(row <= 2, 0, np.where(row <= 5, 1, 2))
        lead = _lead(rows)
        booked = self.flights.departure[flight] - lead * 86_400 - 3_600 - rows.below("booked second", 82_800)
        copied = self.flights.table.take(pa.array(flight))
        columns = [
            _padded("B", pa.array(rows.index + np.uint64(1)).cast(pa.string())),
            _padded("P", pa.array(self._who(rows, flight) + 1).cast(pa.string())),
            *(column.combine_chunks() for column in copied.columns),
            pa.array(booked).cast(pa.timestamp("s", tz="UTC")),
            _take(_CABINS, cabin),
            _take([f"{r}{letter}" for r in range(1, 26) for letter in "ABCDEF"], seat),
            _money(_fare(rows, self.flights.distance[flight], cabin, lead)),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=BOOKINGS)

    def _who(self, rows: Rows, flight: I64) -> I64:
        """Passenger numbers from 0: frequent flyers first; a New Yorker, or somebody who lives where it goes."""
        tier = rows.pick("tier", _TIER_BOOKINGS) * len(words.PLACES)
        place = self.flights.place[flight]
        local = rows.chance("local", 550) | (place < 0)
        start = self.bounds[tier + np.where(local, 0, place)]
        end = self.bounds[tier + np.where(local, words.LOCAL, place + 1)]
        # A small population has groups without anybody: then anyone of the tier, then anyone at all.
        empty = start == end
        start = np.where(empty, self.bounds[tier], start)
        end = np.where(empty, self.bounds[tier + len(words.PLACES)], end)
        empty = start == end
        start, end = np.where(empty, 0, start), np.where(empty, len(self.order), end)
        who: I64 = self.order[start + rows.below("who", end - start)].astype(np.int64)
        return who


def _lead(rows: Rows) -> I64:
    """Whole days between booking and departure, 0 to 330."""
    stretches = ((2, 9), (5, 12), (7, 14), (16, 10), (30, 6), (60, 2), (211, 1))  # days, weight of each
    return rows.pick("lead", [weight for days, weight in stretches for _day in range(days)])


def _fare(rows: Rows, distance: I64, cabin: I64, lead: I64) -> I64:
    """US cents, a whole number of dimes."""
    late = np.select([lead < 7, lead < 14, lead < 21, lead < 90], [160, 130, 110, 90], 80)
    noise = 75 + rows.below("fare", 61)
    cents = (4_500 + 9 * distance) * late * np.array([300, 160, 100])[cabin] * noise // 1_000_000
    dimes: I64 = cents // 10 * 10
    return dimes


# --- arrays -------------------------------------------------------------------------------------------------


def _days(d: date) -> int:
    return (d - _EPOCH).days


def _date(days: I64, missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    return pa.array(days.astype(np.int32), mask=missing).cast(pa.date32())


def _take(values: Any, index: I64) -> pa.Array:
    return pa.array(values).take(pa.array(index))


def _padded(prefix: str, numbers: pa.Array) -> pa.Array:
    """Eight digits behind a prefix."""
    return pc.binary_join_element_wise(prefix, pc.ascii_lpad(numbers, 8, "0"), "")


def _money(cents: I64) -> pa.Array:
    """Cents as decimals with two places, exactly: the 128 bits of a decimal are the cents."""
    halves = np.zeros((len(cents), 2), dtype="<i8")
    halves[:, 0] = cents
    return pa.Array.from_buffers(pa.decimal128(9, 2), len(cents), [None, pa.py_buffer(halves.tobytes())])


def _ragged(lists: list[tuple[str, ...]]) -> tuple[list[str], I64, I64]:
    """All values in one list, where each list begins, and how long it is."""
    counts = np.array([len(values) for values in lists])
    return [value for values in lists for value in values], np.cumsum(counts) - counts, counts


@lru_cache
def _slugs(names: tuple[str, ...]) -> list[str]:
    """Names as an address has them: lower-case a to z."""
    plain = (unicodedata.normalize("NFKD", name) for name in names)
    return ["".join(c for c in name.lower() if "a" <= c <= "z") for name in plain]
