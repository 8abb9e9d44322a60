"""Twenty random harms to real servers: no process stays, no port is held, and the next start works.

What is done is drawn from a seed, `FLIGHTSCHOOL_CHAOS` or 0, so that a failure can be had again.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest

from flightschool.services import state
from flightschool.services.base import occupied

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="who descends from whom is certain on Linux only"),
]
SEED = int(os.environ.get("FLIGHTSCHOOL_CHAOS", "0"))
ROUNDS = 20
SERVERS = ("kafka", "slack", "s3", "gcs", "postgres", "git")
NOTEBOOK = """
import json, sys, time
from flightschool import services
told = []
for name in sys.argv[1:]:
    server = getattr(services, name)()
    told.append(server.port)
print(json.dumps(told), flush=True)
time.sleep(600)
"""


@dataclass
class Stage:
    """What runs in one round: the process that a person sees, and those that hold servers."""

    seen: subprocess.Popen[str]
    ports: list[int]


def ours() -> list[psutil.Process]:
    """Every process on this machine that was started for this test, by the state folder in its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get("FLIGHTSCHOOL_STATE") == os.environ["FLIGHTSCHOOL_STATE"]
            if mine and process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def until_nothing_is_left(ports: list[int]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and (ours() or any(map(occupied, ports))):
        time.sleep(0.05)
    assert ours() == []
    assert [port for port in ports if occupied(port)] == []


def notebook(names: list[str]) -> Stage:
    seen = subprocess.Popen(
        [sys.executable, "-c", NOTEBOOK, *names], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert seen.stdout is not None
    return Stage(seen, json.loads(seen.stdout.readline()))


def terminal(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "flightschool", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def up(names: list[str]) -> list[state.Record]:
    begun = terminal("up", *names)
    out, _nothing = begun.communicate(timeout=240)
    assert begun.returncode == 0, out
    return [one for one in state.running()[0] if one.up]


def guardians() -> list[psutil.Process]:
    return [one for one in ours() if any("guardian.py" in word for word in one.cmdline())]


def kill_the_notebook(chance: random.Random, names: list[str]) -> list[int]:
    stage = notebook(names)
    stage.seen.send_signal(chance.choice([signal.SIGKILL, signal.SIGTERM]))
    return stage.ports


def kill_a_guardian_and_the_notebook(chance: random.Random, names: list[str]) -> list[int]:
    """Outer or inner one; the server goes with it, and the rest with the notebook."""
    stage = notebook(names)
    chance.choice(guardians()).kill()
    time.sleep(chance.random())
    stage.seen.kill()
    return stage.ports


def kill_a_child_of_a_server(chance: random.Random, names: list[str]) -> list[int]:
    stage = notebook(names)
    guards = guardians()
    servers = [one for one in ours() if one not in guards and one.pid != stage.seen.pid]
    chance.choice(servers).kill()
    stage.seen.kill()
    return stage.ports


def kill_the_keepers(chance: random.Random, names: list[str]) -> list[int]:
    records = up(names)
    for record in records:
        os.kill(record.keeper[0], signal.SIGKILL)
    return [record.port for record in records]


def kill_a_guardian_of_up(chance: random.Random, names: list[str]) -> list[int]:
    records = up(names)
    chance.choice(guardians()).kill()
    time.sleep(chance.random())
    assert terminal("down").wait(120) == 0
    return [record.port for record in records]


def interrupt_up(chance: random.Random, names: list[str]) -> list[int]:
    """Ctrl-C, or SIGKILL to the command, at any moment of the start. Too late is a normal `up`, and `down` follows."""
    begun = terminal("up", *names)
    time.sleep(0.3 + 1.5 * chance.random())
    begun.send_signal(chance.choice([signal.SIGINT, signal.SIGKILL]))
    begun.communicate(timeout=120)
    assert terminal("down").wait(120) == 0
    return []


def suspend_everything(chance: random.Random, names: list[str]) -> list[int]:
    """As when a machine sleeps: all stand still and go on. The servers still answer, and end as always."""
    stage = notebook(names)
    frozen = ours()
    chance.shuffle(frozen)
    for process in frozen:
        process.suspend()
    time.sleep(2.5)  # longer than any look of a guardian at its parent
    for process in frozen:
        process.resume()
    assert all(map(occupied, stage.ports))
    assert {one.pid for one in frozen} <= {one.pid for one in ours()}
    stage.seen.kill()
    return stage.ports


HARMS = [
    kill_the_notebook,
    kill_a_guardian_and_the_notebook,
    kill_a_child_of_a_server,
    kill_the_keepers,
    kill_a_guardian_of_up,
    interrupt_up,
    suspend_everything,
]


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    yield
    for process in ours():  # of a test that failed
        process.kill()


def test_twenty_harms_leave_nothing() -> None:
    chance = random.Random(SEED)
    plan = [HARMS[n % len(HARMS)] for n in range(ROUNDS)]
    chance.shuffle(plan)
    for number, harm in enumerate(plan):
        names = chance.sample(SERVERS, 2)
        said = f"round {number} of seed {SEED}: {harm.__name__} {names}"
        print(f"{time.monotonic():.1f} {said}", flush=True)
        try:
            ports = harm(chance, names)
            until_nothing_is_left(ports)
            assert state.running()[0] == []
        except AssertionError as error:
            raise AssertionError(f"{said}: {error}") from error
    # After all that everything starts once more.
    records = up(list(SERVERS))
    assert {record.name for record in records} == set(SERVERS)
    assert terminal("down").wait(120) == 0
    until_nothing_is_left([record.port for record in records])
