"""`git bisect run` with a script of somebody's, and what came of it as plain data."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from flightrepo import Repository

PATIENCE = 18.0
"""Seconds for one bisection; a good one of thirty commits needs about one."""
FIRST_BAD = " is the first bad commit"


@dataclass(frozen=True)
class Bisection:
    """What a bisection said: the commit blamed (None when it came to no end), each commit tried with its verdict, and the last words."""

    blamed: str | None
    tried: tuple[tuple[str, str], ...]
    said: str


def bisect(repository: Repository, script: Path, *arguments: str, good: str, bad: str = "main") -> Bisection:
    """Find the first bad commit between `good` and `bad` by that script; the repository is put back as it was.

    Git checks a commit out and runs the script there. Status 0 says good, 1 to 124 and 126, 127 bad, 125 that it can't be tested; anything else ends it.
    """
    text = script.read_text(encoding="utf-8")
    runner = [] if text.startswith("#!") else [sys.executable]
    script.chmod(0o700)
    repository.git("bisect", "start", bad, good)
    try:
        done = subprocess.run(
            ["git", "bisect", "run", *runner, str(script), *arguments],
            cwd=repository.folder,
            env=repository.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
        said = done.stdout
    except subprocess.TimeoutExpired:
        said = "timed out"
    log = re.findall(
        r"^# (good|bad|skip): \[(\w+)\]", repository.git("bisect", "log", check=False), re.MULTILINE
    )
    tried = tuple((commit, verdict) for verdict, commit in log)[2:]
    blamed = next(
        (line.removesuffix(FIRST_BAD) for line in said.splitlines() if line.endswith(FIRST_BAD)), None
    )
    repository.git("bisect", "reset", check=False)
    return Bisection(blamed, tried, said.strip()[-300:])
