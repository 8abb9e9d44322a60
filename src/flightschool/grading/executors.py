"""Executors: where submissions are graded, in processes of this machine or on a Dask cluster."""

import multiprocessing
import os
import platform
import re
import signal
import socket
import sys
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from typing import Any, Self

from flightschool import curriculum
from flightschool.engine import fingerprint, sandbox
from flightschool.errors import FlightSchoolError
from flightschool.grading import warmth
from flightschool.grading.model import Result, Task
from flightschool.grading.warmth import WORKERS, Warmth
from flightschool.i18n import _, language

Work = Callable[[Task], Result]
"""What grades one submission: a function that another process can import."""
STARTING = 120.0
"""Seconds for the first worker process to answer."""
REACHING = 10.0
"""Seconds for a Dask scheduler to answer."""
COUNTING = 5.0
"""Seconds between two looks at how many workers a Dask cluster has."""
ELASTIC = 32
"""Tasks that a Dask cluster is offered at least: one that grows with its work must see some."""
ADDRESS = re.compile(r"dask(\+tls)?://([^/\s]+:[0-9]{1,5})/?")


class Unusable(FlightSchoolError):
    """Nothing can be graded by this executor, or not any more."""


class Crew(Executor):
    """An executor that survives the death of its workers: only what they were at is lost.

    Left by an exception, its work is abandoned at once. A future raises `Unusable` when no other task has a chance either.
    """

    @property
    @abstractmethod
    def wanted(self) -> int:
        """How many tasks it takes to keep all workers busy."""

    @abstractmethod
    def abandon(self) -> None:
        """End, whatever the workers are at."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_error: object) -> None:
        if kind is None:
            self.shutdown()
        else:
            self.abandon()


def executor(address: str, jobs: int, module: str, *, walls: bool = True) -> Crew:
    """Where a module's submissions are graded.

    Args:
        address: empty for this machine, `dask://HOST:PORT` for a Dask scheduler, `dask+tls://…` for one whose certificates
            Dask's own configuration names.
        jobs: processes of this machine.
        module: its id, to see that a cluster has the same course.
        walls: whether submissions must be walled in where they run.

    Raises:
        NoSandbox: they can't be, here.
        Unusable: there is no such executor, it does not answer, or what is there is not the same course.
    """
    if not address:
        if walls:
            sandbox.available().require()
        return Processes(jobs, Warmth.of(curriculum.module(module)))
    found = ADDRESS.fullmatch(address)
    if found is None:
        raise Unusable(
            _("{address!r} is no executor: leave it out for this machine, or name dask://HOST:PORT.").format(
                address=address[:80]
            )
        )
    return Dask(f"{'tls' if found[1] else 'tcp'}://{found[2]}", site(module), walls)


def died(error: BaseException) -> bool:
    """Whether a future raised this because its worker process is gone."""
    return isinstance(error, BrokenExecutor) or type(error).__name__ == "KilledWorker"


def trouble(error: BaseException) -> str:
    """What a future raised, as a sentence."""
    if isinstance(error, FlightSchoolError):
        return str(error)
    if died(error):
        return _("The process that graded it died, perhaps for want of memory.")
    first, *_rest = [*str(error).splitlines(), ""]
    return f"{type(error).__name__}: {first}"


class Processes(Crew):
    """Processes of this machine, started afresh: to fork where there are threads is not safe.

    They end with us, however we end. When one dies the pool of the standard library gives up; then there is a new one.

    Args:
        jobs: how many.
        shared: what they have one warm process of together, started here; None: each starts what it needs.

    Raises:
        Unusable: no process can be started.
    """

    def __init__(self, jobs: int, shared: Warmth | None = None) -> None:
        self._jobs = jobs
        self._shared = shared
        self._templates = [shared.template() for _some in range(-(-jobs // WORKERS))] if shared else []
        try:
            self._pool = self._new()
        except BaseException:
            self._cool()
            raise

    def _new(self) -> "_Pool":
        return _Pool(self._jobs, self._shared, [one.control for one in self._templates])

    def _cool(self) -> None:
        for one in self._templates:
            one.close()

    @property
    def wanted(self) -> int:
        return 2 * self._jobs

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        try:
            return self._pool.submit(fn, *args, **kwargs)
        except BrokenExecutor:
            self._pool.kill()
            self._pool = self._new()
            return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            self._cool()

    def abandon(self) -> None:
        self._pool.kill()
        self._cool()


class _Pool(ProcessPoolExecutor):
    """A pool whose workers wait for the end of a pipe that we alone hold open, and then end, too."""

    def __init__(self, jobs: int, shared: Warmth | None, controls: Sequence[socket.socket]) -> None:
        context = multiprocessing.get_context("spawn")
        self._waiting, self._lifeline = context.Pipe(duplex=False)
        number = context.Value("i", 0)
        super().__init__(jobs, context, _join, (self._waiting, number, shared, controls))
        try:
            self.submit(os.getpid).result(STARTING)
        except BaseException as error:
            self.kill()
            if not isinstance(error, BrokenExecutor | TimeoutError | OSError):
                raise
            raise Unusable(
                _("No process to grade in can be started: see what stands above, or try --jobs 1.")
            ) from error

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        with _without_ctrl_c():  # to submit starts a worker where none is idle
            future = super().submit(fn, *args, **kwargs)
        future.add_done_callback(self._look)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        super().shutdown(wait, cancel_futures=cancel_futures)
        if wait:
            self._lifeline.close()
            self._waiting.close()

    def kill(self) -> None:
        """End the workers at once."""
        self._lifeline.close()
        self.shutdown(cancel_futures=True)

    def _look(self, future: "Future[Any]") -> None:
        # A broken pool waits for its workers to end, also for one that was started too late to be told.
        if not future.cancelled() and isinstance(future.exception(), BrokenExecutor):
            self._lifeline.close()


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """What is started meanwhile is deaf to Ctrl-C until it says otherwise: it would end with a traceback. Ours comes afterwards."""
    resource_tracker.ensure_running()  # it would lift the mask when it is started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _join(
    lifeline: Connection, number: Any, shared: Warmth | None, controls: Sequence[socket.socket]
) -> None:
    """Begin a worker: Ctrl-C is the grader's to handle, and the grader's end is the worker's. Warm processes are taken in turn."""
    signal.signal(signal.SIGINT, lambda *_: None)  # to ignore it would be passed on to all that we start
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    if shared is not None:
        with number.get_lock():
            mine = number.value % len(controls)
            number.value += 1
        for place, control in enumerate(controls):
            if place == mine:
                warmth.lend(shared, control)
            else:
                control.close()


