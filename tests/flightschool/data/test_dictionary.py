"""The data package: valid, complete, true, and small enough."""

import json

import pyarrow as pa
import pytest
from frictionless import Package, Schema
from frictionless.resources import TableResource

from flightschool import data, paths
from flightschool.data import people

SCHEMAS = sorted((paths.DATASETS / "schemas").glob("*.json"))


def dictionary(name: str) -> Schema:
    return Schema.from_descriptor(json.loads((paths.DATASETS / "schemas" / f"{name}.json").read_text()))


def test_the_package_and_all_its_checksums_are_valid() -> None:
    report = Package(str(paths.DATASETS / "datapackage.json")).validate()
    assert report.valid, report.flatten(["name", "type", "message"])


def test_every_data_file_is_described_and_together_they_are_small() -> None:
    package = json.loads((paths.DATASETS / "datapackage.json").read_text())
    files = {path.relative_to(paths.DATASETS).as_posix() for path in paths.DATASETS.rglob("*.parquet")}
    assert files == {resource["path"] for resource in package["resources"]}
    assert sum(resource["bytes"] for resource in package["resources"]) <= 15_000_000
    assert package["licenses"][0]["name"] == "CC0-1.0"


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.stem)
def test_every_field_has_a_type_and_a_meaning(path) -> None:
    assert dictionary(path.stem)
    for field in json.loads(path.read_text())["fields"]:
        assert field["type"]
        assert field["description"].endswith(".")
        if field["type"] in ("number", "datetime"):
            assert field["unit"]


@pytest.mark.parametrize("name", data.NAMES)
def test_the_tables_keep_what_their_schemas_say(name: str) -> None:
    table = data.load(name, 2 if name in ("flights", "weather") else None)
    # Frictionless goes cell by cell; below, types and nulls of all rows are held to the schema.
    table = table.slice(0, 4_000)
    schema = dictionary(name)
    schema.foreign_keys = []
    assert table.column_names == schema.field_names
    report = TableResource(data=table.to_pylist(), schema=schema).validate()
    assert report.valid, report.flatten(["fieldName", "type", "message"])[:5]


@pytest.mark.parametrize(
    ("name", "batches"), [("passengers", people.passengers(2000, 5)), ("bookings", people.bookings(2000, 5))]
)
def test_generated_csv_keeps_what_its_schema_says(name: str, batches, tmp_path) -> None:
    path = tmp_path / f"{name}.csv"
    {"passengers": data.write_passengers, "bookings": data.write_bookings}[name](path, 2000, 5)
    schema = dictionary(name)
    assert next(batches).schema.names == schema.field_names
    report = TableResource(path=path.name, basepath=str(tmp_path), schema=schema).validate()
    assert report.valid, report.flatten(["fieldName", "type", "message"])[:5]


def test_what_the_schema_of_flights_claims_is_true() -> None:
    flights = data.frame("flights")
    missing = flights.isna().sum()
    assert missing[missing > 0].to_dict() == {
        "dep_time": 8255,
        "dep_delay": 8255,
        "arr_time": 8713,
        "arr_delay": 9430,
        "tailnum": 2512,
        "air_time": 9430,
    }
    assert (flights["dep_time"].isna() == flights["dep_delay"].isna()).all()
    assert (flights["arr_delay"].isna() == flights["air_time"].isna()).all()
    assert flights.loc[flights["tailnum"].isna(), "dep_time"].isna().all()
    assert not flights.duplicated(list(data.KEY)).any()
    assert flights["tailnum"].nunique() == 4043
    planes, airports = data.frame("planes"), data.frame("airports")
    assert flights["tailnum"].drop_duplicates().isin(planes["tailnum"]).sum() == 3322
    lost = flights[~flights["dest"].isin(airports["faa"])]
    assert (len(lost), set(lost["dest"])) == (7602, {"BQN", "PSE", "SJU", "STT"})
    assert set(flights["origin"]) <= set(airports["faa"])
    assert set(flights["carrier"]) == set(data.frame("airlines")["carrier"])
    seventeen = flights[flights["distance"] == 17]
    assert seventeen["dep_time"].isna().all()


def test_what_the_schemas_of_the_other_tables_claim_is_true() -> None:
    weather = data.frame("weather")
    assert len(weather) == 26_115
    assert not weather.duplicated(["origin", "time_hour"]).any()
    twice = weather[weather.duplicated(["origin", "year", "month", "day", "hour"], keep=False)]
    assert set(zip(twice["month"], twice["day"], twice["hour"], strict=True)) == {(11, 3, 1)}
    assert weather["wind_speed"].nlargest(2).round(2).tolist()[0] == 1048.36
    missing = weather.isna().sum()
    assert missing[missing > 0].to_dict() == {
        "temp": 1,
        "dewp": 1,
        "humid": 1,
        "wind_dir": 460,
        "wind_speed": 4,
        "wind_gust": 20778,
        "pressure": 2729,
    }
    airports = data.frame("airports")
    assert sorted(airports.loc[airports["tzone"].isna(), "faa"]) == ["EEN", "LRO", "YAK"]
    assert (airports["name"].value_counts() > 1).sum() == 14
    planes = data.frame("planes")
    assert (planes["year"].isna().sum(), planes["speed"].isna().sum()) == (70, 3299)


def test_required_fields_are_not_nullable() -> None:
    for name in data.NAMES:
        table: pa.Table = data.load(name)
        assert all(table[f.name].null_count == 0 for f in table.schema if not f.nullable)
        assert any(not f.nullable for f in table.schema)
