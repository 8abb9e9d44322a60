"""Turns: several tasks in one small process. A task is a generator that says what it waits for, and is told what has happened."""

import select
import sys
from collections.abc import Generator
from time import monotonic
from traceback import print_exception
from typing import NamedTuple, TypeVar

T = TypeVar("T")
FOREVER = float("inf")


class Wait(NamedTuple):
    """What a task waits for: one of these events of poll(2), by file descriptor, or a time by time.monotonic()."""

    events: dict[int, int]
    until: float = FOREVER


Steps = Generator[Wait, set[int], T]
"""A task, or a part of one: it yields a Wait, gets the descriptors on which something has happened, and returns a T."""


class Turns:
    """The tasks that wait."""

    def __init__(self) -> None:
        self._waiting: dict[Steps[None], Wait] = {}

    def start(self, task: Steps[None]) -> None:
        """Begin a task: it goes on until it has to wait."""
        self._advance(task, None)

    def run(self, other: int) -> None:
        """Let the tasks go on until there is something to read from another descriptor."""
        while True:
            poll = select.poll()
            poll.register(other, select.POLLIN)
            for wait in self._waiting.values():
                for descriptor, events in wait.events.items():
                    poll.register(descriptor, events)
            first = min((wait.until for wait in self._waiting.values()), default=FOREVER)
            left = None if first == FOREVER else max(0.0, first - monotonic()) * 1000 + 1
            happened = {descriptor for descriptor, _event in poll.poll(left)}
            now = monotonic()
            for task, wait in list(self._waiting.items()):
                ready = happened & wait.events.keys()
                if ready or now >= wait.until:
                    self._advance(task, ready)
            if other in happened:
                return

    def _advance(self, task: Steps[None], ready: set[int] | None) -> None:
        self._waiting.pop(task, None)
        try:
            self._waiting[task] = next(task) if ready is None else task.send(ready)
        except StopIteration:
            pass
        except Exception as error:  # one task's fault is not the others'
            print_exception(error, file=sys.stderr)
