"""The compose file by its structure: exact, guarded, on loopback, within 8 GB, in order of health, no secret in the clear."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from typing import Any

import pytest
from environment.compose_file import (
    COMPOSE,
    MODEL,
    PROFILES,
    ROOT,
    SERVICES,
    dotenv,
    job,
    members,
    memory,
    published,
    variables,
)

GIB = 2**30
EXACT = re.compile(r"[\w./-]+:v?\d+\.\d+(\.\d+)?[\w.-]*")
UNGUARDED = {"k3s": "it is a container runtime itself, which mounts and makes namespaces"}
"""Runs with privileges, and why."""
USER_OF_THE_IMAGE = {
    "kafka": "appuser",
    "lakefs": "lakefs",
    "elasticsearch": "elasticsearch",
    "elasticsearch-init": "elasticsearch",
    "logstash": "logstash",
    "kibana": "kibana",
    "namenode": "hadoop",
    "datanode": "hadoop",
}
"""The compose file names no user, for the image has one of its own."""
ROOT_WITHOUT_RIGHTS = {
    "s3": "the image has no user, and a new volume belongs to root",
    "marquez": "the image has no user that it is known to work as",
    "marquez-web": "the image has no user that it is known to work as",
}
"""Root, but with no capability at all."""
TOOLS: dict[str, set[str]] = {
    "flightschool:": {"python"},
    "postgres": {"psql"},
    "apache/kafka": {"/opt/kafka/bin/kafka-broker-api-versions.sh"},
    "versity/versitygw": {"wget"},  # busybox of Alpine
    "treeverse/lakefs": {"wget"},
    "apache/hadoop": {"hdfs"},
    "prom/": {"wget"},  # busybox
    "grafana/grafana": {"wget"},
    "docker.elastic.co/": {"curl"},
    "hashicorp/vault": {"vault"},
    "marquezproject/marquez:": {"curl"},
    "marquezproject/marquez-web:": {"wget"},
    "flightschool-jenkins:": {"curl"},
    "codeberg.org/forgejo/forgejo": {"wget"},
    "data.forgejo.org/forgejo/runner": {"pgrep"},
    "rancher/k3s": {"kubectl"},
}
"""What each image brings along for a health check to use, beside a shell, grep, printf and test."""
OF_ANY_SHELL = {"grep", "printf", "test"}


@pytest.mark.parametrize("name", SERVICES)
def test_is_exact_and_limited(name: str) -> None:
    service = SERVICES[name]
    assert EXACT.fullmatch(service["image"]), "an exact version"
    assert set(service["profiles"]) <= set(PROFILES)
    assert service["profiles"][-1] == "all"
    assert memory(service) <= 4 * GIB
    assert service["pids_limit"] <= 4096
    assert service["logging"]["options"]["max-size"], "a log must not fill the disk"
    assert service["restart"] == ("on-failure:3" if job(service) else "unless-stopped")
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert "network_mode" not in service
    assert not {"pid", "ipc", "userns_mode", "devices", "cap_add"} & set(service)
    assert not any("docker.sock" in mounted for mounted in service.get("volumes", []))


@pytest.mark.parametrize("name", SERVICES)
def test_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert bool(service.get("privileged")) == (name in UNGUARDED)
    if name in UNGUARDED:
        return
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    user = str(service.get("user", "")).split(":")[0]
    assert user not in ("root", "0")
    assert bool(user) != (name in USER_OF_THE_IMAGE or name in ROOT_WITHOUT_RIGHTS)


@pytest.mark.parametrize("name", [name for name in SERVICES if not job(SERVICES[name])])
def test_health_is_asked_with_tools_that_are_there(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert {"test", "interval", "timeout", "start_period", "retries"} <= set(check)
    kind, *command = check["test"]
    [tools] = [tools for image, tools in TOOLS.items() if SERVICES[name]["image"].startswith(image)]
    if kind == "CMD":
        assert command[0] in tools
    else:
        assert kind == "CMD-SHELL"
        words = {
            next(word for word in part.split() if "=" not in word or word.startswith("/"))
            for part in re.split(r"\s*(?:&&|\|\||\|)\s*", command[0])
        }
        assert words <= tools | OF_ANY_SHELL
        assert words & tools


@pytest.mark.parametrize("name", SERVICES)
def test_starts_after_what_it_needs(name: str) -> None:
    for other, condition in SERVICES[name].get("depends_on", {}).items():
        ends = job(SERVICES[other])
        assert condition == {"condition": "service_completed_successfully" if ends else "service_healthy"}, (
            other
        )
        assert set(SERVICES[name]["profiles"]) <= set(SERVICES[other]["profiles"]), "one profile brings both"
    text = "".join(str(value) for value in SERVICES[name].get("environment", {}).values())
    for other in set(re.findall(r"(?:@|//)([a-z][\w-]*):\d", text)) & set(SERVICES) - {name}:
        assert other in SERVICES[name].get("depends_on", {}) or name.startswith(("airflow", "kibana")), other


@pytest.mark.parametrize("profile", PROFILES[:-1])
def test_profile_fits_8_gb(profile: str) -> None:
    assert members(profile)
    assert sum(memory(service) for service in members(profile).values()) <= 8 * 10**9


def test_every_profile_of_the_outline_is_there() -> None:
    assert {profile for service in SERVICES.values() for profile in service["profiles"]} == set(PROFILES)
    assert members("all") == SERVICES


def test_no_two_want_the_same_port() -> None:
    ports = Counter(port for service in SERVICES.values() for port in published(service))
    assert [port for port, count in ports.items() if count > 1] == []


def strings(value: Any) -> list[str]:
    """All strings in a part of the file."""
    if isinstance(value, dict):
        return [found for one in value.values() for found in strings(one)]
    if isinstance(value, list):
        return [found for one in value for found in strings(one)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_in_the_clear(name: str) -> None:
    for key, value in SERVICES[name].get("environment", {}).items():
        if re.search("TOKEN|PASSWORD|SECRET|KEY|CONN", key) and not key.endswith(("_FILE", "SETCAP")):
            assert re.search(r"\$\{\w+:\?.+\}", value), f"{key} stands in the clear or may be empty"
    for text in strings(SERVICES[name]):
        for password in re.findall(r"\w+://[^/\s:]*:([^@\s/]+)@", text):
            assert password.startswith("${"), f"a password in an address: {text}"
    assert not [word for word in strings(SERVICES[name].get("command")) if "${" in word], (
        "a command line is public"
    )


def test_every_variable_is_made_by_dotenv_or_has_a_value(checkout) -> None:
    made = set(variables(dotenv(checkout)))
    wanted = re.findall(r"(?<!\$)\$\{(\w+)(:[?-])?", COMPOSE.read_text())
    assert {name for name, otherwise in wanted if otherwise == ":?"} <= made
    assert all(otherwise for _name, otherwise in wanted), "a variable that may be empty without a word"
    used = {name for name, _otherwise in wanted}
    assert made <= used, "a key that nothing reads"


def test_every_volume_is_declared_and_used() -> None:
    named = {
        mounted.split(":")[0]
        for service in SERVICES.values()
        for mounted in service.get("volumes", [])
        if re.match(r"\w", mounted)
    }
    assert named == set(MODEL["volumes"])


def test_every_mounted_file_is_there_and_read_only() -> None:
    for name, service in SERVICES.items():
        for mounted in service.get("volumes", []):
            source = re.sub(r"^\$\{\w+:-([^}]+)\}", r"\1", mounted).split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), mounted
            if source.startswith(("./", "/")):
                assert mounted.endswith(":ro"), f"{name} may write to {source}"


def compose_command() -> list[str] | None:
    """`docker compose`, where this machine has it."""
    if not shutil.which("docker"):
        return None
    tried = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    return ["docker", "compose"] if tried.returncode == 0 else None


def test_docker_compose_accepts_the_file(checkout) -> None:
    command = compose_command()
    if command is None:
        pytest.skip(
            "there is no docker with compose here; the structure is checked by the tests beside this one"
        )
    done = subprocess.run(
        [*command, "--env-file", dotenv(checkout), "--profile", "all", "config", "--quiet"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
