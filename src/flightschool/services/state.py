"""What runs, as files: one record for each server that has answered, so that other processes find it.

A record is true as long as its keeper and guardians run: processes of those numbers *and* those times of birth. So
one that outlived a reboot, or a `kill -9`, is known to be stale, and is removed by whoever lists what runs.
"""

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightschool import paths
from flightschool.services.process import unwritable

if TYPE_CHECKING:
    from flightschool.services.base import Service

UP = "up"
"""The owner of a server that `flightschool up` started. Others are owned by the process of that number."""
owner = ""
"""Who owns the servers that this process starts; empty for the process itself. `flightschool up` sets it."""
KEPT_LOGS = 7 * 86_400
"""Seconds for which the log of a process that is gone is kept."""


@dataclass(frozen=True)
class Record:
    """One running server. Processes are pairs of process id and time of birth (seconds since 1970)."""

    name: str
    owner: str
    label: str
    host: str
    port: int
    endpoint: str
    log: str
    since: float
    keeper: tuple[int, float]
    guardians: tuple[tuple[int, float], ...]
    told: dict[str, Any]

    @property
    def up(self) -> bool:
        """Whether it is one of `flightschool up`."""
        return self.owner == UP

    @property
    def alive(self) -> bool:
        """Whether its keeper and guardians run: those very processes, not later ones with their numbers."""
        return all(born(pid) == birth for pid, birth in (self.keeper, *self.guardians))

    @property
    def gone(self) -> bool:
        """Whether neither its keeper nor a guardian runs any more."""
        return all(born(pid) != birth for pid, birth in (self.keeper, *self.guardians))


def folder() -> Path:
    """Where records lie; readable by their owner alone, since addresses may hold passwords."""
    return paths.STATE / "services" / "running"


def born(pid: int) -> float | None:
    """When the process of that number began; None when there is none, or only its remains."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return None


def of(service: "Service") -> Record:
    """The record of a server that this process runs."""
    return Record(
        name=service.name,
        owner=_owner(),
        label=service.label,
        host=service.host,
        port=service.port,
        endpoint=service.endpoint,
        log=str(service.log),
        since=time.time(),
        keeper=(os.getpid(), born(os.getpid()) or 0),
        guardians=tuple((one.guardian, born(one.guardian) or 0) for one in service.supervised()),
        told={name: getattr(service, name) for name in service.told},
    )


def put(record: Record) -> None:
    """Write it. Raises FlightSchoolError when that can't be done."""
    path = _path(record.name, record.owner)
    new = path.with_suffix(f".{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.touch(mode=0o600)
        new.write_text(json.dumps(asdict(record)))
        new.replace(path)
    except OSError as error:
        _remove(new)
        raise unwritable(path, error) from error


def noted(name: str) -> bool:
    """Whether there is a record of this process's server of that name, not of a later one by `flightschool up`."""
    record = _read(_path(name, _owner()))
    return record is not None and record.keeper[0] == os.getpid()


def forget(name: str) -> None:
    """Remove the record of this process's server of that name, if there is one."""
    if noted(name):
        _remove(_path(name, _owner()))


def drop(record: Record) -> None:
    """Remove that record of a process that could not do it itself."""
    path = _path(record.name, record.owner)
    if _read(path) == record:
        _remove(path)


def running() -> tuple[list[Record], list[Record]]:
    """What runs, by name, those of `flightschool up` first; and what is gone without a word, now forgotten."""
    found: list[Record] = []
    gone: list[Record] = []
    for path in folder().glob("*.json"):
        record = _read(path)
        if record is not None and record.alive:
            found.append(record)
            continue
        _remove(path)
        if record is not None:
            gone.append(record)
    return sorted(found, key=lambda one: (not one.up, one.name, one.owner)), gone


def up(name: str) -> Record | None:
    """The record of that server of `flightschool up`, when it runs."""
    record = _read(_path(name, UP))
    return record if record is not None and record.alive else None


def sweep() -> None:
    """Remove logs of processes that have been gone for a week."""
    latest = time.time() - KEPT_LOGS
    kept = {record.log for record in running()[0]}
    for log in (paths.STATE / "services").glob("*.log"):
        with suppress(OSError):
            if str(log) not in kept and log.stat().st_mtime < latest:
                log.unlink()


def _owner() -> str:
    return owner or str(os.getpid())


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _path(name: str, whose: str) -> Path:
    return folder() / f"{name}-{whose}.json"


def _read(path: Path) -> Record | None:
    """The record of that file; None when there is none, or not a whole one."""
    try:
        content = json.loads(path.read_bytes())
        keeper, *guardians = [
            (int(pid), float(birth)) for pid, birth in (content["keeper"], *content["guardians"])
        ]
        return Record(**{**content, "keeper": keeper, "guardians": tuple(guardians)})
    except (OSError, ValueError, TypeError, KeyError):
        return None
