"""The drill's scene: a team's repository whose raw file somebody has overwritten and pushed.

`<team>/origin.git` is the shared repository, `<team>/storage` DVC's remote (a folder, as on a file server), `<team>/desk` your clone, with your own
cache of the last weeks. `raw/flights.csv` is tracked by DVC: its pointer is in Git, its bytes are in the storage.
"""

from __future__ import annotations

import io
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from flightrepo import Repository, Version, lay_down
from monthly import digest

from flightschool.data.raw import render

if TYPE_CHECKING:
    from datetime import date

    from flightschool.data import World

DATA = "raw/flights.csv"
POINTER = f"{DATA}.dvc"
WEEKLY = "raw/weather.csv"
COLLEAGUE = ("Kim", "kim@flights.example")


def pointer(content: bytes, name: str) -> bytes:
    """DVC's pointer to these bytes."""
    return f"outs:\n- md5: {digest(content)}\n  size: {len(content)}\n  hash: md5\n  path: {name}\n".encode()


def days(world: World) -> list[date]:
    """The three days that the raw file holds; the data have no weather on the last day of the year."""
    return [day for day in world.days(4) if (day.month, day.day) != (12, 31)][:3]


def raw(world: World) -> bytes:
    """The raw file as the source sent it."""
    return render(pd.concat([world.flights(day) for day in days(world)], ignore_index=True))


def through_a_spreadsheet(content: bytes, world: World) -> bytes:
    """The file after it was opened, sorted by delay and saved: NA became 0, and what was filtered out of sight is gone."""
    table = pd.read_csv(io.BytesIO(content), keep_default_na=False)
    carrier = world.rng("overwritten").choice(["B6", "DL", "AA"])
    table = table[table.carrier != carrier].replace("NA", "0")
    text: str = table.sort_values("flight", kind="stable").to_csv(index=False, lineterminator="\r\n")
    return text.encode()


def note(world: World, count: int) -> bytes:
    """The weather file as of so many days; it is small, and so it is in Git."""
    frame = pd.concat([world.weather(day) for day in days(world)[:count]], ignore_index=True)
    return render(frame)


def lay_out(world: World, team: Path, *, overwritten: bool = True) -> None:
    """Build the three folders. The storage was tidied afterwards (`dvc gc`), so it holds what main points to, and nothing else."""
    shutil.rmtree(team, ignore_errors=True)
    good = raw(world)
    bad = through_a_spreadsheet(good, world)
    at = datetime(2013, 3, 4, 8, tzinfo=UTC)
    rng = world.rng("commits")
    start = {
        ".dvc/config": b"[core]\n    remote = storage\n['remote \"storage\"']\n    url = ../../storage\n",
        ".dvc/.gitignore": b"/config.local\n/tmp\n/cache\n",
        "raw/.gitignore": b"/flights.csv\n",
        "README.md": b"# Raw files\n\nNobody edits what the source has sent.\n",
        POINTER: pointer(good, "flights.csv"),
        WEEKLY: note(world, 1),
    }
    versions = [
        Version("Raw flights and weather", at, start),
        Version(
            "Weather of the second day",
            at + timedelta(days=1, minutes=rng.randint(1, 50)),
            {WEEKLY: note(world, 2)},
        ),
    ]
    if overwritten:
        changed = {POINTER: pointer(bad, "flights.csv"), "notes/refresh.md": b"Sorted, gaps filled.\n"}
        versions.append(
            Version(
                "Refresh reference data",
                at + timedelta(days=2, minutes=rng.randint(1, 50)),
                changed,
                COLLEAGUE,
            )
        )
    versions += [
        Version(
            "Weather of the third day",
            at + timedelta(days=3, minutes=rng.randint(1, 50)),
            {WEEKLY: note(world, 3)},
        ),
        Version(
            "Say who reads the weather",
            at + timedelta(days=4, minutes=rng.randint(1, 50)),
            {"notes/readers.md": b"The planners.\n"},
        ),
    ]
    origin = Repository(team / "origin.git")
    origin.folder.mkdir(parents=True)
    origin.git("init", "--quiet", "--bare", "--initial-branch=main", "--template=")
    (origin.folder / "hooks").mkdir()
    desk = Repository(team / "desk").init()
    lay_down(desk, versions)
    desk.git("remote", "add", "origin", "../origin.git")
    desk.git("push", "--quiet", "--set-upstream", "origin", "main")
    now = bad if overwritten else good
    desk.write({DATA: now})
    store(team / "storage", now)
    for content in {good, now}:
        store(desk.folder / ".dvc" / "cache", content)


def store(place: Path, content: bytes) -> Path:
    """Put content where DVC looks for it, in a cache or a remote that is a folder."""
    name = digest(content)
    path = place / "files" / "md5" / name[:2] / name[2:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
