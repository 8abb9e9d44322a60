"""IPython as a kernel runs it, in a process that was forked: cells come as JSON lines, outputs go back as such.

The shell, its display hook and its publisher are ipykernel's own, so that a notebook gives what it gives in its
kernel; only the session under them writes to a pipe instead of a ZeroMQ socket. Comms (widgets) go nowhere.
"""

import asyncio
import builtins
import codecs
import fcntl
import getpass
import io
import json
import math
import os
import select
import shutil
import socket
import sys
import tempfile
import threading
from types import SimpleNamespace
from typing import Any, NoReturn, cast

from ipykernel.compiler import XCachingCompiler
from ipykernel.ipkernel import IPythonKernel
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.error import StdinNotImplementedError, UsageError
from IPython.core.history import HistoryManager
from jupyter_client.jsonutil import json_default
from jupyter_client.session import Session

CHUNK = 2**16
"""Characters of printed text that are held back at most."""
TICK = 0.2
"""Seconds for which printed text is held back at most, ipykernel's own interval."""
NAMES = {1: "stdout", 2: "stderr"}


class Sink:
    """Where all outputs of a process come together, in the order in which they were made.

    It takes what Python prints and what child processes write to file descriptors 1 and 2. A forked child of this
    process writes to these descriptors, and so through here, too.
    """

    def __init__(self, channel: socket.socket) -> None:
        self._channel, self._pid = channel, os.getpid()
        self._lock = threading.RLock()
        self._pending: list[tuple[str, str]] = []
        self._held = 0
        self._pipes: dict[int, int] = {}
        self._decoders: dict[int, codecs.IncrementalDecoder] = {}
        for fd in NAMES:
            read, write = os.pipe()
            os.dup2(write, fd, inheritable=True)
            os.close(write)
            os.set_blocking(read, False)
            self._pipes[fd] = read
            self._decoders[fd] = codecs.getincrementaldecoder("utf-8")("replace")
        threading.Thread(target=self._pump, name="outputs", daemon=True).start()

    def write(self, fd: int, text: str) -> None:
        """Take printed text."""
        if os.getpid() != self._pid:
            os.write(fd, text.encode("utf-8", "replace"))
            return
        with self._lock:
            self._drain()  # what a child process has written by now was written before
            self._hold(NAMES[fd], text)

    def flush(self) -> None:
        """Send what was held back."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            self._drain()
            self._release()

    def send(self, message: dict[str, Any]) -> None:
        """Send one message, after all that was printed before it."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            self.flush()
            self._channel.sendall(encode(message))

    def _hold(self, name: str, text: str) -> None:
        self._pending.append((name, text))
        self._held += len(text)
        if self._held >= CHUNK:
            self._release()

    def _release(self) -> None:
        pending, self._pending, self._held = self._pending, [], 0
        while pending:
            name = pending[0][0]
            end = next((i for i, one in enumerate(pending) if one[0] != name), len(pending))
            text = "".join(part for _, part in pending[:end])
            pending = pending[end:]
            if text:
                content = {"name": name, "text": text}
                self._channel.sendall(encode({"type": "output", "msg_type": "stream", "content": content}))

    def _drain(self) -> None:
        for fd, pipe in self._pipes.items():
            for _ in range(256):  # an endless writer must not keep us from sending
                try:
                    data = os.read(pipe, CHUNK)
                except BlockingIOError:
                    break
                if not data:
                    break
                self._hold(NAMES[fd], self._decoders[fd].decode(data))

    def _pump(self) -> None:
        poll = select.poll()
        for pipe in self._pipes.values():
            poll.register(pipe, select.POLLIN)
        while True:
            poll.poll(TICK * 1000)
            try:
                self.flush()
            except OSError:  # nobody listens any more: the supervisor will end us
                return


def encode(message: dict[str, Any]) -> bytes:
    """A message as a line; numbers that JSON lacks become null, as in a kernel.

    Raises:
        TypeError: something in it has no JSON at all.
    """
    try:
        text = json.dumps(message, default=json_default, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(message), default=json_default, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "replace") + b"\n"


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value


class Printed(io.TextIOBase):
    """sys.stdout or sys.stderr of a notebook."""

    encoding = "UTF-8"
    errors = "replace"

    def __init__(self, fd: int, sink: Sink) -> None:
        self._fd, self._sink = fd, sink
        self.name = f"<{NAMES[fd]}>"

    def fileno(self) -> int:
        """The descriptor that a child process inherits."""
        return self._fd

    def writable(self) -> bool:
        """Yes."""
        return True

    def isatty(self) -> bool:
        """No: as in a kernel."""
        return False

    def write(self, text: str) -> int:
        """Take text; raises TypeError for anything else."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        self._sink.write(self._fd, text)
        return len(text)

    def flush(self) -> None:
        """Send what was held back."""
        self._sink.flush()

    def close(self) -> None:
        """Nothing: there is always a next cell."""


class PipeSession(Session):
    """Jupyter's session, over our pipe."""

    sink: Sink | None = None

    def send(
        self, stream: Any, msg_or_type: Any, content: Any = None, *_args: Any, **_options: Any
    ) -> dict[str, Any]:
        """Send a display message; any other kind (comms) is dropped."""
        message = msg_or_type if isinstance(msg_or_type, dict) else self.msg(msg_or_type, content)
        kind, content = message["msg_type"], message["content"]
        if self.sink is not None and kind in _FIELDS:
            wanted = {key: content[key] for key in _FIELDS[kind] if content.get(key) is not None}
            self.sink.send({"type": "output", "msg_type": kind, "content": wanted})
        return message


