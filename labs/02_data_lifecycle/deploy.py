"""A small deployment: every version in a folder of its own, and one pointer that is moved in one step.

    site/releases/1.4.0/…      never changed once it is there
    site/current -> releases/1.4.0

Whoever runs the site runs `site/current`, so a deployment or a rollback is one rename, which is atomic: nobody ever
sees half a version. A version must pass its smoke test before the pointer moves.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flightschool.errors import FlightSchoolError

TIMEOUT = 60
"""Seconds that a smoke test may take."""
LABEL = "release.json"


class DeploymentError(FlightSchoolError):
    """The version was not deployed; what was current still is."""


@dataclass(frozen=True)
class Release:
    """A deployed version. `previous` is the one that was current before it."""

    version: str
    path: Path
    deployed_at: datetime
    previous: str | None
    current: bool


def deploy(source: Path, version: str, site: Path, smoke: Sequence[str]) -> Release:
    """Copy a folder as a new version, test it, and make it current.

    Args:
        source: the folder to deploy.
        version: such as `1.4.0`; a version is deployed once.
        site: where the releases live.
        smoke: the command that tests the version, run in its folder; exit status 0 lets it pass.

    Raises:
        DeploymentError: the version exists, has an unusable name, has no source, or failed its smoke test.
    """
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z.+-]*", version):
        raise DeploymentError(f"{version!r} can't name a version: use letters, digits, dots and dashes.")
    if not source.is_dir():
        raise DeploymentError(f"There is no folder {source} to deploy.")
    target = site / "releases" / version
    if target.exists():
        raise DeploymentError(f"Version {version} is deployed already: give the new one another number.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=site, prefix=".staging-") as staging:
        candidate = Path(staging) / version
        shutil.copytree(source, candidate, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        test(candidate, smoke)
        label = {"deployed_at": datetime.now(UTC).isoformat(), "previous": current_version(site)}
        (candidate / LABEL).write_text(json.dumps(label))
        candidate.rename(target)
    point(site, version)
    return describe(site, version)


def test(candidate: Path, smoke: Sequence[str]) -> None:
    """Run the smoke test in the candidate's folder. Raises DeploymentError with its last line."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            smoke,
            cwd=candidate,
            env=environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeploymentError(
            f"The smoke test of {candidate.name} could not be completed: {error}."
        ) from None
    if done.returncode != 0:
        last = ((done.stderr + done.stdout).strip().splitlines() or ["no output"])[-1]
        raise DeploymentError(f"{candidate.name} failed its smoke test and was not deployed: {last}")


def rollback(site: Path) -> Release:
    """Make the version current again that was so before the current one. Raises DeploymentError when there is none."""
    now = current_version(site)
    before = describe(site, now).previous if now else None
    if before is None:
        raise DeploymentError("There is no earlier version to go back to.")
    point(site, before)
    return describe(site, before)


def releases(site: Path) -> list[Release]:
    """Every deployed version, oldest first."""
    found = [describe(site, path.parent.name) for path in (site / "releases").glob(f"*/{LABEL}")]
    return sorted(found, key=lambda release: release.deployed_at)


def current_version(site: Path) -> str | None:
    """The version to which `current` points, None before the first deployment."""
    pointer = site / "current"
    return pointer.readlink().name if pointer.is_symlink() else None


def describe(site: Path, version: str) -> Release:
    """A release as its label tells it."""
    path = site / "releases" / version
    label = json.loads((path / LABEL).read_text())
    deployed_at = datetime.fromisoformat(label["deployed_at"])
    return Release(version, path, deployed_at, label["previous"], version == current_version(site))


def point(site: Path, version: str) -> None:
    """Move `current` in one step: a link can't be changed, but it can be renamed over."""
    fresh = site / f".current-{os.getpid()}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(Path("releases") / version)
    fresh.replace(site / "current")
