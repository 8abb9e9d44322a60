"""A control group for one run, of version 1 or 2, where this process may make one: it bounds the whole tree."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path

TOP = Path("/sys/fs/cgroup")
PREFIX = "flightschool-"
"""Of a group's name; the process id of its maker follows, and a number."""


@dataclass(frozen=True)
class Places:
    """The folders in which a group can be made; `version` 2 has one for both."""

    version: int
    memory: Path
    pids: Path


@lru_cache(maxsize=1)
def places() -> Places | None:
    """Where a group can be made; None where it can't. Found once, by trying: call it in the template, too."""
    try:
        entries = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
    except OSError:
        return None
    own = {name: path.strip("/") for _number, names, path in entries for name in names.split(",")}
    tries = []
    if "memory" in own and "pids" in own:
        tries.append(Places(1, TOP / "memory" / own["memory"], TOP / "pids" / own["pids"]))
    elif "" in own:
        # a group that holds processes can't hand controllers down, so its parent is asked as well
        tries += [Places(2, place, place) for place in (TOP / own[""], (TOP / own[""]).parent)]
    for found in tries:
        with suppress(OSError):
            Group(found, 2**30, 64).remove()
            sweep(found)
            return found
    return None


def sweep(where: Places) -> None:
    """Take away the groups of makers that were killed before they could."""
    for folder in {where.memory, where.pids}:
        for group in folder.glob(f"{PREFIX}*"):
            if not Path("/proc", maker(group)).exists():
                with suppress(OSError):  # it is not empty yet, or another swept it
                    group.rmdir()


def maker(group: Path) -> str:
    """The process id of who made a group."""
    return group.name.removeprefix(PREFIX).partition("-")[0]


_numbers = count(1)


class Group:
    """One run's group, made with its limits. `remove` it when its processes are gone.

    Raises:
        OSError: no group can be made, or it has not these controllers; nothing is left behind then.
    """

    def __init__(self, where: Places, memory: int, processes: int) -> None:
        name = f"{PREFIX}{os.getpid()}-{next(_numbers)}"
        self.where = where
        self.folders = [where.memory / name]
        if where.version == 1:
            self.folders.append(where.pids / name)
        self.entrances: list[int] = []
        try:
            for folder in self.folders:
                folder.mkdir()
            for folder, settings in zip(self.folders, self._settings(memory, processes), strict=True):
                for setting, value in settings.items():
                    _set(folder / setting, value)
                entrance = "tasks" if where.version == 1 else "cgroup.procs"
                self.entrances.append(os.open(folder / entrance, os.O_WRONLY | os.O_CLOEXEC))
        except OSError:
            self.remove()
            raise

    def _settings(self, memory: int, processes: int) -> list[dict[str, int]]:
        if self.where.version == 1:
            return [{"memory.limit_in_bytes": memory}, {"pids.max": processes}]
        return [{"memory.max": memory, "memory.oom.group": 1, "pids.max": processes}]

    def out_of_memory(self) -> bool:
        """Whether the kernel had to kill for want of memory."""
        name = "memory.oom_control" if self.where.version == 1 else "memory.events"
        for line in (self.folders[0] / name).read_text().splitlines():
            key, _, value = line.partition(" ")
            if key == "oom_kill":
                return int(value) > 0
        return False

    def peak(self) -> int:
        """The most bytes that the group has held; 0 where this kernel does not say."""
        name = "memory.max_usage_in_bytes" if self.where.version == 1 else "memory.peak"
        try:
            return int((self.folders[0] / name).read_text())
        except OSError:
            return 0

    def remove(self) -> None:
        """Take the group away; its last process may need a moment."""
        for wait in (0.001,) * 20 + (0.02,) * 20:
            if self.removed():
                return
            time.sleep(wait)

    def removed(self) -> bool:
        """Take the group away now, if it is empty; whether it is gone."""
        for entrance in self.entrances:
            os.close(entrance)
        self.entrances = []
        return [_gone(folder) for folder in self.folders].count(False) == 0


def group(memory: int, processes: int) -> Group | None:
    """A group with these limits; None where none can be had: looking replaces it."""
    where = places()
    if where is None:
        return None
    try:
        return Group(where, memory, processes)
    except OSError:
        return None


def join(entrances: Iterable[int]) -> bool:
    """Put this process, which must have one thread, into the group with these entrances; whether it went.

    Each goes by itself, and by `tasks`: to move another, or a whole process, version 1 waits some 15 ms for all processors.
    """
    try:
        for entrance in entrances:
            os.write(entrance, b"0")
    except OSError:
        return False
    return True


def _gone(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:  # a process is still in it
        return False
    return True


def _set(file: Path, value: int) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, str(value).encode())
    finally:
        os.close(descriptor)
