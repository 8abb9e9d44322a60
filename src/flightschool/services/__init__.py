"""The servers of the labs: ask for one, get a real one on loopback, started when first asked for.

    from flightschool import services

    s3 = services.s3()
    s3.client().create_bucket(Bucket="lake")

One server of a kind a process, so notebooks and learners don't meet. Each ends with this process, however
that ends.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flightschool.services.base import Service, StartError, Unavailable, replace, shared, stop_all

if TYPE_CHECKING:
    from flightschool.services.servers.hdfs import Hdfs
    from flightschool.services.servers.kafka import Kafka
    from flightschool.services.servers.s3 import S3
    from flightschool.services.servers.web import Web

__all__ = ["Service", "StartError", "Unavailable", "hdfs", "kafka", "s3", "stop_all", "web"]


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


def hdfs() -> "Hdfs":
    """HDFS, from docker compose only; `Unavailable` says how to start it."""
    from flightschool.services.servers.hdfs import hdfs

    return hdfs()
