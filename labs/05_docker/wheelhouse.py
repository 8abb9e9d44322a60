"""A folder of wheels as a package index, and an installer that chooses from it as pip does.

For each requirement the newest version that fits, and then what that version requires. With hashes in the list, each package must
have one, and its file must be that very file (`pip install --no-index --find-links wheels -r …` does the same; a test compares).
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from flightschool.errors import FlightSchoolError

LONGEST = 32_000
EARLY = (1980, 1, 1, 0, 0, 0)


class InstallError(FlightSchoolError):
    """What pip would refuse; the message is one sentence."""


@dataclass(frozen=True)
class Wheel:
    """One release of a package: its file, what it requires, and the digest of its bytes."""

    name: str
    version: Version
    path: Path
    requires: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """The digest of the file as it is now."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @property
    def pin(self) -> str:
        """`name==version`."""
        return f"{self.name}=={self.version}"


@dataclass(frozen=True)
class Wanted:
    """A line of a requirements file: what, and the digests that are allowed."""

    requirement: Requirement
    hashes: frozenset[str]


def make(folder: Path, name: str, version: str, code: str, requires: tuple[str, ...] = ()) -> Path:
    """Write a wheel with one module; the same bytes for the same contents."""
    module = name.replace("-", "_")
    about = f"{module}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(
        f"Requires-Dist: {one}\n" for one in requires
    )
    files = {
        f"{module}.py": code,
        f"{about}/METADATA": metadata,
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: flightschool\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{about}/RECORD"])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{module}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, text in files.items():
            archive.writestr(zipfile.ZipInfo(inside, EARLY), text)
    return path


def releases(wheels: Path) -> dict[str, list[Wheel]]:
    """What the index has: by package, the newest first. Raises InstallError for a file that is no wheel."""
    found: dict[str, list[Wheel]] = {}
    for path in sorted(wheels.glob("*.whl")):
        try:
            with zipfile.ZipFile(path) as archive:
                (inside,) = [one for one in archive.namelist() if one.endswith(".dist-info/METADATA")]
                about = Parser().parsestr(archive.read(inside).decode())
            wheel = Wheel(
                canonicalize_name(about["Name"]),
                Version(about["Version"]),
                path,
                tuple(about.get_all("Requires-Dist") or ()),
            )
        except (zipfile.BadZipFile, ValueError, TypeError, KeyError):
            raise InstallError(f"{path.name} is no wheel that can be read.") from None
        found.setdefault(wheel.name, []).append(wheel)
    for those in found.values():
        those.sort(key=lambda one: one.version, reverse=True)
    return found


def requirements(text: str) -> list[Wanted]:
    """The lines of a requirements file. Raises InstallError."""
    if not isinstance(text, str) or len(text) > LONGEST:
        raise InstallError("A requirements file is a text, and not a long one.")
    found = []
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if not line or line.startswith("--"):
            continue
        said, *options = re.split(r"\s+--hash=", line)
        try:
            requirement = Requirement(said)
        except InvalidRequirement:
            raise InstallError(f"{said[:80]} is no requirement: write name==version.") from None
        hashes = frozenset(one.strip().removeprefix("sha256:") for one in options)
        found.append(Wanted(requirement, hashes))
    return found


def resolve(text: str, wheels: Path) -> list[Wheel]:
    """What would be installed, by name. Raises InstallError."""
    index, wanted = releases(wheels), requirements(text)
    hashes = {canonicalize_name(one.requirement.name): one.hashes for one in wanted if one.hashes}
    chosen: dict[str, Wheel] = {}
    asked: dict[str, list[Requirement]] = {}
    todo = [(one.requirement, "the list") for one in wanted]
    while todo:
        requirement, who = todo.pop(0)
        name = canonicalize_name(requirement.name)
        asked.setdefault(name, []).append(requirement)
        fits = [one for one in index.get(name, []) if all(one.version in r.specifier for r in asked[name])]
        if not fits:
            have = ", ".join(str(one.version) for one in index.get(name, [])) or "nothing"
            raise InstallError(
                f"No version of {name} fits {requirement} (asked for by {who}); the index has {have}."
            )
        if chosen.get(name) == fits[0]:
            continue
        if name in chosen:
            return resolve(
                f"{text}\n{name}{','.join(str(r.specifier) for r in asked[name] if str(r.specifier)) and ' ' + ','.join(str(r.specifier) for r in asked[name] if str(r.specifier))}",
                wheels,
            )
        chosen[name] = fits[0]
        todo += [(Requirement(one), fits[0].pin) for one in fits[0].requires]
    if hashes:
        for name, wheel in chosen.items():
            if name not in hashes:
                raise InstallError(f"Hashes are required, and {wheel.pin} has none in the list.")
            if wheel.sha256 not in hashes[name]:
                raise InstallError(f"{wheel.path.name} is not the file that the list names by its hash.")
    return sorted(chosen.values(), key=lambda one: one.name)


def install(text: str, wheels: Path, target: Path) -> list[str]:
    """Install into a folder; the list of `name==version`, as `pip freeze` gives it. Raises InstallError."""
    chosen = resolve(text, wheels)
    target.mkdir(parents=True, exist_ok=True)
    for wheel in chosen:
        with zipfile.ZipFile(wheel.path) as archive:
            archive.extractall(target)
    return [wheel.pin for wheel in chosen]


def lock(text: str, wheels: Path) -> str:
    """A requirements file with every package at the version that would be installed today, and the hash of its file."""
    return "".join(f"{one.pin} \\\n    --hash=sha256:{one.sha256}\n" for one in resolve(text, wheels))


def run(
    script: Path, *arguments: str | Path, packages: Path, seconds: float = 30.0
) -> subprocess.CompletedProcess[str]:
    """Run a script with the packages of that folder and no others."""
    environment: Mapping[str, str] = {
        "PYTHONPATH": str(packages),
        "PATH": "/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
    }
    command = [sys.executable, "-S", str(script), *map(str, arguments)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )
