"""Grading in a container: the command line that starts it, and the sentence when there is none. Run for real by environment/containers."""

from __future__ import annotations

import os
import stat
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from flightschool import paths
from flightschool.engine.sandbox import NoSandbox, Support
from flightschool.grading import container
from flightschool.grading.container import CAPABILITIES, ORDINARY, ROOT, Container

WORDS = ["grade", "in", "--module", "01"]
WALLS = "Learners' code can't be walled in here (no namespaces)."


def options(command: list[str], name: str) -> list[str]:
    """The values of an option."""
    return [value for option, value in pairwise(command) if option == name]


def command(way: container.Way, folder: Path, words: list[str] = WORDS) -> list[str]:
    """What is run for the submissions in folder/in."""
    (folder / "in").mkdir(exist_ok=True)
    (folder / "out").mkdir(exist_ok=True)
    return Container("docker", way).command(
        words, folder=folder / "in", out=folder / "out", user=(501, 20), terminal=False
    )


@pytest.mark.parametrize("way", [ORDINARY, ROOT])
def test_a_container_has_no_network_and_no_right_beyond_what_walls_need(way, tmp_path):
    made = command(way, tmp_path)
    assert made[:2] == ["docker", "run"]
    for flag in ("--rm", "--read-only"):
        assert flag in made
    assert options(made, "--network") == ["none"]
    assert options(made, "--cap-drop") == ["ALL"]
    assert "no-new-privileges" in options(made, "--security-opt")
    assert "--privileged" not in made
    assert not {"--pid", "--ipc", "--userns", "--device", "--volume"} & set(made)
    assert options(made, "--cap-add") == ([*CAPABILITIES] if way.root else [])
    assert ("systempaths=unconfined" in options(made, "--security-opt")) == (not way.root)
    assert options(made, "--user") == ["0:0" if way.root else "501:20"]


@pytest.mark.parametrize("way", [ORDINARY, ROOT])
def test_one_folder_alone_can_be_written(way, tmp_path):
    mounts = options(command(way, tmp_path), "--mount")
    written = [mount for mount in mounts if not mount.endswith(",readonly")]
    assert written == [
        "type=volume,destination=/tmp",
        f"type=bind,source={tmp_path}/out,destination={tmp_path}/out",
    ]
    assert f"type=bind,source={tmp_path}/in,destination={tmp_path}/in,readonly" in mounts
    assert f"type=bind,source={paths.ROOT},destination=/flightschool,readonly" in mounts


def test_words_are_handed_over_as_they_are(tmp_path):
    hostile = ["grade", "in; rm -rf /", "$(id)", "-m", "01"]
    ordinary = command(ORDINARY, tmp_path, hostile)
    assert ordinary[ordinary.index(container.IMAGE) + 1 :] == ["flightschool", *hostile]
    assert command(ROOT, tmp_path, hostile)[-len(hostile) :] == hostile


def test_a_path_is_the_same_inside_through_a_link(tmp_path, monkeypatch):
    (tmp_path / "real/in").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    made = Container("docker", ORDINARY).command(
        WORDS, folder=Path("link/in"), out=Path("out"), user=(1, 1), terminal=True
    )
    assert options(made, "--workdir") == [str(tmp_path)]
    assert f"type=bind,source={tmp_path}/real/in,destination={tmp_path}/link/in,readonly" in options(
        made, "--mount"
    )
    assert "--tty" in made


def test_a_name_that_docker_would_misread_is_refused(tmp_path):
    folder = tmp_path / "in,readonly=false"
    folder.mkdir()
    with pytest.raises(NoSandbox, match="comma"):
        Container("docker", ORDINARY).command(WORDS, folder=folder, out=tmp_path, user=(1, 1), terminal=False)


def test_a_deadline_keeps_its_time_zone():
    due = datetime.fromisoformat("2026-03-01T18:00+01:00")
    for words in (["--deadline", "2026-03-01T18:00"], ["--deadline=2026-03-01T18:00"]):
        said = container.spelled(["grade", *words], "2026-03-01T18:00", due)
        assert "=".join(said[1:]) == "--deadline=2026-03-01T18:00:00+01:00"
    assert container.spelled(WORDS, None, None) == WORDS


@pytest.fixture
def no_walls(monkeypatch):
    """A machine without walls."""
    support = Support(walls=WALLS, bubblewrap="not installed", containers=(), counted=False)
    monkeypatch.setattr(container.sandbox, "available", lambda: support)
    monkeypatch.delenv(container.INSIDE, raising=False)


def docker(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Put a client of Docker's on PATH that runs a script; what it was called with is written down."""
    calls = folder / "calls"
    program = folder / "docker"
    program.write_text(f'#!/bin/sh\necho "$*" >>{calls}\n{script}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return calls


def test_no_container_where_there_are_walls_or_is_one_already(monkeypatch, no_walls):
    monkeypatch.setenv(container.INSIDE, "1")
    assert container.instead() is None
    monkeypatch.delenv(container.INSIDE)
    monkeypatch.setattr(container.sandbox, "available", lambda: Support("", "", (), True))
    assert container.instead() is None


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'is the daemon running?' >&2; exit 1", "Docker does not answer: is the daemon running?"),
        ('[ "$1" != image ]', f"docker build -f environment/Dockerfile -t {container.IMAGE} ."),
        (
            '[ "$1" != run ] || { echo traceback >&2; echo "user namespaces are forbidden" >&2; exit 1; }',
            "in a container it can't either: user namespaces are forbidden",
        ),
    ],
)
def test_refusal_gives_both_reasons(script, reason, tmp_path, monkeypatch, no_walls):
    docker(tmp_path, monkeypatch, script)
    with pytest.raises(NoSandbox) as refused:
        container.instead()
    assert str(refused.value).startswith(WALLS)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_refusal_without_docker(monkeypatch, tmp_path, no_walls):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoSandbox, match="Docker is not installed"):
        container.instead()


def test_an_ordinary_user_needs_no_capability_and_root_is_the_second_choice(tmp_path, monkeypatch, no_walls):
    monkeypatch.setattr(os, "getuid", lambda: 501)
    calls = docker(tmp_path, monkeypatch, "")
    found = container.instead()
    assert found is not None
    assert found.way is ORDINARY
    docker(tmp_path, monkeypatch, 'case "$*" in *systempaths*) echo no >&2; exit 1 ;; esac')
    calls.unlink()
    found = container.instead()
    assert found is not None
    assert found.way is ROOT
    assert sum("run --rm" in line for line in calls.read_text().splitlines()) == 2


def test_the_status_is_the_commands_own(tmp_path, monkeypatch):
    docker(tmp_path, monkeypatch, "exit 130")
    (tmp_path / "in").mkdir()
    grader = Container(str(tmp_path / "docker"), ORDINARY)
    assert grader.grade(WORDS, folder=tmp_path / "in", out=tmp_path / "new/out") == 130
    assert (tmp_path / "new/out").is_dir()
