"""A house elsewhere: the rooms of a checkout with its tests and data, and no module yet."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flightschool import paths
from flightschool.publish import House

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    root = tmp_path_factory.mktemp("house")
    for folder in ("solutions", "labs", "notebooks", "tests/labs", "environment"):
        (root / folder).mkdir(parents=True)
    for file in (
        "pyproject.toml",
        "Makefile",
        "tests/run",
        "tests/labs/kit.py",
        "tests/labs/test_exercises.py",
    ):
        shutil.copy(paths.ROOT / file, root / file)
    for folder in ("tests/notebooks", "tests/security"):
        shutil.copytree(paths.ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "datasets").symlink_to(paths.DATASETS)
    # The package itself is the installed one; from these ruff knows which imports are our own.
    for room in (paths.ROOT / "src" / "flightschool", paths.LABS / "etl"):
        for file in room.rglob("*.py"):
            copy = root / file.relative_to(paths.ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text('"""Empty."""\n')
    (root / ".venv").symlink_to(sys.prefix)
    setup = root / "environment" / "setup"
    setup.write_text("#!/bin/sh\n")  # this house is set up: it shares our environment
    setup.chmod(0o755)
    return House.at(root)


@pytest.fixture(scope="module")
def run(house: House) -> Run:
    """Run a command in that house, as its author would, with the environment that the tests have."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {
        "FLIGHTSCHOOL_HOME": str(house.root),
        "FLIGHTSCHOOL_STATE": str(house.state),
        "FLIGHTSCHOOL_VENV": ".venv",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words, cwd=house.root, env=environment, capture_output=True, text=True, timeout=900
        )

    return command
