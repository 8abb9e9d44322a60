"""Prometheus and those around it: the Alertmanager, the Pushgateway and the node exporter, of the system's packages."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.services.base import LOOPBACK, Service, Unavailable
from flightschool.services.servers.home import Housed
from flightschool.services.servers.program import program

Settings = Mapping[str, Any]
"""What such a server's YAML file would hold."""


class Prometheus(Housed):
    """A Prometheus server that keeps its series in a folder of its own.

    Args:
        targets: what to scrape, a job each, such as `{"node": ["127.0.0.1:9100"]}`. It scrapes itself anyway.
        rules: rule files, by path.
        alertmanagers: addresses (`host:port`) of those that are told of alerts.
        interval: seconds between two scrapes and two evaluations.
        settings: more of `prometheus.yml`; its keys win over what the above gives.
    """

    name = "prometheus"

    def __init__(
        self,
        targets: Mapping[str, Sequence[str]] | None = None,
        *,
        rules: Sequence[Path] = (),
        alertmanagers: Sequence[str] = (),
        interval: float = 1.0,
        settings: Settings | None = None,
    ) -> None:
        super().__init__()
        self.targets = dict(targets or {})
        self.rules, self.alertmanagers = list(rules), list(alertmanagers)
        self.interval, self.settings = interval, dict(settings or {})

    @property
    def label(self) -> str:
        return _("Prometheus")

    def command(self, port: int) -> Sequence[str]:
        path = program(self.label, "prometheus", "prometheus")
        self._write(port)
        return [
            path,
            f"--config.file={self.home}/prometheus.yml",
            f"--storage.tsdb.path={self.home}/data",
            f"--web.listen-address={LOOPBACK}:{port}",
            "--web.enable-lifecycle",
            "--log.level=warn",
        ]

    @property
    def folder(self) -> Path | None:
        return self.home

    def answers(self) -> bool:
        return self.request("/-/ready")[0] == 200

    def query(self, promql: str) -> list[dict[str, Any]]:
        """The result of that expression now: Prometheus' own list, each with `metric` and `value`.

        Raises:
            FlightSchoolError: it is no valid expression; the message is Prometheus' own.
        """
        return self._ask("/api/v1/query", query=promql)

    def query_range(
        self, promql: str, start: datetime, end: datetime, step: timedelta = timedelta(seconds=1)
    ) -> list[dict[str, Any]]:
        """The same over a range of time, each with `metric` and `values`."""
        return self._ask(
            "/api/v1/query_range",
            query=promql,
            start=start.timestamp(),
            end=end.timestamp(),
            step=step.total_seconds(),
        )

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that are pending or firing."""
        _status, body = self.request("/api/v1/alerts")
        found: list[dict[str, Any]] = json.loads(body)["data"]["alerts"]
        return found

    def reload(self) -> None:
        """Read targets, rules and settings again, after they have been changed.

        Raises:
            FlightSchoolError: they are not valid; the old ones stay in force.
        """
        self._write(self.port)
        reload(self)

    def _write(self, port: int) -> None:
        itself = {"prometheus": [f"{LOOPBACK}:{port}"]}
        pace = f"{round(self.interval * 1000)}ms"
        write(
            self.home,
            "prometheus.yml",
            {
                "global": {"scrape_interval": pace, "scrape_timeout": pace, "evaluation_interval": pace},
                "rule_files": [str(path.resolve()) for path in self.rules],
                "alerting": {"alertmanagers": [{"static_configs": [{"targets": self.alertmanagers}]}]},
                "scrape_configs": [
                    # What a batch job pushed keeps the labels that it was pushed with.
                    {"job_name": job, "honor_labels": True, "static_configs": [{"targets": [*where]}]}
                    for job, where in {**itself, **self.targets}.items()
                ],
                **self.settings,
            },
        )

    def _ask(self, path: str, **parameters: object) -> list[dict[str, Any]]:
        _status, body = self.request(f"{path}?{urlencode(parameters)}")
        reply = json.loads(body)
        if reply["status"] != "success":
            raise FlightSchoolError(_("Prometheus says: {reason}.").format(reason=reply["error"]))
        result: list[dict[str, Any]] = reply["data"]["result"]
        return result


class Alertmanager(Housed):
    """An Alertmanager without a cluster.

    Args:
        settings: its `alertmanager.yml`; by default all alerts go to one receiver that tells nobody.
    """

    name = "alertmanager"

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__()
        self.settings: Settings = settings or {
            "route": {"receiver": "nobody", "group_wait": "0s", "group_interval": "1s"},
            "receivers": [{"name": "nobody"}],
        }

    @property
    def label(self) -> str:
        return _("Alertmanager")

    @property
    def target(self) -> str:
        """`host:port`, as Prometheus wants it."""
        return f"{self.host}:{self.port}"

    def command(self, port: int) -> Sequence[str]:
        path = program(self.label, "prometheus-alertmanager", "prometheus-alertmanager", "alertmanager")
        write(self.home, "alertmanager.yml", self.settings)
        return [
            path,
            f"--config.file={self.home}/alertmanager.yml",
            f"--storage.path={self.home}/data",
            f"--web.listen-address={LOOPBACK}:{port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]

    @property
    def folder(self) -> Path | None:
        return self.home

    def answers(self) -> bool:
        status, body = self.request("/api/v2/status")
        return status == 200 and "versionInfo" in json.loads(body)

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that it holds."""
        _status, body = self.request("/api/v2/alerts")
        found: list[dict[str, Any]] = json.loads(body)
        return found

    def reload(self) -> None:
        """Read the settings again, after they have been changed.

        Raises:
            FlightSchoolError: they are not valid; the old ones stay in force.
        """
        write(self.home, "alertmanager.yml", self.settings)
        reload(self)


