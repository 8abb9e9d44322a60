"""What the cleaned zone holds."""

import hashlib
import io
import json
from datetime import UTC, date, datetime

import pyarrow.parquet as pq
import pytest
from chispa import assert_df_equality
from etl import ingest, transform
from etl.contract import COLUMNS, RAW_SCHEMA, clean_key, quarantine_key, raw_key
from etl.errors import MissingStage, UnreadableRows
from etl.store import Store
from etl.transformation import clean
from pyspark.sql.types import BooleanType, IntegerType, StringType, StructField, StructType

DAY = date(2013, 2, 8)


@pytest.fixture
def as_raw(spark):
    """Rows of the source as the typed frame that `clean` takes."""

    def make(*rows):
        typed = [
            row | {"time_hour": datetime.fromisoformat(row["time_hour"])} if row["time_hour"] else row
            for row in rows
        ]
        return spark.createDataFrame([tuple(row[name] for name in COLUMNS) for row in typed], RAW_SCHEMA)

    return make


def read(lake):
    return pq.read_table(io.BytesIO(Store(lake).read(clean_key(DAY))))


def test_derives_what_became_of_each_flight(spark, as_raw, flight):
    gone = dict.fromkeys(("dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"))
    raw = as_raw(
        flight(flight=1, arr_delay=-30),
        flight(flight=2, arr_delay=14),
        flight(flight=3, arr_delay=15),
        flight(flight=4, arr_delay=44),
        flight(flight=5, arr_delay=45),
        flight(flight=6, arr_delay=119),
        flight(flight=7, arr_delay=120),
        flight(flight=8, **gone),
        flight(flight=9, arr_delay=None, air_time=None),
    )
    expected = spark.createDataFrame(
        [
            (1, False, False, True, "on_time"),
            (2, False, False, True, "on_time"),
            (3, False, False, False, "late_15"),
            (4, False, False, False, "late_15"),
            (5, False, False, False, "late_45"),
            (6, False, False, False, "late_45"),
            (7, False, False, False, "late_120"),
            (8, True, False, False, "cancelled"),
            (9, False, True, False, "diverted"),
        ],
        StructType(
            [
                StructField("flight", IntegerType()),
                StructField("cancelled", BooleanType()),
                StructField("diverted", BooleanType()),
                StructField("on_time", BooleanType()),
                StructField("delay_bucket", StringType()),
            ]
        ),
    )
    found = clean(raw).select("flight", "cancelled", "diverted", "on_time", "delay_bucket")
    assert_df_equality(found, expected, ignore_nullable=True)


def test_the_scheduled_departure_is_in_utc_winter_and_summer(spark, as_raw, flight):
    raw = as_raw(
        flight(hour=7, minute=5, time_hour="2013-02-08T12:00:00Z"),
        flight(month=7, day=1, hour=23, minute=59, time_hour="2013-07-02T03:00:00Z"),
    )
    expected = spark.createDataFrame(
        [
            (date(2013, 2, 8), datetime(2013, 2, 8, 12, 5, tzinfo=UTC)),
            (date(2013, 7, 1), datetime(2013, 7, 2, 3, 59, tzinfo=UTC)),
        ],
        "flight_date date, sched_dep_at timestamp",
    )
    assert_df_equality(clean(raw).select("flight_date", "sched_dep_at"), expected, ignore_nullable=True)


def test_the_source_columns_pass_through_with_their_types(as_raw, flight):
    raw = as_raw(flight())
    assert_df_equality(clean(raw).select(*COLUMNS), raw)


@pytest.mark.parametrize("reverse", [False, True])
def test_of_duplicates_the_one_that_knows_most_stays(spark, as_raw, flight, reverse):
    rows = [
        flight(flight=1, dep_time=None, arr_delay=None),
        flight(flight=1, arr_delay=20),
        flight(flight=1, arr_delay=None),
        flight(flight=1, arr_delay=20),
        flight(flight=1, origin="JFK", arr_delay=1),
        flight(flight=1, carrier="DL", arr_delay=2),
        flight(flight=1, hour=9, time_hour="2013-02-08T14:00:00Z", arr_delay=3),
    ]
    found = clean(as_raw(*(reversed(rows) if reverse else rows))).select(
        "carrier", "origin", "hour", "arr_delay"
    )
    expected = spark.createDataFrame(
        [("DL", "LGA", 7, 2), ("MQ", "JFK", 7, 1), ("MQ", "LGA", 7, 20), ("MQ", "LGA", 9, 3)],
        "carrier string, origin string, hour int, arr_delay int",
    )
    assert_df_equality(found, expected, ignore_row_order=True, ignore_nullable=True)


