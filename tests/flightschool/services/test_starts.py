"""Starts that fail by the machine: a disk that is full, and a server of every kind that dies."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flightschool import paths, services
from flightschool.errors import FlightSchoolError
from flightschool.services import StartError, state
from flightschool.services.servers import azure, git, kafka, s3, slack

# --- a full disk

WORDS = os.strerror(errno.ENOSPC)
SMALL = 256 * 1024
FILL = """
import os, sys
with open(os.path.join(sys.argv[1], "filler"), "wb", buffering=0) as file:
    for size in (4096, 1):
        try:
            while True:
                file.write(bytes(size))
        except OSError:
            pass
"""


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """A state folder on a file system of its own, very small; the call fills it to the last byte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = sys.platform == "linux" and os.geteuid() == 0
    if mounted:
        options = ["-t", "tmpfs", "-o", f"size={SMALL}", "tmpfs", str(folder)]
        mounted = subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0
    if not mounted:
        pytest.skip("a small file system needs root and the right to mount one")
    monkeypatch.setattr(paths, "STATE", folder)
    monkeypatch.setenv("FLIGHTSCHOOL_STATE", str(folder))
    yield lambda: subprocess.run([sys.executable, "-c", FILL, str(folder)], check=True) and None
    services.stop_all()
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("name", ["postgres", "prometheus"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(name: str, full: Callable[[], None]) -> None:
    """One with a template of many files, one with a folder of its own."""
    full()
    done = subprocess.run(
        [sys.executable, "-m", "flightschool", "up", name], capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 2)
    (sentence,) = done.stderr.strip().splitlines()
    assert WORDS in sentence or "is full" in sentence
    assert str(paths.STATE) in sentence
    assert len(sentence) < 500
    assert state.running() == ([], [])


def test_a_disk_that_fills_while_a_server_runs_is_named_at_the_next_start(
    full: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with services.slack() as slack:
        full()
        assert slack.ready(), "what runs in memory goes on"
    monkeypatch.setattr(kafka.Kafka, "timeout", 5.0)  # it can't write its log, and so answers nothing
    with pytest.raises(FlightSchoolError, match=f"{WORDS}|is full"):
        services.kafka()
    assert state.running() == ([], [])


def test_a_record_that_finds_no_room_stops_the_server_and_leaves_no_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everywhere: the disk fills between the start of the server and its record."""

    def no_room(*_content: Any, **_options: Any) -> None:
        raise OSError(errno.ENOSPC, WORDS)

    monkeypatch.setattr(Path, "write_text", no_room)
    server = kafka.Kafka()
    with pytest.raises(FlightSchoolError, match=rf"Cannot write .*{WORDS}\. Mend that") as caught:
        server.start()
    assert "\n" not in str(caught.value)
    assert not server.running
    assert not list(state.folder().iterdir())


# --- a server that dies


NOWHERE = "256.256.256.256"
"""No address, whatever the machine."""


@pytest.mark.parametrize(
    ("make", "module", "attribute", "value", "says"),
    [
        (s3.S3, s3, "LOOPBACK", NOWHERE, "Name or service not known"),
        (git.Git, git, "LOOPBACK", NOWHERE, "unable to allocate any listen sockets"),
        (azure.AzureBlob, azure, "LOOPBACK", NOWHERE, NOWHERE),
        (kafka.Kafka, kafka, "BROKER", Path("/no/broker.py"), "No such file or directory"),
        (
            slack.Slack,
            slack.Slack,
            "name",
            "nobody",
            "No module named 'flightschool.services.servers.nobody'",
        ),
    ],
    ids=["s3", "git", "azure", "kafka", "receiver"],
)
def test_one_that_dies_is_one_sentence(
    make: Any, module: Any, attribute: str, value: Any, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, attribute, value)
    server = make()
    try:
        with pytest.raises(StartError, match=r"did not start: it ended with status \d+. Its log ") as caught:
            server.start()
    except services.Unavailable as error:
        pytest.skip(str(error))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert server._process is not None
    assert server._process.tree() == []


def test_one_that_dies_by_up_is_told_and_the_others_run() -> None:
    """moto told to listen nowhere."""
    code = (
        "from flightschool.services.servers import s3; s3.LOOPBACK = '256.256.256.256'\n"
        "from flightschool.services import commands; raise SystemExit(commands.up(['s3', 'slack']))"
    )
    try:
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "S3 (moto server) did not start" in done.stderr
        assert "Traceback" not in done.stderr
        shown = subprocess.run(
            [sys.executable, "-m", "flightschool", "status", "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert [one["name"] for one in json.loads(shown.stdout)["servers"]] == ["slack"]
    finally:
        subprocess.run([sys.executable, "-m", "flightschool", "down"], capture_output=True, check=False)
