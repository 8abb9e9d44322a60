"""The gradebook: results that outlive a kill, the secret of their worlds, and what they replaced; one SQLite file."""

import hashlib
import hmac
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self
from urllib.parse import quote

from pydantic import ValidationError

from flightschool.errors import FlightSchoolError
from flightschool.grading.model import Limits, Result
from flightschool.i18n import _, language

NAME = "gradebook.sqlite"
APPLICATION = int.from_bytes(b"FlSg", "big")
"""SQLite's mark of whose file it is."""
VERSION = 1
BUSY = 2.0
"""Seconds that another program may hold the file: a backup may pass by, another grader stays."""
TABLES = """
CREATE TABLE secret (value BLOB NOT NULL) STRICT;
CREATE TABLE results (
    module TEXT NOT NULL, learner TEXT NOT NULL, fingerprint TEXT NOT NULL, graded_at TEXT NOT NULL,
    finished INTEGER NOT NULL, result TEXT NOT NULL, PRIMARY KEY (module, learner)
) STRICT;
CREATE TABLE history (
    number INTEGER PRIMARY KEY, module TEXT NOT NULL, learner TEXT NOT NULL, fingerprint TEXT NOT NULL,
    graded_at TEXT NOT NULL, earned REAL NOT NULL, points REAL NOT NULL, result TEXT NOT NULL
) STRICT;
CREATE INDEX history_of ON history (module, learner);
"""


@dataclass(frozen=True)
class Earlier:
    """A result that a later one has replaced. Points are before any late penalty."""

    graded_at: datetime
    fingerprint: str
    earned: float
    points: float
    result: Result


