"""docs/compose.md says of each profile what docker-compose.yml says."""

from __future__ import annotations

import re

import pytest
from environment.compose_file import (
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

TEXT = (ROOT / "docs/compose.md").read_text()
NOT_EXECUTED = {
    "make up": "it needs an engine: the trial brings the same profile up, see test_compose_trial.py",
    "make up PROFILE=monitoring": "as above",
    "make down": "as above",
    "sudo python3 environment/containers": "test_compose_trial.py runs it",
}
"""The commands of the page, and why no test here types them."""


def row(profile: str) -> str:
    """A profile's line of the table."""
    services = members(profile)
    total = sum(memory(service) for service in services.values()) / 2**30
    ports = ", ".join(str(port) for service in services.values() for port in published(service))
    names = ", ".join(name for name, service in services.items() if not job(service))
    return f"| `{profile}` | {total:.1f} GiB | {names} | {ports} |"


def test_the_table_is_the_file() -> None:
    found = re.search(r"<!-- profiles.*?-->\n(.*?)\n<!-- /profiles -->", TEXT, re.DOTALL)
    assert found is not None
    wanted = ["| profile | memory | servers | ports |", "|---|---|---|---|", *map(row, PROFILES[:-1])]
    total = sum(memory(service) for service in SERVICES.values()) / 2**30
    wanted.append(f"| `all` | {total:.1f} GiB | all of these | all of these |")
    assert found[1].splitlines() == wanted


def test_secrets_that_are_named_are_made(checkout) -> None:
    made = variables(dotenv(checkout))
    table = TEXT[TEXT.index("| server | user | secret |") :].split("\n\n")[0]
    named = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", table))
    assert named
    assert named <= set(made)


def test_commands_are_accounted_for() -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert {line for block in blocks for line in block.splitlines()} == set(NOT_EXECUTED)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(FLIGHTSCHOOL_\w+)", TEXT))))
def test_settings_that_are_named_are_read(name: str) -> None:
    places = [ROOT / "docker-compose.yml", ROOT / "tests/environment/test_compose_trial.py"]
    assert any(name in place.read_text() for place in places)


def test_rights_of_a_grading_container_are_the_ones_it_gets() -> None:
    from flightschool.grading.container import CAPABILITIES

    section = TEXT[TEXT.index("## Grading in a container") : TEXT.index("## The trial")]
    assert tuple(re.findall(r"`([A-Z]+_?[A-Z]+)`", section)) == CAPABILITIES
