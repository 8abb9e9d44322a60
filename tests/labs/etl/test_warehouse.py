"""A day in the warehouse: one version at a time, replaced in one step."""

import logging
import os
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from chispa import assert_df_equality
from etl import days, ingest, load, read_day, read_table, run, transform
from etl import warehouse as warehouse_module
from etl.errors import DamagedLake, MissingDay, MissingStage
from etl.loading import summarise
from etl.store import Store
from etl.transformation import as_parquet
from etl.warehouse import current, publish

DAY, NEXT = date(2013, 2, 8), date(2013, 2, 9)
OLD = {"flights": pa.table({"n": [1, 2]}), "on_time": pa.table({"n": [10]})}
NEW = {"flights": pa.table({"n": [3, 4, 5]}), "on_time": pa.table({"n": [20]})}


def versions(lake, day=DAY):
    return Store(lake).names(f"warehouse/day={day}/versions")


def pointer(lake):
    return Path(lake) / f"warehouse/day={DAY}/current.json"


def part(lake, table="flights"):
    return Path(lake) / f"warehouse/day={DAY}/versions/{current(DAY, lake).version}/{table}.parquet"


def test_summary_by_airport_and_carrier(spark):
    flights = spark.createDataFrame(
        [
            (DAY, "JFK", "B6", False, False, True, 5, -5),
            (DAY, "JFK", "B6", False, False, False, 40, 25),
            (DAY, "JFK", "B6", True, False, False, None, None),
            (DAY, "JFK", "B6", False, True, False, 10, None),
            (DAY, "EWR", "B6", True, False, False, None, None),
            (DAY, "JFK", "AA", False, False, True, 0, 14),
        ],
        "flight_date date, origin string, carrier string, cancelled boolean, diverted boolean, on_time boolean, "
        "dep_delay int, arr_delay int",
    )
    expected = spark.createDataFrame(
        [
            (DAY, "EWR", "B6", 1, 1, 0, 0, 0.0, None, None),
            (DAY, "JFK", "AA", 1, 0, 0, 1, 1.0, 0.0, 14.0),
            (DAY, "JFK", "B6", 4, 1, 1, 1, 0.25, 55 / 3, 10.0),
        ],
        "flight_date date, origin string, carrier string, flights long, cancelled long, diverted long, "
        "on_time long, on_time_share double, mean_dep_delay double, mean_arr_delay double",
    )
    assert_df_equality(summarise(flights), expected, ignore_nullable=True)


def test_a_day_from_file_to_report(lake, spark, source, deliver, flights):
    deliver(flights(60))
    results = run(DAY, source, lake, spark)
    assert [result.stage for result in results] == ["ingest", "transform", "load"]
    assert all(r.rows_in == r.rows_out + r.duplicates + r.rejected for r in results)
    facts, report = read_day(DAY, lake), read_day(DAY, lake, "on_time")
    assert facts.num_rows == 60
    assert sum(report["flights"].to_pylist()) == 60
    assert sum(report["cancelled"].to_pylist()) == facts["cancelled"].to_pylist().count(True) == 6


def test_a_rerun_leaves_the_same_rows_and_files(lake, spark, source, deliver, flights):
    deliver(flights(60))
    run(DAY, source, lake, spark)
    before, facts = current(DAY, lake), read_day(DAY, lake)
    run(DAY, source, lake, spark)
    load(DAY, lake, spark)
    assert current(DAY, lake) == before
    assert versions(lake) == [before.version]
    assert read_day(DAY, lake).equals(facts)


def test_a_corrected_day_replaces_the_old_one_and_no_other(lake, spark, source, deliver, flights):
    deliver(flights(60))
    run(DAY, source, lake, spark)
    publish(NEXT, OLD, lake)
    deliver(flights(58, late=30))
    ingest(DAY, source, lake)
    transform(DAY, lake, spark)
    assert read_day(DAY, lake).num_rows == 60
    assert load(DAY, lake, spark).rows_out == 58
    assert read_day(DAY, lake).num_rows == 58
    assert sum(read_day(DAY, lake, "on_time")["flights"].to_pylist()) == 58
    assert read_day(NEXT, lake).equals(OLD["flights"])


def test_load_before_transform(lake, spark):
    with pytest.raises(MissingStage, match="run transform for it first"):
        load(DAY, lake, spark)


def test_load_of_a_damaged_cleaned_day(tmp_path, spark):
    Store(tmp_path).write(f"clean/flights/day={DAY}/flights.parquet", b"PAR1 no more")
    with pytest.raises(DamagedLake, match="run transform for 2013-02-08 again"):
        load(DAY, tmp_path, spark)


