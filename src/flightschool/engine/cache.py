"""What came of notebooks that ran well, kept by the fingerprint of all that went in.

An entry is one file, `<notebook>/<key>`: a line of JSON with the cost, the notebook's length and the hash of what follows,
then the executed notebook and its page. It is put in place by a rename, so several runs may share a cache, and one that
lost a byte is none.
"""

import hashlib
import json
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT = 512 * 2**20
"""Bytes that a cache may take, some five hundred notebooks. Those that were not asked for the longest go first."""
LEFTOVER = 3600.0
"""Seconds after which a file that was never put in place is taken for one that nobody will."""
DAMAGE = (ValueError, KeyError, TypeError)
"""What reading a damaged entry may raise."""


@dataclass(frozen=True)
class Cost:
    """What an execution took: seconds of wall time, and the peak of its process tree's memory in bytes."""

    seconds: float
    memory: int


class Cache:
    """Executed notebooks in a folder, `limit` bytes at most."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder, self.limit = folder, limit

    def take(self, name: str, key: str, notebook: Path, page: Path) -> Cost | None:
        """Copy an entry's notebook and page to these places; None, and nothing written, when there is no such entry.

        One that is damaged is removed. Raises OSError when the places can't be written.
        """
        entry = self.folder / name / key
        try:
            head, _newline, data = entry.read_bytes().partition(b"\n")
            told = json.loads(head)
            cost, length = _cost(told), int(told["notebook"])
            if hashlib.sha256(data).hexdigest() != told["sha256"]:
                raise ValueError("it is not as it was written")
        except OSError:
            return None
        except DAMAGE:
            with suppress(OSError):
                entry.unlink()
            return None
        notebook.write_bytes(data[:length])
        page.write_bytes(data[length:])
        with suppress(OSError):
            os.utime(entry)
        return cost

    def put(self, name: str, key: str, notebook: Path, page: Path, cost: Cost) -> None:
        """Keep these files, in place of an entry of that key, then remove what is too much. Raises OSError."""
        first, second = notebook.read_bytes(), page.read_bytes()
        head = {
            "seconds": cost.seconds,
            "memory": cost.memory,
            "executed": time.time(),
            "notebook": len(first),
            "sha256": hashlib.sha256(first + second).hexdigest(),
        }
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(prefix=".new-", dir=self.folder, delete=False) as file:
            new = Path(file.name)
            try:
                file.write(json.dumps(head).encode() + b"\n" + first + second)
                file.close()
                new.replace(self.folder / name / key)
            except BaseException:
                new.unlink(missing_ok=True)
                raise
        self.prune()

    def cost(self, name: str) -> Cost | None:
        """What this notebook took when it was last executed; None when nobody remembers."""
        found: list[tuple[float, Cost]] = []
        for entry in (self.folder / name).glob("*"):
            with suppress(OSError, *DAMAGE), entry.open("rb") as file:
                told = json.loads(file.readline())
                found.append((float(told["executed"]), _cost(told)))
        return max(found, key=lambda one: one[0], default=(0.0, None))[1]

    def prune(self) -> None:
        """Remove the entries that were not asked for the longest, until the rest is within the limit."""
        found: list[tuple[float, int, Path]] = []
        for entry in (*self.folder.glob("[!.]*/*"), *self.folder.glob(".new-*")):
            with suppress(OSError):  # another run has removed it
                stat = entry.stat()
                found.append((stat.st_mtime, stat.st_size, entry))
        left = self.limit
        for used, size, entry in sorted(found, reverse=True):
            left -= size
            unfinished = entry.parent == self.folder
            if used < time.time() - LEFTOVER if unfinished else left < 0:
                entry.unlink(missing_ok=True)


def _cost(told: dict[str, Any]) -> Cost:
    return Cost(float(told["seconds"]), int(told["memory"]))
