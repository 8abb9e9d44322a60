"""Extracts for BI tools: a `.hyper` file that Tableau opens and a Parquet file that Power BI opens, both read back."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pantab
import pyarrow as pa
import pyarrow.parquet as pq

from flightschool.errors import FlightSchoolError

TABLE = "daily_on_time"


class ExtractError(FlightSchoolError):
    """What was read back from an extract is not what was written."""


@dataclass(frozen=True)
class Extract:
    """A file that was written and verified."""

    path: Path
    rows: int
    bytes: int


def tableau(table: pd.DataFrame, path: Path) -> Extract:
    """Write a table as Tableau's `.hyper`. Raises ExtractError."""
    return publish(table, path, lambda rows, to: pantab.frame_to_hyper(rows, to, table=TABLE), read_tableau)


def read_tableau(path: Path) -> pd.DataFrame:
    """The table in a `.hyper` file of ours."""
    return pantab.frame_from_hyper(path, table=TABLE, return_type="pyarrow").to_pandas()


def power_bi(table: pd.DataFrame, path: Path) -> Extract:
    """Write a table as Parquet with what Power BI's connector reads: flat columns, Snappy. Raises ExtractError."""
    return publish(
        table, path, lambda rows, to: pq.write_table(rows, to, compression="snappy"), pd.read_parquet
    )


def publish(
    table: pd.DataFrame,
    path: Path,
    write: Callable[[pa.Table, Path], None],
    read: Callable[[Path], pd.DataFrame],
) -> Extract:
    """Write beside the path, read back, compare, and only then put the file in its place."""
    fresh = path.with_name(f"new-{path.name}")
    fresh.unlink(missing_ok=True)
    write(as_arrow(table), fresh)
    if not as_arrow(read(fresh)).equals(as_arrow(table)):
        raise ExtractError(f"{path.name} does not hold what was written; the old file, if any, was kept.")
    fresh.replace(path)
    return Extract(path, len(table), path.stat().st_size)


def as_arrow(table: pd.DataFrame) -> pa.Table:
    """The table in Arrow's types, a midnight timestamp as the date that it stands for."""
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata()
    for index, (column, kind) in enumerate(zip(arrow.column_names, arrow.schema.types, strict=True)):
        if column.endswith("_date") and pa.types.is_timestamp(kind):
            arrow = arrow.set_column(index, column, arrow[column].cast(pa.date32()))
    return arrow
