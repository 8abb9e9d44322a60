"""MLflow's tracking server for real, by its client."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from flightschool import paths, services
from flightschool.services import Service, StartError, Unavailable
from flightschool.services.base import occupied
from flightschool.services.servers import mlflow as module
from flightschool.services.servers.mlflow import MLflow

pytestmark = pytest.mark.slow

CLIENT = """
import sys, mlflow
from mlflow.tracking import MlflowClient
mlflow.set_experiment("delays")
with mlflow.start_run() as run:
    mlflow.log_param("depth", 3)
    mlflow.log_metric("mae", 11.5)
    mlflow.log_text("snow", "note.txt")
client = MlflowClient()
(found,) = client.search_runs([run.info.experiment_id])
print(found.data.params, found.data.metrics, mlflow.artifacts.load_text(found.info.artifact_uri + "/note.txt"))
print(client.create_registered_model("delay").name)
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


@pytest.fixture(scope="module")
def server(state: Path) -> MLflow:
    return services.mlflow()


def test_keeps_runs_artifacts_and_models_on_loopback_only(server: MLflow, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CLIENT],
        env={**os.environ, **server.env()},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-2:] == ["{'depth': '3'} {'mae': 11.5} snow", "delay"]
    assert list(tmp_path.iterdir()) == []  # all went over HTTP
    assert server.listening() == {("127.0.0.1", server.port)}


def test_is_one_process(server: MLflow) -> None:
    assert server._process is not None
    assert len(server._process.tree()) == 1


def test_leaves_nothing(server: MLflow) -> None:
    assert ended(server)


def test_that_dies_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MLflow, "furnish", lambda self, home: (home / "mlflow.db").write_text("no database"))
    with pytest.raises(
        StartError, match=r"did not start: it ended with status 1.*file is not a database"
    ) as caught:
        MLflow().start()
    assert "\n" not in str(caught.value)


def test_a_template_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    monkeypatch.setattr(module.sys, "executable", "/bin/false")
    with pytest.raises(Unavailable, match="MLflow's database could not be made"):
        module.template("broken", module.migrate)
    assert not list((state / "services" / "templates").glob("broken*/"))
