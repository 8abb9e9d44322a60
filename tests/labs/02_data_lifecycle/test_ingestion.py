"""Batch ingestion: from files and from the API, the same rows, and nothing twice."""

import duckdb
import pytest

from flightschool import data, paths, services

LAB = paths.LABS / "02_data_lifecycle"


@pytest.fixture(scope="module")
def api():
    with services.web("source_api:app", LAB, ready="/health", name="source-api") as server:
        yield server.endpoint


def table(warehouse, name):
    with duckdb.connect(str(warehouse)) as connection:
        frame = connection.sql(f"select * exclude (_dlt_id, _dlt_load_id) from raw.{name}").df()
    key = ["time_hour", "carrier", "flight"] if name == "flights" else ["time_hour", "origin"]
    return frame.sort_values(key, ignore_index=True)


def test_a_second_run_adds_nothing_and_a_correction_replaces(files, tmp_path, days):
    import ingestion

    warehouse = tmp_path / "w.duckdb"
    expected = sum(len(data.day(day)) for day in days)
    (first,) = ingestion.ingest_files(files, warehouse, tmp_path)
    assert (first.table, first.read, first.before, first.after) == ("flights", expected, 0, expected)
    (second,) = ingestion.ingest_files(files, warehouse, tmp_path)
    assert (second.read, second.added) == (expected, 0)

    lines = files[0].read_text().splitlines()
    corrected = tmp_path / files[0].name
    corrected.write_text("\n".join([lines[0], lines[1].replace(lines[1].split(",")[11], "N00000")]) + "\n")
    (third,) = ingestion.ingest_files([corrected], warehouse, tmp_path)
    assert third.added == 0
    assert (table(warehouse, "flights").tailnum == "N00000").sum() == 1


def test_api_and_files_give_the_same_rows(api, files, tmp_path, days):
    import ingestion

    by_api, by_file = tmp_path / "api.duckdb", tmp_path / "file.duckdb"
    flights, weather = ingestion.ingest_api(api, days, by_api, tmp_path / "a", page_size=300)
    assert (flights.table, weather.table) == ("flights", "weather")
    assert weather.after == sum(
        len(data.load("weather", day.month).to_pandas().query(f"day == {day.day}")) for day in days
    )
    ingestion.ingest_files(files, by_file, tmp_path / "f")
    assert table(by_api, "flights").equals(table(by_file, "flights"))
    (again,) = ingestion.ingest_files(files, by_api, tmp_path / "a")
    assert again.added == 0
    assert all(loaded.added == 0 for loaded in ingestion.ingest_api(api, days[:1], by_api, tmp_path / "a"))


def test_a_renamed_column_or_missing_file_loads_nothing(files, tmp_path):
    import ingestion

    warehouse = tmp_path / "w.duckdb"
    renamed = tmp_path / "renamed.csv"
    renamed.write_text(files[0].read_text().replace("arr_delay", "arrival_delay", 1))
    for file in (renamed, tmp_path / "absent.csv"):
        with pytest.raises(ingestion.IngestionError, match=r"nothing was loaded: .*(arr_delay|absent)"):
            ingestion.ingest_files([files[1], file], warehouse, tmp_path)
        assert ingestion.row_counts(warehouse).get("flights", 0) == 0


def test_the_api_answers_in_pages_and_in_sentences():
    from asgi import get
    from source_api import app

    first, last, absent, nonsense = get(
        app,
        [
            "/flights/2013-02-08?limit=400",
            "/flights/2013-02-08?limit=400&offset=800",
            "/flights/2014-01-01",
            "/flights/x",
        ],
    )
    assert first.json()["total"] == 930
    assert [len(page.json()["items"]) for page in (first, last)] == [400, 130]
    assert absent.status_code == 404
    assert "2013-01-01" in absent.json()["detail"]
    assert nonsense.status_code == 422
