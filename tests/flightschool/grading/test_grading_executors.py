"""Executors: a worker may die, the grader may die, a cluster may not be the same; nothing stays behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from flightschool import curriculum
from flightschool.engine import sandbox, warm
from flightschool.grading import executors
from flightschool.grading.batch import outcome
from flightschool.grading.executors import Dask, Processes, Unusable, executor, obstacle, site, trouble
from flightschool.grading.model import Task
from flightschool.grading.warmth import Warmth

HERE = str(Path(__file__).parent)
sys.path.insert(0, HERE)  # worker processes get this path, too

import grading_fakes as fakes  # noqa: E402

MODULE = "01_dataops_intro"


def task(order: str = "", learner: str = "ada") -> Task:
    return Task(module=MODULE, learner=learner, file="f", fingerprint="f1", notebook=order.encode(), seed=7)


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADING_FAKES_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


def until(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_tasks_are_done_elsewhere() -> None:
    with Processes(1) as crew:
        assert crew.wanted == 2
        assert crew.submit(fakes.work, task()).result() == fakes.result(task())
        worker = crew.submit(fakes.pid, None).result()
    assert worker != os.getpid()
    assert not alive(worker)


def test_a_dead_worker_is_replaced() -> None:
    with Processes(1) as crew:
        error = crew.submit(fakes.work, task("die")).exception()
        assert isinstance(error, BrokenExecutor)
        assert "died" in trouble(error)
        assert crew.submit(fakes.work, task()).result().learner == "ada"


@pytest.mark.skipif(warm.missing() is not None, reason=f"no warm processes: {warm.missing()}")
def test_workers_share_a_warm_process_as_long_as_it_lives() -> None:
    with Processes(2, Warmth.of(curriculum.module(MODULE))) as crew:
        assert [crew.submit(fakes.lent, MODULE).result() for _worker in range(2)] == [True, True]
        (template,) = crew._templates
        template.process.kill()
        template.process.wait()
        assert crew.submit(fakes.lent, MODULE).result() is False
        assert alive(crew.submit(fakes.pid, None).result())
    assert template.control.fileno() == -1


def test_abandoned_workers_are_gone_at_once() -> None:
    class Enough(Exception):
        pass

    begin = time.monotonic()
    with pytest.raises(Enough), Processes(1) as crew:  # noqa: PT012
        worker = crew.submit(fakes.pid, None).result()
        crew.submit(fakes.work, task("sleep 300"))
        raise Enough
    assert time.monotonic() - begin < 60
    assert until(lambda: not alive(worker))


CHILD = """
import subprocess, sys, time
sys.path.insert(0, sys.argv[1])
import grading_fakes as fakes
from flightschool.grading.executors import Processes
from test_grading_executors import task

if __name__ == "__main__":
    crew = Processes(2)
    crew.submit(fakes.work, task("sleep 300"))
    crew.submit(fakes.pid, None).result()
    print(*crew._pool._processes, flush=True)
    {then}
