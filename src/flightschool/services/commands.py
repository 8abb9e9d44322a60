"""`flightschool up`, `down`, `status` and `logs`: the servers for people in a terminal.

Each server of `up` has a process of its own that keeps it (see `keeper.py`); the records of `state.py` are all that
binds them together. There is no central process that could fail and take all of them along.
"""

import fcntl
import json
import os
import selectors
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import typer

from flightschool import paths
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.services import compose, overview, registry, state
from flightschool.services.keeper import Keeper, Report
from flightschool.services.process import unwritable
from flightschool.services.state import Record

PATIENCE = 15.0
"""Seconds after which a keeper that does not end is killed; it and its guardians need at most ten, on a machine at rest."""
INTERRUPTED = 130
WIDE = 140
"""Columns of a table that goes to a file or a pipe."""


def up(names: Sequence[str]) -> int:
    """Start those servers, all embedded ones by default, at once; print progress and a table. The exit status.

    Ctrl-C ends those that this call has started. A server that runs already, or is compose's, is left as it is.
    """
    chosen = [registry.server(name) for name in dict.fromkeys(names)]
    if not names:
        chosen = [one for one in registry.table().values() if one.embedded]
    status = 0
    wanted: list[registry.Server] = []
    with _turn():
        state.sweep()
        for one in chosen:
            if state.up(one.name):
                typer.echo(_("{name} is running already.").format(name=one.name))
            elif (found := compose.find(one)) is not None:
                typer.echo(_("{name} is docker compose's, at {at}.").format(name=one.name, at=found.endpoint))
            elif one.embedded:
                wanted.append(one)
            else:
                typer.echo(one.how(), err=True)
                status = 1
        try:
            status |= _start(wanted, asked=bool(names))
        except KeyboardInterrupt:
            typer.echo(_("Interrupted: what was started has been stopped again."), err=True)
            return INTERRUPTED
    typer.echo()
    show(as_json=False)
    return status


def _start(wanted: Sequence[registry.Server], asked: bool) -> int:
    """Start them; say how each went as it comes. 1 when one failed, or can't be had here though it was asked for."""
    status = 0
    begin = time.monotonic()
    keepers: list[Keeper] = []
    try:
        for one in wanted:  # all forks come before the first thread
            keepers.append(Keeper(one))
        for keeper, report in _reports(keepers):
            if report.problem:
                status |= asked or not report.unavailable
                typer.echo(report.problem, err=True)
            else:
                seconds = time.monotonic() - begin
                typer.echo(
                    _("{name} is ready after {seconds:.1f} s.").format(
                        name=keeper.server.name, seconds=seconds
                    )
                )
    except BaseException:
        for keeper in keepers:
            keeper.dismiss()
        for keeper in keepers:
            keeper.wait()
        raise
    for keeper in keepers:
        keeper.stay()
    return status


def _reports(keepers: Sequence[Keeper]) -> Iterator[tuple[Keeper, Report]]:
    """Each one's report as it comes."""
    with selectors.DefaultSelector() as selector:
        for keeper in keepers:
            selector.register(keeper.reports, selectors.EVENT_READ, keeper)
        while selector.get_map():
            for key, _events in selector.select():
                selector.unregister(key.fileobj)
                yield key.data, key.data.report()


@contextmanager
def _turn() -> Iterator[None]:
    """Wait until no other `up` of this state folder is at work."""
    path = paths.STATE / "services" / "up.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    except OSError as error:
        raise unwritable(path, error) from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def down(names: Sequence[str]) -> int:
    """Stop those of `flightschool up`, all by default. The exit status: 1 when a named one did not run."""
    chosen = {registry.server(name).name for name in names}
    records = [one for one in state.running()[0] if one.up and (not names or one.name in chosen)]
    begin = time.monotonic()
    for record in records:
        _signal(record, signal.SIGTERM)
    waiting = _still(records, PATIENCE)
    for record in waiting:
        _signal(record, signal.SIGKILL)  # its guardians end what it kept
    _still(waiting, PATIENCE)
    for record in waiting:
        state.drop(record)
    seconds = time.monotonic() - begin
    if records:
        stopped = ", ".join(one.name for one in records)
        typer.echo(_("Stopped in {seconds:.1f} s: {names}.").format(seconds=seconds, names=stopped))
    elif not names:
        typer.echo(_("Nothing of `flightschool up` is running."))
    for name in sorted(missing := chosen - {one.name for one in records}):
        typer.echo(_("{name} is not running by `flightschool up`.").format(name=name), err=True)
    return 1 if missing else 0