def _end_with(lifeline: Connection) -> None:
    with suppress(EOFError, OSError):
        lifeline.recv_bytes()
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Site:
    """What a process grades with: where it is the same, so are the marks."""

    module: str
    python: str
    language: str
    course: str
    """Its fingerprint."""
    walls: str
    """Why there can't be any, empty where there can."""


@lru_cache
def site(module: str) -> Site:
    """This process's, as it was when first asked: what it has imported since is no newer."""
    return Site(
        module,
        platform.python_version(),
        language(),
        fingerprint.course(curriculum.module(module)),
        sandbox.available().walls,
    )


def obstacle(mine: Site, theirs: Site, walls: bool) -> str:
    """Why nothing may be graded there, as the end of a sentence; empty when all is well."""
    if theirs.python != mine.python:
        return _("it has Python {theirs}, and you {mine}").format(theirs=theirs.python, mine=mine.python)
    if theirs.language != mine.language:
        return _("its FLIGHTSCHOOL_LANG is {theirs}, and yours {mine}").format(
            theirs=theirs.language, mine=mine.language
        )
    if theirs.course != mine.course:
        return _(
            "its course is not yours: give it the same checkout and environment, and start it again after each change"
        )
    return theirs.walls if walls else ""


class Dask(Crew):
    """A Dask cluster that is there already.

    Args:
        address: of its scheduler.
        mine: what each worker must grade with, too.
        walls: whether they must have walls.

    Raises:
        Unusable: it does not answer, or a worker won't do.
    """

    def __init__(self, address: str, mine: Site, walls: bool) -> None:
        try:
            import dask
            from distributed import Client
        except ImportError as error:
            raise Unusable(
                _("Dask is not installed here: add the package distributed, in the version of the cluster.")
            ) from error
        self._mine, self._walls = mine, walls
        dask.config.set(
            {"distributed.admin.large-graph-warning-threshold": "1 GiB"}
        )  # a large notebook is no news
        try:
            self._client = Client(address, timeout=REACHING, set_as_default=False)
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            raise Unusable(
                _("No Dask scheduler answers at {address} ({reason}).").format(
                    address=address, reason=str(error).splitlines()[0]
                )
            ) from error
        self._executor = self._client.get_executor(pure=False)
        self._counted, self._threads = 0.0, 0
        try:
            self._look()
        except BaseException:
            self._client.close()
            raise

    def _look(self) -> None:
        """Refuse workers that won't do; those that join later look for themselves."""
        for worker, threads in self._client.nthreads().items():
            if threads > 1:
                raise Unusable(
                    _(
                        "The Dask worker {worker} runs {threads} tasks in one process: "
                        "start it with --nworkers {threads} --nthreads 1."
                    ).format(worker=worker, threads=threads)
                )
        try:
            sites = self._client.run(site, self._mine.module, on_error="return")
        except Exception as error:  # what a worker without our package raises depends on where it notices
            raise self._unlike(_("some"), trouble(error)) from error
        for worker, theirs in sites.items():
            reason = (
                trouble(theirs)
                if isinstance(theirs, BaseException)
                else obstacle(self._mine, theirs, self._walls)
            )
            if reason:
                raise self._unlike(worker, reason)

    @property
    def wanted(self) -> int:
        if time.monotonic() > self._counted + COUNTING:
            self._counted = time.monotonic()
            with suppress(OSError):
                self._threads = sum(self._client.nthreads().values())
        return max(ELASTIC, 2 * self._threads)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        try:
            future: Future[Any] = self._executor.submit(_there, self._mine, self._walls, fn, *args, **kwargs)
        except RuntimeError as error:  # the client has closed itself
            raise lost() from error
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait and not cancel_futures)
        with suppress(Exception):  # all is done: a worker that is gone has no session to end
            self._client.run(_end_session)
        self._client.close()

    def abandon(self) -> None:
        with suppress(Exception):  # the cluster may be what was lost
            self._executor.shutdown(wait=False)
        self._client.close()

    def _unlike(self, worker: str, reason: str) -> Unusable:
        return Unusable(
            _("The Dask worker {worker} can't grade for you: {reason}.").format(
                worker=worker, reason=reason.rstrip(".")
            )
        )


def lost() -> Unusable:
    """The end of a cluster."""
    return Unusable(
        _("The Dask cluster is gone. What is graded is kept: give the same command again when it is back.")
    )


_grading = threading.Lock()
"""Held by a Dask worker while it grades, for a session takes one submission at a time."""


def _there(mine: Site, walls: bool, work: Work, task: Task) -> Result:
    """Grade on a Dask worker, which may have joined after we looked."""
    if reason := obstacle(mine, site(mine.module), walls):
        raise Unusable(_("A Dask worker can't grade for you: {reason}.").format(reason=reason.rstrip(".")))
    with _grading:
        return work(task)


def _end_session() -> None:
    """End the processes that a Dask worker keeps warm, unless it grades for somebody else by now."""
    session = sys.modules.get("flightschool.grading.session")
    if session is not None and _grading.acquire(blocking=False):
        try:
            session.close()
        finally:
            _grading.release()
