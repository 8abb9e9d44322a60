"""No orphans: whatever ends us, the servers end, and their ports are free."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from flightschool import services
from flightschool.services.base import occupied, request
from flightschool.services.process import Supervised

Learner = Callable[[str], tuple[subprocess.Popen[str], dict[str, Any]]]
LINUX = sys.platform == "linux"

REPORT = """
print(json.dumps({
    "pids": [p.pid for p in s._process.tree()] + [s._process._guardian.pid],
    "guardian": s._process._guardian.pid,
    "ports": [port for _, port in s.listening()],
    "endpoint": s.endpoint,
}), flush=True)
"""
"""Code that a learner runs to tell about its server `s`."""


def alive(pid: int) -> bool:
    """Whether it runs (a zombie that nobody has reaped does not)."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def until(condition: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Poll until it holds, at most so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def gone(told: dict[str, Any]) -> bool:
    return not any(map(alive, told["pids"])) and not any(map(occupied, told["ports"]))


@pytest.mark.parametrize("server", ["s3", "kafka"])
@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_parent_leaves_nothing(learner: Learner, server: str, signum: signal.Signals) -> None:
    process, told = learner(f"s = services.{server}()" + REPORT)
    assert all(map(occupied, told["ports"]))
    process.send_signal(signum)
    assert until(lambda: gone(told))


def test_killed_parent_with_a_fork_that_lives_on(learner: Learner) -> None:
    """A forked child has the pipe's end too; it must not keep the server alive."""
    fork = "child = os.fork()\nif child == 0: time.sleep(300); os._exit(0)\n"
    process, told = learner("s = services.kafka()\n" + fork + REPORT)
    process.kill()
    assert until(lambda: gone(told))


def test_a_forked_child_neither_stops_nor_shares_the_parents_server(learner: Learner) -> None:
    fork = (
        "if os.fork() == 0:\n    s.stop(); services.stop_all(); raise SystemExit\n"
        "os.wait()\nassert services.kafka() is s\n"
    )
    _process, told = learner("s = services.kafka()\n" + fork + REPORT)
    assert all(map(occupied, told["ports"]))


def test_leaving_normally_stops_the_servers(learner: Learner) -> None:
    process, told = learner("s = services.kafka()" + REPORT + "raise SystemExit(0)")
    assert process.wait(60) == 0
    assert gone(told)


def test_os_exit_stops_the_servers(learner: Learner) -> None:
    _process, told = learner("s = services.kafka()" + REPORT + "os._exit(0)")
    assert until(lambda: gone(told))


@pytest.mark.skipif(
    not LINUX, reason="parent-death signals are Linux's; elsewhere stop() finds the guardian gone"
)
def test_killed_guardian_takes_the_server_along(learner: Learner) -> None:
    _process, told = learner("s = services.kafka()" + REPORT)
    os.kill(told["guardian"], signal.SIGKILL)
    assert until(lambda: gone(told))


def test_terminated_guardian_ends_cleanly(learner: Learner) -> None:
    _process, told = learner("s = services.kafka()" + REPORT)
    os.kill(told["guardian"], signal.SIGTERM)
    assert until(lambda: gone(told))


def test_killed_during_start_leaves_nothing() -> None:
    """SIGKILL at ten moments of the start."""
    for moment in range(10):
        process = subprocess.Popen(
            [sys.executable, "-c", "from flightschool import services; services.s3(); services.kafka()"]
        )
        time.sleep(0.08 + 0.15 * moment)
        below = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
        process.kill()
        process.wait()
        assert until(lambda pids=below: not any(map(alive, pids)))  # type: ignore[misc]


def test_two_learners_at_once_have_a_server_each(learner: Learner) -> None:
    first, one = learner("s = services.s3()\ns.client().create_bucket(Bucket='mine')" + REPORT)
    _second, other = learner("s = services.s3()\ns.client().create_bucket(Bucket='mine')" + REPORT)
    assert one["endpoint"] != other["endpoint"]
    first.kill()
    assert until(lambda: gone(one))
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=testing/20130101/us-east-1/s3/aws4_request"}
    assert b"mine" in request(other["ports"][0], headers=signed)[1]


@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_daemons_of_a_server_go_with_it(tmp_path: Path, ending: str) -> None:
    """A process that left the group and lost its parent is still found."""
    if not LINUX:
        pytest.skip("a daemon younger than the guardian's last look (1 s) is not seen without subreapers")
    pid_file = tmp_path / "pid"
    daemon = (
        "import os, time\n"
        "if os.fork() == 0:\n    os.setsid()\n"
        "    if os.fork() == 0:\n"
        f"        open({str(pid_file)!r} + '.new', 'w').write(str(os.getpid()))\n"
        f"        os.rename({str(pid_file)!r} + '.new', {str(pid_file)!r})\n"
        "        time.sleep(600)\n    os._exit(0)\n"
        "time.sleep(600)\n"
    )
    process = Supervised([sys.executable, "-c", daemon], log=tmp_path / "log")
    assert until(pid_file.exists)
    pid = int(pid_file.read_text())
    assert alive(pid)
    process.stop(now=ending == "kill")
    assert not alive(pid)


def test_what_a_server_leaves_behind_when_it_ends_by_itself_goes_too(tmp_path: Path) -> None:
    code = "import subprocess; p = subprocess.Popen(['sleep', '60']); print(p.pid, flush=True)"
    process = Supervised([sys.executable, "-c", code], log=tmp_path / "log")
    assert until(lambda: process.poll() is not None)
    assert process.poll() == 0
    assert not alive(int(process.tail()))


def test_exit_status_of_a_signal(tmp_path: Path) -> None:
    process = Supervised([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], log=tmp_path / "log")
    assert until(lambda: process.poll() is not None)
    assert process.poll() == 137


def test_a_terminals_ctrl_c_does_not_reach_the_server() -> None:
    server = services.kafka()
    assert server._process is not None
    for process in server._process.tree():
        assert os.getsid(process.pid) != os.getsid(0)
        assert os.getpgid(process.pid) != os.getpgid(0)