class Gradebook:
    """The results of one folder of grades, held by one process at a time.

    Each `put` is a transaction that is on the disk when it returns. The lock is SQLite's own: it ends with the process, however
    that ends, and it needs no shared memory, so that a home folder on a network file system will do.

    Args:
        path: the file; made, readable by its owner alone, when it is not there.

    Raises:
        FlightSchoolError: another process holds it; it is damaged, of another program or of a later version (nothing is
            changed then); it can't be written. All methods raise this last one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._told():
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            self._connection = sqlite3.connect(
                f"file:{quote(str(path.absolute()))}?mode=rw", uri=True, timeout=BUSY, isolation_level=None
            )
        try:
            with self._told():
                self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        ask = self._connection.execute
        ask("PRAGMA locking_mode=EXCLUSIVE")
        # EXCLUSIVE from the first: two that read first would both wait for the other to let go.
        with self._transaction("EXCLUSIVE"):
            (application,), (version,) = (
                ask("PRAGMA application_id").fetchone(),
                ask("PRAGMA user_version").fetchone(),
            )
            (tables,) = ask("SELECT count(*) FROM sqlite_master").fetchone()
            if (application, version, tables) == (0, 0, 0):
                self._make()
            elif application != APPLICATION:
                raise FlightSchoolError(
                    _("{path} belongs to another program: name another folder with --out.").format(
                        path=self.path
                    )
                )
            elif version != VERSION:
                raise FlightSchoolError(
                    _(
                        "{path} is a gradebook of version {found}, this is version {known}: grade with the version "
                        "that made it, or into another folder with --out."
                    ).format(path=self.path, found=version, known=VERSION)
                )
            elif ask("PRAGMA quick_check").fetchall() != [("ok",)]:
                raise sqlite3.DatabaseError("quick_check")
            (self._secret,) = ask("SELECT value FROM secret").fetchone()
        ask("PRAGMA journal_mode=WAL")
        ask("PRAGMA synchronous=FULL")

    def _make(self) -> None:
        for statement in filter(str.strip, TABLES.split(";")):
            self._connection.execute(statement)
        self._connection.execute("INSERT INTO secret VALUES (?)", (secrets.token_bytes(32),))
        self._connection.execute(f"PRAGMA application_id={APPLICATION}")
        self._connection.execute(f"PRAGMA user_version={VERSION}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def seed(self, module: str) -> int:
        """The seed of the module's secret world, from 0 to 2**63 - 1; always the same in this gradebook."""
        return int.from_bytes(self._keyed(b"world", module.encode())[:8], "big") >> 1

    def fingerprint(self, course: str, notebook: bytes, seed: int, limits: Limits) -> str:
        """Of all that a result depends on, in hexadecimal. It is keyed, so that nobody finds the seed by trying.

        Args:
            course: what `flightschool.engine.fingerprint.course` says.
            notebook: the bytes that were handed in.
            seed: of the world.
            limits: of the submission.
        """
        parts = (course, language(), limits.model_dump_json(), str(seed))
        return self._keyed(b"result", *(part.encode() for part in parts), notebook).hex()

    def finished(self, module: str) -> dict[str, str]:
        """Fingerprint of the result of each learner that has one; what the grader itself failed at is not one."""
        with self._told():
            return dict(
                self._connection.execute(
                    "SELECT learner, fingerprint FROM results WHERE module = ? AND finished", (module,)
                ).fetchall()
            )

    def put(self, module: str, result: Result, graded_at: datetime) -> None:
        """Keep a result made at `graded_at` (in UTC); the finished one that it replaces goes to the history.

        Half a character, as hostile output has it, is kept as a question mark.
        """
        with self._told(), self._transaction("IMMEDIATE"):
            row = self._connection.execute(
                "SELECT fingerprint, graded_at, result FROM results WHERE module = ? AND learner = ? AND finished",
                (module, result.learner),
            ).fetchone()
            if row is not None:
                fingerprint, at, text = row
                was = self._read(text, result.learner)
                self._connection.execute(
                    "INSERT INTO history (module, learner, fingerprint, graded_at, earned, points, result) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (module, result.learner, fingerprint, at, was.earned, was.points, text),
                )
            told = json.dumps(result.model_dump(mode="json"), ensure_ascii=False)
            self._connection.execute(
                "REPLACE INTO results (module, learner, fingerprint, graded_at, finished, result) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (
                    module,
                    result.learner,
                    result.fingerprint,
                    graded_at.isoformat(timespec="microseconds"),
                    not result.failure,
                    told.encode(errors="replace").decode(),
                ),
            )

    def get(self, module: str, learner: str) -> Result | None:
        """The newest result of a learner, None when there is none."""
        with self._told():
            row = self._connection.execute(
                "SELECT result FROM results WHERE module = ? AND learner = ?", (module, learner)
            ).fetchone()
        return None if row is None else self._read(row[0], learner)

    def graded_at(self, module: str) -> datetime | None:
        """When the newest result was made, None when there is none."""
        with self._told():
            (newest,) = self._connection.execute(
                "SELECT max(graded_at) FROM results WHERE module = ?", (module,)
            ).fetchone()
        return None if newest is None else datetime.fromisoformat(newest)

    def learners(self, module: str) -> set[str]:
        """All who have a result."""
        with self._told():
            rows = self._connection.execute("SELECT learner FROM results WHERE module = ?", (module,))
            return {learner for (learner,) in rows}

    def history(self, module: str, learner: str) -> tuple[Earlier, ...]:
        """The results that a learner had before, oldest first."""
        with self._told():
            rows = self._connection.execute(
                "SELECT graded_at, fingerprint, earned, points, result FROM history "
                "WHERE module = ? AND learner = ? ORDER BY number",
                (module, learner),
            ).fetchall()
        return tuple(
            Earlier(datetime.fromisoformat(at), fingerprint, earned, points, self._read(text, learner))
            for at, fingerprint, earned, points, text in rows
        )

    def _keyed(self, *parts: bytes) -> bytes:
        """HMAC-SHA256 by the secret; parts don't run into each other."""
        total = hmac.new(self._secret, digestmod=hashlib.sha256)
        for part in parts:
            total.update(b"%d:" % len(part))
            total.update(part)
        return total.digest()

    def _read(self, text: str, learner: str) -> Result:
        try:
            return Result.model_validate_json(text)
        except ValidationError as error:
            raise FlightSchoolError(
                _("The result of {learner} in {path} can't be read: put a copy of the file back.").format(
                    learner=learner, path=self.path
                )
            ) from error

    @contextmanager
    def _transaction(self, kind: str) -> Iterator[None]:
        self._connection.execute(f"BEGIN {kind}")
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say what SQLite and the file system say in a sentence."""
        try:
            yield
        except OSError as error:
            raise self._unwritable(error.strerror or str(error)) from error
        except sqlite3.DatabaseError as error:
            kind = getattr(error, "sqlite_errorname", "")
            if kind.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
                raise FlightSchoolError(
                    _(
                        "Another program holds {path}, perhaps a grading that still runs: "
                        "wait for it, or name another folder with --out."
                    ).format(path=self.path)
                ) from error
            if isinstance(error, sqlite3.OperationalError) and not kind.startswith("SQLITE_CORRUPT"):
                raise self._unwritable(str(error)) from error
            raise FlightSchoolError(
                _(
                    "{path} is damaged or no gradebook: put a copy of it back, or name another folder with --out."
                ).format(path=self.path)
            ) from error

    def _unwritable(self, reason: str) -> FlightSchoolError:
        return FlightSchoolError(
            _("The gradebook {path} can't be written ({reason}): mend that, then grade again.").format(
                path=self.path, reason=reason
            )
        )
