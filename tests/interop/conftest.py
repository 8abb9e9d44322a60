"""nbgrader in an environment of its own; where it can't be had, its tests are skipped with the reason."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from others.environments import Unavailable, environment


@pytest.fixture(scope="session")
def nbgrader() -> Path:
    """The folder of nbgrader's environment."""
    return _had("nbgrader")


@pytest.fixture(scope="session")
def otter() -> Path:
    """The folder of otter-grader's environment."""
    return _had("otter")


def _had(tool: str) -> Path:
    try:
        return environment(tool)
    except Unavailable as reason:
        pytest.skip(str(reason))
