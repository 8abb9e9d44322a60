"""`flightschool up`, `down`, `status`, `logs`: as people type them."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from flightschool import services
from flightschool.services import Unavailable, commands, state
from flightschool.services.base import occupied


def flightschool(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flightschool", *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(autouse=True)
def all_down() -> Iterator[None]:
    yield
    flightschool("down")
    assert not [one for one in state.running()[0] if one.up]


def rows() -> dict[str, dict[str, Any]]:
    found = json.loads(flightschool("status", "--json").stdout)["servers"]
    return {row["name"]: row for row in found}


def test_up_status_down() -> None:
    begun = flightschool("up", "kafka", "slack")
    assert begun.returncode == 0, begun.stderr
    assert "kafka is ready after" in begun.stdout
    shown = flightschool("status")
    assert shown.returncode == 0
    for name, row in rows().items():
        (line,) = [line for line in shown.stdout.splitlines() if line.startswith(name)]
        assert row["ready"]
        assert row["by"] == "up"
        assert row["endpoint"] in line
        assert str(row["pid"]) in line
        assert Path(row["log"]).name in line
        assert 5e6 < row["memory"] < 200e6
        assert psutil.pid_exists(row["pid"])
    again = flightschool("up", "kafka")
    assert again.returncode == 0
    assert "kafka is running already" in again.stdout
    ports = [record.port for record in state.running()[0]]
    assert all(map(occupied, ports))
    ended = flightschool("down")
    assert re.search(r"Stopped in [\d.]+ s", ended.stdout)
    assert ended.returncode == 0
    assert "kafka, slack" in ended.stdout
    assert not any(map(occupied, ports))
    assert state.running() == ([], [])
    assert "Nothing" in flightschool("down").stdout


def test_down_of_one_leaves_the_other() -> None:
    flightschool("up", "kafka", "slack")
    assert flightschool("down", "slack").returncode == 0
    assert list(rows()) == ["kafka"]
    missing = flightschool("down", "slack")
    assert missing.returncode == 1
    assert "slack is not running" in missing.stderr


def test_a_server_of_a_notebook_is_shown_and_not_ended() -> None:
    kafka = services.kafka()
    assert rows()["kafka"]["by"] == f"process {os.getpid()}"
    flightschool("down")
    assert kafka.running


def test_a_notebook_has_its_own_and_reaches_the_terminals_by_name() -> None:
    with pytest.raises(Unavailable, match="flightschool up slack"):
        services.up("slack")
    flightschool("up", "slack")
    terminals = services.up("slack")
    own = services.slack()
    assert own.port != terminals.port
    assert terminals.ready()
    assert terminals.messages() == []  # type: ignore[attr-defined]


def test_mistakes_are_one_sentence() -> None:
    for words, says in (
        (["up", "oracle"], "no server 'oracle'"),
        (["down", "oracle"], "no server 'oracle'"),
        (["logs", "slack"], "left no log"),
        (["logs", "oracle"], "no server 'oracle'"),
        (["logs", "vault"], "docker compose logs vault"),
    ):
        done = flightschool(*words)
        assert done.returncode == 2, words
        assert says in done.stderr
        assert "Traceback" not in done.stderr
    composed = flightschool("up", "vault", FLIGHTSCHOOL_COMPOSE="off")
    assert composed.returncode == 1
    assert "docker compose --profile security up -d --wait" in composed.stderr


def test_a_missing_program_is_one_sentence_and_the_others_run(tmp_path: Path) -> None:
    done = flightschool("up", "git", "slack", PATH=str(tmp_path))
    assert done.returncode == 1
    assert "apt-get install git" in done.stderr
    assert list(rows()) == ["slack"]


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = flightschool("up", "slack", FLIGHTSCHOOL_STATE=str(tmp_path / "file" / "state"))
    assert done.returncode == 2
    assert "FLIGHTSCHOOL_STATE" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_ended_by_itself_is_told_once() -> None:
    flightschool("up", "kafka")
    ((record,), _gone) = state.running()
    psutil.Process(rows()["kafka"]["pid"]).kill()
    deadline = time.monotonic() + 60
    while not record.gone and time.monotonic() < deadline:
        time.sleep(0.1)
    told = flightschool("status")
    assert told.returncode == 1
    assert "kafka has ended by itself" in told.stderr
    assert flightschool("status").stderr == ""


def test_down_ends_a_keeper_that_does_not_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    flightschool("up", "kafka")
    ((record,), _gone) = state.running()
    os.kill(record.keeper[0], signal.SIGSTOP)
    monkeypatch.setattr(commands, "PATIENCE", 6.0)  # twice: for the keeper, and for its guardians
    assert commands.down([]) == 0
    assert record.gone
    assert not occupied(record.port)
    assert flightschool("status").stderr == "", "nothing has ended by itself"


@pytest.mark.parametrize("victim", ["keeper", "guardian"])
def test_killed_keeper_or_guardian_leaves_nothing_and_the_next_up_works(victim: str) -> None:
    flightschool("up", "kafka")
    (record,) = state.running()[0]
    os.kill(record.keeper[0] if victim == "keeper" else record.guardians[0][0], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while occupied(record.port) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not occupied(record.port)
    assert flightschool("up", "kafka").returncode == 0
    assert rows()["kafka"]["ready"]


@pytest.mark.parametrize("seconds", [None, 0.0, 0.4])
def test_ctrl_c_during_up_leaves_nothing(seconds: float | None) -> None:
    """At whatever moment, or so many seconds after the first keeper was there."""
    up = subprocess.Popen(
        [sys.executable, "-m", "flightschool", "up", "kafka", "s3", "slack"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if seconds is None:
        time.sleep(0.6)
    else:
        deadline = time.monotonic() + 60
        while len(ours()) < 2 and up.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(seconds)
    up.send_signal(signal.SIGINT)
    _out, errors = up.communicate(timeout=120)
    assert "Traceback" not in errors or seconds is None, "Python itself may be interrupted while it starts"
    deadline = time.monotonic() + 60
    while up.returncode != 0 and ours() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert up.returncode == 0 or ours() == []


def ours() -> list[psutil.Process]:
    """Processes with this test's state folder in their environment, but this one."""
    mine = os.environ["FLIGHTSCHOOL_STATE"]
    return [one for one in psutil.process_iter() if environment(one) == mine and one.pid != os.getpid()]


