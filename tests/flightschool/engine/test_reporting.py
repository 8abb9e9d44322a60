"""What the runner does before and after it executes: choosing, refusing, the exit status."""

from pathlib import Path

import pytest

from flightschool.engine import runner
from flightschool.engine.pieces import choose
from flightschool.engine.results import Ending, Result
from flightschool.engine.runner import run_all
from flightschool.errors import FlightSchoolError

EMPTY = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "solutions"
    folder.mkdir()
    return folder


def test_choosing(source: Path) -> None:
    for name in ("01_intro", "02_cycle", "10_last"):
        (source / f"{name}.ipynb").write_text(EMPTY)
    assert [path.stem for path in choose(source, ["10", "2", "intro", "02_cycle"])] == [
        "01_intro",
        "02_cycle",
        "10_last",
    ]
    assert len(choose(source, None)) == 3
    with pytest.raises(FlightSchoolError, match=r"no module '7'.*01_intro, 02_cycle, 10_last"):
        choose(source, ["7"])


def test_nothing_built(source: Path) -> None:
    with pytest.raises(FlightSchoolError, match="make build"):
        run_all(source=source)


def test_out_that_cannot_be_written(source: Path, tmp_path: Path) -> None:
    (source / "01_well.ipynb").write_text(EMPTY)
    (tmp_path / "file").write_text("")
    with pytest.raises(FlightSchoolError, match="Cannot write"):
        run_all(None, 1, tmp_path / "file" / "run", source=source)


def result(ending: Ending) -> Result:
    return Result("01_intro", ending, 0.1, 1, 1, 1, "", None, None)


@pytest.mark.parametrize(
    ("endings", "status"),
    [
        ([Ending.OK, Ending.OK], 0),
        ([Ending.OK, Ending.CHECKS], 1),
        ([Ending.KILLED], 1),
        ([Ending.OK, Ending.INTERRUPTED], 130),
    ],
)
def test_exit_status(monkeypatch: pytest.MonkeyPatch, endings: list[Ending], status: int) -> None:
    monkeypatch.setattr(runner, "run_all", lambda *_, **__: [result(one) for one in endings])
    assert runner.main([]) == status
