"""What the tests of one server each share: state that lasts for a module, so that its server starts once."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flightschool import paths, services

Until = Callable[[Callable[[], Any]], Any]
PATIENCE = 240.0
"""Seconds for what a server does in its own time: a scrape, a task, on a machine that does other work too."""


@pytest.fixture(scope="module", autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One state folder for the module; no server outlives it."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("state")
        patch.setattr(paths, "STATE", folder)
        patch.setattr(paths, "WORKSPACE", folder / "workspace")
        patch.setenv("FLIGHTSCHOOL_STATE", str(folder))
        patch.setenv("FLIGHTSCHOOL_COMPOSE", "off")  # whatever runs on the machine of whoever tests
        yield folder
        services.stop_all()


@pytest.fixture(scope="session")
def until() -> Until:
    """Poll until it gives something true; that."""

    def poll(condition: Callable[[], Any]) -> Any:
        end = time.monotonic() + PATIENCE
        while not (found := condition()) and time.monotonic() < end:
            time.sleep(0.1)
        return found

    return poll
