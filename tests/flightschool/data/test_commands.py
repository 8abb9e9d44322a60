"""`flightschool data`: thin commands over the room."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flightschool import data, paths
from flightschool.data.commands import app
from flightschool.errors import FlightSchoolError


def run(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == status, result.output
    return result.output


def test_verify() -> None:
    assert "16 files match" in run("verify")


def test_verify_says_what_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "datapackage.json").write_bytes((paths.DATASETS / "datapackage.json").read_bytes())
    monkeypatch.setattr(paths, "DATASETS", tmp_path)
    assert run("verify", status=1).count("git restore") == 16


def test_raw_reads_all_days_before_it_writes_one(tmp_path: Path) -> None:
    run("raw", "2013-02-08", "2013-02-09", "--folder", tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    result = CliRunner().invoke(app, ["raw", "2013-02-10", "2014-02-10", "--folder", str(tmp_path)])
    assert isinstance(result.exception, FlightSchoolError)
    assert len(list(tmp_path.iterdir())) == 2


def test_passengers_and_bookings(tmp_path: Path) -> None:
    run("passengers", tmp_path / "p.csv", "--rows", 50, "--seed", 3)
    run("bookings", tmp_path / "b.parquet", "--rows", 200, "--seed", 3, "--of", 50)
    assert (tmp_path / "p.csv").read_bytes() == data.write_passengers(tmp_path / "q.csv", 50, 3).read_bytes()
    assert (tmp_path / "b.parquet").stat().st_size > 0
