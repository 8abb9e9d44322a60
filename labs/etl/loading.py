"""Load: the cleaned day → the warehouse's tables ``flights`` (the fact) and ``on_time`` (the daily report)."""

from datetime import date
from pathlib import Path
from time import perf_counter

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sf

from etl.contract import clean_key
from etl.errors import DamagedLake, MissingStage
from etl.results import StageResult
from etl.session import spark_session
from etl.store import Store
from etl.warehouse import publish


def load(day: date, lake: str | Path, spark: SparkSession | None = None) -> StageResult:
    """Replace the day in the warehouse, both tables at once; a rerun leaves the same rows.

    Killed at any moment it leaves the old or the new day (`etl.warehouse` says how).
    Raises MissingStage, DamagedLake, SparkUnavailable, StoreUnavailable.
    """
    start = perf_counter()
    flights = read_clean(day, lake)
    spark = spark or spark_session()
    on_time = summarise(spark.createDataFrame(flights)).toArrow()
    publish(day, {"flights": flights, "on_time": on_time}, lake)
    return StageResult("load", day, flights.num_rows, flights.num_rows, 0, 0, perf_counter() - start)


def read_clean(day: date, lake: str | Path) -> pa.Table:
    """The cleaned zone's flights of the day. Raises MissingStage, DamagedLake, StoreUnavailable."""
    store = Store(lake)
    try:
        return pq.read_table(pa.BufferReader(store.read(clean_key(day))))
    except FileNotFoundError:
        raise MissingStage(
            f"{day} is not in the cleaned zone of {store.root}: run transform for it first."
        ) from None
    except pa.ArrowInvalid:
        raise DamagedLake(f"{store.url(clean_key(day))} is damaged: run transform for {day} again.") from None


def summarise(flights: DataFrame) -> DataFrame:
    """On-time performance a day, airport of departure and carrier.

    Counts ``flights`` (scheduled), ``cancelled``, ``diverted``, ``on_time``; ``on_time_share`` is of the scheduled
    flights; ``mean_dep_delay`` and ``mean_arr_delay`` are minutes over the flights that have one (null if none).
    """
    return (
        flights.groupBy("flight_date", "origin", "carrier")
        .agg(
            sf.count("*").alias("flights"),
            sf.count_if("cancelled").alias("cancelled"),
            sf.count_if("diverted").alias("diverted"),
            sf.count_if("on_time").alias("on_time"),
            (sf.count_if("on_time") / sf.count("*")).alias("on_time_share"),
            sf.avg("dep_delay").alias("mean_dep_delay"),
            sf.avg("arr_delay").alias("mean_arr_delay"),
        )
        .orderBy("flight_date", "origin", "carrier")
    )
