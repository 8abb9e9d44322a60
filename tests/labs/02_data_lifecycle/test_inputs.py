"""What the source sends in the exercises of module 02: the same bytes each time, with the trouble that each needs."""

import uuid

import duckdb
import pandas as pd
import pytest

from flightschool.curriculum import load_lab_file
from flightschool.data import World
from flightschool.paths import LABS

LAB = LABS / "02_data_lifecycle"
SEEDS = (0, 3, 42)


@pytest.fixture(params=SEEDS)
def world(request):
    return World(request.param)


@pytest.fixture
def deliveries():
    return load_lab_file(LAB, "deliveries")


def test_a_correction_changes_some_arrivals_and_withdraws_some_flights(world, deliveries):
    before = world.flights(world.days(1)[0])
    after = deliveries.corrected(before, world.rng("x"))
    key = ["carrier", "flight", "origin"]
    both = before.merge(after, on=key, suffixes=("", "_after"))
    assert 0 < len(before) - len(after) < 10
    assert (both.arr_delay_after - both.arr_delay).dropna().ne(0).sum() == deliveries.DISTURBED
    pd.testing.assert_frame_equal(after, deliveries.corrected(before, world.rng("x")))
    pd.testing.assert_frame_equal(before, world.flights(world.days(1)[0]))


def test_events_come_twice_and_late(world, deliveries):
    flights = world.flights(world.days(1)[0])
    events = deliveries.gate_events(flights, world.rng("x"))
    ids = [event["event_id"] for event in events]
    assert len(set(ids)) == flights.dep_time.notna().sum() < len(ids)
    assert [event["received_at"] for event in events] == sorted(event["received_at"] for event in events)
    assert any(event["received_at"][:13] > event["at"][:13] for event in events)
    assert events == deliveries.gate_events(flights, world.rng("x"))


def test_a_topic_gives_back_what_was_published(deliveries):
    from flightschool import services

    pushbacks = load_lab_file(LAB, "pushbacks")
    broker, topic = services.kafka(), f"test-{uuid.uuid4().hex}"
    broker.create_topic(topic, partitions=3)
    world = World(0)
    events = deliveries.gate_events(world.flights(world.days(1)[0]), world.rng("x"))
    assert pushbacks.publish(events, broker.endpoint, topic) == len(events)
    read = list(pushbacks.read_all(broker.endpoint, topic))
    assert sorted(map(repr, read)) == sorted(map(repr, events))
    for airport in ("EWR", "JFK", "LGA"):
        of_airport = [[e for e in some if e["airport"] == airport] for some in (read, events)]
        assert of_airport[0] == of_airport[1], "one airport's events keep their order"


def test_an_empty_topic_is_read_to_its_end():
    from flightschool import services

    pushbacks = load_lab_file(LAB, "pushbacks")
    broker, topic = services.kafka(), f"test-{uuid.uuid4().hex}"
    broker.create_topic(topic, partitions=2)
    assert list(pushbacks.read_all(broker.endpoint, topic)) == []


def rows_by_day(database):
    with duckdb.connect(str(database), read_only=True) as warehouse:
        rows = warehouse.sql(
            "select make_date(year, month, day), count(*) from flights group by all"
        ).fetchall()
    return dict(rows)


def test_the_incident_has_a_day_twice_and_a_day_missing(world, tmp_path):
    week = load_lab_file(LAB, "green_week")
    night = week.plant_night(tmp_path / "night", world)
    rows, five = rows_by_day(night / "warehouse.duckdb"), week.days(world)
    assert five[week.LATE] not in rows
    twice = five[week.TWICE]
    assert rows[twice] > 1.9 * len(world.flights(twice))
    assert all(rows[day] == len(world.flights(day)) for day in rows if day != twice)
    log = (night / "nightly.log").read_text()
    assert log.count("state success") == len(five)
    assert "NaN" not in log


def test_restored_every_day_is_there_once(world, tmp_path):
    week = load_lab_file(LAB, "green_week")
    night = week.plant_night(tmp_path / "night", world, healthy=True)
    assert rows_by_day(night / "warehouse.duckdb") == {
        day: len(world.flights(day)) for day in week.days(world)
    }


def test_the_pager_tells_the_symptom_and_not_the_cause(tmp_path):
    from types import SimpleNamespace

    drill, week = load_lab_file(LAB, "drill"), load_lab_file(LAB, "green_week")
    lab = SimpleNamespace(world=World(0), workdir=tmp_path)
    page = drill.plant(lab)
    assert page.severity == "SEV2"
    assert not any(word in page.symptom.lower() for word in ("duplicate", "late", "append", "watermark"))
    drill.plant(lab)
    drill.restore(lab)
    assert len(rows_by_day(tmp_path / "night" / "warehouse.duckdb")) == week.NIGHTS


@pytest.mark.parametrize(
    ("dialect", "sql", "unknown"),
    [
        ("redshift", "select count(*) filter (where a > 0) from t", ["FILTER"]),
        ("bigquery", "select median(a) from t", ["MEDIAN"]),
        ("redshift", "select arg_max(a, b) from t", ["ARG_MAX"]),
        (
            "snowflake",
            "with best (a, b) as (select sum(a), count(*) from t) select a from best where a in (1, 2)",
            [],
        ),
        (
            "bigquery",
            "select cast(a as numeric(10, 2)), coalesce(a, 0), row_number() over (order by a) from t",
            [],
        ),
    ],
)
def test_what_a_warehouse_does_not_know_is_named(dialect, sql, unknown):
    load_lab_file(LAB, "exercises")
    import portable

    assert portable.unknown(sql, dialect) == unknown


def test_a_query_that_does_not_parse_is_told_and_not_raised(deliveries):
    load_lab_file(LAB, "exercises")
    import portable

    world = World(0)
    found = portable.examine(
        "select from where", deliveries.on_time_by_carrier([world.flights(world.days(1)[0])])
    )
    assert found["rows"] is None
    assert found["error"]
    assert all(part["error"] for part in found["dialects"].values())
