"""What runs at this moment, whoever started it: rows for a table or for JSON."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flightschool.i18n import _
from flightschool.services import compose, registry, state
from flightschool.services.base import Service, occupied
from flightschool.services.process import tree
from flightschool.services.state import Record

if TYPE_CHECKING:
    import psutil

AT_ONCE = 16


@dataclass(frozen=True)
class Row:
    """What is shown of one server.

    `memory` is in bytes, of all its processes with what guards them, shared pages divided among their users where the
    system tells (Linux); `by` is `up`, `compose` or the process that has it for itself; `uptime` in seconds. None where that is compose's business.
    """

    name: str
    what: str
    ready: bool
    by: str
    endpoint: str
    pid: int | None = None
    memory: int | None = None
    uptime: float | None = None
    log: str | None = None


@dataclass(frozen=True)
class Overview:
    """The rows, and one sentence for each server of `flightschool up` that has ended by itself since the last look."""

    rows: Sequence[Row]
    ended: Sequence[str]

    @property
    def idle(self) -> list[registry.Server]:
        """Servers of the table that do not run."""
        running = {row.name for row in self.rows}
        return [one for one in registry.table().values() if one.name not in running]


def look() -> Overview:
    """Ask every server that is known to run, all at once."""
    records, gone = state.running()
    compositions = [one for one in registry.table().values() if one.compose]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        mine, theirs = pool.map(_row, records), pool.map(compose.find, compositions)
        rows = [*mine, *(_composed(one) for one in theirs if one is not None)]
    said = _("{name} has ended by itself; its log {log} ends: {tail}")
    return Overview(
        rows,
        [
            said.format(name=one.name, log=one.log, tail=" | ".join(tail(Path(one.log), 3)))
            for one in gone
            if one.up
        ],
    )


def tail(log: Path, lines: int, size: int | None = None) -> list[str]:
    """The last lines of that file, or of its first `size` bytes, that hold something; none when it can't be read."""
    try:
        with log.open("rb") as file:
            if size is None:
                size = file.seek(0, 2)
            begin = file.seek(max(0, size - 1000 * lines))
            text = file.read(size - begin).decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-lines:]


def _composed(service: Service) -> Row:
    return Row(service.name, service.label, True, "compose", service.endpoint)


def _row(record: Record) -> Row:
    guardians = [pid for pid, _birth in record.guardians]
    own = [process for pid in guardians for process in tree(pid)]
    others = [*guardians, record.keeper[0]] if record.up else guardians
    return Row(
        name=record.name,
        what=record.label,
        ready=_answers(record),
        by="up" if record.up else _("process {pid}").format(pid=record.keeper[0]),
        endpoint=record.endpoint,
        pid=own[0].pid if own else None,
        memory=sum(map(held, [*own, *_guards(others)])),
        uptime=time.time() - record.since,
        log=record.log,
    )


def _answers(record: Record) -> bool:
    row = registry.table().get(record.name)
    if row is None or not row.embedded:
        return occupied(record.port, record.host)
    return row.make().at(record.host, record.port, record.told, by="").ready()


def _guards(pids: Sequence[int]) -> Iterator["psutil.Process"]:
    """The outer guardians or keepers of those numbers, and the inner guardians."""
    import psutil

    for pid in pids:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            yield process
            for child in process.children():
                if child.pid not in pids:
                    yield child


def held(process: "psutil.Process") -> int:
    """Bytes of its memory; 0 when it has ended."""
    import psutil

    with suppress(psutil.NoSuchProcess):
        try:
            full = process.memory_full_info()
            return int(getattr(full, "pss", full.rss))
        except psutil.AccessDenied:
            return int(process.memory_info().rss)
    return 0
