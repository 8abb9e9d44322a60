"""Wrong code, run where it can do no harm: in processes of its own, with a limit of time and of memory for each piece.

A process runs one piece after the other, so that servers and sessions are started once; what hangs or grows is killed
with its process, and the rest goes on in a new one.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from multiprocessing.connection import Connection, wait
from typing import Any

import psutil

TICK = 0.2
"""Seconds between two looks at time and memory."""


class Ending(StrEnum):
    """How a piece of work ended."""

    RETURNED = "returned"
    RAISED = "raised"
    TIMED_OUT = "timed out"
    OUT_OF_MEMORY = "out of memory"
    DIED = "died"


@dataclass(frozen=True)
class Run:
    """One piece of work: its place in the order given, how it ended, in how many seconds, and what it returned or raised."""

    place: int
    ending: Ending
    seconds: float
    value: Any = None
    error: str = ""


class _Worker:
    """A process of ours and the piece that it is at."""

    def __init__(self, context: Any, work: Callable[[Any], Any]) -> None:
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work), daemon=False)
        self.process.start()
        theirs.close()
        self.place = -1
        self.since = 0.0

    def take(self, place: int, item: Any) -> None:
        self.place, self.since = place, time.monotonic()
        self.pipe.send(item)

    def memory(self) -> int:
        """Resident bytes of the process alone: a server that it started has its own limits."""
        try:
            return int(psutil.Process(self.process.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            return 0

    def end(self, *, kill: bool) -> None:
        """Let it go; killed, its children go with it."""
        children = []
        with suppress(psutil.NoSuchProcess):
            children = psutil.Process(self.process.pid).children(recursive=True)
        if kill:
            self.process.kill()
        else:
            with suppress(OSError):
                self.pipe.send(None)
            self.process.join(15)
            if self.process.is_alive():
                self.process.kill()
        self.process.join()
        self.pipe.close()
        for child in children:
            with suppress(psutil.NoSuchProcess):
                child.kill()


def run(
    work: Callable[[Any], Any],
    items: Sequence[Any],
    *,
    jobs: int = 1,
    seconds: float = 30.0,
    mebibytes: int = 2048,
    preload: Sequence[str] = (),
) -> Iterator[Run]:
    """`work(item)` for each item, in processes apart; yields each Run as it ends, in any order.

    `work` and the items must survive pickling (`work` is a function of a module). `seconds` and `mebibytes` bound each
    piece; `preload` names modules worth importing once for all processes.
    """
    context = multiprocessing.get_context("forkserver" if sys.platform != "win32" else "spawn")
    if preload:
        context.set_forkserver_preload(list(preload))
    waiting = deque(enumerate(items))
    workers: list[_Worker] = []
    try:
        while waiting or any(one.place >= 0 for one in workers):
            while waiting and len(workers) < jobs:
                workers.append(_Worker(context, work))
            for one in workers:
                if one.place < 0 and waiting:
                    one.take(*waiting.popleft())
            busy = [one for one in workers if one.place >= 0]
            ready = wait([one.pipe for one in busy], TICK)
            for one in busy:
                done = _look(one, one.pipe in ready, seconds, mebibytes)
                if done is None:
                    continue
                one.place = -1
                if done.ending in (Ending.TIMED_OUT, Ending.OUT_OF_MEMORY, Ending.DIED):
                    one.end(kill=True)
                    workers.remove(one)
                yield done
    finally:
        for one in workers:
            one.end(kill=one.place >= 0)


def _look(worker: _Worker, ready: bool, seconds: float, mebibytes: int) -> Run | None:
    """What there is to say of a busy worker; None: it is still at it."""
    took = time.monotonic() - worker.since
    if ready:
        try:
            ending, value, error = worker.pipe.recv()
        except (EOFError, OSError):
            return Run(worker.place, Ending.DIED, took, error="the process ended")
        return Run(worker.place, ending, took, value, error)
    if took > seconds:
        return Run(worker.place, Ending.TIMED_OUT, took, error=f"no end after {seconds:.0f} s")
    if worker.memory() > mebibytes * 2**20:
        return Run(worker.place, Ending.OUT_OF_MEMORY, took, error=f"more than {mebibytes} MiB")
    return None


def _serve(pipe: Connection, work: Callable[[Any], Any]) -> None:
    """The worker's loop, silent: what wrong code prints is of no use to anybody."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    while True:
        try:
            item = pipe.recv()
        except (EOFError, OSError):
            return
        if item is None:
            return
        try:
            answer = (Ending.RETURNED, work(item), "")
        except BaseException as error:  # wrong code may raise SystemExit, too
            last = traceback.format_exception_only(error)[-1].strip()
            answer = (Ending.RAISED, None, last[:500])
        pipe.send(answer)