_FIELDS = {
    "stream": ("name", "text"),
    "display_data": ("data", "metadata", "transient"),
    "update_display_data": ("data", "metadata", "transient"),
    "execute_result": ("data", "metadata", "execution_count"),
    "clear_output": ("wait",),
    "error": ("ename", "evalue", "traceback"),
}


def build() -> Any:
    """The shell that all notebooks of this template begin with, without history and anybody's own settings."""
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    manager: Any = HistoryManager
    manager.enabled = False
    folder = tempfile.mkdtemp(prefix="flightschool-ipython-")
    try:
        shell: Any = ZMQInteractiveShell.instance(
            ipython_dir=folder,
            compiler_class=XCachingCompiler,
            kernel=SimpleNamespace(eventloop=None),
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    shell.enable_gui = _no_gui
    session = PipeSession()
    shell.displayhook.session = shell.display_pub.session = session
    shell.displayhook.topic = b"execute_result"
    return shell


class HandOver:
    """What a graded run's shell has as `hand_over`: the way by which evidence leaves, and drills come in.

    `seed` is the world's. Learners' code shares this process: whatever it sends here is only its own answer.
    """

    def __init__(self, seed: int, sink: Sink, replies: io.BufferedReader) -> None:
        self.seed, self._sink, self._replies = seed, sink, replies

    def evidence(self, exercise: str, content: Any) -> None:
        """Plain data for the judge of an exercise."""
        self._sink.send({"type": "evidence", "exercise": exercise, "content": content})

    def nothing(self, exercise: str, **verdict: str) -> None:
        """Why there is no evidence: outcome, found, expected, try_next …"""
        self._sink.send({"type": "evidence", "exercise": exercise, "verdict": verdict})

    def drill(self) -> dict[str, Any]:
        """Let the drill be planted outside: its page, and the work folder as a tar archive in base64."""
        self._sink.send({"type": "ask", "what": "drill"})
        return cast(dict[str, Any], json.loads(self._replies.readline()))


class Runner:
    """One notebook's cells, in this process; `seed` makes it a graded run."""

    def __init__(self, shell: Any, channel: socket.socket, seed: int | None = None) -> None:
        self.shell, self._cells = shell, channel.makefile("rb")
        with open(os.devnull, "rb") as nothing:  # noqa: PTH123
            os.dup2(nothing.fileno(), 0)
        self.sink = Sink(channel)
        shell.display_pub.session.sink = self.sink
        if seed is not None:
            shell.hand_over = HandOver(seed, self.sink, self._cells)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        sys.stdout = sys.__stdout__ = cast(io.TextIOWrapper, Printed(1, self.sink))  # type: ignore[misc]
        sys.stderr = sys.__stderr__ = cast(io.TextIOWrapper, Printed(2, self.sink))  # type: ignore[misc]
        builtins.input = _no_input
        getpass.getpass = _no_getpass
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)

    def run(self) -> None:
        """Execute what comes until there is no more."""
        self.sink.send({"type": "ready", "language_info": dict(IPythonKernel.language_info)})
        for line in self._cells:
            request = json.loads(line)
            if request["type"] == "end":
                return
            error = self._loop.run_until_complete(self._execute(request["code"], request["cell_id"]))
            done = {"type": "done", "execution_count": max(self.shell.execution_count - 1, 0), "error": error}
            self.sink.send(done)
            if self.shell.exit_now:
                return

    async def _execute(self, code: str, cell_id: str | None) -> dict[str, Any] | None:
        # In a running loop, as ipykernel does it: `asyncio.create_task` in a plain cell needs one.
        shell = self.shell
        broken = None
        try:
            transformed = shell.transform_cell(code)
        except Exception:
            transformed, broken = code, sys.exc_info()
        if shell.should_run_async(code, transformed_cell=transformed, preprocessing_exc_tuple=broken):
            result = None
            try:
                result = await shell.run_cell_async(
                    code,
                    store_history=True,
                    transformed_cell=transformed,
                    preprocessing_exc_tuple=broken,
                    cell_id=cell_id,
                )
            finally:
                shell.events.trigger("post_execute")
                shell.events.trigger("post_run_cell", result)
        else:
            result = shell.run_cell(code, store_history=True, cell_id=cell_id)
        shell.payload_manager.clear_payload()
        if result.success and not getattr(shell, "_last_traceback_during_displayhook", False):
            return None
        error = result.error_before_exec or result.error_in_exec
        return {
            "ename": type(error).__name__,
            "evalue": str(error),
            "traceback": [str(line) for line in shell._last_traceback or []],
        }


def _no_gui(gui: str | None = None) -> None:
    """`%matplotlib inline` asks for none."""
    if gui not in (None, "inline"):
        raise UsageError(f"There is no screen for a GUI event loop {gui!r}: use %matplotlib inline.")


def _no_input(prompt: object = "") -> NoReturn:
    raise StdinNotImplementedError("raw_input was called, but this frontend does not support input requests.")


def _no_getpass(prompt: object = "", stream: object = None) -> NoReturn:
    raise StdinNotImplementedError("getpass was called, but this frontend does not support input requests.")


def hide(channel: socket.socket) -> socket.socket:
    """The channel at a number where no program expects it."""
    fd = fcntl.fcntl(channel.detach(), fcntl.F_DUPFD_CLOEXEC, 64)
    return socket.socket(fileno=fd)
