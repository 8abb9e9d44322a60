"""Two days of February in a warehouse, ingested from files and built by dbt, once for all tests of this lab."""

import sys
from datetime import date
from pathlib import Path

import pytest

from flightschool import data, paths

sys.path.insert(0, str(paths.LABS / "02_data_lifecycle"))

QUIET, STORM = date(2013, 2, 7), date(2013, 2, 8)


@pytest.fixture(scope="session")
def days() -> list[date]:
    return [QUIET, STORM]


@pytest.fixture(scope="session")
def files(days, tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("raw")
    return [data.raw_day(day, folder) for day in days]


@pytest.fixture(scope="session")
def built(files, tmp_path_factory):
    """The warehouse after ingestion and `dbt build`, the work folder, and what dbt said."""
    import elt_dbt
    import ingestion

    work = tmp_path_factory.mktemp("elt")
    warehouse = work / "warehouse.duckdb"
    ingestion.ingest_files(files, warehouse, work)
    return warehouse, elt_dbt.build(warehouse, work)


@pytest.fixture(scope="session")
def daily(built):
    import duckdb

    with duckdb.connect(str(built[0]), read_only=True) as connection:
        return connection.sql("from daily_on_time order by flight_date, origin, carrier").df()