class Pushgateway(Service):
    """A Pushgateway, where batch jobs leave their metrics. In memory."""

    name = "pushgateway"

    @property
    def label(self) -> str:
        return _("Pushgateway")

    @property
    def target(self) -> str:
        """`host:port`, as Prometheus and `prometheus_client.push_to_gateway` want it."""
        return f"{self.host}:{self.port}"

    def command(self, port: int) -> Sequence[str]:
        path = program(self.label, "prometheus-pushgateway", "prometheus-pushgateway", "pushgateway")
        return [path, f"--web.listen-address={LOOPBACK}:{port}", "--persistence.file=", "--log.level=warn"]

    def answers(self) -> bool:
        return self.request("/-/ready")[0] == 200


class NodeExporter(Housed):
    """A node exporter: this machine's processor, memory and disk, and the metrics that files in `textfiles` hold."""

    name = "node-exporter"

    @property
    def label(self) -> str:
        return _("Node exporter")

    @property
    def target(self) -> str:
        """`host:port`, as Prometheus wants it."""
        return f"{self.host}:{self.port}"

    @property
    def textfiles(self) -> Path:
        """The folder whose `*.prom` files it exposes too."""
        if self.home is None:
            raise Unavailable(_("The node exporter is not running: start it with services.node_exporter()."))
        return self.home

    def command(self, port: int) -> Sequence[str]:
        path = program(self.label, "prometheus-node-exporter", "prometheus-node-exporter", "node_exporter")
        return [
            path,
            f"--web.listen-address={LOOPBACK}:{port}",
            f"--collector.textfile.directory={self.home}",
            "--log.level=warn",
        ]

    def answers(self) -> bool:
        status, body = self.request("/metrics")
        return status == 200 and b"node_cpu_seconds_total" in body


def write(home: Path | None, name: str, settings: Settings) -> None:
    """Write them as JSON, which every YAML parser reads."""
    if home is not None:
        (home / name).write_text(json.dumps(settings, indent=2))


def reload(server: Prometheus | Alertmanager) -> None:
    """Let it read its files again; its own words when they are wrong."""
    try:
        status, body = server.request("/-/reload", method="POST")
    except OSError as error:
        raise Unavailable(_("{label} is not running.").format(label=server.label)) from error
    if status != 200:
        reason = body.decode(errors="replace").strip()
        raise FlightSchoolError(
            _("{label} kept its old settings: {reason}").format(label=server.label, reason=reason)
        )
