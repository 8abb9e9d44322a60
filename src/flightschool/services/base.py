"""What every server of the course has in common: start, ready, endpoint, stop."""

import atexit
import os
import signal
import socket
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar, cast

from flightschool import paths
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.services.process import Supervised, uninterrupted
from flightschool.services.telemetry import OFF

LOOPBACK = "127.0.0.1"
SCANT = 5_000_000
"""Bytes of free disk below which a full disk is named as a likely reason."""
ATTEMPTS = 3
"""Starts, each with a new port, when somebody took the port between our choosing it and the server's bind."""


class Unavailable(FlightSchoolError):
    """A server that can't be had in this mode; the message is one line that says how to start it."""


class StartError(FlightSchoolError):
    """A server that did not come up; the message holds the last lines of its log."""


class _PortTakenError(Exception):
    """Somebody else has the port that we chose."""


class Service(ABC):
    """One server on this machine: a child process on a free loopback port, gone when we are gone.

    A subclass says how to run it and what a real answer of it is. `start()` returns when that answer came,
    and may be split into `launch()` and `wait()` to bring several up at once. Use it as a context manager, or
    call `stop()`; else it ends with this process. Its output is in `log`. While it runs a record of it lies in
    the state folder (see `state.py`), by which `flightschool status` and others find it.

    An instance may also stand for a server that somebody else runs, `flightschool up` or docker compose: see
    `at()`. `stop()` leaves that alone.

    Raises (`start`, `wait`):
        Unavailable: its program is not installed.
        StartError: it died, did not answer in time, or listens beyond this machine.
    """

    name: str
    """Names the log, such as `s3`."""
    timeout: ClassVar[float] = 30.0
    """Seconds within which it must answer."""
    grace: ClassVar[float] = 2.0
    """Seconds between the signal that ends it and SIGKILL."""
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    """What ends it cleanly."""
    told: ClassVar[tuple[str, ...]] = ()
    """Attributes, of values that JSON has, which another process needs beside the port to use it."""
    doors: ClassVar[Sequence[str]] = ()
    """Names of the other ports that it opens; each launch puts a free one for each into `ports`."""

    def __init__(self) -> None:
        self.host = LOOPBACK
        self.port = 0
        self.ports: dict[str, int] = {}
        self._process: Supervised | None = None
        self._elsewhere = ""

    # --- what a subclass says

    @property
    @abstractmethod
    def label(self) -> str:
        """What this is, in words for a learner."""

    @abstractmethod
    def command(self, port: int) -> Sequence[str]:
        """The command that serves on that port of 127.0.0.1."""

    @abstractmethod
    def answers(self) -> bool:
        """Send one real request; True when the reply is right. OSError and False mean: not yet."""

    def environment(self) -> Mapping[str, str]:
        """Variables that the server needs beside ours."""
        return {}

    @property
    def folder(self) -> Path | None:
        """Where the server runs; None for our own working folder."""
        return None

    @property
    def endpoint(self) -> str:
        """Where it answers, as its clients want it."""
        return f"http://{self.host}:{self.port}"

    def at_compose(self, settings: Mapping[str, str]) -> None:
        """Take from compose's settings (`.env`) what its clients need, such as a password."""
        del settings  # most have none

    def supervised(self) -> Sequence[Supervised]:
        """The processes that we started for it."""
        return [self._process] if self._process is not None else []

    # --- what a user calls

    @property
    def log(self) -> Path:
        """Its output, one file a server and process of ours."""
        return paths.STATE / "services" / f"{self.name}-{os.getpid()}.log"

    @property
    def running(self) -> bool:
        """Whether the process that we started is alive; for a server of others, whether its port is open."""
        if self._elsewhere:
            return occupied(self.port, self.host)
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start it, unless it runs, and return when it has answered."""
        if not self.running:
            self.launch()
            self.wait()
        return self

    def launch(self) -> None:
        """Start the process without waiting for it."""
        self.host, self._elsewhere = LOOPBACK, ""  # ours from now on
        self.port = free_port()
        self.ports = dict(zip(self.doors, free_ports(len(self.doors), besides=self.port), strict=True))
        try:
            with uninterrupted():
                self._process = Supervised(
                    self.command(self.port),
                    log=self.log,
                    env={**os.environ, **OFF, "PYTHONUNBUFFERED": "1", **self.environment()},
                    cwd=self.folder,
                    grace=self.grace,
                    stop_signal=self.stop_signal,
                )
        except OSError as error:  # no room for its settings, no process left
            self.stop(now=True)
            raise StartError(
                _("{label} did not start: {reason}. The files of servers are in {folder}.").format(
                    label=self.label, reason=error.strerror or error, folder=self.log.parent
                )
            ) from error
        except BaseException:
            self.stop(now=True)
            raise
        _started.add(self)

    def wait(self) -> None:
        """Return when it has answered; whatever else happens, Ctrl-C too, it is stopped."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._wait()
                return self._note()
            except _PortTakenError:
                self.stop(now=True)
                if attempt == ATTEMPTS:
                    raise self._failed(_("its port was taken by another program")) from None
                self.launch()
            except BaseException:
                self.stop(now=True)
                raise
        raise AssertionError  # the last attempt returns or raises

    def stop(self, now: bool = False) -> None:
        """End it and all that it started; quick, and harmless when repeated."""
        _started.discard(self)
        processes = self.supervised()
        for process in processes:
            process.release(now)
        for process in processes:
            process.stop(now)
        if processes:
            self._forget()

    def at(self, host: str, port: int, told: Mapping[str, Any], by: str) -> Self:
        """Stand for a server of this kind that runs there already, started by `by` (in words)."""
        self.host, self.port, self._elsewhere = host, port, by
        for name in self.told:
            if name in told:
                setattr(self, name, told[name])
        return self

    def ready(self) -> bool:
        """Whether it gives a right answer at this moment."""
        try:
            return self.answers()
        except (OSError, ValueError, LookupError, TypeError):  # the last: not the JSON that it should be
            return False

    def request(self, path: str = "/", **options: Any) -> tuple[int, bytes]:
        """One HTTP request to it, see the function of that name."""
        return request(self.port, path, host=self.host, **options)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        state = self.endpoint if self.running else _("stopped")
        by = _(", by {who}").format(who=self._elsewhere) if self._elsewhere else ""
        return f"<{self.label}: {state}{by}>"

    def listening(self) -> set[tuple[str, int]]:
        """Address and port of every TCP socket on which it, or a child of it, takes connections."""
        import psutil

        found: set[tuple[str, int]] = set()
        for process in [one for supervised in self.supervised() for one in supervised.tree()]:
            try:
                sockets = process.net_connections("tcp")
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            found |= {tuple(one.laddr) for one in sockets if one.status == psutil.CONN_LISTEN}
        return found

    # --- inside

    def _note(self) -> None:
        from flightschool.services import state

        state.put(state.of(self))

    def _forget(self) -> None:
        from flightschool.services import state

        state.forget(self.name)

    def _wait(self) -> None:
        process = cast(Supervised, self._process)
        end = time.monotonic() + self.timeout
        pause = 0.01
        while True:
            status = process.poll()
            if status == 127:
                raise Unavailable(
                    _("{label} is not installed: {reason}.").format(label=self.label, reason=process.tail(1))
                )
            if status is not None:
                if any(map(occupied, (self.port, *self.ports.values()))):
                    raise _PortTakenError
                raise self._failed(_("it ended with status {status}").format(status=status))
            if self.ready() and self._ours():
                return
            if time.monotonic() > end:
                raise self._failed(_("it did not answer within {seconds:.0f} s").format(seconds=self.timeout))
            time.sleep(pause)
            pause = min(pause * 1.5, 0.2)

    def _ours(self) -> bool:
        """Whether the answer came from our process, and from nothing that others on the network can reach."""
        listening = self.listening()
        if beyond := sorted(host for host, _port in listening if not loopback(host)):
            raise self._failed(
                _("it listens beyond this machine, on {hosts}").format(hosts=", ".join(beyond))
            )
        return any(port == self.port for _host, port in listening)

    def _failed(self, why: str) -> StartError:
        if free_space(paths.STATE) < SCANT:
            why = _("{why}, and the disk of {folder} is full").format(why=why, folder=paths.STATE)
        return StartError(
            _("{label} did not start: {why}. Its log {log} ends: {tail}").format(
                label=self.label, why=why, log=self.log, tail=self._process.tail() if self._process else ""
            )
        )


