"""Monitoring: how long each stage took and whether it worked, how many rows there are, and how fresh they are."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd

from flightschool.errors import FlightSchoolError

LIMIT = timedelta(hours=24)
STAGE_RUNS = """
create table if not exists stage_runs (
    stage varchar not null, started_at timestamptz not null, seconds double not null, rows bigint, state varchar not null
)
"""


class NothingLoadedError(FlightSchoolError):
    """There is no event whose age could be told."""


@dataclass
class StageRun:
    """A stage that is running; set `rows` to what it handled."""

    rows: int | None = None


@dataclass(frozen=True)
class Freshness:
    """How old the newest loaded event is."""

    newest: datetime
    age: timedelta
    limit: timedelta

    @property
    def stale(self) -> bool:
        """Whether the newest event is older than the limit."""
        return self.age > self.limit

    @property
    def sentence(self) -> str:
        """For the alert: what is the matter, with the figures."""
        state = "STALE" if self.stale else "fresh"
        hours, limit = self.age / timedelta(hours=1), self.limit / timedelta(hours=1)
        return f"{state}: the newest flight is of {self.newest:%Y-%m-%d %H:%M} UTC, {hours:.1f} h ago (limit {limit:g} h)"


@contextmanager
def stage(name: str, metrics: Path) -> Iterator[StageRun]:
    """Measure a stage into the table `stage_runs` of a DuckDB file; a stage that raises is kept as failed."""
    run, state = StageRun(), "failed"
    started, clock = datetime.now(UTC), time.perf_counter()
    try:
        yield run
        state = "success"
    finally:
        seconds = time.perf_counter() - clock
        with duckdb.connect(str(metrics)) as connection:
            connection.execute(STAGE_RUNS)
            connection.execute(
                "insert into stage_runs values (?, ?, ?, ?, ?)", [name, started, seconds, run.rows, state]
            )


def stage_runs(metrics: Path) -> pd.DataFrame:
    """stage, started_at, seconds, rows, state of every run, oldest first."""
    with duckdb.connect(str(metrics)) as connection:
        connection.execute(STAGE_RUNS)
        return connection.execute("from stage_runs order by started_at").df()


def freshness(warehouse: Path, now: datetime, limit: timedelta = LIMIT) -> Freshness:
    """The age, at `now` (with time zone), of the newest scheduled departure in raw.flights.

    Raises:
        NothingLoadedError: there is no warehouse, or no flight in it.
    """
    newest = None
    if warehouse.exists():
        with duckdb.connect(str(warehouse)) as connection:
            try:
                # As text, since DuckDB wants pytz to hand a timestamptz to Python.
                query = (
                    "select strftime(max(time_hour) at time zone 'UTC', '%Y-%m-%dT%H:%M:%S') from raw.flights"
                )
                newest = connection.execute(query).fetchall()[0][0]
            except duckdb.CatalogException:
                newest = None
    if newest is None:
        raise NothingLoadedError(f"{warehouse.name} holds no flights: run the ingestion first.")
    at = datetime.fromisoformat(newest).replace(tzinfo=UTC)
    return Freshness(at, now - at, limit)


def row_counts(warehouse: Path) -> pd.DataFrame:
    """schema, table, rows of every table, dlt's own aside."""
    with duckdb.connect(str(warehouse)) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_type = 'BASE TABLE' and table_name not like '\\_dlt%' escape '\\' "
            "and table_schema not like '%\\_staging' escape '\\' order by all"
        ).fetchall()
        counted = [(schema, name, len(connection.table(f"{schema}.{name}"))) for schema, name in tables]
    return pd.DataFrame(counted, columns=["schema", "table", "rows"])
