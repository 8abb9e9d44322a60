"""The servers of the course: the one table of what they are, what starts them and what stands for them elsewhere.

`services.X()` looks in this order, and takes the first that answers:

1. docker compose's, when compose is set up in this checkout (see `compose.py`);
2. that of `flightschool up`, but only where sharing can't disturb: a notebook that starts from the top must find an
   empty S3, no messages of last week in Kafka, no table in its way. So servers that keep what notebooks store
   (`shares=False`) are a notebook's own, which costs it a second; `services.up("s3")` is the terminal's one for
   whoever wants just that. The slow ones, which keep apart what their users do, are shared;
3. a new one, this process's own, which ends with it.

What is made to the caller's settings (`prometheus`, `alertmanager`, `airflow`) is always a new one.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from flightschool import paths
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.services import compose, state
from flightschool.services.base import Service, Unavailable


@dataclass(frozen=True)
class Compose:
    """What stands for a server in docker-compose.yml.

    Args:
        service: its name there, which is its host name for other containers.
        profile: what to start.
        port: where it is published on 127.0.0.1, moved by $FLIGHTSCHOOL_<NAME>_PORT; 0: only containers can use it.
        inner: where other containers reach it, when that is another port.
        path: a GET there must answer …
        proof: … with this text in the body. Empty: the class's `answers()` knows its product; where there is no class
            (Logstash, k3s), an open port must do.
        root: what such a server's address ends with.
        place: module and class for it, when the embedded one's does not do.
    """

    service: str
    profile: str
    port: int
    inner: int = 0
    path: str = "/"
    proof: str = ""
    root: str = ""
    place: str = ""


@dataclass(frozen=True)
class Server:
    """One row of the table.

    Args:
        name: what a command calls it; `services.` calls it the same, with `_` for `-`.
        what: what it is, in words.
        place: module and class of the embedded one, beside this file; empty when only compose has it.
        compose: what stands for it in compose; None when nothing does.
        needs: what must be installed beside the course's environment.
        shares: whether notebooks use the one of `flightschool up`.
        given: makes the arguments with which `flightschool up` makes it.
    """

    name: str
    what: str
    place: str = ""
    compose: Compose | None = None
    needs: str = ""
    shares: bool = False
    given: Callable[[], tuple[object, ...]] = tuple

    @property
    def embedded(self) -> bool:
        """Whether it runs without Docker."""
        return bool(self.place)

    def make(self) -> Service:
        """A new embedded one, not started. Raises Unavailable when only compose has it."""
        if not self.place:
            raise Unavailable(self.how())
        return load(self.place)(*self.given())

    def standin(self) -> Service:
        """An object that may stand for compose's, see `Service.at`."""
        assert self.compose is not None
        if self.compose.place:
            return load(self.compose.place)()
        return load(self.place)(*self.given()) if self.place else compose.Composed(self)

    def how(self) -> str:
        """One line that says how to start it in compose."""
        assert self.compose is not None
        return _(
            "{what} is not running; start it with: docker compose --profile {profile} up -d --wait"
        ).format(what=self.what, profile=self.compose.profile)


COMPOSED = [
    (
        "hdfs",
        "HDFS",
        Compose("namenode", "hdfs", 9870, 0, "/webhdfs/v1/?op=LISTSTATUS", '"FileStatuses"', "/webhdfs/v1"),
    ),
    ("lakefs", "lakeFS", Compose("lakefs", "core", 8000, 0, "/api/v1/setup_lakefs", '"state"')),
    (
        "evidently",
        "Evidently",
        Compose("evidently", "quality", 8010, 8000, "/api/version", '"application":"Evidently'),
    ),
    ("grafana", "Grafana", Compose("grafana", "monitoring", 3000, 0, "/api/health", '"database"')),
    (
        "elasticsearch",
        "Elasticsearch",
        Compose("elasticsearch", "logs", 9200, 0, "/", '"security_exception"'),
    ),
    ("logstash", "Logstash", Compose("logstash", "logs", 5045)),
    ("kibana", "Kibana", Compose("kibana", "logs", 5601, 0, "/api/status", '"level"')),
    ("vault", "Vault", Compose("vault", "security", 8200, 0, "/v1/sys/health", '"initialized":true')),
    ("marquez", "Marquez", Compose("marquez", "lineage", 5002, 5000, "/api/v1/namespaces", '"namespaces"')),
    ("jenkins", "Jenkins", Compose("jenkins", "ci", 8081, 8080, "/login", "Jenkins")),
    ("forge", "Forgejo", Compose("forge", "ci", 3001, 3000, "/api/healthz", '"status"')),
    ("k3s", "Kubernetes (k3s)", Compose("k3s", "k8s", 6443)),
]
"""Servers that only compose has: name, what it is, what stands for it."""


