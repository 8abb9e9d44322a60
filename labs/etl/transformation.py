"""Transform: raw CSV of a day → typed, deduplicated flights with what the reports need, as Parquet.

Spark reads and computes. The result, about a thousand rows, is collected as Arrow and written by pyarrow,
because Spark's own writers reach S3 only with the hadoop-aws jars (``s3a://``), which pip's PySpark does not
bring. On a cluster, with days too big for one machine, give Spark the ``s3a://`` path for reading and let it
write to a new folder, then switch to it as `etl.warehouse` does.
"""

import hashlib
import json
from datetime import date
from pathlib import Path
from time import perf_counter

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as sf
from pyspark.sql.types import StringType, StructField, StructType

from etl.contract import COLUMNS, MISSING, NATURAL_KEY, RAW_SCHEMA, clean_key, quarantine_key, raw_key
from etl.errors import MissingStage, UnreadableRows
from etl.results import StageResult
from etl.session import spark_session
from etl.store import Store

MAX_REJECTED = 0.05
"""Share of unreadable rows above which the day is refused as a whole: then the source has changed."""
ON_TIME_MINUTES = 15
_UNREADABLE = "_unreadable"


def transform(day: date, lake: str | Path, spark: SparkSession | None = None) -> StageResult:
    """Write the cleaned zone's Parquet of the day from its raw file; a rerun writes the same rows.

    A row whose fields do not have the contract's types, or whose key is incomplete, is rejected: it goes to
    ``rejected.jsonl`` in the quarantine, as delivered. Above 5 % of such rows the day is refused and the
    cleaned zone stays as it was.

    Raises MissingStage, UnreadableRows, SparkUnavailable, StoreUnavailable.
    """
    start = perf_counter()
    store = Store(lake)
    spark = spark or spark_session()
    try:
        with store.local_copy(raw_key(day)) as path:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            raw = read_raw(spark, path).cache()
            try:
                rows_in = raw.count()
                rejects = raw.where(~_usable()).toArrow()
                flights = clean(raw.where(_usable()).drop(_UNREADABLE)).toArrow()
            finally:
                raw.unpersist()
    except FileNotFoundError:
        raise MissingStage(
            f"{day} is not in the raw zone of {store.root}: run ingest for it first."
        ) from None
    rejected_key = f"{quarantine_key(day, digest)}/rejected.jsonl"
    if rejects.num_rows:
        store.write(rejected_key, _as_json_lines(rejects))
    if rejects.num_rows > MAX_REJECTED * rows_in:
        raise UnreadableRows(
            f"{rejects.num_rows} of {rows_in} rows of {day} do not have the types of the contract; they are "
            f"kept in {store.url(rejected_key)}, have the source correct them and send the day again."
        )
    store.write(clean_key(day), as_parquet(flights))
    duplicates = rows_in - rejects.num_rows - flights.num_rows
    return StageResult(
        "transform", day, rows_in, flights.num_rows, duplicates, rejects.num_rows, perf_counter() - start
    )


def read_raw(spark: SparkSession, path: Path) -> DataFrame:
    """The file's rows in RAW_SCHEMA, and ``_unreadable``: the line as delivered where it does not fit it."""
    return spark.read.csv(
        path.as_uri(),
        schema=StructType([*RAW_SCHEMA.fields, StructField(_UNREADABLE, StringType())]),
        header=True,
        nullValue=MISSING,
        mode="PERMISSIVE",
        columnNameOfCorruptRecord=_UNREADABLE,
    )


def clean(raw: DataFrame) -> DataFrame:
    """Flights with derived columns, one row for each natural key, in the order of the schedule.

    Takes columns RAW_SCHEMA; adds

    - ``flight_date`` (date): the local day of the schedule;
    - ``sched_dep_at`` (timestamp, UTC): scheduled departure;
    - ``cancelled``: it never departed;
    - ``diverted``: it departed, and no arrival at its destination is known;
    - ``on_time``: arrived less than 15 minutes late; cancelled and diverted flights are not on time (so counts
      the Air Travel Consumer Report of the US DOT);
    - ``delay_bucket``: ``on_time``, ``late_15``, ``late_45``, ``late_120`` (minutes of arrival delay from which
      it starts), ``cancelled``, ``diverted``.

    Of several rows with one key the one that knows most wins (an arrival before a departure before neither);
    what is still equal is settled by the values themselves, so that the order of the file plays no part.
    """
    cancelled = sf.col("dep_time").isNull()
    diverted = ~cancelled & sf.col("arr_delay").isNull()
    derived = raw.select(
        sf.make_date("year", "month", "day").alias("flight_date"),
        sf.timestamp_add("MINUTE", sf.col("minute"), sf.col("time_hour")).alias("sched_dep_at"),
        *COLUMNS,
        cancelled.alias("cancelled"),
        diverted.alias("diverted"),
        sf.coalesce(~cancelled & (sf.col("arr_delay") < ON_TIME_MINUTES), sf.lit(False)).alias("on_time"),
        _delay_bucket(cancelled, diverted).alias("delay_bucket"),
    )
    knows_most = [
        sf.col("arr_delay").isNotNull().desc(),
        sf.col("dep_time").isNotNull().desc(),
        *(sf.col(column).desc_nulls_last() for column in COLUMNS),
    ]
    rank = sf.row_number().over(Window.partitionBy(*NATURAL_KEY).orderBy(*knows_most))
    return (
        derived.withColumn("_rank", rank)
        .where(sf.col("_rank") == 1)
        .drop("_rank")
        .orderBy("sched_dep_at", "carrier", "flight", "origin")
    )


def as_parquet(table: pa.Table) -> bytes:
    """The table as one Parquet file."""
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer, compression="zstd")
    return bytes(buffer.getvalue())


def _delay_bucket(cancelled: Column, diverted: Column) -> Column:
    delay = sf.col("arr_delay")
    return (
        sf.when(cancelled, "cancelled")
        .when(diverted, "diverted")
        .when(delay < ON_TIME_MINUTES, "on_time")
        .when(delay < 45, "late_15")
        .when(delay < 120, "late_45")
        .otherwise("late_120")
    )


def _usable() -> Column:
    usable = sf.col(_UNREADABLE).isNull()
    for column in ("year", "month", "day", "carrier", "flight", "origin", "time_hour", "minute"):
        usable = usable & sf.col(column).isNotNull()
    return usable


def _as_json_lines(rejects: pa.Table) -> bytes:
    lines = []
    for row in rejects.to_pylist():
        line = row.pop(_UNREADABLE)
        reason = "the key is incomplete" if line is None else "a field does not have its type"
        lines.append(json.dumps({"reason": reason, "row": line if line is not None else row}, default=str))
    return "\n".join(lines).encode() + b"\n"