class PythonService(Service):
    """A server that is a Python module of this environment, not shadowed by files of the working folder."""

    def python(self, *arguments: str) -> list[str]:
        """The command that runs this environment's Python with these arguments."""
        return [sys.executable, "-P", *arguments]


def loopback(host: str) -> bool:
    """Whether that address is of this machine alone, also where IPv6 names one of IPv4 (as Java does)."""
    return host == "::1" or host.removeprefix("::ffff:").startswith("127.")


def free_port() -> int:
    """A loopback port that nobody has at this moment."""
    with closing(socket.socket()) as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def free_ports(count: int, besides: int = 0) -> list[int]:
    """So many different loopback ports that nobody has at this moment, none of them `besides`."""
    found: dict[int, None] = {}
    while len(found) < count:
        if (port := free_port()) != besides:
            found[port] = None
    return list(found)


def occupied(port: int, host: str = LOOPBACK) -> bool:
    """Whether somebody takes connections on that port, of this machine by default."""
    try:
        with closing(socket.create_connection((host, port), timeout=1)):
            return True
    except OSError:
        return False


def free_space(folder: Path) -> int:
    """Bytes that we may still write there."""
    import shutil

    return shutil.disk_usage(folder).free if folder.is_dir() else SCANT


def request(
    port: int,
    path: str = "/",
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 5.0,
    host: str = LOOPBACK,
) -> tuple[int, bytes]:
    """One HTTP request past any proxy of the environment; status and body. Raises OSError, whatever is wrong."""
    import http.client  # here, since it takes longer to import than all of this room

    with closing(http.client.HTTPConnection(host, port, timeout=timeout)) as connection:
        try:
            connection.request(method, path, body, dict(headers or {}))
            reply = connection.getresponse()
            return reply.status, reply.read()
        except http.client.HTTPException as error:
            raise ConnectionError(f"{host}:{port}: {error!r}") from error


