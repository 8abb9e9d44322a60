"""MLflow's tracking server."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from flightschool.i18n import _
from flightschool.services.base import LOOPBACK, PythonService, Unavailable
from flightschool.services.servers.home import Housed, template
from flightschool.services.telemetry import OFF

SERVER = Path(__file__).with_name("mlflow_server.py")


class MLflow(Housed, PythonService):
    """A tracking server with one worker: runs in SQLite and artifacts beside it, gone when it stops."""

    name = "mlflow"
    timeout = 90.0

    @property
    def label(self) -> str:
        return _("MLflow tracking server")

    @property
    def tracking_uri(self) -> str:
        """What `mlflow.set_tracking_uri` wants."""
        return self.endpoint

    @property
    def folder(self) -> Path | None:
        return self.home

    def env(self) -> dict[str, str]:
        """Variables that point MLflow's clients here."""
        return {"MLFLOW_TRACKING_URI": self.tracking_uri, "MLFLOW_DISABLE_TELEMETRY": "true"}

    def furnish(self, home: Path) -> None:
        source = template(f"mlflow-{importlib.metadata.version('mlflow')}", migrate)
        shutil.copy(source / "mlflow.db", home)

    def command(self, port: int) -> Sequence[str]:
        return self.python(
            *(str(SERVER), "--host", LOOPBACK, "--port", str(port), "--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{self.home}/mlflow.db"),
            *("--artifacts-destination", f"file://{self.home}/artifacts", "--serve-artifacts"),
        )

    def environment(self) -> Mapping[str, str]:
        return {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}

    def answers(self) -> bool:
        status, body = self.request("/api/2.0/mlflow/experiments/search?max_results=1")
        return status == 200 and b"experiments" in body


def migrate(folder: Path) -> None:
    """Make an empty database of MLflow in that folder."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "mlflow", "db", "upgrade", f"sqlite:///{folder}/mlflow.db"],
        cwd=folder,
        env={**os.environ, **OFF},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        reason = " | ".join(done.stdout.strip().splitlines()[-3:])
        raise Unavailable(_("MLflow's database could not be made: {reason}").format(reason=reason))
