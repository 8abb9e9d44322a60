"""MLflow's tracking server for real, by its client."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flightschool import services
from flightschool.services import StartError, Unavailable
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


@pytest.fixture(scope="module")
def server(state: Path) -> MLflow:
    return services.mlflow()


def test_keeps_runs_artifacts_and_models(server: MLflow, tmp_path: Path) -> None:
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


def test_is_one_process(server: MLflow) -> None:
    assert server._process is not None
    assert len(server._process.tree()) == 1


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
