"""What a grader takes and gives: wall time, the CPU time of all its processes, marks."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICK = 0.005
"""Seconds between two looks whether a command has ended."""

Marks = dict[str, dict[str, float]]
"""By learner and exercise, the points earned. Who could not be graded is not in it."""


@dataclass(frozen=True)
class Measured:
    """The grading of `n` submissions. Times in seconds, of all together."""

    wall: float
    cpu: float
    n: int
    marks: Marks


@dataclass(frozen=True)
class Ran:
    """A command that has ended: times in seconds, exit status (negative: the signal), all that it said."""

    wall: float
    cpu: float
    status: int
    said: str


def run(command: Sequence[str], cwd: Path, env: Mapping[str, str], deadline: float = 1800) -> Ran:
    """Run a command; one that is not done after `deadline` seconds is killed with its process group.

    `cpu` counts the command and all of its descendants that were waited for, which kernels are.
    """
    begin = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        ended = 0
        try:
            while not ended:
                time.sleep(TICK)
                if time.perf_counter() - begin > deadline:
                    os.killpg(process.pid, signal.SIGKILL)
                ended, status, used = os.wait4(process.pid, os.WNOHANG)
        finally:
            with suppress(OSError):  # there is nobody left, mostly
                os.killpg(process.pid, signal.SIGKILL)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read().decode(errors="replace")
    return Ran(wall, used.ru_utime + used.ru_stime, process.returncode, said)