"""


@pytest.fixture
def grader(tmp_path: Path) -> Iterator[Callable[[str], tuple[subprocess.Popen[str], list[int]]]]:
    """Starts a grader with two workers, of which one is busy; its process and all below it."""
    started: list[subprocess.Popen[str]] = []

    def start(then: str) -> tuple[subprocess.Popen[str], list[int]]:
        script = tmp_path / "grader.py"
        script.write_text(CHILD.replace("{then}", then))
        process = subprocess.Popen(
            [sys.executable, str(script), HERE],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        workers = list(map(int, process.stdout.readline().split()))
        assert len(workers) == 2
        assert until(lambda: bool(fakes.calls()))
        return process, [one.pid for one in psutil.Process(process.pid).children(recursive=True)]

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_a_killed_grader(
    grader: Callable[[str], tuple[subprocess.Popen[str], list[int]]], signum: signal.Signals
) -> None:
    process, below = grader("time.sleep(300)")
    assert len(below) >= 2
    process.send_signal(signum)
    process.wait(10)
    assert until(lambda: not any(map(alive, below))), [
        psutil.Process(pid).cmdline() for pid in below if alive(pid)
    ]


def test_ctrl_c_in_a_terminal_is_for_the_grader_alone(
    grader: Callable[[str], tuple[subprocess.Popen[str], list[int]]],
) -> None:
    handled = """
    try:
        print("waiting", flush=True)
        time.sleep(300)
    except KeyboardInterrupt:
        print(crew.submit(fakes.pid, None).result(), flush=True)
        crew.abandon()
    """
    process, below = grader(handled.strip())
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, err = process.communicate(timeout=60)
    assert int(out) in below
    assert err == ""
    assert until(lambda: not any(map(alive, below)))


@pytest.mark.parametrize("delay", [0, 0.03, 0.08])
def test_ctrl_c_while_workers_start_leaves_no_traceback_of_theirs(tmp_path: Path, delay: float) -> None:
    script = tmp_path / "starts.py"
    script.write_text(
        "import sys\n"
        "from flightschool.grading.executors import Processes\n"
        "if __name__ == '__main__':\n"
        "    print('starting', flush=True)\n"
        "    try:\n"
        "        Processes(1)\n"
        "    except KeyboardInterrupt:\n"
        "        print('interrupted')\n"
    )
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    # The worker is there beside the standard library's own helper, and on the way through its imports.
    assert until(lambda: len(psutil.Process(process.pid).children()) >= 2)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (out, err) == ("interrupted\n", "")


@pytest.mark.parametrize(
    "address", ["spark://here:1", "dask://", "dask://host", "dask://host:port", "x" * 200]
)
def test_another_address_is_said(address: str) -> None:
    with pytest.raises(Unusable, match="is no executor") as raised:
        executor(address, 1, MODULE)
    assert len(str(raised.value)) < 250


def test_no_walls_no_grading(monkeypatch: pytest.MonkeyPatch) -> None:
    support = sandbox.Support(walls="There are none here.", bubblewrap="no", containers=(), counted=False)
    monkeypatch.setattr(sandbox, "available", lambda: support)
    with pytest.raises(sandbox.NoSandbox, match="There are none here"):
        executor("", 1, MODULE)
    executor("", 1, MODULE, walls=False).shutdown()


def test_what_must_be_the_same_elsewhere() -> None:
    mine = site(MODULE)
    assert obstacle(mine, replace(mine, walls=""), walls=True) == ""
    assert "Python 3.1" in obstacle(mine, replace(mine, python="3.1"), walls=False)
    assert "FLIGHTSCHOOL_LANG is tlh" in obstacle(mine, replace(mine, language="tlh"), walls=False)
    assert "its course" in obstacle(mine, replace(mine, course="0"), walls=False)
    assert obstacle(mine, replace(mine, walls="None here."), walls=True) == "None here."
    assert obstacle(mine, replace(mine, walls="None here."), walls=False) == ""


LOOPBACK = "127.0.0.1:0"
distributed: Any = pytest.importorskip("distributed", reason="dask.distributed is not installed")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    log = tmp_path_factory.mktemp("dask") / "log"
    os.environ["GRADING_FAKES_LOG"] = str(log)
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=LOOPBACK, silence_logs=50
    ) as running:
        yield running


def address(cluster: Any) -> str:
    return str(cluster.scheduler_address).replace("tcp", "dask")


@pytest.mark.slow
class TestDask:
    """Two workers on loopback."""

    def test_tasks_are_done_there(self, cluster: Any) -> None:
        with executor(address(cluster), 1, MODULE, walls=False) as crew:
            assert crew.wanted == executors.ELASTIC
            done = [crew.submit(fakes.work, task(learner=f"l{n}")).result() for n in range(20)]
        assert [one.learner for one in done] == [f"l{n}" for n in range(20)]

    def test_a_worker_that_dies_is_replaced(self, cluster: Any) -> None:
        with executor(address(cluster), 1, MODULE, walls=False) as crew:
            error = crew.submit(fakes.work, task("die")).exception()
            assert error is not None
            assert "died" in trouble(error)
            assert crew.submit(fakes.work, task()).result().learner == "ada"

    def test_another_course_is_refused_at_once_and_later(self, cluster: Any) -> None:
        other = replace(site(MODULE), module="02_data_lifecycle", course="another")
        with executor(address(cluster), 1, MODULE, walls=False) as crew:
            crew._mine = other  # type: ignore[attr-defined]
            error = crew.submit(fakes.work, task()).exception()  # as if it had joined later
            assert isinstance(error, Unusable)
            assert "its course is not yours" in str(error)
        with pytest.raises(Unusable, match=r"worker tcp://.* can't grade for you: its course is not yours"):
            Dask(str(cluster.scheduler_address), other, walls=False)

    def test_a_worker_with_threads_is_refused(self) -> None:
        with (
            distributed.LocalCluster(
                n_workers=1,
                threads_per_worker=3,
                processes=False,
                host="127.0.0.1",
                dashboard_address=LOOPBACK,
                protocol="tcp",
            ) as running,
            pytest.raises(Unusable, match="--nworkers 3 --nthreads 1"),
        ):
            executor(address(running), 1, MODULE, walls=False)

    def test_a_cluster_that_is_lost_is_said(self) -> None:
        running = distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=LOOPBACK, silence_logs=50
        )
        with (  # noqa: PT012
            pytest.raises(Unusable, match="Dask cluster is gone"),
            executor(address(running), 1, MODULE, walls=False) as crew,
        ):
            future = crew.submit(fakes.work, task("sleep 300"))
            running.close()
            outcome(future)

    def test_nobody_answers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(executors, "REACHING", 1.0)
        with pytest.raises(Unusable, match="No Dask scheduler answers") as raised:
            executor("dask://127.0.0.1:1", 1, MODULE, walls=False)
        assert "\n" not in str(raised.value)
