"""A process that keeps one server of `flightschool up` when the command has ended.

It is forked, not started anew: the modules are loaded, so that twelve of them cost little time and memory. It makes
the server as any process of ours does, with guardians, and owns it: SIGTERM ends both, and SIGKILL to the keeper ends
the server, since the guardians see it. Until it is told to stay, it ends when the command ends, however that does.
"""

import json
import os
import resource
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.services import state
from flightschool.services.base import Unavailable
from flightschool.services.process import uninterrupted
from flightschool.services.registry import Server

STAY = b"="
PAUSE = 0.5
"""Seconds between two looks at whether the server still runs."""
ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True)
class Report:
    """How the start went. `problem` is empty when the server is ready."""

    problem: str = ""
    unavailable: bool = False
    """It can't be had here, rather than: it failed."""


class Keeper:
    """The keeper of one server, as the command sees it. Making it forks; no thread may run then."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.reports, theirs = os.pipe()
        orders, self._orders = os.pipe()
        with uninterrupted():  # else Ctrl-C could send a forked child up the command's own stack
            middle = os.fork()
            if middle == 0:
                # The second fork makes it nobody's child, so that nobody has to wait for it.
                if os.fork():
                    os._exit(0)
                _live(server, theirs, orders)
        os.close(theirs)
        os.close(orders)
        os.waitpid(middle, 0)

    def report(self) -> Report:
        """What it says; returns when it is ready or has ended."""
        said = b""
        while not said.endswith(b"\n"):
            if not (part := os.read(self.reports, 65536)):
                return Report(_("{name}: its keeper ended without a word.").format(name=self.server.name))
            said += part
        return Report(**json.loads(said))

    def stay(self) -> None:
        """Let it outlive us."""
        with suppress(BrokenPipeError):
            os.write(self._orders, STAY)
        os.close(self._orders)
        os.close(self.reports)

    def dismiss(self) -> None:
        """Order the end of it and its server."""
        os.close(self._orders)

    def wait(self) -> None:
        """Return when it has ended."""
        while os.read(self.reports, 65536):
            pass
        os.close(self.reports)


def _live(server: Server, reports: int, orders: int) -> NoReturn:
    """What the forked process does, to its end."""
    status = 1
    try:
        _settle(reports, orders)
        status = _keep(server, reports)
    except SystemExit:
        status = 0
    finally:
        os._exit(status)


def _settle(reports: int, orders: int) -> None:
    """Leave the terminal and all that the command holds, and listen for the order to end."""
    for signum in ENDINGS:
        signal.signal(signum, _leave)
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    first, second = sorted((reports, orders))
    most = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 65536)
    os.closerange(3, first)
    os.closerange(first + 1, second)
    os.closerange(second + 1, most)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - for as long as the process lives
    state.owner = state.UP

    def wait_for_orders() -> None:
        if os.read(orders, 1) != STAY:
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait_for_orders, daemon=True).start()


def _leave(_signum: int, _frame: FrameType | None) -> None:
    for signum in ENDINGS:
        signal.signal(signum, signal.SIG_IGN)
    raise SystemExit(0)


def _keep(server: Server, reports: int) -> int:
    """Start the server, tell how that went, and stay until it ends or we are told to."""

    def tell(report: Report) -> None:
        os.write(reports, json.dumps(report.__dict__).encode() + b"\n")

    try:
        service = server.make()
    except FlightSchoolError as error:
        tell(Report(str(error), isinstance(error, Unavailable)))
        return 1
    try:
        service.start()
        record = state.of(service)
        tell(Report())
        while service.running:
            time.sleep(PAUSE)
        untold = state.noted(service.name)  # else whoever listed what runs has found it stale, and said so
    except FlightSchoolError as error:
        tell(Report(str(error), isinstance(error, Unavailable)))
        return 1
    except Exception as error:  # a mistake of ours: say it rather than end without a word
        tell(Report(f"{server.name}: {error!r}"))
        return 1
    finally:
        service.stop()
    if untold and state.up(service.name) is None:
        # Stale from now on: whoever lists what runs finds it and can say that the server has ended.
        state.put(record)
    return 1
