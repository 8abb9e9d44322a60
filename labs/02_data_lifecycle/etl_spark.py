"""ETL: `daily_on_time` computed by Spark outside the warehouse, from the lake, with the rules of the course's ETL."""

from collections.abc import Iterable
from datetime import date

import pyarrow as pa
from etl.loading import summarise
from etl.transformation import clean
from lake import Lake
from pyspark.sql import DataFrame, SparkSession


def daily_on_time(flights: DataFrame) -> DataFrame:
    """One row a day, airport of departure and carrier, from raw flights.

    Columns: flight_date, origin, carrier; counts flights (scheduled), cancelled, diverted, on_time (arrived less than
    15 minutes late); on_time_share of the scheduled; mean_dep_delay and mean_arr_delay in minutes, null if none flew.
    """
    return summarise(clean(flights))


def from_lake(spark: SparkSession, lake: Lake, days: Iterable[date]) -> DataFrame:
    """`daily_on_time` of these days, read from the lake by Arrow: the session needs no S3 driver of its own."""
    flights = pa.concat_tables(lake.read(day) for day in days)
    return daily_on_time(spark.createDataFrame(flights.drop_columns("flight_date")))
