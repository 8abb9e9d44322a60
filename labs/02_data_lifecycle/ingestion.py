"""Batch ingestion by dlt: raw CSV files and an HTTP API, merged on a key into the warehouse's raw schema.

Merged means that a row whose key is there already replaces the old one. So what arrives twice is loaded once.
"""

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.csv

from flightschool.errors import FlightSchoolError

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
# Where Airflow is installed, dlt would import it (15 s) and ask its database for every setting.
os.environ.setdefault("PROVIDERS__ENABLE_AIRFLOW_SECRETS", "false")
# Files become Arrow tables and API pages become dicts; with these both get dlt's bookkeeping columns.
os.environ.setdefault("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_LOAD_ID", "true")
os.environ.setdefault("NORMALIZE__PARQUET_NORMALIZER__ADD_DLT_ID", "true")

import dlt
from dlt.pipeline.exceptions import PipelineStepFailed
from dlt.sources.rest_api import rest_api_source

FLIGHT_KEY = ("time_hour", "carrier", "flight")
WEATHER_KEY = ("time_hour", "origin")

UTC = pa.timestamp("us", tz="UTC")
FLIGHTS = pa.schema(
    [
        *((name, pa.int64()) for name in ("year", "month", "day", "dep_time", "sched_dep_time", "dep_delay")),
        *((name, pa.int64()) for name in ("arr_time", "sched_arr_time", "arr_delay")),
        pa.field("carrier", pa.string(), nullable=False),
        pa.field("flight", pa.int64(), nullable=False),
        *((name, pa.string()) for name in ("tailnum", "origin", "dest")),
        *((name, pa.int64()) for name in ("air_time", "distance", "hour", "minute")),
        pa.field("time_hour", UTC, nullable=False),
    ]
)
"""The types that we agreed on with the source (guessed ones would change with the day); a key is never null."""

WEATHER = pa.schema(
    [
        pa.field("origin", pa.string(), nullable=False),
        *((name, pa.int64()) for name in ("year", "month", "day", "hour")),
        *((name, pa.float64()) for name in ("temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust")),
        *((name, pa.float64()) for name in ("precip", "pressure", "visib")),
        pa.field("time_hour", UTC, nullable=False),
    ]
)


class IngestionError(FlightSchoolError):
    """The source could not be read or its rows not be loaded; the warehouse is as it was."""


@dataclass(frozen=True)
class Loaded:
    """What a run did to one table: rows read from the source, rows in the table before and after."""

    table: str
    read: int
    before: int
    after: int
    seconds: float

    @property
    def added(self) -> int:
        """Rows that the table gained."""
        return self.after - self.before


def ingest_files(files: Iterable[Path], warehouse: Path, work: Path) -> tuple[Loaded, ...]:
    """Merge raw CSV files of flights into raw.flights.

    Args:
        files: CSV files with the columns of `FLIGHTS`.
        warehouse: the DuckDB file; made when it isn't there. Close your own connections to it first.
        work: folder for dlt's state.

    Raises:
        IngestionError: a file is missing, or has other columns or types; nothing is loaded.
    """

    @dlt.resource(name="flights", primary_key=FLIGHT_KEY, write_disposition="merge")
    def flights() -> Iterator[pa.Table]:
        for file in files:
            yield read_csv(file)

    return run(flights(), warehouse, work)


def ingest_api(
    base_url: str, days: Iterable[date], warehouse: Path, work: Path, *, page_size: int = 200
) -> tuple[Loaded, ...]:
    """Merge these days' flights and weather, page by page, from the airport's API into raw.flights and raw.weather.

    Raises:
        IngestionError: the API can't be reached or refuses; nothing is loaded.
    """
    tables = {"flights": (FLIGHT_KEY, FLIGHTS), "weather": (WEATHER_KEY, WEATHER)}
    source = rest_api_source(
        {
            "client": {
                "base_url": base_url,
                "paginator": {"type": "offset", "limit": page_size, "total_path": "total"},
            },
            "resource_defaults": {"write_disposition": "merge"},
            "resources": [
                {
                    "name": f"{table}_{day:%Y_%m_%d}",
                    "table_name": table,
                    "primary_key": list(key),
                    "columns": hints(schema),
                    "endpoint": {"path": f"{table}/{day}", "data_selector": "items"},
                }
                for day in days
                for table, (key, schema) in tables.items()
            ],
        },
        name="airport",
    )
    return run(source, warehouse, work)


def run(source: Any, warehouse: Path, work: Path) -> tuple[Loaded, ...]:
    """Run one dlt pipeline into the raw schema and count what it changed, table by table."""
    before = row_counts(warehouse)
    started = time.perf_counter()
    pipeline = dlt.pipeline(
        pipeline_name="airport",
        destination=dlt.destinations.duckdb(str(warehouse)),
        dataset_name="raw",
        pipelines_dir=str(work / "dlt"),
    )
    try:
        pipeline.run(source)
    except PipelineStepFailed as error:
        raise IngestionError(f"The {error.step} failed and nothing was loaded: {cause(error)}.") from error
    seconds = time.perf_counter() - started
    read = pipeline.last_trace.last_normalize_info.row_counts
    after = row_counts(warehouse)
    return tuple(
        Loaded(table, read[table], before.get(table, 0), after[table], seconds)
        for table in sorted(read)
        if not table.startswith("_dlt")
    )


def cause(error: BaseException) -> str:
    """The first line of the error at the bottom of a chain of errors."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    return str(error).strip().splitlines()[0].rstrip(".")


def read_csv(file: Path) -> pa.Table:
    """A raw file as a table of the agreed columns and types; an empty field is null."""
    convert = pa.csv.ConvertOptions(
        column_types=FLIGHTS,
        include_columns=FLIGHTS.names,
        null_values=["", "NA"],
        strings_can_be_null=True,
    )
    return pa.csv.read_csv(file, convert_options=convert).cast(FLIGHTS)


def hints(schema: pa.Schema) -> dict[str, Any]:
    """An Arrow schema as dlt's column hints."""
    kinds = {pa.int64(): "bigint", pa.float64(): "double", pa.string(): "text", UTC: "timestamp"}
    return {field.name: {"data_type": kinds[field.type]} for field in schema}


def row_counts(warehouse: Path) -> dict[str, int]:
    """Rows in each table of the raw schema; empty when there is no warehouse yet."""
    if not warehouse.exists():
        return {}
    with duckdb.connect(str(warehouse)) as connection:
        tables = connection.sql(
            "select table_name from information_schema.tables where table_schema = 'raw'"
        ).fetchall()
        return {
            name: len(connection.table(f"raw.{name}")) for (name,) in tables if not name.startswith("_dlt")
        }
