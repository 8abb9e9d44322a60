"""Airflow for real: a DAG run by its scheduler, seen by its REST API."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flightschool import services
from flightschool.errors import FlightSchoolError
from flightschool.services import StartError
from flightschool.services.base import request
from flightschool.services.servers import airflow as module
from flightschool.services.servers.airflow import Airflow

pytestmark = pytest.mark.slow

Until = Callable[[Callable[[], Any]], Any]
DAG = """
from airflow.sdk import dag, task

@dag(schedule=None)
def nightly():
    @task
    def extract():
        print("three flights")
        return 3

    @task
    def double(n):
        return 2 * n

    double(extract())

nightly()
"""


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dags")
    (folder / "nightly.py").write_text(DAG)
    return folder


@pytest.fixture(scope="module")
def server(state: Path, dags: Path) -> Airflow:
    return services.airflow(dags)


def test_runs_a_dag_and_keeps_its_logs(server: Airflow, until: Until) -> None:
    assert until(lambda: [one["dag_id"] for one in server.api("GET", "/dags")["dags"]]) == ["nightly"]
    server.api("PATCH", "dags/nightly", {"is_paused": False})
    run = server.api("POST", "dags/nightly/dagRuns", {"logical_date": None})["dag_run_id"]
    place = f"dags/nightly/dagRuns/{run}"
    assert until(lambda: server.api("GET", place)["state"] in ("success", "failed"))
    assert server.api("GET", place)["state"] == "success"
    value = server.api("GET", f"{place}/taskInstances/double/xcomEntries/return_value")["value"]
    assert value in (6, "6")
    log = server.api("GET", f"{place}/taskInstances/extract/logs/1")["content"]
    assert any("three flights" in str(line) for line in log)


def test_lets_nobody_in_without_the_password(server: Airflow) -> None:
    assert request(server.port, "/api/v2/dags")[0] == 401
    assert Airflow(server.dags).password != server.password
    stranger = Airflow(server.dags)
    stranger.port = server.port
    with pytest.raises(FlightSchoolError, match="Airflow refused POST /auth/token with status 401"):
        stranger.api("GET", "dags")


def test_what_does_not_exist_is_airflows_own_reason(server: Airflow) -> None:
    with pytest.raises(FlightSchoolError, match=r"status 404: .*nowhere"):
        server.api("GET", "dags/nowhere")


def test_the_command_works_on_it_from_another_process(server: Airflow) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "airflow", "dags", "list", "--output", "json"],
        env={**os.environ, **server.env()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "nightly" in done.stdout


def test_without_dags(tmp_path: Path) -> None:
    with pytest.raises(FlightSchoolError, match=r"no folder .*nowhere of DAGs"):
        Airflow(tmp_path / "nowhere")


def test_that_dies_is_one_sentence_and_leaves_nothing(
    dags: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COMPONENTS", {**module.COMPONENTS, "triggerer": ["--no-such-option"]})
    server = Airflow(dags)
    with pytest.raises(StartError, match=r"Airflow .*did not start: it ended with status 2") as caught:
        server.start()
    assert "\n" not in str(caught.value)
    assert (
        "no-such-option" in server.log.read_text()
    )  # whose last lines may be what the others said as they ended
    assert server._process is not None
    assert server._process.tree() == []
