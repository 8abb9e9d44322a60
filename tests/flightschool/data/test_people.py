"""Passengers and bookings: the same bytes everywhere, nobody real, joinable, skewed, in bounded memory."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightschool import data
from flightschool.data import draws, people
from flightschool.errors import FlightSchoolError

FLIGHT = ["flight_date", "carrier", "flight", "origin"]


@pytest.fixture(scope="module")
def passengers() -> pd.DataFrame:
    return data.World(3).passengers(25_000)


@pytest.fixture(scope="module")
def bookings() -> pd.DataFrame:
    return data.World(3).bookings(100_000)


# CSV, not Parquet: a Parquet file names the version of its writer and may pack the same rows otherwise tomorrow;
# the bytes of a CSV are the rows and nothing else.
@pytest.mark.parametrize(
    ("write", "rows", "seed", "digest"),
    [
        (data.write_passengers, 1_000, 0, "989d0c13260da3717563c7ac9e91a9d841193443d008f2c7b434560ecc83bb4a"),
        (
            data.write_passengers,
            100_000,
            7,
            "a91944aab28efbfbf79376e50b7f8bb89a3db785f7722ec94fa5ef89b234d4a3",
        ),
        (data.write_bookings, 1_000, 0, "d0df3691f6b77ef6d3d8470e3200dc612f517908eeb4b67211f59b3a7b4fc4b3"),
        (data.write_bookings, 100_000, 7, "7ec61ff59d2e8321fc9f53e8dc4c1f4a3d621cb31da3bbaab000a03a96e46971"),
    ],
)
def test_the_same_seed_gives_the_same_bytes(write, rows: int, seed: int, digest: str, tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", rows, seed)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == digest


def test_seeds_differ() -> None:
    one, two = data.World(1).passengers(100), data.World(2).passengers(100)
    for column in ("full_name", "birth_date", "phone", "passport_number", "home_postcode"):
        assert not one[column].equals(two[column]), column


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**40), st.integers(1, 300), st.integers(0, 200_000))
def test_a_row_does_not_depend_on_its_batch(seed: int, count: int, first: int) -> None:
    whole = people._passengers(seed, first, count)
    apart = [people._passengers(seed, first + n, 1) for n in (0, count // 2, count - 1)]
    for n, alone in zip((0, count // 2, count - 1), apart, strict=True):
        assert whole.slice(n, 1).equals(alone)


def test_a_booking_does_not_depend_on_its_batch_or_on_the_number_of_rows() -> None:
    some = pa.Table.from_batches(data.bookings(500, 1, of=100)).to_pylist()
    more = pa.Table.from_batches(data.bookings(70_000, 1, of=100)).to_pylist()
    assert more[:500] == some


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**64), st.integers(1, 5_000))
def test_shuffled_is_a_permutation(seed: int, limit: int) -> None:
    rows = draws.Rows.span("t", seed, 0, limit)
    assert sorted(rows.shuffled("c", limit)) == list(range(limit))


def test_draws_are_splitmix64() -> None:
    # The reference implementation (Vigna, 2015) started at 1234567.
    state = draws.np.uint64(1234567) + (draws.np.arange(3, dtype="u8") + draws.np.uint64(1)) * draws._GAMMA
    assert draws.mix(state).tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_nobody_can_be_reached(passengers: pd.DataFrame) -> None:
    assert set(passengers["email"].str.split("@").str[1]) == {"example.com", "example.org", "example.net"}
    assert passengers["phone"].str.fullmatch(r"\+1-[2-9]\d\d-555-01\d\d").all()
    assert passengers["passport_number"].str.fullmatch(r"ZZ\d{8}").all()


def test_people_are_told_apart_and_skewed(passengers: pd.DataFrame) -> None:
    for column in ("passenger_id", "email", "passport_number"):
        assert passengers[column].is_unique, column
    names = passengers["full_name"].value_counts()
    assert names.iloc[0] > 10 * names.median()
    assert 0.5 < passengers["home_airport"].isin(["JFK", "LGA", "EWR"]).mean() < 0.58
    born = passengers["birth_date"].dt.year
    assert born.between(1955, 1992).mean() > 0.6
    alone = ~passengers.duplicated(["birth_date", "sex", "home_postcode"], keep=False)
    assert alone.mean() > 0.8
    coarse = passengers.assign(born=born, region=passengers["home_postcode"].str[:3])
    assert (~coarse.duplicated(["born", "sex", "region"], keep=False)).mean() < 0.6
    assert 0.0005 < passengers["erasure_requested_on"].notna().mean() < 0.005
    minors = passengers[passengers["birth_date"] > "1997-01-01"]
    assert len(minors) > 0
    assert not minors[["consent_marketing", "consent_analytics"]].any(axis=None)
    assert 0.2 < passengers["consent_marketing"].mean() < 0.5


def test_bookings_join_to_passengers_and_to_one_real_flight_each(
    passengers: pd.DataFrame, bookings: pd.DataFrame
) -> None:
    flights = data.frame("flights")
    days = pd.to_datetime(flights[["year", "month", "day"]])
    joined = bookings.merge(flights.assign(flight_date=days), on=FLIGHT, validate="many_to_one")
    assert len(joined) == len(bookings)
    assert (joined["dest_x"] == joined["dest_y"]).all()
    departure = joined["time_hour"] + pd.to_timedelta(joined["minute"], unit="min")
    lead = departure - joined["booked_at"]
    assert lead.min() >= pd.Timedelta("1h")
    assert lead.max() <= pd.Timedelta("331D")
    owned = bookings.merge(passengers, on="passenger_id", validate="many_to_one")
    assert len(owned) == len(bookings)
    assert (owned["booked_at"].dt.tz_localize(None) > owned["registered_on"]).all()
    assert not bookings.duplicated([*FLIGHT, "seat"]).any()


def test_bookings_are_skewed(passengers: pd.DataFrame, bookings: pd.DataFrame) -> None:
    owned = bookings.merge(passengers, on="passenger_id")
    share = owned["frequent_flyer"].value_counts(normalize=True)
    assert 0.13 < share["gold"] < 0.17
    assert 0.33 < share["silver"] < 0.37
    home = owned[~owned["home_airport"].isin(["JFK", "LGA", "EWR"])]
    assert (home["home_airport"] == home["dest"]).mean() > 0.8
    assert bookings["fare"].between(20, 5_000).all()
    by_cabin = bookings.groupby("cabin")["fare"].median()
    assert by_cabin["first"] > by_cabin["premium"] > by_cabin["economy"]


def test_one_passenger_is_enough() -> None:
    assert set(data.World(0).bookings(3)["passenger_id"]) == {"P00000001"}


def test_ten_million_rows_cost_no_more_than_a_batch() -> None:
    before = pa.total_allocated_bytes()
    first = next(data.passengers(people.MOST, 0))
    assert first.num_rows == people.BATCH
    assert pa.total_allocated_bytes() - before < 50_000_000


def test_parquet_has_the_same_rows(tmp_path: Path) -> None:
    path = data.write_bookings(tmp_path / "b.parquet", 70_000, 2)
    assert pq.read_table(path).select(["booking_id", "fare", "seat"]) == pa.Table.from_batches(
        data.bookings(70_000, 2)
    ).select(["booking_id", "fare", "seat"])


@pytest.mark.parametrize("rows", [0, -1, people.MOST + 1])
def test_a_wrong_number_of_rows_is_one_sentence(rows: int, tmp_path: Path) -> None:
    for write in (data.write_passengers, data.write_bookings):
        with pytest.raises(FlightSchoolError, match="ask for 1 to 10000000"):
            write(tmp_path / "x.csv", rows, 0)


def test_another_suffix_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FlightSchoolError, match=r"must end in \.csv or \.parquet"):
        data.write_passengers(tmp_path / "x.xlsx", 10, 0)
    assert not list(tmp_path.iterdir())


def test_ctrl_c_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("old")
    code = f"from flightschool.data import write_passengers; write_passengers({str(path)!r}, 10_000_000, 0)"
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not [p for p in tmp_path.glob(".p.csv.*.part") if p.stat().st_size > 10_000_000]:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(30) != 0
    assert [p.name for p in tmp_path.iterdir()] == ["p.csv"]
    assert path.read_text() == "old"
