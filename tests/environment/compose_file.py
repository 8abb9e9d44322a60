"""docker-compose.yml as its tests read it, and what the trial in containers says that it runs."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
CONTAINERS = ROOT / "environment/containers"
MODEL: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
SERVICES: dict[str, dict[str, Any]] = MODEL["services"]
PROFILES = [
    "core",
    "orchestration",
    "quality",
    "monitoring",
    "logs",
    "security",
    "lineage",
    "ci",
    "k8s",
    "hdfs",
    "all",
]
_UNITS = {"m": 2**20, "g": 2**30}


def members(profile: str) -> dict[str, dict[str, Any]]:
    """The services of a profile."""
    return {name: service for name, service in SERVICES.items() if profile in service["profiles"]}


def memory(service: dict[str, Any]) -> int:
    """Bytes that a service may take."""
    found = re.fullmatch(r"(\d+)([mg])", service["mem_limit"])
    assert found is not None, service["mem_limit"]
    return int(found[1]) * _UNITS[found[2]]


def published(service: dict[str, Any]) -> list[int]:
    """Its ports on this machine."""
    return [int(re.sub(r"\$\{\w+:-(\d+)\}", r"\1", port).split(":")[-2]) for port in service.get("ports", [])]


def job(service: dict[str, Any]) -> bool:
    """Whether it does something once and ends."""
    return str(service.get("restart", "")).startswith("on-failure")


@lru_cache(maxsize=1)
def trial() -> ModuleType:
    """environment/containers/__main__.py as a module."""
    sys.path.insert(0, str(CONTAINERS))
    try:
        spec = importlib.util.spec_from_file_location("trial_in_containers", CONTAINERS / "__main__.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(CONTAINERS))
    return module


def dotenv(checkout: Any) -> Path:
    """Run environment/dotenv in a small checkout; the file that it makes."""
    for tool in ("id", "od", "tr", "mv", "grep", "head", "tail", "base64", "cmp"):
        if not (checkout.bin / tool).exists():
            (checkout.bin / tool).symlink_to(shutil.which(tool) or tool)
    process = checkout.start("environment/dotenv")
    _, said = process.communicate(timeout=10)
    assert process.returncode == 0, said
    return Path(checkout.root / ".env")


def variables(path: Path) -> dict[str, str]:
    """What a file of variables holds."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
