"""The servers of the labs: ask for one, get a real one on loopback, started when first asked for.

    from flightschool import services

    s3 = services.s3()
    s3.client().create_bucket(Bucket="lake")

One server of a kind a process, so notebooks and learners don't meet. Each ends with this process, however
that ends. With docker compose up the same call gives compose's server; those that `flightschool up` runs are shared
where that disturbs nobody. `registry.py` has the list, and says in which order they are looked for. What only compose
has is asked for alike, `services.hdfs()`, `services.vault()`, and is `Unavailable`, with the command that starts it,
when it does not answer.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightschool.i18n import _
from flightschool.services.base import Service, StartError, Unavailable, replace, shared, stop_all

if TYPE_CHECKING:
    from flightschool.services.servers.airflow import Airflow
    from flightschool.services.servers.azure import AzureBlob
    from flightschool.services.servers.gcs import GoogleStorage
    from flightschool.services.servers.git import Git
    from flightschool.services.servers.kafka import Kafka
    from flightschool.services.servers.mlflow import MLflow
    from flightschool.services.servers.openlineage import OpenLineage
    from flightschool.services.servers.postgres import PostgreSQL
    from flightschool.services.servers.prometheus import Alertmanager, NodeExporter, Prometheus, Pushgateway
    from flightschool.services.servers.s3 import S3
    from flightschool.services.servers.slack import Slack
    from flightschool.services.servers.spark import Spark
    from flightschool.services.servers.web import Web

__all__ = [
    "Service",
    "StartError",
    "Unavailable",
    "airflow",
    "alertmanager",
    "azure",
    "gcs",
    "git",
    "kafka",
    "mlflow",
    "node_exporter",
    "openlineage",
    "postgres",
    "prometheus",
    "pushgateway",
    "s3",
    "slack",
    "spark",
    "stop_all",
    "up",
    "web",
]


def s3() -> "S3":
    """S3 and other AWS APIs, by moto. In memory."""
    from flightschool.services.servers.s3 import S3

    return shared("s3", S3)


def kafka() -> "Kafka":
    """A broker that speaks Kafka's protocol: librdkafka's mock broker. In memory, no admin API."""
    from flightschool.services.servers.kafka import Kafka

    return shared("kafka", Kafka)


def web(
    app: str, cwd: Path, *, ready: str = "/", env: Mapping[str, str] | None = None, name: str = "web"
) -> "Web":
    """The ASGI application `app` (`module:attribute`) of the folder `cwd`, served anew.

    A second call with the same `name` replaces the first server, so that a cell run again serves the new code.
    It is ready when GET `ready` answers below 400.
    """
    from flightschool.services.servers.web import Web

    return replace(("web", name), Web(app, cwd, ready=ready, env=env, name=name))


def slack() -> "Slack":
    """A receiver of Slack's incoming webhooks, which shows its messages."""
    from flightschool.services.servers.slack import Slack

    return shared("slack", Slack)


def openlineage() -> "OpenLineage":
    """A receiver of OpenLineage events."""
    from flightschool.services.servers.openlineage import OpenLineage

    return shared("openlineage", OpenLineage)


def git() -> "Git":
    """A Git remote with hooks: an empty bare repository."""
    from flightschool.services.servers.git import Git

    return shared("git", Git)


def up(name: str) -> Service:
    """The server of that name that `flightschool up` runs, those too that a notebook has for itself by default.

    Raises:
        Unavailable: it does not run, or does not answer.
    """
    from flightschool.services import registry

    found = registry.up(name)
    if found is None:
        raise Unavailable(
            _("{name} is not running; start it in a terminal with: flightschool up {name}").format(name=name)
        )
    return found


def postgres() -> "PostgreSQL":
    """PostgreSQL 18, with a generated password. What it holds goes when it stops."""
    from flightschool.services.servers.postgres import PostgreSQL

    return shared("postgres", PostgreSQL)


def azure() -> "AzureBlob":
    """Azure Blob Storage's API, by Azurite. In memory; installed from npm when first asked for."""
    from flightschool.services.servers.azure import AzureBlob

    return shared("azure", AzureBlob)


def gcs() -> "GoogleStorage":
    """Google Cloud Storage's API, by an emulator. In memory, without authentication."""
    from flightschool.services.servers.gcs import GoogleStorage

    return shared("gcs", GoogleStorage)


def prometheus(
    targets: Mapping[str, Sequence[str]] | None = None,
    *,
    rules: Sequence[Path] = (),
    alertmanagers: Sequence[str] = (),
    interval: float = 1.0,
    settings: Mapping[str, Any] | None = None,
) -> "Prometheus":
    """A new Prometheus in place of the one before, which scrapes `targets` (a job each) and evaluates `rules`.

    For the arguments see `Prometheus`. A running one learns of changed files by `reload()`.
    """
    from flightschool.services.servers.prometheus import Prometheus

    made = Prometheus(targets, rules=rules, alertmanagers=alertmanagers, interval=interval, settings=settings)
    return replace("prometheus", made)


def alertmanager(settings: Mapping[str, Any] | None = None) -> "Alertmanager":
    """A new Alertmanager in place of the one before; `settings` is what its YAML file would hold."""
    from flightschool.services.servers.prometheus import Alertmanager

    return replace("alertmanager", Alertmanager(settings))


def pushgateway() -> "Pushgateway":
    """Where batch jobs leave their metrics for Prometheus. In memory."""
    from flightschool.services.servers.prometheus import Pushgateway

    return shared("pushgateway", Pushgateway)


def node_exporter() -> "NodeExporter":
    """This machine's own metrics, for Prometheus."""
    from flightschool.services.servers.prometheus import NodeExporter

    return shared("node-exporter", NodeExporter)


def mlflow() -> "MLflow":
    """MLflow's tracking server. What it holds goes when it stops."""
    from flightschool.services.servers.mlflow import MLflow

    return shared("mlflow", MLflow)


def spark() -> "Spark":
    """A Spark standalone cluster: a master and two workers of one core each."""
    from flightschool.services.servers.spark import Spark

    return shared("spark", Spark)


def airflow(dags: Path) -> "Airflow":
    """Airflow with the DAGs of that folder: scheduler, DAG processor, API server, triggerer, two slots."""
    from flightschool.services.servers.airflow import Airflow

    return shared(("airflow", dags.resolve()), lambda: Airflow(dags))


def __getattr__(name: str) -> "Callable[[], Service]":
    """The servers that only compose has, as functions: `services.vault()`."""
    row = None
    # Python asks for a submodule here before it imports it: that is not our business.
    if not name.startswith("_") and find_spec(f"{__name__}.{name}") is None:
        from flightschool.services import registry

        row = registry.table().get(name.replace("_", "-"))
    if row is None or row.embedded:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return partial(registry.composed, row.name)


def __dir__() -> list[str]:
    from flightschool.services import registry

    return [*__all__, *(one.name.replace("-", "_") for one in registry.table().values() if not one.embedded)]
