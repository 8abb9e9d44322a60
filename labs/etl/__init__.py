"""The one ETL of the course: a day of flights from a raw file to the warehouse, in three stages."""

from etl.errors import EtlError
from etl.ingestion import ingest
from etl.loading import load
from etl.pipeline import run
from etl.results import StageResult
from etl.session import spark_session
from etl.transformation import transform
from etl.warehouse import days, read_day, read_table

__all__ = [
    "EtlError",
    "StageResult",
    "days",
    "ingest",
    "load",
    "read_day",
    "read_table",
    "run",
    "spark_session",
    "transform",
]
