"""The warm process: has imported what the course imports, and forks itself for each notebook (Linux).

    python -P -m flightschool.engine.template FD MODULE…

FD is one end of a socket pair. Once the modules are imported a byte says so. Each byte that comes then brings the end
of another socket pair along: the channel of one notebook. The template forks a supervisor for it, the supervisor forks
the process that runs the cells. End of file ends the template and all that came of it.

The supervisor is its notebook's subreaper: whatever the notebook starts, and however it detaches itself, stays below it
and is killed by it as soon as we let go of the channel, die, or `GRACE` seconds after the notebook itself has ended.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from flightschool.engine import sandbox
from flightschool.engine import shell as shells

GRACE = 3.0
"""Seconds for what a notebook has started to end by itself, after the notebook has ended."""
KILLING = 5.0
"""Seconds after which a supervisor gives up on a process that even SIGKILL does not end (state D)."""
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

prctl = ctypes.CDLL(None, use_errno=True).prctl


def die_with(parent: int) -> None:
    """End by SIGKILL as soon as that parent does."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the system call
        os._exit(1)


def main(fd: int, modules: list[str]) -> None:
    """Import, then fork on demand; returns when nobody needs us any more."""
    gc.disable()
    control = socket.socket(fileno=fd)
    control.set_inheritable(False)
    sys.argv = ["flightschool-engine"]
    shell = shells.build()
    with shell.builtin_trap:  # pandas looks for `get_ipython` to learn that nobody sits at a terminal
        for module in modules:
            with contextlib.suppress(ImportError):  # not installed here: a notebook that needs it will say so
                importlib.import_module(module)
    if threading.active_count() > 1:
        names = ", ".join(one.name for one in threading.enumerate())
        raise SystemExit(f"the template has threads ({names}), so it is not safe to fork: preload less")
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a supervisor ended
    control.sendall(b"w")
    while True:
        data, fds, _flags, _address = socket.recv_fds(control, 1, 1)
        if not data:
            return
        channel = socket.socket(fileno=fds[0])
        template = os.getpid()
        if os.fork() == 0:
            try:
                control.close()
                supervise(template, shell, channel)
            finally:
                os._exit(1)
        channel.close()


def supervise(template: int, shell: Any, channel: socket.socket) -> None:
    """Fork the notebook's process, watch it, tell how it ended, leave nothing behind."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    die_with(template)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    me = os.getpid()
    runner = os.fork()
    if runner == 0:
        try:
            die_with(me)
            run(shell, channel)
        finally:
            os._exit(1)
    poll = select.poll()
    poll.register(channel, select.POLLRDHUP)
    ended = os.pidfd_open(runner)
    poll.register(ended, select.POLLIN)
    happened = {number for number, _event in poll.poll()}
    grace = 0.0
    if ended in happened:
        grace = GRACE
        status = os.waitstatus_to_exitcode(os.waitpid(runner, 0)[1])
        told = {"type": "exit", "status": status}
        with contextlib.suppress(OSError):  # the new line ends what the notebook may have left half written
            channel.sendall(b"\n" + shells.encode(told))
    sweep(channel, grace)
    os._exit(0)


def sweep(channel: socket.socket, grace: float) -> None:
    """Wait `grace` seconds (less when the channel closes) for all that is below us to end, then kill it."""
    poll = select.poll()
    poll.register(channel, select.POLLRDHUP)
    patience = time.monotonic() + grace
    while time.monotonic() < patience + KILLING:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        if time.monotonic() >= patience or poll.poll(0):
            patience = min(patience, time.monotonic())
            for one in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
        time.sleep(0.005)


def run(shell: Any, channel: socket.socket) -> None:
    """Become the notebook's process: where and with what the first line says, then its cells."""
    os.setsid()
    channel = shells.hide(channel)
    begin = json.loads(_exactly(channel, int.from_bytes(_exactly(channel, 8), "big")))
    if begin["policy"] is None:
        os.environ.clear()
        os.environ.update(begin["environment"])
        os.chdir(begin["folder"])
    else:
        sandbox.enter(as_policy(begin["policy"]), keep=(1, 2, channel.fileno()))
    forget_places()
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    shell.init_environment()
    time.tzset()
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    gc.enable()
    shells.Runner(shell, channel).run()
    atexit._run_exitfuncs()
    os._exit(0)


def forget_places() -> None:
    """Let the notebook import the course anew: what the template imported holds places of the template's environment."""
    for name in [name for name in sys.modules if name.split(".")[0] == "flightschool"]:
        del sys.modules[name]


def as_policy(told: dict[str, Any]) -> sandbox.Policy:
    """The policy that came as JSON."""
    return sandbox.Policy(
        **{
            **told,
            "readable": tuple(Path(path) for path in told["readable"]),
            "network": sandbox.Network(told["network"]),
            "environment": tuple((name, value) for name, value in told["environment"]),
        }
    )


def _exactly(channel: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        part = channel.recv(size - len(found))
        if not part:
            os._exit(0)
        found += part
    return bytes(found)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
    os._exit(0)  # no need to take apart what was imported
