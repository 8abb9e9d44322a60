"""Reading the data: complete, typed, verified, and one sentence when something is wrong."""

import shutil
from datetime import date, datetime
from pathlib import Path

import pytest

from flightschool import data, paths
from flightschool.data import reading


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the datasets that a test may damage."""
    copied = Path(shutil.copytree(paths.DATASETS, tmp_path / "datasets"))
    monkeypatch.setattr(paths, "DATASETS", copied)
    return copied


def test_all_flights_are_there_in_source_order() -> None:
    table = data.load("flights")
    assert table.num_rows == 336_776
    assert len(table.column_names) == 19
    first = {name: values[0] for name, values in table.slice(0, 1).to_pydict().items()}
    assert (first["carrier"], first["flight"], first["tailnum"], first["dep_time"]) == (
        "UA",
        1545,
        "N14228",
        517,
    )


def test_days_cover_the_year_and_every_flight() -> None:
    assert data.DAYS[0] == date(2013, 1, 1)
    assert data.DAYS[-1] == date(2013, 12, 31)
    assert len(set(data.DAYS)) == 365
    assert sum(reading.day_table(d).num_rows for d in data.DAYS) == 336_776


def test_a_day_holds_that_day_only() -> None:
    flights = data.day(date(2013, 2, 8))
    assert len(flights) == 930
    assert set(zip(flights["month"], flights["day"], strict=True)) == {(2, 8)}
    assert data.day(datetime(2013, 2, 8, 12)).equals(flights)


def test_types_depend_on_the_column_not_on_the_day() -> None:
    kinds = {tuple(data.day(d).dtypes.astype(str)) for d in data.DAYS[::30]}
    assert len(kinds) == 1
    types = data.frame("flights", 9).dtypes.astype(str)
    assert types["flight"] == "int64"
    assert types["arr_delay"] == "float64"
    assert types["time_hour"] == "datetime64[ns, UTC]"


def test_time_hour_is_the_local_schedule_in_utc() -> None:
    flights = data.frame("flights")
    local = flights["time_hour"].dt.tz_convert("America/New_York")
    assert (local.dt.month == flights["month"]).all()
    assert (local.dt.day == flights["day"]).all()
    assert (local.dt.hour == flights["hour"]).all()
    assert (flights["sched_dep_time"] == 100 * flights["hour"] + flights["minute"]).all()


def test_a_month_of_weather() -> None:
    assert set(data.frame("weather", 11)["month"]) == {11}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: data.load("trains"), "no table 'trains'"),
        (lambda: data.load("flights", 13), "no month 13"),
        (lambda: data.load("planes", 1), "no months"),
        (lambda: data.day(date(2014, 1, 1)), "no flights on 2014-01-01"),
        (lambda: data.a_day("8.2.2013"), "is not a date"),
        (lambda: data.a_day("2013-02-29"), "is not a date"),
        (lambda: data.a_day(None), "is not a date"),
    ],
)
def test_what_does_not_exist_is_said_in_a_sentence(call, says: str) -> None:
    with pytest.raises(data.NoSuchData, match=says):
        call()


def test_a_changed_byte_is_found_also_after_the_file_was_loaded(copy: Path) -> None:
    data.load("flights", 2)
    path = copy / "flights" / "2013-02.parquet"
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(data.DamagedData, match=r"git restore datasets/flights/2013-02\.parquet") as error:
        data.load("flights", 2)
    assert "\n" not in str(error.value)
    assert data.load("flights", 3).num_rows > 0
    bad = [check for check in data.verify() if not check.ok]
    assert [check.path for check in bad] == [path]


def test_a_missing_file_is_found(copy: Path) -> None:
    (copy / "airlines.parquet").unlink()
    with pytest.raises(
        data.DamagedData, match=r"airlines\.parquet is missing; get it back with `git restore"
    ):
        data.load("airlines")
    assert [check.path.name for check in data.verify() if not check.ok] == ["airlines.parquet"]


@pytest.mark.parametrize("content", [None, b"", b"{}", b"[]", b'{"resources": [{}]}'])
def test_a_damaged_descriptor_is_found(copy: Path, content: bytes | None) -> None:
    path = copy / "datapackage.json"
    path.unlink() if content is None else path.write_bytes(content)
    for call in (lambda: data.load("planes"), data.verify):
        with pytest.raises(data.DamagedData, match=r"git restore datasets/datapackage\.json"):
            call()


def test_a_second_load_does_not_pay_again(monkeypatch: pytest.MonkeyPatch) -> None:
    data.load("flights", 5)

    def never(relative: str) -> bytes:
        raise AssertionError(relative)

    monkeypatch.setattr(reading, "_prove", never)
    assert data.load("flights", 5).num_rows == 28_796


def test_verify_finds_the_committed_files_whole() -> None:
    checks = data.verify()
    assert len(checks) == 16
    assert all(check.ok for check in checks)
