"""The guardians of one process: they end its whole tree when whoever asked for it lets go or dies.

    python guardian.py PARENT GRACE SIGNAL COMMAND…

Started by `flightschool.services.process`, one for each child, as a script of its own, because only another
process outlives our SIGKILL. It forks: the inner guardian has the command, the outer one has nothing but the inner,
so that SIGKILL to either leaves one that ends what is left. The inner holds the read end of a pipe on stdin:

- end of file, a signal, or the end of PARENT: SIGNAL to the command's process group, and GRACE seconds later
  SIGKILL to all that descends from it;
- a byte: SIGKILL at once.

The exit status is the command's (128 + n when signal n ended that; 127 when it could not be started).
When the command ends, so does everything that it left behind.
"""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

LINUX = sys.platform == "linux"
TICK = 1.0
"""Seconds between two looks at who our parent is (the pipe usually tells sooner)."""
KILLING = 5.0
"""Seconds after which the guardian gives up on a process that even SIGKILL does not end (state D)."""
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def prctl() -> Callable[[int, int], int] | None:
    """The system call of that name, where the system has it (Linux)."""
    if not LINUX:
        return None
    import ctypes

    call: Callable[[int, int], int] = ctypes.CDLL(None, use_errno=True).prctl
    return call


def alive(process: psutil.Process) -> bool:
    """Whether that very process (not a later one with its number) still runs."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def adopt_orphans() -> None:
    """What a descendant orphans comes to us, so nothing leaves the tree by forking twice."""
    call = prctl()
    if call is not None:
        call(PR_SET_CHILD_SUBREAPER, 1)


def end_all_below(known: set[psutil.Process]) -> None:
    """SIGKILL until nothing is left below us, nor of `known`."""
    me = psutil.Process()
    end = time.monotonic() + KILLING
    while time.monotonic() < end:
        rest = {one for one in {*me.children(recursive=True), *known} if alive(one)}
        if not rest:
            return
        for one in rest:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        time.sleep(0.01)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


class Guardian:
    """One command and all its descendants, watched until the end."""

    def __init__(self, parent: int, grace: float, signum: int, command: list[str]) -> None:
        self.grace, self.signum = grace, signum
        self.outer = os.getppid()
        self.me = psutil.Process()
        self.known: set[psutil.Process] = set()
        self.status: int | None = None
        self.wake = self._listen()
        self.ears = [0, self.wake]
        self.parent = psutil.Process(parent)
        adopt_orphans()
        call = prctl()
        if call is not None:
            call(PR_SET_PDEATHSIG, signal.SIGTERM)
        guardian = os.getpid()

        def die_with_guardian() -> None:
            if call is not None:
                call(PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != guardian:  # it died before the system call
                    os._exit(1)

        # One thread only, so what runs between fork and exec is safe.
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=die_with_guardian,
        )

    def _listen(self) -> int:
        """Turn signals into bytes on a pipe; return the end to read."""
        read, write = os.pipe()
        os.set_blocking(read, False)
        os.set_blocking(write, False)
        for signum in (signal.SIGCHLD, *ENDINGS):
            signal.signal(signum, lambda *_: None)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        return read

    def watch(self) -> int:
        """Wait for the end, whoever brings it; return the exit status."""
        grace: float | None = None
        while self.status is None and grace is None:
            grace = self._ordered(TICK)
            self._reap()
            if os.getppid() != self.outer or not alive(self.parent):
                grace = self.grace
            if not LINUX:
                self.known |= self._descendants()
        if self.status is None and grace:
            self._ask(grace)
        end_all_below(self.known)
        return self.status if self.status is not None else 128 + signal.SIGKILL

    def _ordered(self, seconds: float) -> float | None:
        """Wait for an order to end; return the grace it gives, None when there was no order."""
        readable, _, _ = select.select(self.ears, [], [], seconds)
        grace = None
        if self.wake in readable and set(os.read(self.wake, 4096)) - {signal.SIGCHLD}:
            grace = self.grace
        if 0 in readable:
            grace = 0.0 if os.read(0, 1) else self.grace
        return grace

    def _reap(self) -> None:
        """Take the exit status of every child that has ended, ours and adopted."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.child.pid:
                code = os.waitstatus_to_exitcode(status)
                self.status = self.child.returncode = code if code >= 0 else 128 - code

    def _descendants(self) -> set[psutil.Process]:
        """Everything alive below us, and on systems without subreapers what was once seen there."""
        return {one for one in {*self.me.children(recursive=True), *self.known} if alive(one)}

    def _ask(self, grace: float) -> None:
        """Signal the group and wait until it is gone, `grace` seconds have passed, or a byte comes."""
        self.known |= self._descendants()
        try:
            os.killpg(self.child.pid, self.signum)
        except ProcessLookupError:
            return
        end = time.monotonic() + grace
        while self.status is None and (left := end - time.monotonic()) > 0:
            readable, _, _ = select.select(self.ears, [], [], left)
            if self.wake in readable:
                os.read(self.wake, 4096)
            if 0 in readable:
                if os.read(0, 1):
                    return
                # After end of file stdin is always readable: then only children are worth waiting for.
                self.ears = [self.wake]
            self._reap()


def guard(parent: int, grace: float, signum: int, command: list[str]) -> int:
    """What the inner guardian does, from the fork to its exit status."""
    try:
        guardian = Guardian(parent, grace, signum, command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        sys.stderr.flush()
        return 127
    except psutil.NoSuchProcess:  # the parent ended before we began
        return 1
    return guardian.watch()


def stand_behind(inner: int) -> int:
    """What the outer guardian does: pass signals on, wait for the inner one, end what that could not end."""
    for signum in ENDINGS:
        signal.signal(signum, lambda *_: os.kill(inner, signal.SIGTERM))
    status = 128 + signal.SIGKILL
    with suppress(ChildProcessError):
        code = os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1])
        status = code if code >= 0 else 128 - code
    for signum in ENDINGS:
        signal.signal(signum, signal.SIG_IGN)
    end_all_below(set())
    return status


def main(arguments: list[str]) -> int:
    """Run the command given on the command line under guard."""
    parent, grace, signum, *command = arguments
    adopt_orphans()
    inner = os.fork()
    if inner:
        return stand_behind(inner)
    status = 1
    try:
        status = guard(int(parent), float(grace), int(signum), command)
    except Exception:
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
