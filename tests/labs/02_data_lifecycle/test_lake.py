"""The lake, by the same code on a local disk and on S3."""

import uuid

import fsspec
import pytest
from lake import Lake

from flightschool import data, services


@pytest.fixture(params=["local", "s3"])
def lake(request, tmp_path):
    if request.param == "local":
        return Lake(str(tmp_path / "lake"))
    s3, bucket = services.s3(), f"lake-{uuid.uuid4().hex[:8]}"
    s3.client().create_bucket(Bucket=bucket)
    return Lake(f"s3://{bucket}/flights", s3.storage_options)


def test_a_reader_of_one_partition_touches_one_file(lake, days):
    for day in days:
        lake.write_day(day, data.day(day))
    assert len(lake.partitions()) == 6
    assert lake.partitions()[0] == "flight_date=2013-02-07/origin=EWR"
    flights = data.day(days[1])
    found = lake.read(days[1], "JFK", ["arr_delay"])
    assert found.num_rows == (flights.origin == "JFK").sum()
    assert found.column_names == ["arr_delay"]
    scan = lake.scan(days[1], "JFK", ["arr_delay"])
    assert (scan.files, scan.files_in_lake) == (1, 6)
    assert 0 < scan.bytes < scan.bytes_in_lake / 20
    assert lake.read().num_rows == sum(len(data.day(day)) for day in days)


def test_a_day_written_again_is_replaced(lake, days):
    flights = data.day(days[0])
    lake.write_day(days[0], flights)
    lake.write_day(days[0], flights)
    assert lake.read(days[0]).num_rows == len(flights)
    lake.write_day(days[0], flights[flights.origin != "LGA"])
    assert lake.partitions() == ["flight_date=2013-02-07/origin=EWR", "flight_date=2013-02-07/origin=JFK"]


def test_hdfs_is_another_url_of_the_same_code():
    assert type(fsspec.core.url_to_fs("webhdfs://127.0.0.1:9870/lake")[0]).__name__ == "WebHDFS"
