"""Wrong code is run apart: what hangs, grows or dies is told so, and the rest goes on."""

import os
import time

import pytest

from flightschool.mutation import Ending, run

pytestmark = pytest.mark.slow

SLEEP = "__import__('time').sleep(60)"
GROW = "(b'x' * 700_000_000, __import__('time').sleep(60))"
LEAVE = "__import__('os')._exit(3)"


def endings(items, **options):
    return {items[one.place]: one.ending for one in run(eval, items, **options)}


def test_what_returns_and_what_raises():
    items = ["1 + 1", "1 / 0", "[][0]", "exit()"]
    runs = {items[one.place]: one for one in run(eval, items, jobs=2)}
    assert runs["1 + 1"].value == 2
    assert runs["1 + 1"].ending is Ending.RETURNED
    assert runs["1 / 0"].error == "ZeroDivisionError: division by zero"
    assert {runs[item].ending for item in items[1:]} == {Ending.RAISED}


def test_what_hangs_grows_or_dies_is_ended_and_the_rest_goes_on():
    began = time.monotonic()
    items = [SLEEP, "1", LEAVE, "2", GROW, "3"]
    assert endings(items, jobs=1, seconds=8, mebibytes=500) == {
        SLEEP: Ending.TIMED_OUT,
        "1": Ending.RETURNED,
        LEAVE: Ending.DIED,
        "2": Ending.RETURNED,
        GROW: Ending.OUT_OF_MEMORY,
        "3": Ending.RETURNED,
    }
    assert time.monotonic() - began < 50


def test_one_process_after_the_other_and_none_of_ours():
    (first, second) = run(eval, ["__import__('os').getpid()"] * 2, jobs=1)
    assert first.value == second.value != os.getpid()


def test_what_it_prints_is_not_heard(capfd):
    assert [one.ending for one in run(eval, ["print('boo')"])] == [Ending.RETURNED]
    assert capfd.readouterr() == ("", "")
