"""The workers of a run, seen from outside: processes that execute notebooks, what they say, the memory that they use."""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightschool.services.process import Supervised, uninterrupted

if TYPE_CHECKING:
    import psutil

TEMPLATE = "flightschool.engine.template"


class Worker:
    """A process of `flightschool.engine.worker`, idle or at a task.

    Args:
        folder: where its pipe and its events are; one for each worker.
        log: file for what it prints, and the tools that it uses.
        environment: of the notebooks that it will execute.
    """

    def __init__(self, folder: Path, log: Path, environment: Mapping[str, str]) -> None:
        folder.mkdir(parents=True)
        self._events, tasks = folder / "events", folder / "tasks"
        self._events.touch()
        os.mkfifo(tasks, 0o600)
        self._tasks = os.open(tasks, os.O_RDWR)  # for reading, too: so that to open it waits for nobody
        self._read = 0
        self.pid: int | None = None
        """Known as soon as it runs."""
        command = [sys.executable, "-P", "-m", "flightschool.engine.worker", str(tasks), str(self._events)]
        with uninterrupted():
            self._process = Supervised(command, log=log, env=environment, cwd=folder)

    def give(self, kind: str, **arguments: object) -> None:
        """Hand it a task: see `flightschool.engine.worker`."""
        os.write(self._tasks, (json.dumps({kind: arguments}, default=str) + "\n").encode())

    def told(self) -> list[dict[str, Any]]:
        """What it has said since we last asked."""
        with self._events.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        found = []
        for line in data[: data.rfind(b"\n") + 1].splitlines(keepends=True):  # what follows is being written
            self._read += len(line)
            event = json.loads(line)
            self.pid = event.get("pid", self.pid)
            found.append(event)
        return found

    def poll(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._process.poll()

    def tail(self) -> str:
        """The last line that it wrote."""
        return self._process.tail(1)

    def release(self) -> None:
        """Begin to end it, at once, without waiting for it."""
        self._process.release(now=True)

    def stop(self) -> None:
        """End it and all that it started, at once; a second call does nothing."""
        if self._tasks >= 0:
            os.close(self._tasks)
            self._tasks = -1
        self._process.stop(now=True)


def processes(workers: Iterable[Worker]) -> "list[list[psutil.Process]]":
    """For each worker its notebook's processes, with all that they started: those that there would be without us, too.

    Left out are the worker itself, its warm process, and what that puts between itself and a notebook.
    """
    import psutil

    children: dict[int, list[psutil.Process]] = defaultdict(list)
    parent: dict[int, int] = {}
    for one in psutil.Process().children(recursive=True):
        try:
            parent[one.pid] = one.ppid()
            children[one.ppid()].append(one)
        except psutil.Error:
            continue

    def first(worker: int) -> "list[psutil.Process]":
        # Beside a worker, below its guardian, is what a kernel's daemons become.
        found = [one for one in children[parent[worker]] if one.pid != worker]
        for one in children[worker]:
            if _is_template(one):
                found += [process for supervisor in children[one.pid] for process in children[supervisor.pid]]
            else:
                found.append(one)
        return found

    trees = []
    for worker in workers:
        tree = first(worker.pid) if worker.pid in parent else []
        for one in tree:
            tree += children[one.pid]  # grows while we walk, until there is nothing below
        trees.append(tree)
    return trees


def _is_template(process: "psutil.Process") -> bool:
    import psutil

    try:
        return TEMPLATE in process.cmdline()
    except psutil.Error:
        return False


def resident(tree: "Iterable[psutil.Process]") -> int:
    """The sum of their resident memory, in bytes; those that have just ended count nothing."""
    import psutil

    total = 0
    for process in tree:
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total
