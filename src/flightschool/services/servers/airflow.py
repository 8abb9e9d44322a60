"""Airflow, all of it: scheduler, DAG processor, API server and triggerer, as `airflow standalone` runs them."""

import base64
import importlib.metadata
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.services.base import LOOPBACK, PythonService, Unavailable
from flightschool.services.servers.home import Housed, template
from flightschool.services.telemetry import OFF

TREE = Path(__file__).with_name("airflow_components.py")
SLOTS = 2
COMPONENTS = {
    "scheduler": ["--skip-serve-logs"],  # the log servers know no address but 0.0.0.0, and the API server
    "dag-processor": [],
    "api-server": [],
    "triggerer": ["--skip-serve-logs"],  # reads the same files
}
USER = "admin"


class Airflow(Housed, PythonService):
    """Airflow with the DAGs of one folder, two task slots, SQLite, and a generated password.

    Never shared, since its DAGs are those of one lab. Of one that others run, `flightschool up` or compose, `api()` is
    what there is. Its own AIRFLOW_HOME, from a database migrated once a state folder. Ready when scheduler, DAG processor and
    triggerer have reported to the API server.

    Args:
        dags: the folder of DAG files; a file that changes there is read again within seconds.

    Raises:
        FlightSchoolError: there is no such folder.
    """

    name = "airflow"
    timeout = 120.0
    grace = 4.0
    told = ("password",)
    stop_signal = signal.SIGINT  # SIGTERM orphans the processes of the scheduler's executor

    def __init__(self, dags: Path) -> None:
        super().__init__()
        if not dags.is_dir():
            raise FlightSchoolError(_("There is no folder {folder} of DAGs.").format(folder=dags))
        self.dags = dags.resolve()
        self.password = secrets.token_urlsafe(16)
        self._keys = {
            "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(32),
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
            "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        }
        self._token = ""

    @property
    def label(self) -> str:
        return _("Airflow (standalone, two slots)")

    @property
    def folder(self) -> Path | None:
        return self.home

    def furnish(self, home: Path) -> None:
        source = template(f"airflow-{importlib.metadata.version('apache-airflow-core')}", migrate)
        shutil.copy(source / "airflow.db", home)
        # A file that is there is not written by four processes at once; all that counts is in the environment.
        (home / "airflow.cfg").touch()
        passwords = home / "simple_auth_manager_passwords.json.generated"
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({USER: self.password}))

    def command(self, port: int) -> Sequence[str]:
        commands = [[name, *options] for name, options in COMPONENTS.items()]
        return self.python(str(TREE), json.dumps(commands))

    def environment(self) -> Mapping[str, str]:
        return self.env()

    def env(self) -> dict[str, str]:
        """Variables with which the `airflow` command of another process works on this one.

        Raises:
            Unavailable: this process has not started it, and its database and keys are not ours.
        """
        if self.home is None:
            raise Unavailable(_("The airflow command works on an Airflow of this process alone; use api()."))
        return {
            **settings(self.home),
            **self._keys,
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__API__HOST": LOOPBACK,
            "AIRFLOW__API__PORT": str(self.port),
            "AIRFLOW__API__BASE_URL": self.endpoint,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.endpoint}/execution/",
        }

    def answers(self) -> bool:
        status, body = self.request("/api/v2/monitor/health")
        parts = json.loads(body) if status == 200 else {}
        wanted = ("metadatabase", "scheduler", "dag_processor", "triggerer")
        return all(parts.get(part, {}).get("status") == "healthy" for part in wanted)

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One request of Airflow's REST API, `path` below `/api/v2`; the reply's JSON.

        Raises:
            FlightSchoolError: Airflow refused it; the message holds its reason.
        """
        self._token = self._token or self._send("POST", "/auth/token", self._login())["access_token"]
        return self._send(method, f"/api/v2/{path.lstrip('/')}", body)

    def at_compose(self, settings: Mapping[str, str]) -> None:
        self.password = settings.get("AIRFLOW_PASSWORD", "")

    def _login(self) -> dict[str, str]:
        return {"username": USER, "password": self.password}

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        content = None if body is None else json.dumps(body).encode()
        status, reply = self.request(path, method=method, body=content, headers=headers, timeout=30)
        if status >= 400:
            raise FlightSchoolError(
                _("Airflow refused {method} {path} with status {status}: {reason}").format(
                    method=method, path=path, status=status, reason=reply.decode(errors="replace")[:500]
                )
            )
        return json.loads(reply) if reply else None


def settings(home: Path | None) -> dict[str, str]:
    """Airflow's settings that do not depend on ports, secrets and DAGs."""
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__PARALLELISM": str(SLOTS),
        "AIRFLOW__CORE__AUTH_MANAGER": (
            "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
        ),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": f"{home}/simple_auth_manager_passwords.json.generated",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": f"{home}/logs",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "5",
        "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": LOOPBACK,
    }


def migrate(folder: Path) -> None:
    """Make Airflow's empty database in that folder."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "airflow", "db", "migrate"],
        cwd=folder,
        env={**os.environ, **OFF, **settings(folder)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        reason = " | ".join(done.stdout.strip().splitlines()[-3:])
        raise Unavailable(_("Airflow's database could not be made: {reason}").format(reason=reason))