def _still(records: Sequence[Record], seconds: float) -> Sequence[Record]:
    """Wait until they are gone, at most so long; those that are not."""
    end = time.monotonic() + seconds
    while (records := [one for one in records if not one.gone]) and time.monotonic() < end:
        time.sleep(0.02)
    return records


def _signal(record: Record, signum: signal.Signals) -> None:
    pid, birth = record.keeper
    if state.born(pid) == birth:
        with suppress(ProcessLookupError):
            os.kill(pid, signum)


def show(as_json: bool) -> int:
    """Print what runs, as a table or as JSON. The exit status: 1 when one does not answer or has ended by itself."""
    found = overview.look()
    if as_json:
        servers = [row.__dict__ for row in found.rows]
        typer.echo(json.dumps({"servers": servers, "ended": list(found.ended)}, indent=2))
    else:
        for sentence in found.ended:
            typer.echo(sentence, err=True)
        if found.rows:
            _print(found.rows)
        for embedded, start in ((True, "flightschool up NAME"), (False, "docker compose")):
            if names := ", ".join(one.name for one in found.idle if one.embedded is embedded):
                typer.echo(_("Not running (start: {start}): {names}").format(start=start, names=names))
    return 0 if not found.ended and all(row.ready for row in found.rows) else 1


def _print(rows: Sequence[overview.Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in (_("name"), _("state"), _("endpoint")):
        table.add_column(column, overflow="fold")
    for column in (_("pid"), _("memory"), _("uptime")):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column(_("by"), overflow="fold")
    table.add_column(_("log"), overflow="fold")
    for row in rows:
        table.add_row(
            row.name,
            _("ready") if row.ready else _("silent"),
            row.endpoint,
            str(row.pid or ""),
            f"{row.memory / 2**20:.0f} MiB" if row.memory is not None else "",
            _span(row.uptime) if row.uptime is not None else "",
            row.by,
            Path(row.log).name if row.log else "",
        )
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = WIDE
    console.print(table)
    typer.echo(_("Logs are in {folder}.").format(folder=_short(paths.STATE / "services")))


def _span(seconds: float) -> str:
    """Such as `12 s`, `3:05 min`, `2:10 h`."""
    whole = int(seconds)
    if whole < 60:
        return _("{n} s").format(n=whole)
    if whole < 3600:
        return _("{m}:{s:02} min").format(m=whole // 60, s=whole % 60)
    return _("{h}:{m:02} h").format(h=whole // 3600, m=whole % 3600 // 60)


def _short(path: Path) -> Path:
    """That path from here, when it is below here."""
    with suppress(ValueError, OSError):
        return path.relative_to(Path.cwd())
    return path


def logs(name: str, lines: int, follow: bool) -> int:
    """Print the end of that server's log: of `flightschool up`'s, else of the one that started last. With `follow` on and on.

    Raises:
        FlightSchoolError: it does not run and has left no log.
    """
    log = _log(name)
    with log.open(encoding="utf-8", errors="replace") as file, suppress(KeyboardInterrupt):
        size = file.seek(0, os.SEEK_END)  # what comes later is followed, so nothing is missed or said twice
        for line in overview.tail(log, lines, size) if lines else []:
            typer.echo(line)
        while follow:
            if part := file.read():
                typer.echo(part, nl=False)
            else:
                time.sleep(0.2)
    return 0


def _log(name: str) -> Path:
    if records := [one for one in state.running()[0] if one.name == name and Path(one.log).is_file()]:
        best = max(records, key=lambda one: (one.up, one.since))
        return Path(best.log)
    left = sorted(
        (one for one in (paths.STATE / "services").glob("*.log") if one.stem.rpartition("-")[0] == name),
        key=lambda one: one.stat().st_mtime,
    )
    if left:
        return left[-1]
    row = registry.server(name)
    raise FlightSchoolError(
        _("{name} does not run here and has left no log.").format(name=row.name)
        if row.embedded
        else _("{name} is compose's; its log is: docker compose logs {service}").format(
            name=row.name, service=row.compose.service if row.compose else name
        )
    )
