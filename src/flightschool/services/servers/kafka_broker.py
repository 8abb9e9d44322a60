"""The broker process behind `services.kafka()`: librdkafka's mock cluster, and an HTTP door to create topics.

    python kafka_broker.py PORT BROKERS

`GET /` gives `{"bootstrap": "127.0.0.1:…"}`; `POST /topics` with `{"name": …, "partitions": …}` creates a
topic and answers 201, or 409 when it is there already. The library is the one inside the confluent_kafka wheel;
its functions are those of `rdkafka_mock.h`, which may change between releases: the lock pins the release, a test
the use.
"""

import ctypes
import importlib.util
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LOOPBACK = "127.0.0.1"
PRODUCER = 0  # rd_kafka_type_t
ALREADY_EXISTS = 36  # RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS


def librdkafka() -> ctypes.CDLL:
    """The library, with the result types that are not int. Found by its importer, since wheels rename it."""
    spec = importlib.util.find_spec("confluent_kafka")
    if spec is None or spec.origin is None:
        sys.exit("confluent_kafka is not installed")
    (extension,) = Path(spec.origin).parent.glob("cimpl.*.so")
    library = ctypes.CDLL(str(extension))  # symbols of what it links to are found through it
    for function in ("conf_new", "new", "mock_cluster_new"):
        getattr(library, f"rd_kafka_{function}").restype = ctypes.c_void_p
    for function in ("mock_cluster_bootstraps", "err2str"):
        getattr(library, f"rd_kafka_{function}").restype = ctypes.c_char_p
    return library


class Cluster:
    """A running mock cluster. It lives as long as the process."""

    def __init__(self, brokers: int) -> None:
        self.library = librdkafka()
        reason = ctypes.create_string_buffer(512)
        configuration = ctypes.c_void_p(self.library.rd_kafka_conf_new())
        client = self.library.rd_kafka_new(PRODUCER, configuration, reason, ctypes.c_size_t(len(reason)))
        if not client:
            sys.exit(f"librdkafka: {reason.value.decode()}")
        self.handle = ctypes.c_void_p(
            self.library.rd_kafka_mock_cluster_new(ctypes.c_void_p(client), brokers)
        )
        if not self.handle:
            sys.exit("librdkafka: no mock cluster")

    @property
    def bootstrap(self) -> str:
        """The brokers' addresses, as clients want them."""
        addresses: bytes = self.library.rd_kafka_mock_cluster_bootstraps(self.handle)
        return addresses.decode()

    def create_topic(self, name: str, partitions: int) -> str | None:
        """Create it on all brokers; the library's reason when it did not, `exists` when it is there."""
        error: int = self.library.rd_kafka_mock_topic_create(self.handle, name.encode(), partitions, 1)
        if error == ALREADY_EXISTS:
            return "exists"
        return self.library.rd_kafka_err2str(error).decode() if error else None


class Door(BaseHTTPRequestHandler):
    """The two requests above."""

    cluster: Cluster

    def do_GET(self) -> None:
        self._reply(200, {"bootstrap": self.cluster.bootstrap})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        problem = self.cluster.create_topic(asked["name"], asked["partitions"])
        self._reply({None: 201, "exists": 409}.get(problem, 400), {"problem": problem})

    def _reply(self, status: int, content: dict[str, str | None]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main(port: int, brokers: int) -> None:
    """Serve until killed."""
    Door.cluster = Cluster(brokers)
    ThreadingHTTPServer((LOOPBACK, port), Door).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
