"""Warm processes: a template that has imported the course's libraries, and a fork of it for each notebook.

The template is started by exec, once a process of ours; so no process with threads is ever forked.
"""

import atexit
import json
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from flightschool.engine import messages
from flightschool.engine.sandbox import Ending, Policy
from flightschool.engine.template import CALL, OPEN, SIZE, WALLED, exactly, sized
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

PRELOAD = (
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "pyarrow.csv",
    "duckdb",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "pexpect",
)
"""What the course's notebooks import, and what IPython imports at their first figure and their first `!`."""
OUTPUT_LIMIT = 256 * 2**20
"""Bytes of output that a notebook may send."""
LEAVING = 12.0
"""Seconds for a notebook's process tree to be gone once it was told to end; then it is killed."""


class Unavailable(FlightSchoolError):
    """No warm process can be had."""


class Deadline(Exception):
    """The time is over."""


class Ended(Exception):
    """The notebook's process is gone, or was given up: `reason` is one sentence.

    `ending` is how it ended behind its walls; None without walls, or when we ended it. `refused` says why the walls could not be
    built: nothing was executed then.
    """

    def __init__(self, reason: str, ending: Ending | None = None, refused: str = "") -> None:
        super().__init__(reason)
        self.reason, self.ending, self.refused = reason, ending, refused


def missing() -> str | None:
    """Why warm processes cannot be had on this system, None when they can.

    macOS has fork, but its system libraries forbid their use in a forked child.
    """
    if sys.platform != "linux":
        return _("forking a warm process needs Linux")
    if not hasattr(os, "pidfd_open"):
        return _("this Python or its system lacks pidfd_open")
    try:
        os.close(os.pidfd_open(os.getpid()))
    except OSError as error:
        return _("pidfd_open: {reason}").format(reason=error.strerror)
    return None


