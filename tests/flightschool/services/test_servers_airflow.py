"""Airflow for real: a DAG run by its scheduler, seen by its REST API."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from flightschool import paths, services
from flightschool.errors import FlightSchoolError
from flightschool.services import Service, StartError
from flightschool.services.base import occupied, request
from flightschool.services.servers import airflow as module
from flightschool.services.servers.airflow import Airflow

pytestmark = pytest.mark.slow

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


@pytest.fixture(scope="module", autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One state folder for the module, so that its server starts once."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("state")
        patch.setattr(paths, "STATE", folder)
        patch.setenv("FLIGHTSCHOOL_STATE", str(folder))
        yield folder
        services.stop_all()


def ended(server: Service) -> bool:
    """Stop it; whether no process, no port and no folder of it is left."""
    assert server._process is not None
    tree, ports = server._process.tree(), {port for _host, port in server.listening()}
    home = getattr(server, "home", None)
    assert tree
    assert ports
    server.stop()
    left = [one for one in tree if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
    return not left and not any(map(occupied, ports)) and not (home and home.exists())


def hosts(server: Service) -> set[str]:
    """The addresses on which it listens."""
    return {host for host, _port in server.listening()}


def until(condition: Callable[[], Any], seconds: float = 240.0) -> Any:
    """Poll until it gives something true; that."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.2)
    return found


@pytest.fixture(scope="module")
def dags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dags")
    (folder / "nightly.py").write_text(DAG)
    return folder


@pytest.fixture(scope="module")
def server(state: Path, dags: Path) -> Airflow:
    return services.airflow(dags)


def test_runs_a_dag_and_keeps_its_logs(server: Airflow) -> None:
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


def test_listens_on_one_loopback_port_only(server: Airflow) -> None:
    assert server.listening() == {("127.0.0.1", server.port)}


def test_lets_nobody_in_without_the_password(server: Airflow) -> None:
    assert request(server.port, "/api/v2/dags")[0] == 401
    assert Airflow(server.dags).password != server.password
    stranger = Airflow(server.dags)
    stranger.port = server.port
    with pytest.raises(FlightSchoolError, match="Airflow refused POST /auth/token with status 401"):
        stranger.api("GET", "dags")
    assert server.password not in server.log.read_text()
    assert server.password not in repr(server)


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


def test_leaves_nothing(server: Airflow) -> None:
    assert ended(server)


def test_without_dags(tmp_path: Path) -> None:
    with pytest.raises(FlightSchoolError, match=r"no folder .*nowhere of DAGs"):
        Airflow(tmp_path / "nowhere")


def test_that_dies_is_one_sentence_and_leaves_nothing(
    dags: Path, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "COMPONENTS", {**module.COMPONENTS, "triggerer": ["--no-such-option"]})
    server = Airflow(dags)
    with pytest.raises(
        StartError, match=r"Airflow .*did not start: it ended with status 2.*no-such-option"
    ) as caught:
        server.start()
    assert "\n" not in str(caught.value)
    assert server._process is not None
    assert server._process.tree() == []
