"""ELT: `daily_on_time` by dbt, in the warehouse, from what ingestion loaded there raw."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from flightschool.errors import FlightSchoolError

PROJECT = Path(__file__).with_name("dbt")
OFFLINE = {"DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


class DbtError(FlightSchoolError):
    """dbt could not build the project at all."""


@dataclass(frozen=True)
class Node:
    """A model or test that dbt ran: its kind, status (success, pass, fail, error, skipped) and what it said."""

    name: str
    kind: str
    status: str
    seconds: float
    message: str


@dataclass(frozen=True)
class Build:
    """A run of `dbt build`: models built and tests run in the order of their dependencies."""

    nodes: tuple[Node, ...]
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether every model was built and every test passed."""
        return all(node.status in {"success", "pass"} for node in self.nodes)


def build(warehouse: Path, work: Path) -> Build:
    """Build and test the dbt project in the warehouse; a rerun leaves the same tables.

    dbt runs as a process of its own, so close your connections to the warehouse first. What it writes beside the
    warehouse (compiled SQL, logs, results) goes to `work/dbt`.

    Raises:
        DbtError: dbt did not get as far as running a model (no raw data, warehouse in use, project damaged).
    """
    target = work / "dbt"
    results = target / "run_results.json"
    results.unlink(missing_ok=True)
    command = [sys.executable, "-P", "-m", "dbt.cli.main", "--no-use-colors", "--quiet", "build"]
    places = [
        "--project-dir",
        PROJECT,
        "--profiles-dir",
        PROJECT,
        "--target-path",
        target,
        "--log-path",
        target,
    ]
    started = time.perf_counter()
    done = subprocess.run(
        [*command, *map(str, places)],
        env={**os.environ, **OFFLINE, "WAREHOUSE": str(warehouse)},
        capture_output=True,
        text=True,
        check=False,
    )
    if not results.exists():
        said = " ".join((done.stdout + done.stderr).split())
        raise DbtError(f"dbt could not build {warehouse.name}: {said[-600:]}")
    return Build(read_nodes(results), time.perf_counter() - started)


def read_nodes(results: Path) -> tuple[Node, ...]:
    """The nodes in dbt's run_results.json."""
    return tuple(
        Node(
            name=result["unique_id"].split(".")[2],
            kind=result["unique_id"].split(".")[0],
            status=result["status"],
            seconds=result["execution_time"],
            message=result["message"] or "",
        )
        for result in json.loads(results.read_text())["results"]
    )
