"""A small checkout of the test's own, on a machine on which nothing is wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flightschool import paths
from flightschool.doctor.machine import Machine

sys.path.insert(0, str(Path(__file__).parent))

from doctored import GIB, answering, stage


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine on which nothing is wrong."""
    for name in ("FLIGHTSCHOOL_VENV", "JAVA_HOME"):
        monkeypatch.delenv(name, raising=False)
    root = stage(tmp_path / "checkout")
    monkeypatch.setattr(paths, "DATASETS", root / "datasets")
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("docker", "git"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    made = Machine(
        root=root,
        state=root / ".flightschool",
        workspace=root / "workspace",
        env={"PATH": str(programs), "LANG": "C.UTF-8"},
        system="linux",
        arch="x86_64",
        kernel="6.12.0",
        user=1000,
        run=answering(),
        memory=lambda: (16 * GIB, 12 * GIB),
        free_disk=lambda _path: 100 * GIB,
        open_files=lambda: (1024, 65536),
        taken=lambda _port: False,
        holder=lambda _port: None,
    )
    monkeypatch.setattr(made.bootstrap, "java_version", lambda: 17)
    monkeypatch.setattr(made.bootstrap, "missing_packages", list)
    monkeypatch.setattr(made.bootstrap, "known_to_apt", lambda names: names[0])
    made.bootstrap.STAMP.write_text(made.bootstrap.fingerprint())
    return made


@pytest.fixture
def sick(machine: Machine) -> Callable[..., Machine]:
    """The same machine with something else about it; `env` is added to what is there."""

    def make(env: dict[str, str] | None = None, **different: Any) -> Machine:
        return replace(machine, env={**machine.env, **(env or {})}, **different)

    return make