S = TypeVar("S", bound=Service)

_started: set[Service] = set()
_shared: dict[Hashable, Service] = {}
_locks: dict[Hashable, threading.Lock] = {}


def shared(key: Hashable, make: Callable[[], S]) -> S:
    """The one server of that key in this process, found or started at the first call, and again when it has died.

    The key of a server that the registry knows is its name there: then compose's is taken when compose serves it,
    and that of `flightschool up` when it may be shared (see `registry.py`).
    """
    with _locks.setdefault(key, threading.Lock()):
        service = cast("S | None", _shared.get(key))
        if service is None or not service.running:
            service = cast("S | None", _running_elsewhere(key))
        if service is None:
            service = make()
            service.start()
        _shared[key] = service
        return service


def _running_elsewhere(key: Hashable) -> Service | None:
    from flightschool.services import registry

    return registry.elsewhere(key) if isinstance(key, str) else None


def replace(key: Hashable, service: S) -> S:
    """Start this server in place of the one that had the key, which is stopped first."""
    with _locks.setdefault(key, threading.Lock()):
        if (before := _shared.pop(key, None)) is not None:
            before.stop()
        service.start()
        _shared[key] = service
        return service


@atexit.register
def stop_all() -> None:
    """Stop every server of this process, all at once."""
    services = list(_started)
    for service in services:
        for process in service.supervised():
            process.release()
    for service in services:
        service.stop()
    _shared.clear()


def _forget_after_fork() -> None:
    """In a forked child: the servers are the parent's; a lock may be held by a thread that is not here."""
    _started.clear()
    _shared.clear()
    _locks.clear()


os.register_at_fork(after_in_child=_forget_after_fork)
