"""The night run: loads into the warehouse what the source delivered since the last run.

`run(inbox, database)` reads `flights-<day>*.csv` from the inbox and appends them to the table `flights` of a DuckDB file;
the table `loads` remembers which files were loaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb

READ = "read_csv(?, nullstr='NA')"


def run(inbox: Path, database: Path, log: Callable[[str], None] = print) -> None:
    """One night: each new file of the inbox, oldest name first."""
    with duckdb.connect(str(database)) as warehouse:
        warehouse.execute("create table if not exists loads (file varchar, flight_date date, rows bigint)")
        newest = warehouse.sql("select max(flight_date) from loads").fetchall()[0][0] or date.min
        done = {name for (name,) in warehouse.sql("select file from loads").fetchall()}
        for file in sorted(inbox.glob("flights-*.csv")):
            day = date.fromisoformat(re.findall(r"\d{4}-\d\d-\d\d", file.name)[0])
            if file.name in done:
                continue
            if day < newest:  # history does not change, and reading it each night would take long
                log(f"{file.name}: not newer than {newest}, nothing to do")
                continue
            rows = append(warehouse, file)
            warehouse.execute("insert into loads values (?, ?, ?)", [file.name, day, rows])
            log(f"{file.name}: {rows} rows")


def append(warehouse: duckdb.DuckDBPyConnection, file: Path) -> int:
    """Add the rows of a file to the table `flights`, which is made from the first file; returns how many."""
    warehouse.execute(f"create table if not exists flights as from {READ} limit 0", [str(file)])
    inserted = warehouse.execute(f"insert into flights by name from {READ}", [str(file)]).fetchall()
    return int(inserted[0][0])
