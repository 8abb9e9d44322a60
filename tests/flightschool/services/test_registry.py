"""One table of servers, compose's in place of ours, and the file in which what runs is written down."""

import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from flightschool import paths, services
from flightschool.errors import FlightSchoolError
from flightschool.services import Unavailable, compose, registry, state
from flightschool.services.base import Service, free_port

ROOT = Path(__file__).resolve().parents[3]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
TABLE = registry.table()


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.embedded])
def test_every_embedded_server_can_be_made_and_has_its_accessor(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "WORKSPACE", tmp_path)
    service = TABLE[name].make()
    assert isinstance(service, Service)
    assert service.name == name
    assert service.label
    accessor = name.replace("-", "_")
    assert callable(getattr(services, accessor))
    assert accessor in services.__all__
    for attribute in service.told:
        json.dumps(getattr(service, attribute))


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.compose])
def test_compose_file_says_the_same(name: str) -> None:
    row = TABLE[name].compose
    assert row is not None
    there = COMPOSE[row.service]
    assert row.profile in there["profiles"]
    ports = [re.sub(r"\$\{\w+:-(\d+)\}", r"\1", port) for port in there.get("ports", [])]
    published = [port.split(":")[1:] for port in ports]
    if row.port:
        assert str(row.port) in [outer for outer, _inner in published], "published on loopback"
    if row.inner and row.inner != 19092:  # Kafka's other listener, which is not published
        assert str(row.inner) in [inner for _outer, inner in published]


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if not row.embedded])
def test_what_only_compose_has_says_how_to_start_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = TABLE[name].compose
    assert row is not None
    with pytest.raises(Unavailable) as caught:
        getattr(services, name)()
    assert f"docker compose --profile {row.profile} up -d --wait" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert name in dir(services)


def test_no_server_of_that_name() -> None:
    with pytest.raises(FlightSchoolError, match=r"no server 'oracle'; there are s3, kafka"):
        registry.server("oracle")
    with pytest.raises(AttributeError):
        services.oracle  # noqa: B018
    assert registry.server("node_exporter").name == "node-exporter"


# --- compose's


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """A checkout of our own, in which compose can be set up."""
    monkeypatch.delenv("FLIGHTSCHOOL_COMPOSE")
    monkeypatch.setattr(paths, "ROOT", tmp_path)

    def set_up(settings: dict[str, str]) -> None:
        (tmp_path / ".env").write_text("".join(f"{key}={value}\n" for key, value in settings.items()))

    return set_up


def test_compose_stands_for_ours_when_it_is_set_up(
    checkout: Callable[[dict[str, str]], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with registry.table()["s3"].make() as theirs:
        settings = {"S3_ACCESS_KEY_ID": "abc", "S3_SECRET_ACCESS_KEY": "def"}
        with services.s3() as own:
            assert own.port != theirs.port, "nothing is set up yet"
        checkout({**settings, "FLIGHTSCHOOL_S3_PORT": str(theirs.port)})
        s3 = services.s3()
        assert s3.port == theirs.port
        assert s3.env()["AWS_ACCESS_KEY_ID"] == "abc"
        assert s3.storage_options["secret"] == "def"
        assert "docker compose" in repr(s3)
        s3.client().create_bucket(Bucket="lake")
        s3.stop()
        assert theirs.running, "compose's is not ours to stop"
        assert services.s3() is s3
        monkeypatch.setenv("FLIGHTSCHOOL_COMPOSE", "off")
        assert compose.find(registry.server("s3")) is None
    assert services.s3().port != theirs.port, "compose is down: a server of our own"


def test_something_else_at_composes_port_is_not_taken_for_it(
    checkout: Callable[[dict[str, str]], None],
) -> None:
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever).start()
        port = str(server.server_port)
        names = ("S3", "KAFKA", "PROMETHEUS", "VAULT", "GRAFANA", "MLFLOW")
        checkout({f"FLIGHTSCHOOL_{name}_PORT": port for name in names})
        try:
            for name in names:
                assert compose.find(registry.server(name.lower())) is None, name
        finally:
            server.shutdown()


def test_compose_that_is_down_is_not_found(checkout: Callable[[dict[str, str]], None]) -> None:
    checkout({f"FLIGHTSCHOOL_{name.upper().replace('-', '_')}_PORT": str(free_port()) for name in TABLE})
    for row in TABLE.values():
        assert compose.find(row) is None


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.compose])
def test_composes_can_be_stood_for(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "WORKSPACE", tmp_path)
    service = TABLE[name].standin().at("127.0.0.1", free_port(), {}, by="docker compose")
    service.at_compose({})
    assert not service.ready()
    assert service.label
    if not TABLE[name].embedded:
        with pytest.raises(Unavailable, match="docker compose --profile"):
            service.start()