class Forks:
    """Where processes for notebooks come from: a template that another process of ours has started, seen through its control socket.

    What is asked of a template that is not warm yet is done when it is.
    """

    def __init__(self, control: socket.socket) -> None:
        self._lock = threading.Lock()
        self._control = control

    def alive(self) -> bool:
        """Whether it can fork."""
        return _connected(self._control)

    def fork(
        self,
        folder: str,
        policy: Policy | None = None,
        *,
        seed: int | None = None,
        environment: Mapping[str, str] | None = None,
        **options: Any,
    ) -> "Child":
        """A process for one notebook.

        Args:
            folder: where it runs without a policy.
            policy: the walls that it enters before all else; it then runs in their home, with their environment.
            environment: without a policy; ours as it is now by default.
            seed: of the world of a graded run, which keeps the course as the template imported it.
            options: as `Child`.
        """
        begin = {
            "folder": folder,
            "environment": {} if policy else dict(os.environ if environment is None else environment),
            "policy": None if policy is None else policy.plain(),
            "forget": seed is None,
            "seed": seed,
            "token": secrets.token_hex(16) if policy else "",
        }
        return Child(self._asked(WALLED if policy else OPEN), begin, **options)

    def call(
        self, module: str, *arguments: Any, folder: str, environment: Mapping[str, str]
    ) -> "tuple[Called, socket.socket]":
        """A process of our own that calls `main` of a module of ours, with the number of a socket and these arguments.

        Args:
            module: its name. It is imported anew, with the places that the environment names.
            arguments: what JSON has.
            folder: where it runs.
            environment: all of its environment.

        Returns:
            It, and the other end of the socket, at whose end it should end.

        Raises:
            Unavailable: none can be had.
        """
        channel = self._asked(CALL)
        begin = {
            "module": module,
            "arguments": arguments,
            "folder": folder,
            "environment": dict(environment),
            "path": [place for place in sys.path if place],
        }
        try:
            channel.sendall(sized(begin))
            if pid := exactly(channel, SIZE):
                return Called(int.from_bytes(pid, "big")), channel
        except OSError:
            pass
        channel.close()
        raise gone()

    def _asked(self, what: bytes) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            try:
                socket.send_fds(self._control, [what], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise gone() from error
        return ours

    def close(self) -> None:
        """Ask no more of it: the template ends when nobody can."""
        self._control.close()


def gone() -> Unavailable:
    """The end of a template, when it is asked for something."""
    return Unavailable(_("The warm process is gone: try again."))


def _connected(end: socket.socket) -> bool:
    """Whether somebody is at the other end, as far as one sees without waiting."""
    poll = select.poll()
    poll.register(end, 0)  # a hang-up is told anyway
    return not poll.poll(0)


class Called:
    """A process of our own, forked from a template whose child it is."""

    def __init__(self, pid: int) -> None:
        self._pidfd = os.pidfd_open(pid)

    def kill(self) -> None:
        """End it; returns when it has ended, and does nothing when it had."""
        if self._pidfd < 0:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        poll = select.poll()
        poll.register(self._pidfd, select.POLLIN)
        poll.poll(LEAVING * 1000)
        os.close(self._pidfd)
        self._pidfd = -1


class Template(Forks):
    """A template process of our own.

    Args:
        modules: what it imports.
        environment: its environment; ours by default.
    """

    def __init__(
        self, modules: Sequence[str] = PRELOAD, environment: Mapping[str, str] | None = None
    ) -> None:
        control, other = socket.socketpair()
        super().__init__(control)
        self.owner = os.getpid()
        self._waited = False
        command = [sys.executable, "-P", "-m", "flightschool.engine.template", str(other.fileno())]
        with other:
            self.process = subprocess.Popen(
                [*command, *modules],
                env=None if environment is None else dict(environment),
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def control(self) -> socket.socket:
        """What another process of ours makes `Forks` of."""
        return self._control

    def wait(self, timeout: float = 60.0) -> None:
        """Wait until it is warm, which only one may do, and only once; it is closed when it is not.

        Raises:
            Unavailable: it did not start, or not within so many seconds.
        """
        try:
            self._control.settimeout(timeout)
            warm = self._control.recv(1)
            self._control.settimeout(None)
            self._waited = bool(warm)
        except TimeoutError as error:
            self.close()
            raise Unavailable(
                _(
                    "The warm process was not ready within {seconds:g} s: raise --start-timeout, "
                    "or run without --engine flightschool."
                ).format(seconds=timeout)
            ) from error
        except BaseException:
            self.close()
            raise
        if not warm:
            self.close()
            raise Unavailable(_("The warm process ended before it was ready; what it said stands above."))

    def alive(self) -> bool:
        """Whether it can fork."""
        return self.owner == os.getpid() and self.process.poll() is None

    def _warm(self) -> bool:
        if not self._waited:
            with suppress(OSError):
                return bool(self._control.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
        return self._waited

    def close(self) -> None:
        """End it and all that came of it."""
        cold = not self._warm()
        self._control.close()
        if self.owner == os.getpid():
            if cold:  # nothing has come of it yet
                self.process.kill()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


_template: Template | None = None
_starting = threading.Lock()


def template(timeout: float = 60.0) -> Template:
    """The template of this process, started when first asked for and again when it died."""
    global _template
    with _starting:
        if _template is None or not _template.alive():
            if _template is not None and _template.owner == os.getpid():
                _template.close()
            _template = Template()
            _template.wait(timeout)
        return _template


def _forget() -> None:
    """In a forked child: the template is the parent's; to hold its socket would let it outlive that."""
    global _template, _starting
    _starting = threading.Lock()
    if _template is not None:
        _template._control.close()
        _template = None


def _close() -> None:
    if _template is not None and _template.owner == os.getpid():
        _template.close()


os.register_at_fork(after_in_child=_forget)
atexit.register(_close)


class Child:
    """A notebook's process, seen from outside.

    Args:
        channel: our end.
        begin: how it begins.
        output_limit: bytes that it may send.
    """

    def __init__(
        self, channel: socket.socket, begin: Mapping[str, Any], output_limit: int = OUTPUT_LIMIT
    ) -> None:
        channel.settimeout(LEAVING)  # of writing: reading waits for the deadline first
        self._channel, self._left = channel, output_limit
        self._limit = output_limit
        self._buffer = bytearray()
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)
        self._over: Ended | None = None
        self._token = begin["token"]
        self._send(sized(begin))

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_error: object) -> None:
        self.kill()

    def living(self) -> bool:
        """Whether the process is there, as far as one sees without waiting."""
        return self._over is None and self._channel.fileno() >= 0 and _connected(self._channel)

    def ready(self, deadline: float) -> messages.Ready:
        """Wait until it can execute; raises as `execute`."""
        for message in self._messages(deadline):
            if isinstance(message, messages.Ready):
                return message
        raise AssertionError("messages end by an exception")

    def execute(
        self, code: str, cell_id: str | None, deadline: float
    ) -> Iterator[messages.Output | messages.Evidence | messages.Ask | messages.Done]:
        """Execute one cell: its outputs as they come, `Done` as the last. A graded run's `Ask` wants a `reply`.

        Args:
            code: the cell.
            cell_id: its id.
            deadline: time.monotonic() at which it must be done.

        Raises:
            Deadline: it is not done. The process is killed.
            Ended: the process is gone, or was killed because it broke a rule.
        """
        self._send(json.dumps({"type": "execute", "code": code, "cell_id": cell_id}).encode() + b"\n")
        for message in self._messages(deadline):
            if isinstance(message, messages.Output | messages.Evidence | messages.Ask | messages.Done):
                yield message
            if isinstance(message, messages.Done):
                return

    def reply(self, answer: Mapping[str, Any]) -> None:
        """Answer an `Ask`."""
        self._send(json.dumps(answer).encode() + b"\n")

    def end(self) -> None:
        """Let it end as a kernel that is shut down, exit handlers and all, and see its process tree gone."""
        if self._over is not None:
            return
        self._send(b'{"type": "end"}\n')
        self._gone(time.monotonic() + LEAVING)
        self.kill()

    def kill(self) -> None:
        """End it and its process tree at once; returns when they are gone, does nothing when they are."""
        if self._channel.fileno() < 0:
            return
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)
        self._gone(time.monotonic() + LEAVING)
        self._channel.close()

    def _send(self, data: bytes) -> None:
        if self._over is not None:
            return
        try:
            self._channel.sendall(data)
        except TimeoutError:
            self.give_up(_("The notebook's process takes no cell any more: it was ended."))
        except (BrokenPipeError, ConnectionResetError):
            pass  # reading will tell why

    def _gone(self, deadline: float) -> None:
        """Read until nobody holds the other end: the supervisor lets go of it last."""
        while (left := deadline - time.monotonic()) > 0:
            try:
                if self._poll.poll(left * 1000) and not self._channel.recv(2**16):
                    return
            except ConnectionResetError:
                return

    def _messages(self, deadline: float) -> Iterator[messages.Message]:
        if self._over is not None:
            raise self._over
        while True:
            line = self._line(deadline)
            if not line:
                continue
            try:
                message = messages.decode(line)
                if isinstance(message, messages.Exit) and message.token != self._token:
                    raise messages.ProtocolError(f"forged: {line[:80]!r}")
            except messages.ProtocolError as error:
                raise self.give_up(
                    _(
                        "The notebook's process sent something that is no output ({what}): it was ended."
                    ).format(what=error)
                ) from error
            if isinstance(message, messages.Exit):
                raise self.give_up(_death(message), message)
            yield message

    def _line(self, deadline: float) -> bytes:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > messages.LONGEST:
                raise self.give_up(
                    _("An output was larger than {limit} MB: the notebook was ended.").format(
                        limit=messages.LONGEST // 2**20
                    )
                )
            left = deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(None if left == float("inf") else left * 1000 + 1):
                self.kill()
                self._over = Ended(_("The notebook's process was ended at its deadline."))
                raise Deadline
            try:
                data = self._channel.recv(2**18)
            except ConnectionResetError:
                data = b""
            if not data:
                raise self.give_up(_("The notebook's process is gone, with what watched over it."))
            self._left -= len(data)
            if self._left < 0:
                raise self.give_up(
                    _("The notebook has put out more than {limit} MB: it was ended.").format(
                        limit=self._limit // 2**20
                    )
                )
            self._buffer += data
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def give_up(self, reason: str, end: messages.Exit | None = None) -> Ended:
        """Kill it, for it has ended or broken a rule; the exception to raise."""
        self.kill()
        self._over = Ended(reason)
        if end is not None and end.ending:
            self._over = Ended(reason, Ending(end.ending), end.refused)
        return self._over


def _death(end: messages.Exit) -> str:
    """One sentence."""
    if end.refused:
        said = _("Nothing was executed, for the walls could not be built: {reason}.")
        return said.format(reason=end.refused.rstrip("."))
    if end.ending == "out of memory":
        return _("The notebook's process was ended because it ran out of memory.")
    if end.ending == "timed out":
        return _("The notebook's process was ended because its time was used up.")
    if end.status == -signal.SIGKILL and not end.ending:
        return _("The notebook's process was killed, perhaps for want of memory.")
    if end.status == -signal.SIGABRT:
        return _("A library of the notebook's process gave up (signal 6), perhaps for want of memory.")
    if end.status < 0:
        return _("The notebook's process was ended by signal {number}.").format(number=-end.status)
    return _("The notebook's process ended itself, with exit status {status}.").format(status=end.status)
