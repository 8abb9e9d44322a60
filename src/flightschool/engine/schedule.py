"""The way of several notebooks through the workers: who goes first, how many at once, what became of each."""

import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.progress import Progress, TaskID

from flightschool.curriculum import Outcome
from flightschool.engine import machine
from flightschool.engine.cache import Cache, Cost
from flightschool.engine.pieces import Piece
from flightschool.engine.pool import Worker, processes, resident
from flightschool.engine.results import Ending, Result, checks
from flightschool.i18n import _

TICK = 0.05
"""Seconds between two looks at what the workers say."""
MEMORY_TICK = 0.25
"""Seconds between two looks at the memory that the notebooks use."""
PATIENCE = 60.0
"""Seconds after the deadline, which is the engine's affair, at which a worker is taken for hung."""
MIB = 2**20
UNKNOWN = 2560 * MIB
"""Bytes of memory set aside for a notebook that nobody has executed yet: what the largest takes."""
OVERHEAD = 384 * MIB
"""Bytes of memory set aside for a worker with its warm process."""
ENDINGS = {"NotebookTimeoutError": Ending.TIMED_OUT, "DeadKernelError": Ending.KILLED}
"""Errors of the engine that are no error of the notebook's code."""


class Run:
    """One notebook on its way to a result.

    Args:
        piece: the notebook.
        out: folder for what comes of it.
    """

    def __init__(self, piece: Piece, out: Path) -> None:
        self.piece, self.name = piece, piece.name
        self.notebook, self.html = out / f"{self.name}.ipynb", out / f"{self.name}.html"
        self.folder = out / "work" / self.name
        self.key = piece.key()
        self.result: Result | None = None
        self.seconds = 0.0
        self.memory = 0
        self.expected = UNKNOWN
        self._begin = 0.0

    def clear(self) -> None:
        """Remove what an earlier run left, so that nothing old can be taken for new."""
        for path in (self.notebook, self.html):
            path.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def recall(self, cache: Cache) -> bool:
        """Take the result from the cache; whether it was there."""
        cost = cache.take(self.name, self.key, self.notebook, self.html)
        if cost is None:
            return False
        self.seconds, self.memory = cost.seconds, cost.memory
        self.result = replace(self.made(Ending.OK, ""), cached=True)
        return True

    def begin(self, worker: Worker, deadline: float) -> None:
        """Hand it to a worker."""
        self.folder.mkdir(parents=True)
        self.start()
        worker.give(
            "execute",
            source=self.piece.notebook,
            output=self.notebook,
            folder=self.folder,
            deadline=deadline,
        )

    def start(self) -> None:
        """Time runs from now on: what a worker needs to get ready does not count."""
        self._begin = time.monotonic()

    def tick(self) -> None:
        """Take the time."""
        self.seconds = time.monotonic() - self._begin

    def fail(self, failure: Mapping[str, Any]) -> None:
        """End it with what the worker says about it."""
        where = _("cell {cell} ({name})").format(**failure) if failure["cell"] else _("before the first cell")
        ending = ENDINGS.get(failure["error"], Ending.FAILED)
        what = failure["message"]
        if ending is Ending.FAILED:
            what = f"{failure['error']}: {what}" if what else failure["error"]
        self.end(ending, f"{where}: {what}")

    def end(self, ending: Ending, reason: str) -> None:
        """Make the result; *ok* becomes *checks not passed* when they are not."""
        self.result = self.made(ending, reason)
        if ending is Ending.OK and self.result.passed < self.result.total:
            missing = ", ".join(
                f"{name} {outcome}"
                for name, outcome in checks(self.notebook).items()
                if outcome != Outcome.PASSED
            )
            self.result = replace(self.result, ending=Ending.CHECKS, reason=missing)

    def rendered(self, failure: Mapping[str, Any] | None) -> None:
        """Take note of the HTML, or of what prevented it."""
        assert self.result is not None
        if failure is None:
            self.result = replace(self.result, html=self.html)
        elif self.result.ending is Ending.OK:
            reason = _("no HTML could be made of it: {error}: {message}").format(**failure)
            self.result = replace(self.result, ending=Ending.FAILED, reason=reason)

    def keep(self, cache: Cache) -> None:
        """Put a good result into the cache, unless something was edited while it was executed."""
        assert self.result is not None
        if self.result.ending is Ending.OK and self.piece.key() == self.key:
            cache.put(self.name, self.key, self.notebook, self.html, Cost(self.seconds, self.memory))

    def made(self, ending: Ending, reason: str) -> Result:
        """The result, with what its checks say so far."""
        found: dict[str, str] = {}
        for path in (self.notebook, self.piece.notebook):
            # not begun, killed while papermill was writing it, or damaged from the start
            with suppress(FileNotFoundError, ValueError):
                found = checks(path)
                break
        return Result(
            name=self.name,
            ending=ending,
            minutes=self.seconds / 60,
            memory=self.memory,
            passed=sum(outcome == Outcome.PASSED for outcome in found.values()),
            total=len(found),
            reason=reason,
            notebook=self.notebook if self.notebook.is_file() else None,
            html=self.html if self.html.is_file() else None,
        )


def in_order(runs: Iterable[Run], cache: Cache) -> list[Run]:
    """The most expensive first; before them those of which nobody knows, the longest notebook first."""

    def rank(run: Run) -> tuple[float, int]:
        cost = cache.cost(run.name)
        if cost is not None:
            run.expected = cost.memory
            return (-cost.seconds, 0)
        with suppress(OSError):
            return (float("-inf"), -run.piece.notebook.stat().st_size)
        return (float("-inf"), 0)

    return sorted(runs, key=rank)


