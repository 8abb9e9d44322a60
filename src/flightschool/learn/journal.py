"""The journal: one SQLite file of what a learner did, written by several kernels at once, never rewritten.

Rows are only ever added; each has a random id, so that a row that arrives twice (a retry, an import) is one row. What
became of the learner is computed from them by `learn.progress`.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple, dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from flightschool.curriculum import Outcome
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

T = TypeVar("T")

PATIENCE = 0.5
"""Seconds to wait for another process that is writing."""
_APPLICATION = 0x464C5953
"""SQLite's application id, which tells a progress file from any other database."""
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
"""Primary error codes of a file that is no progress file (any more); SQLITE_ERROR is a missing table or column."""

# One entry a version, each a list of statements that takes the version before it to this one. Never change an entry.
MIGRATIONS: list[list[str]] = [
    [
        """
        CREATE TABLE events (
            id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 16 AND 64),
            at TEXT NOT NULL CHECK (at GLOB '[12][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9].[0-9][0-9][0-9][0-9][0-9][0-9]Z'),
            kind TEXT NOT NULL
                CHECK (kind IN ('opened', 'attempt', 'hint', 'paged', 'detected', 'restored', 'abandoned')),
            module TEXT NOT NULL CHECK (length(module) BETWEEN 1 AND 100),
            exercise TEXT CHECK (length(exercise) BETWEEN 1 AND 100),
            outcome TEXT CHECK (outcome IN
                ('passed', 'partly', 'failed', 'not_attempted', 'error', 'timed_out', 'out_of_memory')),
            share REAL CHECK (share BETWEEN 0 AND 1),
            points REAL CHECK (points BETWEEN 0 AND 1000000),
            seconds REAL CHECK (seconds BETWEEN 0 AND 1000000000),
            rung INTEGER CHECK (rung BETWEEN 1 AND 100),
            run TEXT CHECK (length(run) BETWEEN 1 AND 64),
            source TEXT CHECK (length(source) BETWEEN 1 AND 64),
            CHECK (kind NOT IN ('attempt', 'hint') OR exercise IS NOT NULL),
            CHECK (kind <> 'attempt' OR (outcome IS NOT NULL AND share IS NOT NULL AND points IS NOT NULL)),
            CHECK (kind <> 'hint' OR rung IS NOT NULL),
            CHECK (kind IN ('opened', 'attempt', 'hint') OR run IS NOT NULL)
        )
        """,
        "CREATE INDEX events_by_time ON events (at)",
    ],
]


class Unwritable(FlightSchoolError):
    """The progress file can't be opened or written now; later it may."""


class Newer(FlightSchoolError):
    """The progress file was written by a newer version of Flight School; it is left alone."""


class BadEvent(FlightSchoolError):
    """An event that no version of Flight School writes."""


class _Damaged(Exception):
    """The file is no progress file, or no longer one."""


class Kind(StrEnum):
    """What an event tells of. The last four are the stages of a drill."""

    OPENED = "opened"
    ATTEMPT = "attempt"
    HINT = "hint"
    PAGED = "paged"
    DETECTED = "detected"
    RESTORED = "restored"
    ABANDONED = "abandoned"


@dataclass(frozen=True)
class Event:
    """One thing that happened. `at` is UTC.

    Of an attempt: `outcome`, `share` (0 to 1), `points` (what the exercise was worth then) and `seconds` (since the
    lab was opened, or since the attempt before in this notebook; None when neither is known). Of a hint: `rung`,
    from 1. Of a drill's stages: `run`, the same for all stages of one drill. `source` is a hash of the lab's
    exercises and judges.
    """

    kind: Kind
    module: str
    exercise: str | None = None
    outcome: Outcome | None = None
    share: float | None = None
    points: float | None = None
    seconds: float | None = None
    rung: int | None = None
    run: str | None = None
    source: str | None = None
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


