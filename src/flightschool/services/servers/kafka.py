"""Kafka's protocol over TCP, by librdkafka's mock broker."""

import json
import socket
import struct
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.services.base import PythonService, Unavailable

BROKER = Path(__file__).with_name("kafka_broker.py")
API_VERSIONS = 18
CORRELATION = 2013


class Kafka(PythonService):
    """librdkafka's own mock broker in a process of its own, for any Kafka client on this machine.

    Real over the wire: producing, consumer groups, commits, transactions. Not there: the admin API
    (`create_topic` stands in), disk (all is gone when it stops), long retention: a partition keeps its newest
    5 MB. A topic that a client names before it was created appears by itself, with four partitions.
    """

    name = "kafka"
    told = ("bootstrap",)

    def __init__(self) -> None:
        super().__init__()
        self.bootstrap = ""

    @property
    def label(self) -> str:
        return _("Kafka protocol, served by librdkafka's mock broker")

    @property
    def endpoint(self) -> str:
        return self.bootstrap

    def command(self, port: int) -> Sequence[str]:
        return self.python(str(BROKER), str(port), "1")

    def answers(self) -> bool:
        status, body = self.request()
        if status != 200:
            return False
        self.bootstrap = json.loads(body)["bootstrap"]
        return speaks_kafka(self.bootstrap)

    def create_topic(self, name: str, partitions: int = 1, *, exist_ok: bool = False) -> None:
        """Create a topic, which the mock broker's missing admin API can't.

        Raises:
            FlightSchoolError: it exists (and not `exist_ok`), or the name or number is not valid.
        """
        _check(partitions)
        body = json.dumps({"name": name, "partitions": partitions}).encode()
        try:
            status, reply = self.request("/topics", method="POST", body=body)
        except OSError as error:
            raise Unavailable(_("The mock broker is not running: start it with services.kafka().")) from error
        if status == 409 and not exist_ok:
            raise _taken(name)
        if status not in (201, 409):
            raise _refused(name, json.loads(reply)["problem"])


class ComposeKafka(Kafka):
    """The broker of compose: Apache Kafka, one node, on disk."""

    @property
    def label(self) -> str:
        return "Apache Kafka"

    def answers(self) -> bool:
        self.bootstrap = f"{self.host}:{self.port}"
        return speaks_kafka(self.bootstrap)

    def create_topic(self, name: str, partitions: int = 1, *, exist_ok: bool = False) -> None:
        """Create a topic by Kafka's admin API. Raises as the mock broker's does."""
        from confluent_kafka import KafkaError, KafkaException
        from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

        _check(partitions)
        admin = AdminClient({"bootstrap.servers": self.bootstrap})
        try:
            admin.create_topics([NewTopic(name, partitions, 1)], request_timeout=10)[name].result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise _refused(name, error.args[0].str()) from error
            if not exist_ok:
                raise _taken(name) from None


def _check(partitions: int) -> None:
    if partitions < 1:
        raise FlightSchoolError(_("A topic needs at least one partition, not {n}.").format(n=partitions))


def _taken(name: str) -> FlightSchoolError:
    return FlightSchoolError(
        _("Topic {name} exists already: choose another name, or say exist_ok=True.").format(name=name)
    )


def _refused(name: str, reason: str) -> FlightSchoolError:
    return FlightSchoolError(_("Topic {name} was not created: {reason}.").format(name=name, reason=reason))


def speaks_kafka(address: str) -> bool:
    """Whether `host:port` answers Kafka's ApiVersions request (version 0) without error. Raises OSError.

    Layout: https://kafka.apache.org/protocol (big-endian; size, then header v1, then an empty body).
    """
    host, port = address.rsplit(":", 1)
    client = b"flightschool"
    question = struct.pack(f">hhih{len(client)}s", API_VERSIONS, 0, CORRELATION, len(client), client)
    with (
        closing(socket.create_connection((host, int(port)), timeout=2)) as connection,
        connection.makefile("rb") as reply,
    ):
        connection.sendall(struct.pack(">i", len(question)) + question)
        head = reply.read(10)
    return len(head) == 10 and struct.unpack(">iih", head)[1:] == (CORRELATION, 0)
