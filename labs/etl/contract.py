"""The contract with the source: the columns of a daily flights file, and the keys of the lake's zones.

A file is called ``flights-2013-02-08.csv``: UTF-8, comma-separated, one header line, ``NA`` for a missing
value, one line a scheduled flight of that local (New York) day. Clock times (``dep_time`` …) are local and
written HHMM as integers, delays and ``air_time`` are minutes, ``distance`` is miles, ``time_hour`` is the hour
of the scheduled departure as ISO 8601 in UTC.
"""

from datetime import date

from pyspark.sql.types import IntegerType, StringType, StructField, StructType, TimestampType

RAW_SCHEMA = StructType(
    [
        StructField("year", IntegerType()),
        StructField("month", IntegerType()),
        StructField("day", IntegerType()),
        StructField("dep_time", IntegerType()),
        StructField("sched_dep_time", IntegerType()),
        StructField("dep_delay", IntegerType()),
        StructField("arr_time", IntegerType()),
        StructField("sched_arr_time", IntegerType()),
        StructField("arr_delay", IntegerType()),
        StructField("carrier", StringType()),
        StructField("flight", IntegerType()),
        StructField("tailnum", StringType()),
        StructField("origin", StringType()),
        StructField("dest", StringType()),
        StructField("air_time", IntegerType()),
        StructField("distance", IntegerType()),
        StructField("hour", IntegerType()),
        StructField("minute", IntegerType()),
        StructField("time_hour", TimestampType()),
    ]
)
COLUMNS: tuple[str, ...] = tuple(RAW_SCHEMA.fieldNames())
MISSING = "NA"
NATURAL_KEY = ("carrier", "flight", "origin", "sched_dep_at")
"""A carrier uses a flight number once a day and airport, except for a flight put on again at another hour;
the scheduled departure tells these apart. The key is unique over all 336,776 flights of 2013."""


def file_name(day: date) -> str:
    """The name under which the source delivers a day."""
    return f"flights-{day}.csv"


def raw_key(day: date) -> str:
    """Where the lake keeps the day as it was delivered."""
    return f"raw/flights/day={day}/{file_name(day)}"


def clean_key(day: date) -> str:
    """Where the lake keeps the day's typed, deduplicated flights."""
    return f"clean/flights/day={day}/flights.parquet"


def quarantine_key(day: date, digest: str) -> str:
    """The folder for what was refused of one delivery, told apart by the SHA-256 of its bytes."""
    return f"quarantine/flights/day={day}/{digest[:12]}"
