"""What a watcher sees of a run: its clock and the memory of its tree, and at the end how it was."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from flightschool.engine.sandbox.cgroup import Group
from flightschool.engine.sandbox.policy import Ending, Policy, Report
from flightschool.errors import FlightSchoolError

TICK = 0.05
"""Seconds between two looks at the clock and the tree's memory."""
BUILDING = 30.0
"""Seconds for the walls to be up."""
REFUSED = 125
"""Exit status when the walls could not be built."""


class Watch:
    """One run, to be looked at every TICK.

    Args:
        policy: its limits.
        group: what counts its memory; None: the processes are looked at.
        held: bytes that its processes held from the start; in a fork they are the parent's.
        wall: seconds that it may take, from now.
    """

    def __init__(self, policy: Policy, group: Group | None, held: int, wall: float) -> None:
        self._policy, self._group, self._before, self._wall = policy, group, held, wall
        self._begin = time.monotonic()
        self._peak = 0

    def look(self, *tops: int) -> Ending | None:
        """Why the run must end now, if it must. `tops`: process ids; with all that descend from them they are the run."""
        if self._group is not None:
            full = self._group.out_of_memory()
        else:
            now = sum(held(pid) for top in tops for pid in _tree(top))
            self._peak = max(self._peak, now - self._before)
            full = now > self._policy.memory + self._before
        if full:
            return Ending.OUT_OF_MEMORY
        return Ending.TIMED_OUT if time.monotonic() - self._begin > self._wall else None

    def report(self, code: int, cpu: float, ending: Ending | None) -> Report:
        """How it was.

        Args:
            code: the learner's exit status, or the negative number of a signal.
            cpu: seconds of the processor that it used.
            ending: why the watcher ended it, if that did.
        """
        if self._group is not None:
            self._peak = self._group.peak()
            if self._group.out_of_memory():
                ending = Ending.OUT_OF_MEMORY
        if ending is None and code >= 0:
            ending = Ending.EXITED
        elif ending is None:
            used_up = code == -signal.SIGXCPU or (code == -signal.SIGKILL and cpu >= self._policy.cpu)
            ending = Ending.TIMED_OUT if used_up else Ending.KILLED
        status = 128 - code if code < 0 else code
        return Report(ending, status, time.monotonic() - self._begin, self._peak)


def refusal(error: BaseException | str, begin: float) -> Report:
    """The report of a run that was none, because the walls could not be built."""
    return Report(Ending.KILLED, REFUSED, time.monotonic() - begin, 0, because(error))


def because(error: BaseException | str) -> str:
    """Why, in one line."""
    if isinstance(error, str | FlightSchoolError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def write_report(descriptor: int | None, report: Report) -> None:
    """Say it to who reads, and close."""
    if descriptor is not None:
        with suppress(OSError):  # nobody listens any more
            os.write(descriptor, json.dumps(asdict(report)).encode())
        os.close(descriptor)


def read_report(descriptor: int) -> Report:
    """The Report that a watcher wrote; waits for it. Without one the watcher was killed, and so was all else."""
    with open(descriptor, "rb", closefd=False) as file:
        text = file.read()
    if not text:
        return Report(Ending.KILLED, 128 + signal.SIGKILL, 0.0, 0)
    fields = json.loads(text)
    return Report(**{**fields, "ending": Ending(fields["ending"])})


def held(pid: int | str = "self") -> int:
    """Bytes of memory that a process holds for itself or shares without a file."""
    return sum(_status(pid, b"RssAnon:", b"RssShmem:"))


def data(pid: int | str = "self") -> int:
    """Bytes of a process that RLIMIT_DATA counts."""
    return sum(_status(pid, b"VmData:"))


def _status(pid: int | str, *names: bytes) -> list[int]:
    with suppress(OSError), open(f"/proc/{pid}/status", "rb") as file:  # noqa: PTH123
        return [int(line.split()[1]) * 1024 for line in file if line.startswith(names)]
    return []  # it has ended


def _tree(top: int) -> Iterator[int]:
    """A process and all that descend from it, through whichever thread."""
    todo = [top]
    while todo:
        pid = todo.pop()
        yield pid
        with suppress(OSError):  # it has ended meanwhile
            for thread in Path(f"/proc/{pid}/task").iterdir():
                todo += map(int, (thread / "children").read_bytes().split())
