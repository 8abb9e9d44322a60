"""A folder of its own for a server that keeps files, and templates from which one is furnished at once."""

import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from flightschool import paths
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.services.base import Service

MACHINE = socket.gethostname()
"""In the folders' names, since several machines may share one state folder, and process numbers mean nothing there."""


class Housed(Service):
    """A server with files, in a folder made at each launch and gone when it stops.

    Folders of processes that were killed go at the next launch of any server of that name.
    """

    home: Path | None = None
    """The folder, while it runs."""
    _owner = 0

    def rooms(self) -> Path:
        """Where such folders are made."""
        return paths.STATE / "services"

    def furnish(self, home: Path) -> None:
        """Put into the new folder what the server needs at its start."""

    def launch(self) -> None:
        self._clear()
        rooms = self.rooms()
        try:
            rooms.mkdir(parents=True, exist_ok=True)
            sweep(rooms, self.name)
            made = tempfile.mkdtemp(prefix=f"{self.name}@{MACHINE}@{os.getpid()}@", dir=rooms)
            self.home, self._owner = Path(made), os.getpid()
            self.furnish(self.home)
        except OSError as error:
            self._clear()
            raise FlightSchoolError(
                _("Cannot make {label}'s folder below {path}: {reason}.").format(
                    label=self.label, path=rooms, reason=_reason(error)
                )
            ) from error
        except BaseException:
            self._clear()
            raise
        super().launch()

    def stop(self, now: bool = False) -> None:
        super().stop(now)
        self._clear()

    def _clear(self) -> None:
        if self.home is not None and self._owner == os.getpid():
            shutil.rmtree(self.home, ignore_errors=True)
            self.home = None


def _reason(error: OSError) -> str:
    """Its words; of a tree that could not be copied those about the first file."""
    if isinstance(error, shutil.Error):
        _source, _target, said = error.args[0][0]
        return str(said)
    return error.strerror or str(error)


def sweep(rooms: Path, name: str) -> None:
    """Remove folders of that server that processes of this machine left behind when they were killed."""
    for folder in rooms.glob(f"{name}@{MACHINE}@*@*"):
        pid = folder.name.split("@")[-2]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def template(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of that name in the state folder, filled by `make` once, while other processes wait.

    When `make` fails nothing is left, and the next call tries again. A new version of what made it
    needs a new name.
    """
    folder = paths.STATE / "services" / "templates" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            new = folder.with_name(f"{name}.new")
            with suppress(FileNotFoundError):
                shutil.rmtree(new)
            new.mkdir(mode=0o700)
            try:
                make(new)
            except BaseException:
                shutil.rmtree(new, ignore_errors=True)
                raise
            new.rename(folder)
    return folder
