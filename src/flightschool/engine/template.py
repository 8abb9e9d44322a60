"""The warm process: has imported what the course imports, and forks itself for each notebook (Linux).

    python -P -m flightschool.engine.template FD MODULE…

FD is one end of a socket pair. Once the modules are imported a byte says so. Each byte that comes then brings the end
of another socket pair along: the channel of one notebook. For OPEN the template forks a supervisor, and the supervisor forks
the process that runs the cells; for WALLED `sandbox.Warden` does. For CALL it forks a process of our own, which calls `main` of one of our
modules. End of file ends the template and all that came of it.

The supervisor is its notebook's subreaper: whatever the notebook starts, and however it detaches itself, stays below it
and is killed by it as soon as we let go of the channel, die, or `GRACE` seconds after the notebook itself has ended. Behind
walls all ends with the notebook.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Mapping
from typing import Any, NoReturn

from flightschool.engine import sandbox
from flightschool.engine.sandbox import kernel

OPEN, WALLED, CALL = b"o", b"w", b"c"
"""What is asked for: a notebook's process without walls, or one behind them; or one that calls a function of ours."""
SIZE = 8
"""Bytes of a number that is sent."""
NO_MEMORY = 86
"""Exit status of a notebook's process that has no memory left to go on with."""
GRACE = 3.0
"""Seconds for what a notebook has started to end by itself, after the notebook has ended."""
KILLING = 5.0
"""Seconds after which a supervisor gives up on a process that even SIGKILL does not end (state D)."""


def main(fd: int, modules: list[str]) -> None:
    """Import, then fork on demand; returns when nobody needs us any more."""
    gc.disable()
    control = socket.socket(fileno=fd)
    control.set_inheritable(False)
    warden = sandbox.Warden(begun_walled, told)  # before the imports, for it is to be small
    import threading

    import psutil  # noqa: F401 - for `sweep`, warm

    from flightschool.engine import shell as shells

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
    kernel.collapse()
    signal.signal(signal.SIGCHLD, bury)
    with contextlib.suppress(BrokenPipeError):  # they have gone: so do we, below
        control.sendall(b"w")
    serve(control, shell, warden)
    warden.end()


def serve(control: socket.socket, shell: Any, warden: sandbox.Warden) -> None:
    """Fork on demand, until nobody needs us any more, or what we need is gone."""
    poll = select.poll()
    poll.register(control, select.POLLIN)
    needed: set[int] = set()
    while True:
        for pid in set(warden.processes) - needed:
            poll.register(os.pidfd_open(pid), select.POLLIN)
            needed.add(pid)
        if {descriptor for descriptor, _event in poll.poll()} != {control.fileno()}:
            return
        try:
            asked, fds, _flags, _address = socket.recv_fds(control, 1, 1)
        except ConnectionResetError:  # they have gone without reading that we are warm
            return
        if not asked:
            return
        channel = socket.socket(fileno=fds[0])
        if asked == WALLED:
            if born := warden.watch(channel):
                execute(shell, *born)
        else:
            template = os.getpid()
            if os.fork() == 0:
                try:
                    control.close()
                    warden.let_go()
                    if asked == CALL:
                        call(channel)
                    supervise(template, shell, channel)
                finally:
                    os._exit(1)
        channel.close()


