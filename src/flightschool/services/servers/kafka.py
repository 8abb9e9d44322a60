"""Kafka's protocol over TCP, by librdkafka's mock broker."""

import json
import socket
import struct
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.services.base import PythonService, Unavailable, request

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
        status, body = request(self.port)
        if status != 200:
            return False
        self.bootstrap = json.loads(body)["bootstrap"]
        return speaks_kafka(self.bootstrap)

    def create_topic(self, name: str, partitions: int = 1, *, exist_ok: bool = False) -> None:
        """Create a topic, which the mock broker's missing admin API can't.

        Raises:
            FlightSchoolError: it exists (and not `exist_ok`), or the name or number is not valid.
        """
        if partitions < 1:
            raise FlightSchoolError(_("A topic needs at least one partition, not {n}.").format(n=partitions))
        body = json.dumps({"name": name, "partitions": partitions}).encode()
        try:
            status, reply = request(self.port, "/topics", method="POST", body=body)
        except OSError as error:
            raise Unavailable(_("The mock broker is not running: start it with services.kafka().")) from error
        if status == 409 and not exist_ok:
            raise FlightSchoolError(
                _("Topic {name} exists already: choose another name, or say exist_ok=True.").format(name=name)
            )
        if status not in (201, 409):
            raise FlightSchoolError(
                _("Topic {name} was not created: {reason}.").format(
                    name=name, reason=json.loads(reply)["problem"]
                )
            )


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
