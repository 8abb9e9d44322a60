"""Prometheus, Alertmanager, Pushgateway and node exporter for real, together."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Gauge, push_to_gateway

from flightschool import services
from flightschool.errors import FlightSchoolError
from flightschool.services import Service, StartError, Unavailable
from flightschool.services.servers.prometheus import Alertmanager, NodeExporter, Prometheus, Pushgateway

Until = Callable[[Callable[[], Any]], Any]
RULE = """
groups:
- name: freshness
  rules:
  - alert: TooFewRows
    expr: rows_loaded < 10
    labels: {severity: page}
    annotations: {summary: "{{ $value }} rows"}
"""


@pytest.fixture(scope="module")
def pages() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A webhook receiver: its address, and what it has received."""
    received: list[dict[str, Any]] = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/", received
        server.shutdown()


@pytest.fixture(scope="module")
def pushgateway(state: Path) -> Pushgateway:
    return services.pushgateway()


@pytest.fixture(scope="module")
def node(state: Path) -> NodeExporter:
    return services.node_exporter()


@pytest.fixture(scope="module")
def alertmanager(state: Path, pages: tuple[str, list[Any]]) -> Alertmanager:
    return services.alertmanager(
        {
            "route": {"receiver": "pager", "group_wait": "0s", "group_interval": "1s"},
            "receivers": [{"name": "pager", "webhook_configs": [{"url": pages[0]}]}],
        }
    )


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "rules.yml"
    path.write_text(RULE)
    return path


@pytest.fixture(scope="module")
def prometheus(
    state: Path, pushgateway: Pushgateway, node: NodeExporter, alertmanager: Alertmanager, rules: Path
) -> Prometheus:
    return services.prometheus(
        {"batch": [pushgateway.target], "node": [node.target]},
        rules=[rules],
        alertmanagers=[alertmanager.target],
        interval=0.5,
    )


def test_a_batch_job_with_too_few_rows_pages_somebody(
    prometheus: Prometheus,
    pushgateway: Pushgateway,
    alertmanager: Alertmanager,
    pages: tuple[str, list[dict[str, Any]]],
    until: Until,
) -> None:
    registry = CollectorRegistry()
    Gauge("rows_loaded", "Rows of the last run", registry=registry).set(3)
    push_to_gateway(pushgateway.target, job="nightly", registry=registry)
    assert until(lambda: prometheus.query("rows_loaded{job='nightly'} == 3"))
    assert until(prometheus.alerts)[0]["labels"]["alertname"] == "TooFewRows"
    assert until(lambda: pages[1])[0]["alerts"][0]["annotations"] == {"summary": "3 rows"}
    assert alertmanager.alerts()[0]["labels"]["severity"] == "page"


def test_scrapes_this_machine_and_text_files(
    prometheus: Prometheus, node: NodeExporter, until: Until
) -> None:
    (node.textfiles / "lab.prom").write_text("lab_lessons 9\n")
    assert until(lambda: prometheus.query("lab_lessons"))[0]["value"][1] == "9"
    assert prometheus.query("count(node_cpu_seconds_total{job='node'}) > 0")
    now = datetime.now(UTC)
    (series,) = prometheus.query_range("up{job='node'}", now - timedelta(seconds=3), now)
    assert {value for _time, value in series["values"]} == {"1"}


def test_an_expression_that_is_none(prometheus: Prometheus) -> None:
    with pytest.raises(FlightSchoolError, match=r"Prometheus says: .*parse error"):
        prometheus.query("sum(")


def test_reloads_what_is_right_and_keeps_the_old_when_it_is_wrong(
    prometheus: Prometheus, rules: Path, until: Until
) -> None:
    rules.write_text("groups: 3")
    with pytest.raises(FlightSchoolError, match="Prometheus kept its old settings"):
        prometheus.reload()
    assert prometheus.running
    rules.write_text(RULE.replace("TooFewRows", "FewRows"))
    prometheus.reload()
    assert until(lambda: [one for one in prometheus.alerts() if one["labels"]["alertname"] == "FewRows"])


def test_alertmanager_reloads_what_is_right_and_keeps_the_old_when_it_is_wrong(
    alertmanager: Alertmanager,
) -> None:
    before = alertmanager.settings
    alertmanager.settings = {"route": {"receiver": "nowhere"}}
    with pytest.raises(FlightSchoolError, match="Alertmanager kept its old settings"):
        alertmanager.reload()
    alertmanager.settings = before
    alertmanager.reload()


def test_wrong_settings_are_one_sentence() -> None:
    with pytest.raises(StartError, match=r"Prometheus did not start: it ended.*ScrapeConfig") as caught:
        Prometheus(settings={"scrape_configs": 3}).start()
    assert "\n" not in str(caught.value)
    with pytest.raises(StartError, match=r"Alertmanager did not start: it ended.*nowhere"):
        Alertmanager({"route": {"receiver": "nowhere"}}).start()


@pytest.mark.parametrize(
    ("make", "package"),
    [
        (Prometheus, "prometheus"),
        (Alertmanager, "prometheus-alertmanager"),
        (Pushgateway, "prometheus-pushgateway"),
        (NodeExporter, "prometheus-node-exporter"),
    ],
)
def test_that_is_not_installed(
    make: Callable[[], Service], package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    server = make()
    with pytest.raises(Unavailable, match=rf"is not installed .*sudo apt-get install {package}\.$"):
        server.start()
    assert not getattr(server, "home", None)


def test_text_files_of_a_node_exporter_that_does_not_run() -> None:
    with pytest.raises(Unavailable, match=r"services\.node_exporter\(\)"):
        _ = NodeExporter().textfiles