def test_composes_spark_is_reached_by_the_names_of_its_network() -> None:
    spark = TABLE["spark"].standin().at("spark-master", 8090, {}, by="docker compose")
    spark.at_compose({})
    assert spark.endpoint == "spark://spark-master:7077"
    command = " ".join(COMPOSE["spark-master"]["command"])
    assert "--host spark-master --port 7077 --webui-port 8090" in command
    settings = spark.config()  # type: ignore[attr-defined]
    assert settings["spark.driver.host"] == socket.gethostname()
    assert "SPARK_LOCAL_IP" not in spark.env()  # type: ignore[attr-defined]


def test_the_airflow_of_others_has_its_api_and_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "WORKSPACE", tmp_path)
    airflow = TABLE["airflow"].standin().at("127.0.0.1", free_port(), {}, by="docker compose")
    airflow.at_compose({"AIRFLOW_PASSWORD": "abc"})
    assert airflow.password == "abc"  # type: ignore[attr-defined]
    with pytest.raises(Unavailable, match=r"use api\(\)"):
        airflow.env()  # type: ignore[attr-defined]


# --- records


def test_a_record_is_readable_by_its_owner_alone_and_goes_with_the_server() -> None:
    slack = services.slack()
    (path,) = state.folder().iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    (record,), _gone = state.running()
    assert (record.name, record.port, record.owner) == ("slack", slack.port, str(os.getpid()))
    slack.stop()
    assert state.running() == ([], [])


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "s3"}', '{"keeper": 5, "guardians": []}'])
def test_a_damaged_record_is_removed(content: str) -> None:
    state.folder().mkdir(parents=True)
    (state.folder() / "s3-up.json").write_text(content)
    assert state.running() == ([], [])
    assert not list(state.folder().iterdir())
    assert state.up("s3") is None


def test_a_record_of_before_the_reboot_is_stale_though_its_numbers_run_again() -> None:
    """The same process numbers, born at another time."""
    services.kafka()
    (path,) = state.folder().iterdir()
    content = json.loads(path.read_text())
    content["keeper"][1] -= 1000
    path.write_text(json.dumps(content))
    assert [len(part) for part in state.running()] == [0, 1]


def test_a_later_record_of_the_same_name_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keeper that ends late must not forget the server that `flightschool up` has started meanwhile."""
    monkeypatch.setattr(state, "owner", state.UP)
    with services.kafka() as kafka:
        (path,) = state.folder().iterdir()
        content = json.loads(path.read_text())
        content["keeper"] = [1, state.born(1)]
        path.write_text(json.dumps(content))
        assert not state.noted("kafka")
        kafka.stop()
        assert path.is_file()


def test_old_logs_of_nobody_are_swept() -> None:
    kafka = services.kafka()
    stale, fresh = kafka.log.with_name("s3-1.log"), kafka.log.with_name("s3-2.log")
    for log in (stale, fresh):
        log.write_text("x")
    for log in (stale, kafka.log):
        os.utime(log, (0, 0))
    state.sweep()
    assert [one.exists() for one in (stale, fresh, kafka.log)] == [False, True, True]


def test_the_command_line_imports_nothing_of_this_room() -> None:
    code = "import sys, flightschool.cli; print([m for m in sys.modules if m.startswith('flightschool.services')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
