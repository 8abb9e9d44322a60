"""Each server for real, with the clients that the labs use."""

import http.server
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flightschool import services
from flightschool.errors import FlightSchoolError
from flightschool.services import StartError, Unavailable
from flightschool.services.base import free_port, request
from flightschool.services.process import Supervised

# --- S3


def test_s3_takes_and_gives_objects_on_loopback_only() -> None:
    s3 = services.s3()
    client = s3.client()
    client.create_bucket(Bucket="lake")
    client.put_object(Bucket="lake", Key="flights/day=2013-02-08/a.txt", Body=b"snow")
    assert client.get_object(Bucket="lake", Key="flights/day=2013-02-08/a.txt")["Body"].read() == b"snow"
    assert {host for host, _port in s3.listening()} == {"127.0.0.1"}
    assert services.s3() is s3


def test_s3_other_aws_apis_answer_at_the_same_endpoint() -> None:
    client = services.s3().client("secretsmanager")
    client.create_secret(Name="warehouse", SecretString="dummy")
    assert client.get_secret_value(SecretId="warehouse")["SecretString"] == "dummy"


def test_s3_works_beside_a_learners_own_profile_and_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "my-company")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    s3 = services.s3()
    s3.client().create_bucket(Bucket="lake")
    code = (
        "import boto3; print([b['Name'] for b in boto3.client('s3').list_buckets()['Buckets']],"
        "boto3.Session().get_credentials().access_key)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **s3.env()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "['lake'] testing"


def test_s3_storage_options_for_pandas() -> None:
    import pandas as pd

    s3 = services.s3()
    s3.client().create_bucket(Bucket="lake")
    frame = pd.DataFrame({"carrier": ["UA", "B6"], "flights": [3, 5]})
    frame.to_parquet("s3://lake/day.parquet", storage_options=s3.storage_options)
    pd.testing.assert_frame_equal(
        pd.read_parquet("s3://lake/day.parquet", storage_options=s3.storage_options), frame
    )


def test_s3_is_new_after_a_stop() -> None:
    services.s3().client().create_bucket(Bucket="lake")
    services.s3().stop()
    assert services.s3().client().list_buckets()["Buckets"] == []


# --- Kafka


def test_kafka_carries_messages_between_processes_on_loopback_only() -> None:
    from confluent_kafka import Consumer

    kafka = services.kafka()
    kafka.create_topic("flights", partitions=3)
    code = (
        "import sys; from confluent_kafka import Producer\n"
        "p = Producer({'bootstrap.servers': sys.argv[1]})\n"
        "for n in range(100): p.produce('flights', key=str(n), value=f'flight {n}')\n"
        "print(p.flush(10), len(p.list_topics('flights').topics['flights'].partitions))"
    )
    sent = subprocess.run(
        [sys.executable, "-c", code, kafka.bootstrap], capture_output=True, text=True, check=True
    )
    assert sent.stdout.split() == ["0", "3"]
    consumer = Consumer(
        {"bootstrap.servers": kafka.bootstrap, "group.id": "test", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["flights"])
    values: set[bytes] = set()
    end = time.monotonic() + 120
    while len(values) < 100 and time.monotonic() < end:
        values |= {m.value() for m in consumer.consume(100, timeout=0.5) if m.error() is None}
    consumer.close()
    assert values == {f"flight {n}".encode() for n in range(100)}
    assert {host for host, _port in kafka.listening()} == {"127.0.0.1"}
    assert kafka.endpoint == kafka.bootstrap


def test_kafka_says_what_it_is() -> None:
    assert "mock broker" in services.kafka().label
    assert "mock broker" in repr(services.kafka())


def test_kafka_topics_that_cannot_be() -> None:
    kafka = services.kafka()
    kafka.create_topic("flights")
    with pytest.raises(FlightSchoolError, match="exists already"):
        kafka.create_topic("flights")
    kafka.create_topic("flights", exist_ok=True)
    with pytest.raises(FlightSchoolError, match="at least one partition"):
        kafka.create_topic("other", partitions=0)
    kafka.stop()
    with pytest.raises(Unavailable, match="not running"):
        kafka.create_topic("late")


def test_kafka_keeps_the_newest_five_megabytes_as_documented() -> None:
    from confluent_kafka import Consumer, Producer, TopicPartition

    kafka = services.kafka()
    kafka.create_topic("big")
    producer = Producer({"bootstrap.servers": kafka.bootstrap})
    for _ in range(120):
        producer.produce("big", os.urandom(100_000))
        producer.poll(0)
    assert producer.flush(20) == 0
    consumer = Consumer({"bootstrap.servers": kafka.bootstrap, "group.id": "test"})
    low, high = consumer.get_watermark_offsets(TopicPartition("big", 0), timeout=60)
    consumer.close()
    assert high == 120
    assert 3_500_000 < (high - low) * 100_000 <= 5_300_000


# --- Web

APP = """
import os
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    status = 200 if scope["path"] in ("/", "/health") else 404
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": b"VERSION " + os.environ.get("COLOUR", "").encode()})
"""


def write_app(folder: Path, version: str) -> None:
    (folder / "source.py").write_text(APP.replace("VERSION", version))


def test_web_serves_and_a_second_call_serves_the_new_code(tmp_path: Path) -> None:
    write_app(tmp_path, "one")
    first = services.web("source:app", tmp_path, ready="/health", env={"COLOUR": "blue"})
    with urllib.request.urlopen(first.url) as reply:
        assert reply.read() == b"one blue"
    write_app(tmp_path, "twofold")
    second = services.web("source:app", tmp_path, ready="/health")
    assert request(second.port)[1] == b"twofold "
    assert not first.running
    assert second.listening() == {("127.0.0.1", second.port)}


def test_web_of_different_names_run_side_by_side(tmp_path: Path) -> None:
    write_app(tmp_path, "one")
    blue = services.web("source:app", tmp_path, name="blue")
    green = services.web("source:app", tmp_path, name="green")
    assert blue.running
    assert green.running
    assert blue.log != green.log


def test_web_broken_application(tmp_path: Path) -> None:
    (tmp_path / "source.py").write_text("import no_such_module_0")
    with pytest.raises(StartError) as caught:
        services.web("source:app", tmp_path)
    assert "ModuleNotFoundError: No module named 'no_such_module_0'" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_web_that_answers_404_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flightschool.services.servers.web.Web.timeout", 2.0)
    write_app(tmp_path, "one")
    with pytest.raises(StartError, match=r"did not answer within 2 s.*404"):
        services.web("source:app", tmp_path, ready="/nowhere")


def test_web_without_folder(tmp_path: Path) -> None:
    with pytest.raises(FlightSchoolError, match="no folder"):
        services.web("source:app", tmp_path / "nowhere")


def test_web_stops_cleanly_with_a_connection_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flightschool.services.servers.web.Web.grace", 60.0)
    write_app(tmp_path, "one")
    web = services.web("source:app", tmp_path)
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", web.port)
    connection.request("GET", "/")
    connection.getresponse().read()
    begin = time.monotonic()
    web.stop()
    connection.close()
    assert time.monotonic() - begin < 50
    assert web._process is not None
    assert web._process.poll() in (0, 143)


# --- HDFS, and with it all that only compose has


@pytest.fixture
def compose_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLIGHTSCHOOL_COMPOSE")


@contextmanager
def name_node(reply: object) -> Iterator[int]:
    """A server that gives that answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(reply).encode())

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


@pytest.mark.usefixtures("compose_allowed")
def test_hdfs_when_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with name_node({"FileStatuses": {"FileStatus": []}}) as port:
        monkeypatch.setenv("FLIGHTSCHOOL_HDFS_PORT", str(port))
        with services.hdfs() as hdfs:
            assert hdfs.endpoint == f"http://127.0.0.1:{port}/webhdfs/v1"


@pytest.mark.usefixtures("compose_allowed")
@pytest.mark.parametrize("reply", [None, {"something": "else"}, "text"])
def test_hdfs_when_it_is_not(monkeypatch: pytest.MonkeyPatch, reply: object) -> None:
    with name_node(reply) as port:
        monkeypatch.setenv("FLIGHTSCHOOL_HDFS_PORT", str(port if reply else free_port()))
        with pytest.raises(Unavailable, match="docker compose --profile hdfs up -d --wait"):
            services.hdfs()


@pytest.mark.usefixtures("compose_allowed")
def test_hdfs_port_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLIGHTSCHOOL_HDFS_PORT", "many")
    with pytest.raises(Unavailable, match="not a port"):
        services.hdfs()


def test_every_server_is_told_not_to_call_home(tmp_path: Path) -> None:
    from flightschool.services.telemetry import OFF

    code = "import json, os; print(json.dumps(dict(os.environ)))"
    process = Supervised([sys.executable, "-c", code], log=tmp_path / "log", env={**os.environ, **OFF})
    while process.poll() is None:
        time.sleep(0.02)
    assert json.loads((tmp_path / "log").read_text()).items() >= OFF.items()