class Schedule:
    """Workers, and the runs that go through them.

    Args:
        jobs: how many at once at most; memory may allow fewer.
        folder: for the workers' own files; removed at the end.
        out: folder for the workers' logs.
        environment: of the notebooks.
        deadline: seconds for one.
        cache: where good results go.
        progress: where each gets a bar.
        over: is called with a run that has its result and its HTML.
    """

    def __init__(
        self,
        jobs: int,
        folder: Path,
        out: Path,
        environment: Mapping[str, str],
        deadline: float,
        cache: Cache,
        progress: Progress,
        over: Callable[[Run], None],
    ) -> None:
        self._jobs = jobs
        self._waiting: list[Run] = []
        self._unrendered: deque[Run] = deque()
        self._folder, self._out = folder, out
        self._environment, self._deadline = environment, deadline
        self._cache, self._progress, self._over = cache, progress, over
        self._free = machine.free_memory()
        self._workers: list[Worker] = []
        self._started = 0
        self._at: dict[Worker, tuple[str, Run]] = {}
        self._bars: dict[Run, TaskID] = {}
        self._looked = 0.0

    def hire(self, runs: int) -> None:
        """Have workers for so many runs. They need a while to get ready, so this may be done beforehand."""
        while len(self._workers) < min(self._jobs, runs):
            self._started += 1
            log = self._out / f"worker-{self._started}.log"
            self._workers.append(Worker(self._folder / str(self._started), log, self._environment))

    def work(self, runs: Iterable[Run]) -> None:
        """Execute these in their order, and render them, until all is done."""
        self._waiting = list(runs)
        while self._waiting or self._unrendered or self._at:
            self._hand_out()
            time.sleep(TICK)
            for worker, (kind, run) in list(self._at.items()):
                self._listen(worker, kind, run)
            if time.monotonic() > self._looked + MEMORY_TICK:
                self._look()

    def stop(self) -> None:
        """End all that runs, at once."""
        for worker in self._workers:
            worker.release()
        for worker in self._workers:
            worker.stop()
        self._workers.clear()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _hand_out(self) -> None:
        self._workers = [one for one in self._workers if one in self._at or one.poll() is None]
        self.hire(len(self._at) + len(self._unrendered) + len(self._waiting))
        idle = [one for one in self._workers if one not in self._at]
        while idle and self._unrendered:
            worker, run = idle.pop(), self._unrendered.popleft()
            worker.give("render", notebook=run.notebook, page=run.html)
            self._at[worker] = ("render", run)
        for run in list(self._waiting):
            if idle and self._fits(run):
                worker = idle.pop()
                self._waiting.remove(run)
                run.begin(worker, self._deadline)
                self._at[worker] = ("execute", run)
                self._bars[run] = self._progress.add_task(run.name, total=None, memory="")

    def _fits(self, run: Run) -> bool:
        """Whether there is memory for it, beside those that run; alone it may always."""
        running = [one for kind, one in self._at.values() if kind == "execute"]
        taken = sum(max(one.expected, one.memory) + OVERHEAD for one in running)
        return not running or taken + run.expected + OVERHEAD <= self._free

    def _listen(self, worker: Worker, kind: str, run: Run) -> None:
        status = worker.poll()  # before we listen: what it said at last must not be missed
        if kind == "execute":
            run.tick()
        for event in worker.told():
            if "cells" in event:
                run.start()
                self._progress.update(self._bars[run], total=event["cells"])
            elif "done" in event:
                self._progress.update(self._bars[run], completed=event["done"])
            elif "ended" in event:
                self._leave(worker)
                self._ended(kind, run, event["ended"])
                return
        if status is not None:
            self._leave(worker)
            worker.stop()
            self._died(kind, run, status, worker.tail())
        elif kind == "execute" and run.seconds > self._deadline + PATIENCE:
            self._leave(worker)
            self._workers.remove(worker)
            worker.stop()
            minutes = self._deadline / 60
            run.end(Ending.TIMED_OUT, _("not done after {minutes:.1f} min").format(minutes=minutes))
            self._over(run)

    def _leave(self, worker: Worker) -> None:
        """Nobody is at that worker any more."""
        _kind, run = self._at.pop(worker)
        if (bar := self._bars.pop(run, None)) is not None:
            self._progress.remove_task(bar)

    def _ended(self, kind: str, run: Run, failure: Mapping[str, Any] | None) -> None:
        if kind == "render":
            run.rendered(failure)
            self._keep(run)
            self._over(run)
            return
        if failure is None:
            run.end(Ending.OK, "")
        else:
            run.fail(failure)
        if run.notebook.is_file():
            self._unrendered.append(run)
        else:
            self._over(run)

    def _died(self, kind: str, run: Run, status: int, said: str) -> None:
        if kind == "render":
            failure = {"error": _("the process ended"), "message": said}
            run.rendered(failure)
        elif status > 128:
            reason = _("the process was killed by signal {n}, perhaps for want of memory")
            run.end(Ending.KILLED, reason.format(n=status - 128))
        else:
            run.end(Ending.FAILED, said)
        self._over(run)

    def _keep(self, run: Run) -> None:
        try:
            run.keep(self._cache)
        except OSError as error:
            sentence = _("{name} is not kept for the next run: {reason}.")
            self._progress.console.print(sentence.format(name=run.name, reason=error.strerror), markup=False)

    def _look(self) -> None:
        """Take the memory of what runs."""
        self._looked = time.monotonic()
        executing = [(worker, run) for worker, (kind, run) in self._at.items() if kind == "execute"]
        trees = processes(worker for worker, _run in executing)
        for (_worker, run), tree in zip(executing, trees, strict=True):
            run.memory = max(run.memory, resident(tree))
            self._progress.update(self._bars[run], memory=f"{run.memory / MIB:.0f} MiB")
