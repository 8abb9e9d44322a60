"""The image, the devcontainer and the compose file: pinned, on loopback, limited, nobody is root, no secret inside."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "environment/Dockerfile").read_text()
COMPOSE = ROOT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]


def test_docker_compose_accepts_the_file() -> None:
    if (
        not shutil.which("docker")
        or subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip(
            "there is no docker with compose here; the structure is checked by the tests beside this one"
        )
    command = ["docker", "compose", "--profile", "all", "config", "--quiet"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "JUPYTER_TOKEN": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_service(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[\w./-]+:\d+\.\d+(\.\d+)?[\w.-]*", service["image"]), "an exact version"
    assert service["profiles"][-1] == "all"
    assert {"test", "interval", "timeout", "retries"} <= set(service["healthcheck"])
    assert service["mem_limit"]
    assert service["pids_limit"]
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert not service.get("privileged")
    assert str(service.get("user", "image's")).split(":")[0] not in ("root", "0")
    for other, condition in service.get("depends_on", {}).items():
        assert condition == {"condition": "service_healthy"}
        assert set(service["profiles"]) <= set(SERVICES[other]["profiles"])
    for key, value in service["environment"].items():
        if re.search("TOKEN|PASSWORD|SECRET|KEY", key):
            assert re.fullmatch(r"\$\{\w+:\?.+\}", value), f"{key} stands in the clear or may be empty"


def test_dotenv_is_made_once_for_its_owner_alone(checkout) -> None:
    for tool in ("id", "od", "tr", "mv"):
        (checkout.bin / tool).symlink_to(shutil.which(tool))
    assert checkout.start("environment/dotenv").wait(10) == 0
    made = checkout.root / ".env"
    first = made.read_text()
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert re.search(r"^JUPYTER_TOKEN=[0-9a-f]{48}$", first, re.MULTILINE)
    assert re.search(r"^FLIGHTSCHOOL_UID=[1-9]\d*$", first, re.MULTILINE)
    assert checkout.start("environment/dotenv").wait(10) == 0
    assert made.read_text() == first


def test_image_is_pinned_non_root_and_watched() -> None:
    base = re.search(r"^ARG PYTHON=(.*)$", DOCKERFILE, re.MULTILINE)
    assert base is not None
    assert re.fullmatch(r"3\.1[12]\.\d+-slim-bookworm", base[1])
    stages = re.findall(r"^FROM (\S+)(?: AS (\S+))?$", DOCKERFILE, re.MULTILINE)
    assert {source for source, _ in stages} == {"python:${PYTHON}", "system"}
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["flight"]
    assert "\nHEALTHCHECK " in DOCKERFILE
    assert "environment/setup" in DOCKERFILE, "the same set-up, from the same lock"
    assert "system-packages.txt" in DOCKERFILE


def test_nothing_private_is_sent_to_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".git", ".env", ".venv", ".tools", ".flightschool"} <= set(ignored)


def test_devcontainer_uses_the_image_at_its_own_place() -> None:
    text = (ROOT / ".devcontainer/devcontainer.json").read_text()
    settings = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
    folder = settings["workspaceFolder"]
    assert f"WORKDIR {folder}\n" in DOCKERFILE
    assert f"target={folder}," in settings["workspaceMount"]
    assert (
        ROOT / ".devcontainer" / settings["build"]["dockerfile"]
    ).resolve() == ROOT / "environment/Dockerfile"
    assert f'useradd --create-home --uid "${{UID}}" {settings["remoteUser"]}' in DOCKERFILE
    assert SERVICES["lab"]["volumes"] == [f".:{folder}"]
