"""The team's repository `ontime`, made anew for a world: its files, its first commits, and branches with changes.

Everything is the same for the same world, the commits' names (SHA) too: authors and times are fixed.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightschool.errors import FlightSchoolError

if TYPE_CHECKING:
    from flightschool.data import World

SAMPLE = Path(__file__).with_name("sample")
COLUMNS = (
    *("flight_date", "carrier", "flight", "origin", "dest"),
    *("sched_dep_time", "dep_time", "dep_delay", "arr_delay"),
)
ROWS = 60
"""Flights in the file that travels with the code."""
BEGIN = datetime(2013, 6, 3, 8, 0, tzinfo=UTC)
LITTER = {"__pycache__", ".ruff_cache", "target", "logs"}
TEXTS = {".py", ".sql", ".yml", ".json", ".toml", ".md", ".csv", ""}

Files = dict[str, str]


class GitError(FlightSchoolError):
    """A git command that failed; the message holds its last line."""


def files(world: World) -> Files:
    """The repository's files by path: the sample's, and a day of the world's flights."""
    found = {
        path.relative_to(SAMPLE).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(SAMPLE.rglob("*"))
        if path.is_file() and path.suffix in TEXTS and not LITTER & set(path.relative_to(SAMPLE).parts)
    }
    return found | {"data/flights.csv": flights_csv(world)}


@cache
def flights_csv(world: World) -> str:
    """The file of flights that travels with the code, made once a world."""
    return as_csv(flights(world))


def flights(world: World) -> list[dict[str, str]]:
    """Sixty flights of one of the world's days, two of them cancelled; an empty field is a missing value."""
    day = world.days(1)[0]
    rng = world.rng("ontime")
    table = world.flights(day)
    table = table.sample(n=min(ROWS, len(table)), random_state=rng.randrange(2**31)).sort_index()
    table = table.assign(flight_date=str(day)).reset_index(drop=True)
    rows = []
    for row in table[list(COLUMNS)].to_dict("records"):
        rows.append({name: "" if value != value else plain(value) for name, value in row.items()})
    for row in rng.sample(rows, 2):
        row.update(dep_time="", dep_delay="", arr_delay="")
    return rows


def plain(value: Any) -> str:
    """A value as the file has it: whole numbers without a point."""
    return str(int(value)) if isinstance(value, float) else str(value)


def as_csv(rows: Iterable[Mapping[str, str]]) -> str:
    """Rows as the text of a CSV file."""
    rows = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def git(folder: Path, *arguments: str, at: datetime | None = None, author: str = "Ana") -> str:
    """Run git in a folder, apart from the user's own settings; returns its output without the last line feed.

    Raises:
        GitError: it failed.
    """
    moment = (at or BEGIN).isoformat()
    environment = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        # Worlds are made by one user and may be read by another, as behind the walls of a grader.
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "GIT_CONFIG_KEY_1": "advice.detachedHead",
        "GIT_CONFIG_VALUE_1": "false",
    }
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {
            f"GIT_{role}_NAME": author,
            f"GIT_{role}_EMAIL": f"{author.lower()}@example.org",
            f"GIT_{role}_DATE": moment,
        }
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["no output"]
        raise GitError(f"git {arguments[0]} failed: {said[-1]}")
    return done.stdout.rstrip("\n")


def write(folder: Path, contents: Mapping[str, str | None]) -> None:
    """Write files by path; None removes one."""
    for name, text in contents.items():
        path = folder / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def commit(
    folder: Path, contents: Mapping[str, str | None], message: str, at: datetime, author: str = "Ana"
) -> str:
    """Write files, commit them, and return the commit's SHA."""
    write(folder, contents)
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "--allow-empty", "-m", message, at=at, author=author)
    return git(folder, "rev-parse", "HEAD")


def start(world: World, folder: Path) -> Path:
    """A new repository with the team's files on `main`. Returns the folder."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    commit(folder, files(world), "Make the daily report", BEGIN)
    return folder


def branch(folder: Path, name: str, contents: Mapping[str, str | None], message: str, number: int = 1) -> str:
    """A branch off `main` with one commit on it; `main` stays checked out. Returns the commit's SHA."""
    git(folder, "checkout", "-q", "-B", name, "main")
    sha = commit(folder, contents, message, BEGIN + timedelta(hours=number), "Ben")
    git(folder, "checkout", "-q", "main")
    return sha
