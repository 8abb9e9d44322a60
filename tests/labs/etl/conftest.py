"""One Spark session, one S3 server, and days of flights written as the source would write them."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from etl import spark_session
from etl.contract import COLUMNS, file_name
from moto.server import ThreadedMotoServer
from pyspark.sql import SparkSession

BUCKET = "lake"
DAY = date(2013, 2, 8)
Flight = dict[str, Any]


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    session = spark_session()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of the server, which starts empty but for the bucket; the environment points to it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    for item in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=item["Key"])
    return client


@pytest.fixture(params=["local", "s3"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Root of an empty lake: a folder, then a bucket."""
    if request.param == "local":
        return str(tmp_path / "the lake [1]")
    request.getfixturevalue("s3")
    return f"s3://{BUCKET}/flights"


@pytest.fixture(scope="session")
def flight() -> Callable[..., Flight]:
    """A scheduled flight as a row of the source; None is a missing value."""

    def make(**changes: Any) -> Flight:
        row = {
            "year": 2013,
            "month": 2,
            "day": 8,
            "dep_time": 656,
            "sched_dep_time": 705,
            "dep_delay": -9,
            "arr_time": 949,
            "sched_arr_time": 940,
            "arr_delay": 9,
            "carrier": "MQ",
            "flight": 4534,
            "tailnum": "N737MQ",
            "origin": "LGA",
            "dest": "XNA",
            "air_time": 180,
            "distance": 1147,
            "hour": 7,
            "minute": 5,
            "time_hour": "2013-02-08T12:00:00Z",
        }
        assert changes.keys() <= row.keys()
        return row | changes

    return make


@pytest.fixture(scope="session")
def flights(flight: Callable[..., Flight]) -> Callable[..., list[Flight]]:
    """A day of so many flights, each with its own key; every tenth is cancelled."""

    def make(number: int = 60, late: int = 0) -> list[Flight]:
        rows = []
        for n in range(number):
            row = flight(flight=n + 1, carrier=("AA", "B6", "UA")[n % 3], origin=("EWR", "JFK")[n % 2])
            row["arr_delay"] = n % 50 - 20 + late
            if n % 10 == 0:
                row |= dict.fromkeys(("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"))
            rows.append(row)
        return rows

    return make


@pytest.fixture(scope="session")
def as_csv() -> Callable[[list[Flight]], bytes]:
    def make(rows: list[Flight]) -> bytes:
        text = io.StringIO()
        writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows([{name: "NA" if row[name] is None else row[name] for name in row} for row in rows])
        return text.getvalue().encode()

    return make


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def deliver(source: Path, as_csv: Callable[[list[Flight]], bytes]) -> Callable[..., Path]:
    """Puts a day's file, of rows or of raw bytes, where the source delivers."""

    def make(content: list[Flight] | bytes, day: date = DAY) -> Path:
        path = source / file_name(day)
        path.write_bytes(content if isinstance(content, bytes) else as_csv(content))
        return path

    return make
