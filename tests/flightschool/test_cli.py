"""The command line: a user's mistake is one sentence on stderr and status 2; help names every command."""

import re
import subprocess
import sys

import pytest


def flightschool(*words):
    return subprocess.run(
        [sys.executable, "-m", "flightschool", *words], capture_output=True, text=True, check=False
    )


def test_help_names_every_command():
    done = flightschool("--help")
    assert done.returncode == 0
    authors = ("build", "new", "run", "judge")
    servers = ("up", "down", "status", "logs", "doctor")
    for command in ("lab", "modules", "data", "progress", "grade", *authors, *servers):
        assert re.search(rf"^│ {command} ", done.stdout, re.MULTILINE), command


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["run", "99"], "There is no module '99'"),
        (["data", "raw", "2013-02-30"], "2013-02-30"),
        (["build", "--language", "xx"], "xx"),
    ],
)
def test_a_mistake_is_one_sentence(words, says):
    done = flightschool(*words)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_modules_lists_exercises_and_points():
    done = flightschool("modules")
    assert done.returncode == 0
    assert "01_dataops_intro" in done.stdout