def bury(*_signal: object) -> None:
    """Wait for what has ended, so that its use of the processor adds up."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def sized(message: Mapping[str, Any]) -> bytes:
    """A first message: its length, and it as JSON."""
    text = json.dumps(message, default=str).encode()
    return len(text).to_bytes(SIZE, "big") + text


def exactly(channel: socket.socket, count: int) -> bytes:
    """So many bytes, waited for; none when the other end was closed before they came."""
    found = bytearray()
    while len(found) < count:
        part = channel.recv(count - len(found))
        if not part:
            return b""
        found += part
    return bytes(found)


def begun(channel: socket.socket) -> dict[str, Any] | None:
    """The first message, which says how to begin; None when nobody is there any more."""
    size = exactly(channel, SIZE)
    text = exactly(channel, int.from_bytes(size, "big")) if size else b""
    if not text:
        return None
    begin: dict[str, Any] = json.loads(text)
    return begin


def begun_walled(channel: socket.socket) -> tuple[dict[str, Any], str] | None:
    """The same for a notebook behind walls, and the token that its last message has, for which it must not know it."""
    begin = begun(channel)
    return None if begin is None else (begin, begin.pop("token"))


def told(report: sandbox.Report, token: str) -> bytes:
    """How a notebook behind walls ended, as the last message."""
    ending, status = report.ending, report.status
    if ending is sandbox.Ending.EXITED and status == NO_MEMORY:
        ending = sandbox.Ending.OUT_OF_MEMORY
    elif ending is not sandbox.Ending.EXITED and not report.refused:
        status = 128 - status
    return end_message(status=status, ending=ending, refused=report.refused, token=token)


def end_message(**fields: Any) -> bytes:
    """The last message; the new line before it ends what the notebook may have left half written."""
    return b"\n" + json.dumps({"type": "exit", **fields}).encode() + b"\n"


def supervise(template: int, shell: Any, channel: socket.socket) -> None:
    """Fork the notebook's process, watch it, tell how it ended, leave nothing behind."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    kernel.die_with(template)
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    me = os.getpid()
    runner = os.fork()
    if runner == 0:
        try:
            kernel.die_with(me)
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
        with contextlib.suppress(OSError):  # nobody listens any more
            channel.sendall(end_message(status=status))
    sweep(channel, grace)
    os._exit(0)


def sweep(channel: socket.socket, grace: float) -> None:
    """Wait `grace` seconds (less when the channel closes) for all that is below us to end, then kill it."""
    import psutil

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


def call(channel: socket.socket) -> NoReturn:
    """Become a process of our own: say who we are, and call `main` of the module that the first message names, with the channel's number."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    begin = begun(channel)
    if begin is None:
        os._exit(0)
    channel.sendall(os.getpid().to_bytes(SIZE, "big"))
    forget_places(os.environ.get("FLIGHTSCHOOL_HOME", ""))
    os.environ.clear()
    os.environ.update(begin["environment"])
    os.chdir(begin["folder"])
    sys.path[:] = begin["path"]
    gc.enable()
    try:
        importlib.import_module(begin["module"]).main(channel.detach(), *begin["arguments"])
    except Exception:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def run(shell: Any, channel: socket.socket) -> None:
    """Become the notebook's process: where and with what the first line says, then its cells."""
    os.setsid()
    begin = begun(channel)
    if begin is None:
        os._exit(0)
    os.environ.clear()
    os.environ.update(begin["environment"])
    os.chdir(begin["folder"])
    execute(shell, begin, channel)


def execute(shell: Any, begin: dict[str, Any], channel: socket.socket) -> NoReturn:
    """Execute the cells, in a process that is where it should be."""
    import random

    from flightschool.engine import shell as shells

    channel = shells.hide(channel)
    if begin["forget"]:
        forget_places()
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    shell.init_environment()
    time.tzset()
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    gc.enable()
    status = 1
    try:
        shells.Runner(shell, channel, begin["seed"]).run()
        atexit._run_exitfuncs()
        status = 0
    except (
        MemoryError
    ):  # not the cell's, which is its output, but where there is too little left to say even that
        status = NO_MEMORY
    finally:
        os._exit(status)


def forget_places(course: str = "") -> None:
    """Let the process import the course anew: what the template imported holds places of the template's environment, as its course does."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        ours = name.split(".")[0] in ("flightschool", "flightschool_labs")
        if ours or (course and file.startswith(course + os.sep)):
            del sys.modules[name]


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
    os._exit(0)  # no need to take apart what was imported
