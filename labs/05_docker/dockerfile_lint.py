"""hadolint: the linter of Dockerfiles, with nothing left out and no exceptions written into the file."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flightschool.errors import FlightSchoolError


@dataclass(frozen=True)
class Finding:
    """What hadolint says of a line; `level` is error, warning, info or style."""

    line: int
    code: str
    level: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.code} ({self.level}) {self.message}"


class LintError(FlightSchoolError):
    """hadolint is not there, or did not answer."""


@lru_cache(maxsize=256)
def lint(text: str) -> tuple[Finding, ...]:
    """What hadolint finds in a Dockerfile; ("DL1000", error) when it can't be read. Raises LintError."""
    program = Path(sys.executable).parent / "hadolint"
    text = text.encode("utf-8", "replace").decode()
    command = [
        str(program),
        "--no-fail",
        "--no-color",
        "--disable-ignore-pragma",
        "--format",
        "json",
        "--config",
        "/dev/null",
        "-",
    ]
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, errors="replace", timeout=20, check=False
        )
        said = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise LintError(
            f"hadolint gave no answer ({type(error).__name__}): is the environment complete?"
        ) from None
    return tuple(Finding(one["line"], one["code"], one["level"], one["message"]) for one in said)
