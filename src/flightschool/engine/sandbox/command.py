"""`run`: a command behind the walls, started from a clean process, so that any program may call it, threads or not."""

import json
import os
import selectors
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flightschool.engine.sandbox import walls
from flightschool.engine.sandbox.policy import NoSandbox, Policy, Result
from flightschool.engine.sandbox.watch import read_report
from flightschool.i18n import _

if TYPE_CHECKING:
    import subprocess

GRACE = 10.0
"""Seconds beyond the policy's wall time after which the watcher itself is ended, should it hang."""
_CHUNK = 2**16
_SOURCE = Path(__file__).parents[3]
_START = """import sys
sys.path.append(sys.argv[1])
from flightschool.engine.sandbox.launch import main
main(int(sys.argv[2]))
"""


def run(command: Sequence[str], policy: Policy) -> Result:
    """Run a command in its private home, without input; wait until it and all that it started are gone.

    Raises:
        NoSandbox: the walls can't be built here; nothing was run.
        FlightSchoolError: a readable path does not exist.

    A Python that asks for more memory than one process may have gets a MemoryError and ends by itself: that is *exited*.
    """
    import subprocess  # not above: it brings threading, which makes each fork of a warden dearer

    walls.prepare(policy)
    report, told = os.pipe()
    begin = time.monotonic()
    try:
        with subprocess.Popen(
            [sys.executable, "-I", "-c", _START, str(_SOURCE), str(told)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[told],
            env={},
            start_new_session=True,
        ) as process:
            os.close(told)
            told = -1
            assert process.stdin is not None
            with process.stdin:
                process.stdin.write(json.dumps({"command": list(command), "policy": policy.plain()}).encode())
            try:
                stdout, stderr, truncated = _read(process, policy.output, begin + policy.wall + GRACE)
            except BaseException:
                process.kill()  # and with the watcher all behind it
                raise
            said = read_report(report)
    finally:
        os.close(report)
        if told >= 0:
            os.close(told)
    if said.refused:
        raise NoSandbox(_("Learners' code can't be walled in here ({reason}).").format(reason=said.refused))
    return Result(said.ending, said.status, said.seconds, said.peak, stdout, stderr, truncated)


def _read(process: "subprocess.Popen[bytes]", limit: int, deadline: float) -> tuple[bytes, bytes, bool]:
    """Both outputs, up to the limit each; what is beyond is read and dropped."""
    assert process.stdout is not None
    assert process.stderr is not None
    kept = {process.stdout: bytearray(), process.stderr: bytearray()}
    truncated = False
    with selectors.DefaultSelector() as ready:
        for stream in kept:
            ready.register(stream, selectors.EVENT_READ)
        while ready.get_map():
            for key, _events in ready.select(max(0.0, deadline - time.monotonic())):
                stream = process.stdout if key.fileobj is process.stdout else process.stderr
                chunk = os.read(key.fd, _CHUNK)
                if not chunk:
                    ready.unregister(stream)
                room = limit - len(kept[stream])
                truncated = truncated or len(chunk) > room
                kept[stream] += chunk[:room]
            if time.monotonic() > deadline:
                process.kill()
                break
    process.wait()
    return bytes(kept[process.stdout]), bytes(kept[process.stderr]), truncated
