"""What the servers of compose are configured with: each file can be read, and by the tool itself where that is here."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from environment.compose_file import ROOT, SERVICES

ENVIRONMENT = ROOT / "environment"
FILES = [
    path
    for folder in (
        "airflow",
        "alertmanager",
        "containers",
        "elasticsearch",
        "forge",
        "grafana",
        "jenkins",
        "logstash",
        "postgres",
        "prometheus",
    )
    for path in sorted((ENVIRONMENT / folder).rglob("*"))
    if path.is_file() and "__pycache__" not in path.parts
]


def said(*command: str | Path) -> str:
    """What a tool says; it must agree."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def tool(*names: str) -> str:
    """The first of these programs that is here, or the test is skipped."""
    for name in names:
        if found := shutil.which(name):
            return found
    pytest.skip(f"{names[0]} is not installed here; the file is parsed by the test beside this one")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ENVIRONMENT)))
def test_can_be_read(path: Path) -> None:
    text = path.read_text()
    if path.name == "override.yml":
        yaml.load(re.sub(r"!(override|reset)\b", "", text), yaml.SafeLoader)
    elif path.suffix in (".yml", ".yaml"):
        assert yaml.safe_load(text)
    elif path.suffix == ".json":
        assert json.loads(text)
    elif path.suffix == ".py":
        compile(text, str(path), "exec")
    elif path.suffix == ".sh":
        assert text.startswith("#!/bin/"), "a shell script says whose"
        said(text.splitlines()[0].removeprefix("#!"), "-n", path)
    elif path.suffix == ".conf":
        assert text.count("{") == text.count("}")
    else:
        assert path.name.endswith(("Dockerfile", "plugins.txt"))


def test_prometheus_takes_its_configuration(tmp_path: Path) -> None:
    promtool = tool("promtool")
    text = (ENVIRONMENT / "prometheus/prometheus.yml").read_text()
    here = tmp_path / "prometheus.yml"
    here.write_text(text.replace("/etc/prometheus/rules", str(ENVIRONMENT / "prometheus/rules")))
    assert "2 rules found" in said(promtool, "check", "config", here)


def test_rules_fire_and_stay_silent(tmp_path: Path) -> None:
    promtool = tool("promtool")
    day = 24 * 60
    test = {
        "rule_files": [str(ENVIRONMENT / "prometheus/rules/platform.yml")],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": 'up{job="node", instance="node:9100"}', "values": "1x5 0x10"},
                    {
                        "series": 'pipeline_last_success_timestamp_seconds{table="flights"}',
                        "values": f"0x{2 * day}",
                    },
                ],
                "alert_rule_test": [
                    {"eval_time": "5m", "alertname": "TargetDown", "exp_alerts": []},
                    {"eval_time": f"{day}m", "alertname": "TableStale", "exp_alerts": []},
                    {
                        "eval_time": f"{day + 2}m",
                        "alertname": "TableStale",
                        "exp_alerts": [
                            {
                                "exp_labels": {"severity": "page", "table": "flights"},
                                "exp_annotations": {
                                    "summary": "flights is stale",
                                    "description": "flights was last loaded 1d 0h 2m 0s ago.",
                                },
                            }
                        ],
                    },
                    {
                        "eval_time": "10m",
                        "alertname": "TargetDown",
                        "exp_alerts": [
                            {
                                "exp_labels": {"severity": "page", "job": "node", "instance": "node:9100"},
                                "exp_annotations": {
                                    "summary": "node does not answer",
                                    "description": "node:9100 has not answered a scrape for two minutes.",
                                },
                            }
                        ],
                    },
                ],
            }
        ],
    }
    file = tmp_path / "rules_test.yml"
    file.write_text(yaml.safe_dump(test))
    said(promtool, "test", "rules", file)


def test_alertmanager_takes_its_configuration() -> None:
    said(tool("amtool"), "check-config", ENVIRONMENT / "alertmanager/alertmanager.yml")


def test_prometheus_scrapes_and_alerts_servers_of_its_profile() -> None:
    model = yaml.safe_load((ENVIRONMENT / "prometheus/prometheus.yml").read_text())
    targets = [
        target
        for job in (*model["scrape_configs"], *model["alerting"]["alertmanagers"])
        for one in job["static_configs"]
        for target in one["targets"]
    ]
    for target in targets:
        host, port = target.split(":")
        if host != "localhost":
            assert "monitoring" in SERVICES[host]["profiles"]
            assert any(published.endswith(f":{port}") for published in SERVICES[host]["ports"]), target


def test_dashboard_shows_what_there_is() -> None:
    sources = yaml.safe_load((ENVIRONMENT / "grafana/provisioning/datasources/prometheus.yml").read_text())
    known = {source["uid"] for source in sources["datasources"]}
    provider = yaml.safe_load((ENVIRONMENT / "grafana/provisioning/dashboards/flightschool.yml").read_text())
    folder = provider["providers"][0]["options"]["path"]
    mounts = dict(mounted.split(":")[:2] for mounted in SERVICES["grafana"]["volumes"])
    assert folder in mounts.values()
    dashboards = [
        json.loads(path.read_text()) for path in (ENVIRONMENT / "grafana/dashboards").glob("*.json")
    ]
    assert dashboards
    for dashboard in dashboards:
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in dashboard["panels"]]
        assert len(set(places)) == len(places)
        for panel in dashboard["panels"]:
            assert panel["title"]
            assert panel["targets"]
            assert {target["datasource"]["uid"] for target in panel["targets"]} <= known


def test_postgres_has_a_database_for_each_that_asks() -> None:
    script = (ENVIRONMENT / "postgres/databases.sh").read_text()
    found = re.search(r"^for name in ([\w ]+); do$", script, re.MULTILINE)
    assert found is not None
    made = set(found[1].split())
    text = json.dumps(SERVICES)
    assert set(re.findall(r"://(\w+):\$\{\w+_DB_PASSWORD", text)) | {"marquez"} == made
    for name in made:
        assert f"{name.upper()}_DB_PASSWORD" in SERVICES["postgres"]["environment"]


def test_plugins_of_jenkins_are_exact() -> None:
    for line in (ENVIRONMENT / "jenkins/plugins.txt").read_text().splitlines():
        assert re.fullmatch(r"[\w-]+:[\d.]+[\w.]*", line)
    assert re.match(
        r"#.*\nFROM jenkins/jenkins:\d+\.\d+\.\d+-jdk\d+\n", (ENVIRONMENT / "jenkins/Dockerfile").read_text()
    )
