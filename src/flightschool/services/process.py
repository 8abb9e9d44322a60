"""A child process that cannot outlive us, however we end."""

import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

if TYPE_CHECKING:
    import psutil

GUARDIAN = Path(__file__).with_name("guardian.py")


class Supervised:
    """A running command with its guardians beside it (see `guardian.py`), in a session of their own.

    So Ctrl-C in a terminal, or Jupyter's interrupt, reaches us and not the command. It ends on `stop()`, when
    this object is collected, and when this process ends, by SIGKILL too.

    Args:
        command: what to run. A program that is not there gives exit status 127.
        log: file to which its output is appended; folders are made.
        env: its whole environment; ours by default.
        cwd: its working folder; ours by default.
        grace: seconds between `stop_signal` and SIGKILL.
        stop_signal: what ends the command cleanly.

    Raises:
        FlightSchoolError: the log cannot be written.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        grace: float = 2.0,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.log, self.grace, self.owner = log, grace, os.getpid()
        guard = [sys.executable, "-I", str(GUARDIAN), str(self.owner), str(grace), str(int(stop_signal))]
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            output = log.open("ab")
        except OSError as error:
            raise unwritable(log, error) from error
        with output:
            self.begin = output.tell()
            self._guardian = subprocess.Popen(
                [*guard, *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )
        _alive.add(self)

    def poll(self) -> int | None:
        """Exit status of the command, None while it runs."""
        return self._guardian.poll()

    @property
    def guardian(self) -> int:
        """The process id of the outer guardian."""
        return self._guardian.pid

    def tree(self) -> "list[psutil.Process]":
        """The command and all that descends from it, without the guardians."""
        return tree(self._guardian.pid)

    def tail(self, lines: int = 5) -> str:
        """The last lines that this command wrote, on one line."""
        with self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(self.begin, size - 4000))
            text = file.read().decode(errors="replace")
        return " | ".join([line.strip() for line in text.splitlines() if line.strip()][-lines:])[-800:]

    def release(self, now: bool = False) -> None:
        """Order the end without waiting for it."""
        if os.getpid() != self.owner or self._guardian.stdin is None or self._guardian.stdin.closed:
            return
        with suppress(BrokenPipeError):
            if now:
                self._guardian.stdin.write(b"!")
            self._guardian.stdin.close()

    def stop(self, now: bool = False) -> None:
        """End the whole tree, cleanly or `now`; a second call, or one in a forked child, does nothing."""
        self.release(now)
        if os.getpid() != self.owner:
            return
        try:
            self._guardian.wait(self.grace + 6)
        except subprocess.TimeoutExpired:
            self._guardian.kill()
            self._guardian.wait()
        _alive.discard(self)


def unwritable(path: Path, error: OSError) -> FlightSchoolError:
    """What to say when a file of the state folder can't be written."""
    return FlightSchoolError(
        _("Cannot write {path}: {reason}. Mend that, or set FLIGHTSCHOOL_STATE to another folder.").format(
            path=path, reason=error.strerror
        )
    )


def tree(guardian: int) -> "list[psutil.Process]":
    """What a guardian guards: all below it but the inner guardian; empty when it has ended."""
    import psutil

    try:
        below: list[psutil.Process] = psutil.Process(guardian).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    found = []
    for one in below:
        with suppress(psutil.NoSuchProcess):
            if one.ppid() != guardian:
                found.append(one)
    return found


_alive: "weakref.WeakSet[Supervised]" = weakref.WeakSet()


def _let_go_after_fork() -> None:
    """In a forked child: the processes are the parent's; to hold their pipes would let them outlive it."""
    for one in list(_alive):
        if one._guardian.stdin is not None:
            with suppress(OSError):
                one._guardian.stdin.close()
    _alive.clear()


os.register_at_fork(after_in_child=_let_go_after_fork)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back for the few milliseconds in which a process exists that no variable names yet."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda signum, _frame: came.append(signum))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.SIG_DFL)
        if came:
            signal.raise_signal(signal.SIGINT)
