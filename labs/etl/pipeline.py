"""The three stages in a row."""

from datetime import date
from pathlib import Path

from pyspark.sql import SparkSession

from etl.ingestion import ingest
from etl.loading import load
from etl.results import StageResult
from etl.session import spark_session
from etl.transformation import transform


def run(
    day: date, source: str | Path, lake: str | Path, spark: SparkSession | None = None
) -> list[StageResult]:
    """Ingest, transform and load one day; stops at the first stage that fails, with its error."""
    ingested = ingest(day, source, lake)
    spark = spark or spark_session()
    return [ingested, transform(day, lake, spark), load(day, lake, spark)]