def environment(process: psutil.Process) -> str:
    try:
        return str(process.environ().get("FLIGHTSCHOOL_STATE", ""))
    except psutil.Error:
        return ""


def test_logs_and_follow() -> None:
    flightschool("up", "slack")
    slack = services.up("slack")
    slack.request("/nowhere", method="POST", body=b"{}")
    assert "POST 404" in flightschool("logs", "slack", "-n", "1").stdout
    following = subprocess.Popen(
        [sys.executable, "-m", "flightschool", "logs", "slack", "-f", "-n", "1"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert following.stdout is not None
    with following, contextlib.closing(following.stdout) as lines:
        late = threading.Timer(120, following.kill)
        late.start()
        assert "POST 404" in lines.readline()
        slack.request("/nowhere", method="DELETE")
        assert "DELETE 404" in lines.readline()
        following.send_signal(signal.SIGINT)
        assert following.wait(60) == 0
        late.cancel()


def test_two_learners_on_one_machine(tmp_path: Path) -> None:
    other = {"FLIGHTSCHOOL_STATE": str(tmp_path / "other")}
    assert flightschool("up", "kafka").returncode == 0
    try:
        assert flightschool("up", "kafka", **other).returncode == 0
        theirs = json.loads(flightschool("status", "--json", **other).stdout)["servers"]
        assert theirs[0]["endpoint"] != rows()["kafka"]["endpoint"]
        flightschool("down")
        assert json.loads(flightschool("status", "--json", **other).stdout)["servers"][0]["ready"]
    finally:
        flightschool("down", **other)
