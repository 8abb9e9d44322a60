"""A team's data repository, five months old: `data/flights.csv` tracked by DVC, its versions in a bucket, its pointers in Git.

The pointers and the bucket are laid out as DVC lays them out (`md5` of the bytes; `files/md5/ab/cdef…`), so `dvc pull` works in it. What is in the
bucket is as in life: complete, but for one object that has been damaged on the way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightrepo import Repository, Version, lay_down

from flightschool.data.raw import render

if TYPE_CHECKING:
    from flightschool.data import World

POINTER = "data/flights.csv.dvc"
DATA = "data/flights.csv"
PREFIX = "dvc"


@dataclass(frozen=True)
class Past:
    """What the repository has seen. `contents` are the data of each version by name; `asked` which version stands on the evening of a day."""

    versions: tuple[Version, ...]
    experiment: Version
    branches_from: int
    contents: Mapping[str, bytes]
    asked: Mapping[date, str]
    damaged: str


def past(world: World) -> Past:
    """The months January to May, with a correction, an experiment that was never merged, and commits that touch no data."""
    rng = world.rng("months")
    days = {month: date(2013, month, rng.randint(4, 26)) for month in range(1, 6)}
    contents = {f"{month}": render(world.flights(day)) for month, day in days.items()}
    flights = world.flights(days[3])
    contents["3 corrected"] = render(flights.drop(flights.index[rng.sample(range(len(flights)), 9)]))
    contents["3 tried"] = render(flights.dropna())

    def at(month: int, day: int, hour: int) -> datetime:
        return datetime(2013, month, day, hour, rng.randint(0, 59), tzinfo=UTC)

    def data(name: str, said: str, when: datetime) -> Version:
        return Version(said, when, {POINTER: pointer(contents[name])})

    def note(said: str, when: datetime) -> Version:
        return Version(said, when, {"README.md": f"# Flights\n\n{said}, {when:%d %B}.\n".encode()})

    start = {
        ".dvc/config": f"[core]\n    remote = lake\n['remote \"lake\"']\n    url = s3://BUCKET/{PREFIX}\n".encode(),
        ".dvc/.gitignore": b"/config.local\n/tmp\n/cache\n",
        "data/.gitignore": b"/flights.csv\n",
        POINTER: pointer(contents["1"]),
    }
    versions = (
        Version("Flights of January", at(1, 31, 17), start),
        note("Say where the file comes from", at(2, 12, 10)),
        data("2", "Flights of February", at(2, 28, 17)),
        data("3", "Flights of March", at(3, 29, 18)),
        data("3 corrected", "Correct March: flights that were sent twice", at(3, 30, 9)),
        note("Say who corrects", at(4, 2, 11)),
        data("4", "Flights of April", at(4, 30, 17)),
        note("Say when the next file comes", at(5, 6, 10)),
        data("5", "Flights of May", at(5, 31, 17)),
    )
    # A branch that was pushed and never merged, and which is newer than what stood on main that evening.
    experiment = data("3 tried", "Try March without cancelled flights", at(3, 31, 12))
    asked = {
        date(2013, 2, 28): "2",
        date(2013, 3, 31): "3 corrected",
        date(2013, 5, rng.randint(2, 5)): "4",
    }
    return Past(versions, experiment, 4, contents, asked, damaged="4")


def pointer(content: bytes) -> bytes:
    """The text of DVC's pointer to these bytes."""
    return f"outs:\n- md5: {digest(content)}\n  size: {len(content)}\n  hash: md5\n  path: flights.csv\n".encode()


def digest(content: bytes) -> str:
    """The checksum by which DVC names content. It tells damage, not malice: MD5 can be forged."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def build(this: Past, folder: Path, s3: Any, bucket: str) -> Repository:
    """The team's repository on main, and its bucket. `s3` is the service; nothing is in DVC's local cache."""
    repository = Repository(folder, env=s3.env()).init()
    first = this.versions[0]
    config = {
        **first.files,
        ".dvc/config": (first.files[".dvc/config"] or b"").replace(b"BUCKET", bucket.encode()),
    }
    commits = lay_down(repository, [Version(first.message, first.when, config), *this.versions[1:]])
    repository.git("checkout", "--quiet", "-b", "without-cancelled", commits[this.branches_from])
    repository.write({name: content or b"" for name, content in this.experiment.files.items()})
    repository.commit(this.experiment.message, when=this.experiment.when)
    repository.git("checkout", "--quiet", "main")
    repository.write({DATA: this.contents["5"]})
    client = s3.client()
    client.create_bucket(Bucket=bucket)
    for name, content in this.contents.items():
        key = digest(content)
        stored = (
            content[: len(content) // 2] + content[len(content) // 2 + 40 :]
            if name == this.damaged
            else content
        )
        client.put_object(Bucket=bucket, Key=f"{PREFIX}/files/md5/{key[:2]}/{key[2:]}", Body=stored)
    return repository


def state(repository: Repository) -> dict[str, str]:
    """What a look into the past must leave alone: where HEAD is, what Git sees as changed, and the data's own bytes."""
    data = repository.folder / DATA
    return {
        "HEAD": repository.git("symbolic-ref", "--quiet", "HEAD", check=False) or "detached",
        "commit": repository.git("rev-parse", "HEAD", check=False),
        "changed": repository.git("status", "--porcelain", "--untracked-files=no", check=False),
        "data": digest(data.read_bytes()) if data.is_file() else "gone",
    }