def test_duplicates_that_contradict_give_the_same_row_in_any_order(as_raw, flight):
    rows = [flight(arr_delay=delay, tailnum=tail) for delay in (3, 7) for tail in ("N1", "N2")]
    assert_df_equality(clean(as_raw(*rows)), clean(as_raw(*reversed(rows))))


def test_a_day_is_typed_and_counted(lake, spark, source, deliver, flights):
    rows = flights(60)
    deliver([*rows, *rows[:4]])
    ingest(DAY, source, lake)
    result = transform(DAY, lake, spark)
    assert (result.rows_in, result.rows_out, result.duplicates, result.rejected) == (64, 60, 4, 0)
    table = read(lake)
    assert table.num_rows == 60
    assert str(table.schema.field("sched_dep_at").type) == "timestamp[us, tz=UTC]"
    assert str(table.schema.field("dep_time").type) == "int32"
    assert table.column("cancelled").to_pylist().count(True) == 6
    assert table.column("dep_time").null_count == 6
    assert {str(day) for day in table.column("flight_date").to_pylist()} == {"2013-02-08"}


def test_a_rerun_writes_the_same_bytes(tmp_path, spark, source, deliver, flights):
    deliver(flights(60))
    ingest(DAY, source, tmp_path)
    transform(DAY, tmp_path, spark)
    first = (tmp_path / clean_key(DAY)).read_bytes()
    transform(DAY, tmp_path, spark)
    assert (tmp_path / clean_key(DAY)).read_bytes() == first


def test_unreadable_rows_are_kept_and_the_rest_goes_on(lake, spark, source, deliver, flights):
    rows = flights(60)
    rows[3] |= {"arr_delay": "12 min"}
    rows[4] |= {"carrier": None}
    rows[5] |= {"time_hour": "08/02/2013 12h"}
    path = deliver(rows)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    ingest(DAY, source, lake)
    result = transform(DAY, lake, spark)
    assert (result.rows_in, result.rows_out, result.duplicates, result.rejected) == (60, 57, 0, 3)
    kept = Store(lake).read(f"{quarantine_key(DAY, digest)}/rejected.jsonl").decode().splitlines()
    kept = [json.loads(line) for line in kept]
    assert sum("12 min" in str(line["row"]) for line in kept) == 1
    assert sorted(line["reason"] for line in kept) == [
        "a field does not have its type",
        "a field does not have its type",
        "the key is incomplete",
    ]


@pytest.mark.parametrize(
    ("field", "value"), [("dep_delay", 1.5), ("flight", "A1"), ("distance", 99999999999)]
)
def test_a_retyped_column_refuses_the_day_and_leaves_the_old_one(
    tmp_path, spark, source, deliver, flights, field, value
):
    deliver(flights(60))
    ingest(DAY, source, tmp_path)
    transform(DAY, tmp_path, spark)
    before = (tmp_path / clean_key(DAY)).read_bytes()
    deliver([row | {field: value} for row in flights(60)])
    ingest(DAY, source, tmp_path)
    with pytest.raises(UnreadableRows, match="60 of 60 rows of 2013-02-08"):
        transform(DAY, tmp_path, spark)
    assert (tmp_path / clean_key(DAY)).read_bytes() == before
    (rejected,) = tmp_path.glob("quarantine/flights/*/*/rejected.jsonl")
    assert len(rejected.read_text().splitlines()) == 60


def test_a_day_that_was_not_ingested(lake, spark):
    with pytest.raises(MissingStage, match="run ingest for it first"):
        transform(DAY, lake, spark)


def test_a_real_day(tmp_path, spark, source):
    """The blizzard Nemo: 930 flights were scheduled, 472 cancelled, 232 on time."""
    from flightschool.data import raw_day

    raw_day(DAY, source)
    ingest(DAY, source, tmp_path / "lake")
    assert (tmp_path / "lake" / raw_key(DAY)).is_file()
    result = transform(DAY, tmp_path / "lake", spark)
    assert (result.rows_in, result.rows_out, result.duplicates, result.rejected) == (930, 930, 0, 0)
    table = read(tmp_path / "lake").to_pandas()
    assert table.cancelled.sum() == table.dep_time.isna().sum() == 472
    assert table.on_time.sum() == (table.arr_delay < 15).sum() == 232
