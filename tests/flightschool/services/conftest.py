"""What the tests of the servers share: state apart, and a process of its own to do harm to."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flightschool import paths, services


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of the test's own; no server outlives the test."""
    folder = tmp_path / "state"
    monkeypatch.setattr(paths, "STATE", folder)
    monkeypatch.setenv("FLIGHTSCHOOL_STATE", str(folder))
    monkeypatch.setenv("FLIGHTSCHOOL_COMPOSE", "off")  # whatever runs on the machine of whoever tests
    yield folder
    services.stop_all()


@pytest.fixture
def learner() -> Iterator[Callable[[str], tuple[subprocess.Popen[str], dict[str, Any]]]]:
    """Run code in a process of its own until it prints one line of JSON; it then sleeps, unless it ends."""
    running: list[subprocess.Popen[str]] = []

    def run(code: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        script = f"import json, time, os\nfrom flightschool import services\n{code}\ntime.sleep(600)\n"
        process = subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        running.append(process)
        assert process.stdout is not None
        return process, json.loads(process.stdout.readline())

    yield run
    for process in running:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
