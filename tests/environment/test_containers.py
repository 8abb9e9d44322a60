"""The image, the devcontainer and .env: pinned, nobody is root, no secret inside. The compose file has tests of its own."""

from __future__ import annotations

import base64
import json
import re
import stat

from environment.compose_file import ROOT, SERVICES, dotenv, variables

DOCKERFILE = (ROOT / "environment/Dockerfile").read_text()


def test_dotenv_is_made_once_for_its_owner_alone(checkout) -> None:
    made = dotenv(checkout)
    first = made.read_text()
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    values = variables(made)
    assert re.fullmatch("[0-9a-f]{48}", values["JUPYTER_TOKEN"])
    assert re.fullmatch("[0-9a-f]{40}", values["FORGE_RUNNER_SECRET"])
    assert len(base64.urlsafe_b64decode(values["AIRFLOW_FERNET_KEY"])) == 32
    assert re.fullmatch(r"[1-9]\d*", values.pop("FLIGHTSCHOOL_UID"))
    assert len(set(values.values())) == len(values), "two servers share a secret"
    dotenv(checkout)
    assert made.read_text() == first
    assert [path.name for path in checkout.root.glob(".env*")] == [".env"]


def test_dotenv_adds_what_is_missing_and_keeps_what_is_there(checkout) -> None:
    made = checkout.root / ".env"
    made.write_text("# mine\nJUPYTER_TOKEN=my own\nGRAFANA_PASSWORD=\nOTHER=1")
    dotenv(checkout)
    text = made.read_text()
    assert text.startswith("# mine\nJUPYTER_TOKEN=my own\nGRAFANA_PASSWORD=\nOTHER=1\n")
    assert text.count("JUPYTER_TOKEN=") == 1
    assert re.search(r"^GRAFANA_PASSWORD=[0-9a-f]{48}$", text, re.MULTILINE), "an empty password is none"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    dotenv(checkout)
    assert made.read_text() == text


def test_image_is_pinned_non_root_and_watched() -> None:
    base = re.search(r"^ARG PYTHON=(.*)$", DOCKERFILE, re.MULTILINE)
    assert base is not None
    assert re.fullmatch(r"3\.1[12]\.\d+-slim-bookworm", base[1])
    stages = re.findall(r"^FROM (\S+)(?: AS (\S+))?$", DOCKERFILE, re.MULTILINE)
    assert {source for source, _ in stages} == {"python:${PYTHON}", "system"}
    users = {
        name: re.findall(r"^USER (\S+)$", stage, re.MULTILINE)
        for name, stage in zip(
            ("system", "environment", "last"), DOCKERFILE.split("\nFROM ")[1:], strict=True
        )
    }
    # The last stage starts from `system` and is its user; the one between is thrown away.
    assert users == {"system": ["flight"], "environment": ["root"], "last": []}
    assert "runuser -u flight -- " in DOCKERFILE
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