def test_days_and_tables(lake):
    publish(NEXT, NEW, lake)
    publish(DAY, OLD, lake)
    Store(lake).write("warehouse/notes.txt", b"not a day")
    assert days(lake) == [DAY, NEXT]
    assert read_table(lake)["n"].to_pylist() == [1, 2, 3, 4, 5]
    assert read_table(lake, "on_time")["n"].to_pylist() == [10, 20]


def test_an_empty_warehouse(lake):
    assert days(lake) == []
    with pytest.raises(MissingDay, match="run load"):
        read_day(DAY, lake)
    with pytest.raises(MissingDay, match="is empty"):
        read_table(lake)


@pytest.mark.parametrize("stop_at", range(3))
def test_stopped_before_any_write_the_day_is_the_old_one(lake, monkeypatch, stop_at):
    """A load of two tables makes three writes; only the last may change what is read."""
    publish(DAY, OLD, lake)
    write, written = Store.write, []

    def stopping(store, key, data):
        if len(written) == stop_at:
            raise KeyboardInterrupt
        written.append(key)
        write(store, key, data)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", stopping)
        with pytest.raises(KeyboardInterrupt):
            publish(DAY, NEW, lake)
    for table, rows in OLD.items():
        assert read_day(DAY, lake, table).equals(rows)
    publish(DAY, NEW, lake)
    for table, rows in NEW.items():
        assert read_day(DAY, lake, table).equals(rows)


def test_old_versions_go_and_the_replaced_one_stays(lake):
    for number in range(5):
        publish(DAY, {"flights": pa.table({"n": [number]})}, lake, keep=timedelta(0))
    manifest = current(DAY, lake)
    assert versions(lake) == sorted([manifest.previous, manifest.version])
    assert read_day(DAY, lake)["n"].to_pylist() == [4]


def test_a_version_that_another_load_is_writing_is_left_alone(lake):
    publish(DAY, OLD, lake)
    other = f"warehouse/day={DAY}/versions/{current(DAY, lake).version[:-8]}00000000"
    Store(lake).write(f"{other}/flights.parquet", as_parquet(NEW["flights"]))
    Store(lake).write(f"warehouse/day={DAY}/versions/somebody's folder/note.txt", b"keep me")
    publish(DAY, NEW, lake)
    assert len(versions(lake)) == 4
    publish(DAY, NEW, lake, keep=timedelta(0))
    assert len(versions(lake)) == 3
    assert "somebody's folder" in versions(lake)


def test_a_reader_overtaken_by_loads_follows_the_pointer_again(lake, monkeypatch):
    publish(DAY, OLD, lake)
    stale = current(DAY, lake)
    for tables in (NEW, OLD, NEW):
        publish(DAY, tables, lake, keep=timedelta(0))
    answers = [stale]
    monkeypatch.setattr(
        warehouse_module, "current", lambda day, root: answers.pop() if answers else current(day, root)
    )
    assert read_day(DAY, lake).equals(NEW["flights"])


def test_clean_up_that_fails_does_not_fail_the_load(tmp_path, monkeypatch, caplog):
    for tables in (OLD, NEW, OLD):
        publish(DAY, tables, tmp_path)

    def refuse(store, key):
        raise PermissionError("read-only")

    monkeypatch.setattr(Store, "remove", refuse)
    with caplog.at_level(logging.WARNING):
        publish(DAY, NEW, tmp_path, keep=timedelta(0))
    assert "old versions could not be removed" in caplog.text
    assert read_day(DAY, tmp_path).equals(NEW["flights"])


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"version": "x", "tables": 1}', b"\xff"])
def test_a_damaged_pointer_is_said_and_mended_by_a_load(tmp_path, content):
    publish(DAY, OLD, tmp_path)
    pointer(tmp_path).write_bytes(content)
    with pytest.raises(DamagedLake, match="run load for 2013-02-08 again"):
        read_day(DAY, tmp_path)
    publish(DAY, OLD, tmp_path)
    assert read_day(DAY, tmp_path).equals(OLD["flights"])


@pytest.mark.parametrize("harm", ["lost", "cut", "swapped"])
def test_a_damaged_version_is_said_and_mended_by_a_load(tmp_path, harm):
    publish(DAY, OLD, tmp_path)
    file = part(tmp_path)
    if harm == "lost":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-9] if harm == "cut" else as_parquet(NEW["flights"]))
    with pytest.raises(DamagedLake, match="run load for 2013-02-08 again"):
        read_day(DAY, tmp_path)
    publish(DAY, OLD, tmp_path)
    assert read_day(DAY, tmp_path).equals(OLD["flights"])


def test_what_a_killed_writer_left_is_swept_after_a_day(tmp_path):
    publish(DAY, OLD, tmp_path)
    old, fresh = tmp_path / ".tmp/old", tmp_path / ".tmp/fresh"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    publish(DAY, NEW, tmp_path)
    assert not old.exists()
    assert fresh.exists()
