"""The lock: complete, hashed, for each Python and system meant; and nothing that ties a file to one place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = [
    {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "darwin": "Darwin"}[system],
        "platform_machine": machine,
        "os_name": "posix",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    for python in ("3.11", "3.12")
    for system, machine in (("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"))
]
# Escaped dots keep the patterns from matching themselves.
ADDRESSES = re.compile(
    r"pypi\.org|pythonhosted\.org|pypi\.python|npmjs\.(?:org|com)|anaconda\.(?:org|com)|(?:deb|security)\.debian\.org"
    r"|ubuntu\.com|proxy\.golang|repo1?\.maven|docker\.io/|--(?:extra-)?index[-]url\s*=?\s*\w+:|find[-]links\s*=?\s*\w+:"
)
# Known on every machine: what images and installers call so, and the examples' Ada.
PLACES = re.compile(
    r"(?<![\w.$}~)<>*\]-])/(?:work|root/(?!\.(?:local|bashrc)\b)|Users|home/(?!flight\b|learner\b|ada\b)[a-z]"
    r"|opt/(?!hadoop\b|homebrew\b|kafka\b|some-server\b|tljh\b|venv\b))(?=[/\s\"'`a-z:.]|$)"
)


def entries(lock: Path) -> list[tuple[Requirement, list[str]]]:
    """The requirements of a lock, each with its hashes."""
    text = re.sub(r"\s*#.*", "", lock.read_text()).replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        if line.strip():
            requirement, *hashes = line.split("--hash=")
            found.append((Requirement(requirement.strip()), [value.strip() for value in hashes]))
    return found


@pytest.mark.parametrize("name", ["requirements.lock", "uv.txt"])
def test_everything_is_pinned_and_hashed(name: str) -> None:
    for requirement, hashes in entries(ROOT / "environment" / name):
        assert [part.operator for part in requirement.specifier] == ["=="], requirement
        assert hashes, f"{requirement} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", value) for value in hashes), requirement


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda one: " ".join(list(one.values())[::2][:3]))
def test_lock_serves_every_direct_requirement(environment: dict[str, str]) -> None:
    pins: dict[str, list[Requirement]] = {}
    for requirement, _ in entries(ROOT / "environment/requirements.lock"):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            pins.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}, "one version of each"
    for line in direct_requirements():
        direct = Requirement(line)
        if direct.marker is None or direct.marker.evaluate(environment):
            pin = pins[canonicalize_name(direct.name)][0]
            version = next(iter(pin.specifier)).version
            assert direct.specifier.contains(version), f"{line} is locked as {pin}: run `make lock`"


def test_every_direct_requirement_has_a_lower_bound_and_most_an_upper() -> None:
    for line in direct_requirements():
        operators = {part.operator for part in Requirement(line).specifier}
        assert ">=" in operators, line
        # s3fs counts by dates: no number announces a break.
        assert "<" in operators or Requirement(line).name == "s3fs", line


def direct_requirements() -> list[str]:
    """The lines of requirements.in without their comments."""
    lines = (ROOT / "environment/requirements.in").read_text().splitlines()
    return [text for line in lines if (text := re.sub(r"\s*#.*", "", line).strip())]


@pytest.mark.parametrize(
    "pattern", [ADDRESSES, PLACES], ids=["addresses of registries", "paths of a machine"]
)
def test_no_committed_file_names(pattern: re.Pattern[str], committed: list[Path]) -> None:
    found = []
    for path in committed:
        content = path.read_bytes()
        # A slash that begins a line of an ignore file means the repository's root.
        if b"\0" not in content and not (pattern is PLACES and path.name.endswith("ignore")):
            for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
                found += [
                    f"{path.relative_to(ROOT)}:{number}: {match[0]}" for match in pattern.finditer(line)
                ]
    assert found == []


def test_the_patterns_find_what_they_are_for() -> None:
    at, slash = ".", "/"
    assert ADDRESSES.search(f"https://pypi{at}org/simple")
    assert ADDRESSES.search(f"--index{'-'}url https://packages.example")
    assert PLACES.search(f'path = "{slash}root/.venv"')
    assert PLACES.search(f"see {slash}home/alice/course")
    assert not PLACES.search("labs/work/in/progress and https://example.org/opt/in")
