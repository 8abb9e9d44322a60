"""Continuous delivery of four kinds of things: a DAG, a Spark job, a dashboard's table, and (see `registry.py`) a model.

Each takes a release, the folder into which a package was unpacked, and a server that runs. `warm` starts one ahead of time.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from flightschool.errors import FlightSchoolError
from flightschool.services import StartError, Unavailable

# Airflow writes a changed DAG into its database at most twice a minute; a learner who has just moved a link waits for it.
os.environ.setdefault("AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL", "0")

DAG = "flights_daily"
SMALL = {
    "spark.cores.max": "1",
    "spark.driver.memory": "512m",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.sql.shuffle.partitions": "2",
    "spark.ui.enabled": "false",
}
"""A driver and one executor for a file of sixty rows."""


class ReleaseError(FlightSchoolError):
    """A release that did not go to work; the message holds the tool's last lines."""


class AirflowApi(Protocol):
    """What is needed of an Airflow that runs."""

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request of its REST API."""


def warm(start: Callable[..., Any], *arguments: Any) -> None:
    """Start a server in the background. The cell that needs it asks for it again, and waits, or hears why there is none."""

    def quietly() -> None:
        with contextlib.suppress(Unavailable, StartError):
            start(*arguments)

    threading.Thread(target=quietly, daemon=True).start()


def point(dags: Path, release: Path) -> None:
    """Let the folder that Airflow reads show the DAGs of a release: one link, moved in one step."""
    dags.mkdir(parents=True, exist_ok=True)
    fresh = dags.parent / f".ontime-{os.getpid()}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(release / "dags")
    fresh.replace(dags / "ontime")


def wait_for_release(airflow: AirflowApi, tag: str, seconds: float = 60.0) -> dict[str, Any]:
    """The DAG as Airflow's API tells it, once it carries the release's tag.

    Raises:
        ReleaseError: Airflow does not show that release in time.
    """
    end = time.monotonic() + seconds
    seen: Any = None
    while time.monotonic() < end:
        try:
            seen = airflow.api("GET", f"/dags/{DAG}")
        except FlightSchoolError:
            seen = None  # 404 until it has been read for the first time
        if seen and tag in {one["name"] for one in seen["tags"]}:
            return {"dag": DAG, "tags": [one["name"] for one in seen["tags"]], "versions": versions(airflow)}
        time.sleep(0.5)
    raise ReleaseError(f"After {seconds:.0f} s Airflow shows {seen and seen['tags']} and not {tag}.")


def trigger(airflow: AirflowApi) -> str:
    """Ask for a run of the DAG, and return its state: a new DAG is paused, and its runs are queued until somebody switches it on.

    A version with which a run was made is kept when a newer one comes.
    """
    return str(airflow.api("POST", f"/dags/{DAG}/dagRuns", {"logical_date": None})["state"])


def versions(airflow: AirflowApi) -> list[int]:
    """The versions of the DAG that Airflow keeps."""
    return [one["version_number"] for one in airflow.api("GET", f"/dags/{DAG}/dagVersions")["dag_versions"]]


def submit(
    release: Path, config: Mapping[str, str], target: Path, environment: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Submit the release's Spark job to a cluster, and return the lines of its report.

    Raises:
        ReleaseError: the job failed.
    """
    command = [str(Path(sys.executable).with_name("spark-submit"))]
    for name, value in {**SMALL, **config}.items():
        command += ["--conf", f"{name}={value}"]
    command += [str(release / "ontime" / "spark_job.py"), str(release / "data" / "flights.csv"), str(target)]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ReleaseError(f"The Spark job failed: {' | '.join(done.stderr.strip().splitlines()[-2:])}")
    return [json.loads(line) for line in (target / "report.jsonl").read_text().splitlines()]


def refresh(release: Path, flights: Path, warehouse: Path) -> list[str]:
    """Refresh the dashboard's tables: `dbt build` of the release on a flights file; one line a model or test.

    Raises:
        ReleaseError: a model or a test failed, and what stood below it was not refreshed.
    """
    command = [
        str(Path(sys.executable).with_name("dbt")),
        "--no-use-colors",
        "build",
        "--project-dir",
        str(release / "dbt"),
    ]
    command += ["--profiles-dir", str(release / "dbt"), "--target-path", str(warehouse.parent / "target")]
    command += ["--log-path", str(warehouse.parent / "logs")]
    done = subprocess.run(
        command,
        env={
            **os.environ,
            "WAREHOUSE": str(warehouse),
            "FLIGHTS": str(flights),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [
        line.split("  ", 1)[-1].strip()
        for line in done.stdout.splitlines()
        if " of " in line and "START" not in line
    ]
    if done.returncode:
        raise ReleaseError(f"dbt build failed: {' | '.join(done.stdout.strip().splitlines()[-4:])}")
    return lines
