"""The lab opens in a known good state."""

import os

import pytest

from flightschool.errors import FlightSchoolError
from flightschool.learn import Lab
from flightschool.learn.lab import fresh_folder


def test_folders_of_dead_processes_go_and_those_of_living_ones_stay(tmp_path):
    dead, alive = tmp_path / "01_a-999999999-abc", tmp_path / f"01_a-{os.getpid()}-abc"
    dead.mkdir()
    alive.mkdir()
    new = fresh_folder(tmp_path, "01_a")
    assert new.is_dir()
    assert not any(new.iterdir())
    assert alive.exists()
    assert not dead.exists()


def test_a_module_or_an_exercise_that_does_not_exist_is_one_sentence():
    with pytest.raises(FlightSchoolError, match="01_dataops_intro"):
        Lab("99")
    lab = Lab("01")
    with pytest.raises(AttributeError, match="no exercise 'q99'"):
        lab.q99  # noqa: B018
    assert lab.q1 is lab.q1
