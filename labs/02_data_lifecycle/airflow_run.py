"""Run a DAG for one day by `dag.test()`: every task in one process, with its own Airflow under the work folder.

`dag.test()` needs no scheduler, and shows what a scheduled run would do. Airflow lives in a child process, since it
reads its settings once, when it is imported.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from flightschool.errors import FlightSchoolError

DAGS = Path(__file__).with_name("dags")


class AirflowError(FlightSchoolError):
    """Airflow did not get as far as running the DAG."""


@dataclass(frozen=True)
class TaskRun:
    """A task of a run: its state (success, failed, upstream_failed, …), seconds, and number of tries."""

    task_id: str
    state: str
    seconds: float
    try_number: int


@dataclass(frozen=True)
class DagRun:
    """A run of a DAG: its state, its tasks in the order in which they ran, and the seconds of it all."""

    state: str
    tasks: tuple[TaskRun, ...]
    seconds: float
    log: Path


def run_dag(
    day: date, source: str | Path, lake: str | Path, work: Path, *, file: Path = DAGS / "flights_daily.py"
) -> DagRun:
    """Run the DAG of a file for a day, without its retries, so that a failure shows at once.

    Args:
        day: the day of flights; midnight of it is the run's logical date.
        source: folder or bucket of the raw daily files.
        lake: folder or bucket of the lake.
        work: folder in which Airflow keeps its database and its log.

    Returns the run; a task that failed is in its state, not raised.

    Raises:
        AirflowError: the file holds no DAG that can be read, or Airflow did not start.
    """
    home = (work / "airflow").resolve()
    home.mkdir(parents=True, exist_ok=True)
    answer, log = home / "run.json", home / "run.log"
    answer.unlink(missing_ok=True)
    started = time.perf_counter()
    arguments = [
        str(file),
        day.isoformat(),
        json.dumps({"source": str(source), "lake": str(lake)}),
        str(answer),
    ]
    with log.open("wb") as output:
        subprocess.run(
            [sys.executable, "-P", __file__, *arguments],
            env=environment(home, file.parent),
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if not answer.exists():
        last = (log.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise AirflowError(f"Airflow could not run {file.name}: {last} (all of it: {log})")
    found = json.loads(answer.read_text())
    tasks = tuple(TaskRun(**task) for task in found["tasks"])
    return DagRun(found["state"], tasks, time.perf_counter() - started, log)


def environment(home: Path, dags: Path) -> dict[str, str]:
    """Airflow's settings: a SQLite database in `home`, no examples, no telemetry, few words."""
    settings = {
        "AIRFLOW_HOME": home,
        "AIRFLOW__CORE__DAGS_FOLDER": dags.resolve(),
        "AIRFLOW__CORE__LOAD_EXAMPLES": False,
        "AIRFLOW__CORE__UNIT_TEST_MODE": False,
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": home / "logs",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": False,
        "DO_NOT_TRACK": 1,
        "SCARF_ANALYTICS": False,
    }
    return {**os.environ, **{name: str(value) for name, value in settings.items()}}


def child(file: Path, day: date, conf: dict[str, str], answer: Path) -> None:
    """In the process of Airflow: run the DAG and write what became of it."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.utils.db import initdb

    initdb()
    bag = DagBag(file, safe_mode=False)
    if bag.import_errors or len(bag.dags) != 1:
        reasons = [error.strip().splitlines()[-1] for error in bag.import_errors.values()]
        raise SystemExit("; ".join(reasons) or f"it holds {len(bag.dags)} DAGs, not one")
    (dag,) = bag.dags.values()
    for task in dag.tasks:
        task.retries = 0
    run = dag.test(logical_date=datetime(day.year, day.month, day.day, tzinfo=UTC), run_conf=conf)
    ran = sorted(run.get_task_instances(), key=lambda one: one.start_date or datetime.max.replace(tzinfo=UTC))
    tasks = [TaskRun(one.task_id, str(one.state), one.duration or 0.0, one.try_number) for one in ran]
    answer.write_text(json.dumps({"state": str(run.state), "tasks": [asdict(task) for task in tasks]}))


if __name__ == "__main__":
    path, given_day, given_conf, given_answer = sys.argv[1:]
    child(Path(path), date.fromisoformat(given_day), json.loads(given_conf), Path(given_answer))