_COLUMNS = tuple(column.name for column in fields(Event))
_INSERT = (
    f"INSERT INTO events ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608
    "ON CONFLICT (id) DO NOTHING"
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM events ORDER BY at, id"  # noqa: S608


class Journal:
    """The journal of one process. Safe for threads; a forked child needs its own.

    A damaged file is moved aside as `progress.damaged-<time>.sqlite` and a new one begun; `moved` then holds one
    sentence for each, until somebody has said it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.moved: list[str] = []
        self._waiting: list[Event] = []
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None

    def note(self, event: Event) -> str:
        """Add an event; never raises for the file's sake. Returns what to tell the learner, mostly nothing.

        While the file can't be written events wait in memory, and go along with the next one.
        """
        with self._lock:
            self._waiting.append(event)
            return self.flush()

    def flush(self, patience: float = PATIENCE) -> str:
        """Write what waits; as `note`."""
        with self._lock:
            try:
                if self._waiting:
                    self.add(self._waiting, patience)
            except Unwritable as error:
                return _(
                    "{error} Your checks go on; what you do until then is lost only when this notebook's kernel ends."
                ).format(error=error)
            except (Newer, BadEvent) as error:
                self._waiting.clear()
                return str(error)
            self._waiting.clear()
            said = " ".join(self.moved)
            self.moved.clear()
            return said

    def add(self, events: Iterable[Event], patience: float = PATIENCE) -> int:
        """Add events, all or none; those whose id is there already are left out. Returns how many were new.

        Raises:
            Unwritable, Newer: see there.
            BadEvent: one of them is not what it should be.
        """
        rows = [_row(event) for event in events]

        def insert(connection: sqlite3.Connection) -> int:
            connection.execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
            with _transaction(connection):
                before = connection.total_changes
                try:
                    connection.executemany(_INSERT, rows)
                except (sqlite3.IntegrityError, OverflowError, UnicodeEncodeError) as error:
                    raise BadEvent(_("an event is not as it should be ({why})").format(why=error)) from None
                return connection.total_changes - before

        return self._with_file(insert)

    def events(self) -> list[Event]:
        """All events, in the order of their time. An absent file is an empty one, and is not made.

        Raises:
            Unwritable, Newer: see there.
        """

        def read(connection: sqlite3.Connection) -> list[Event]:
            return [_event(row) for row in connection.execute(_SELECT)]

        with self._lock:
            if not os.path.lexists(self.path):
                return list(self._waiting)
            try:
                found = self._with_file(read)
            except Unwritable as refusal:
                # Where the folder is read-only SQLite can't have its files beside; as the file stands it still reads.
                try:
                    with closing(_connect(self.path, "mode=ro&immutable=1")) as connection:
                        found = read(connection)
                except (sqlite3.Error, _Damaged):
                    raise refusal from None
            known = {event.id for event in found}
            return [*found, *(event for event in self._waiting if event.id not in known)]

    def close(self) -> None:
        """Write what waits, if that can be, and let the file go. Does nothing in a forked child, whose it is not."""
        if os.getpid() != self._process:
            return
        with self._lock:
            self.flush(patience=5)
            self._drop()

    def _with_file(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` on the file that is at `path` before and after it, and is sound."""
        with self._lock:
            for _attempt in range(5):
                try:
                    connection = self._opened()
                    done = work(connection)
                except _Damaged:
                    self._move_aside()
                except sqlite3.DatabaseError as error:
                    if _code(error) in _DAMAGE:
                        self._move_aside()
                        continue
                    self._drop()
                    raise self._unwritable(str(error)) from None
                except OSError as error:
                    self._drop()
                    raise self._unwritable(error.strerror or str(error)) from None
                else:
                    # Another process may have moved the file aside meanwhile; ids make writing twice harmless.
                    if self._identity == _identity(self.path):
                        return done
            raise self._unwritable(_("it keeps being damaged or replaced"))

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None or self._identity != _identity(self.path):
            self._drop()
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._refuse_newer()
            connection = _connect(self.path, "mode=rwc")
            self._identity = _identity(self.path)
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
            if self._identity is None:  # a new file is made by the first statement, not by the connection
                self._identity = _identity(self.path)
        return self._connection

    def _refuse_newer(self) -> None:
        """By a reading connection of its own, since a writing one leaves traces; damage is not its business."""
        query = "mode=ro" if Path(f"{self.path}-wal").exists() else "mode=ro&immutable=1"
        with suppress(sqlite3.Error), closing(_connect(self.path, query)) as connection:
            self._known(_pragma(connection, "user_version"))

    def _known(self, version: int) -> int:
        if version > len(MIGRATIONS):
            raise Newer(
                _(
                    "{path} was written by a newer version of Flight School (its format is {theirs}, this one knows "
                    "{ours}): it is left as it is and nothing is recorded; update this checkout."
                ).format(path=self.path, theirs=version, ours=len(MIGRATIONS))
            )
        return version

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make a new file, or bring an older one to this version; raises _Damaged for one that is not ours or not whole."""
        if _pragma(connection, "user_version") != len(MIGRATIONS):
            with _transaction(connection):
                version = self._known(
                    _pragma(connection, "user_version")
                )  # another process may have been first
                if version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone():
                    raise _Damaged
                for statement in (statement for step in MIGRATIONS[version:] for statement in step):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {_APPLICATION}")
                connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        if _pragma(connection, "application_id") != _APPLICATION:
            raise _Damaged
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise _Damaged
        # Kept in the file; where two begin it at once, or the file system can't, the next one sets it.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode a killed process loses nothing by it; a power cut may lose the last few rows, never the file.
        connection.execute("PRAGMA synchronous = NORMAL")

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _move_aside(self) -> None:
        self._drop()
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        aside = self.path.with_name(f"{self.path.stem}.damaged-{stamp}{self.path.suffix}")
        try:
            with _alone(self.path.with_suffix(".lock")):
                if _identity(self.path) != self._identity:
                    return  # another process was first
                for end in ("-wal", "-shm", ""):
                    with suppress(FileNotFoundError):
                        Path(f"{self.path}{end}").rename(f"{aside}{end}")
        except OSError as error:
            raise self._unwritable(
                _("it is damaged, and can't be moved aside: {why}").format(why=error.strerror)
            ) from None
        self.moved.append(
            _("Your progress file was damaged: it is kept as {aside}, and a new one was begun.").format(
                aside=aside
            )
        )

    def _unwritable(self, why: str) -> Unwritable:
        return Unwritable(
            _("Progress is not being kept: {path} can't be written ({why}); make it writable.").format(
                path=self.path, why=why
            )
        )


def _connect(path: Path, query: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?{query}",
        uri=True,
        timeout=PATIENCE,
        isolation_level=None,
        check_same_thread=False,  # the journal has its own lock
    )


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process at a time; where the system has no flock, at one's own risk."""
    with lock.open("ab") as file:
        if sys.platform != "win32":
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary error code (https://www.sqlite.org/rescode.html)."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_MISUSE) & 0xFF


def _row(event: Event) -> tuple[Any, ...]:
    row = dict(zip(_COLUMNS, astuple(event), strict=True))
    try:
        row["at"] = event.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError) as error:
        raise BadEvent(_("an event's time is out of range ({why})").format(why=error)) from None
    return tuple(row.values())


def _event(row: tuple[Any, ...]) -> Event:
    found = dict(zip(_COLUMNS, row, strict=True))
    found["kind"] = Kind(found["kind"])
    found["outcome"] = found["outcome"] and Outcome(found["outcome"])
    try:
        found["at"] = datetime.fromisoformat(found["at"])
    except ValueError as error:  # passes the pattern, and yet is no day
        raise _Damaged from error
    return Event(**found)
