"""A small checkout with fake tools, in which set-up can be run, broken and interrupted in a second."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What the scripts call of the system; everything else (apt, sudo, brew, Java) is there only when a test fakes it.
SYSTEM_TOOLS = ("sh", "dirname", "cat", "mkdir", "sleep", "rm", "touch", "chmod")

FAKE_UV = """#!/bin/sh
echo "$@" >> "{log}"
case "$1 $2" in
    --version*) echo "uv {version}" ;;
    venv*) for last; do :; done; rm -rf "$last"; "{python}" -m venv --without-pip "$last" ;;
    "pip sync") {sync} ;;
esac
"""


class Checkout:
    """The files of set-up in a folder of their own, with a PATH of their own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.bin = root / "fake-bin"
        self.log = root / "uv.log"
        self.bin.mkdir(parents=True)
        shutil.copytree(ROOT / "environment", root / "environment")
        shutil.copy(ROOT / "pyproject.toml", root)
        for tool in SYSTEM_TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or tool)
        (self.bin / "python3").symlink_to(sys.executable)
        self.uv(sync="true")
        self.java("17.0.15")

    def fake(self, path: Path | str, script: str) -> Path:
        """Put an executable shell script into place (relative paths: on PATH)."""
        place = self.bin / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.write_text(script)
        place.chmod(0o755)
        return place

    def uv(self, sync: str) -> None:
        """A uv that makes an empty environment and does what is said when it should install."""
        pin = next(
            line for line in (ROOT / "environment/uv.txt").read_text().splitlines() if line.startswith("uv==")
        )
        version = pin.split("==")[1].split()[0]
        script = FAKE_UV.format(log=self.log, version=version, python=sys.executable, sync=sync)
        self.fake(self.root / ".tools/bin/uv", script)

    def java(self, version: str | None) -> None:
        """A java of this version, or none."""
        (self.bin / "java").unlink(missing_ok=True)
        if version:
            self.fake("java", f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")

    def uv_calls(self) -> list[str]:
        """First words of the calls of uv since the last look."""
        calls = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return [" ".join(call.split()[: 2 if call.startswith("pip") else 1]) for call in calls]

    def start(self, script: str = "environment/setup", **env: str) -> subprocess.Popen[str]:
        """Start a script of the checkout, in a process group of its own."""
        return subprocess.Popen(
            [self.root / script],
            cwd=self.root,
            env={"PATH": str(self.bin), "HOME": str(self.root)} | env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def setup(self, **env: str) -> tuple[int, str]:
        """Exit code of set-up, and what it said."""
        process = self.start(**env)
        _, said = process.communicate(timeout=60)
        return process.returncode, said

    @property
    def stamp(self) -> Path:
        """What set-up writes last."""
        return self.root / ".venv/flightschool-setup"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh small checkout."""
    return Checkout(tmp_path / "checkout")


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """environment/bootstrap.py as a module."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "environment/bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "bootstrap", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def committed() -> list[Path]:
    """All files that are, or are about to be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ
        | {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"},
    )
    if listed.returncode:
        pytest.skip("this is no git checkout, so nothing says which files are committed")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]