@cache
def table() -> dict[str, Server]:
    """All servers by name, in the order in which they are shown."""
    rows = [
        Server("s3", _("S3 and other AWS APIs"), "s3:S3", Compose("s3", "core", 7070, place="s3:ComposeS3")),
        Server(
            "kafka",
            "Kafka",
            "kafka:Kafka",
            Compose("kafka", "core", 9092, 19092, place="kafka:ComposeKafka"),
        ),
        Server("postgres", "PostgreSQL", "postgres:PostgreSQL", Compose("postgres", "core", 5432)),
        Server("azure", _("Azure Blob Storage"), "azure:AzureBlob", needs="npm: azurite"),
        Server("gcs", _("Google Cloud Storage"), "gcs:GoogleStorage"),
        Server("slack", _("Receiver of Slack's incoming webhooks"), "slack:Slack"),
        Server("openlineage", _("Receiver of OpenLineage events"), "openlineage:OpenLineage"),
        Server("git", _("Git remote with hooks"), "git:Git", needs="Debian: git"),
        Server(
            "prometheus",
            "Prometheus",
            "prometheus:Prometheus",
            Compose("prometheus", "monitoring", 9090, 0, "/api/v1/status/buildinfo", '"goVersion"'),
            needs="Debian: prometheus",
        ),
        Server(
            "alertmanager",
            "Alertmanager",
            "prometheus:Alertmanager",
            Compose("alertmanager", "monitoring", 9093),
            needs="Debian: prometheus-alertmanager",
        ),
        Server(
            "pushgateway",
            "Pushgateway",
            "prometheus:Pushgateway",
            Compose("pushgateway", "monitoring", 9091, 0, "/api/v1/status", '"build_information"'),
            needs="Debian: prometheus-pushgateway",
        ),
        Server(
            "node-exporter",
            _("Node exporter"),
            "prometheus:NodeExporter",
            Compose("node-exporter", "monitoring", 9100),
            needs="Debian: prometheus-node-exporter",
        ),
        Server("mlflow", "MLflow", "mlflow:MLflow", Compose("mlflow", "quality", 5000), shares=True),
        Server(
            "spark",
            _("Spark cluster"),
            "spark:Spark",
            Compose("spark-master", "orchestration", 0, 8090, place="spark:ComposeSpark"),
            needs="Debian: openjdk-17-jre-headless",
            shares=True,
        ),
        Server(
            "airflow",
            "Airflow",
            "airflow:Airflow",
            Compose("airflow-apiserver", "orchestration", 8080),
            given=dags,
        ),
        *(Server(name, what, compose=compose) for name, what, compose in COMPOSED),
    ]
    return {row.name: row for row in rows}


def dags() -> tuple[Path]:
    """The folder of DAGs for an Airflow that belongs to no lab: `dags` in the workspace, made when it is not there."""
    folder = paths.WORKSPACE / "dags"
    folder.mkdir(parents=True, exist_ok=True)
    return (folder,)


def server(name: str) -> Server:
    """The row of that name (`_` and `-` are alike). Raises FlightSchoolError, naming those that exist."""
    found = table().get(name.replace("_", "-"))
    if found is None:
        raise FlightSchoolError(
            _("There is no server {name!r}; there are {known}.").format(name=name, known=", ".join(table()))
        )
    return found


def load(place: str) -> type[Service]:
    """The class `module:name` of the folder servers/, imported now."""
    module, name = place.split(":")
    return cast(
        type[Service], getattr(importlib.import_module(f"flightschool.services.servers.{module}"), name)
    )


def elsewhere(name: str) -> Service | None:
    """A server of that kind that others run and this process may use; None when it should start its own."""
    row = table().get(name)
    if row is None:
        return None
    if (found := compose.find(row)) is not None:
        return found
    return up(name) if row.shares else None


def composed(name: str) -> Service:
    """The server that only compose has. Raises Unavailable when it does not answer."""
    row = server(name)
    if (found := compose.find(row)) is None:
        raise Unavailable(row.how())
    return found


def up(name: str) -> Service | None:
    """The server of that name that `flightschool up` runs; None when it does not, or does not answer."""
    row = server(name)
    record = state.up(row.name)
    if record is None:
        return None
    found = row.make().at(record.host, record.port, record.told, by="flightschool up")
    return found if found.ready() else None
