"""The stage: all that a submission needs, and nothing that knows an answer."""

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from flightschool import paths
from flightschool.curriculum import Module, module, modules
from flightschool.grading import stage

MODULES = pytest.mark.parametrize("module", modules(), ids=lambda module: module.id)


@MODULES
def test_judges_and_drills_stay_away(module: Module, tmp_path: Path) -> None:
    home = stage.build(module, tmp_path)
    names = {path.stem for path in (home / "labs" / module.id).rglob("*.py")}
    assert "exercises" in names
    assert not names & stage.HIDDEN
    assert not names & stage.hidden(module)
    assert (home / "solutions" / f"{module.id}.py").read_bytes() == b""
    assert [path.name for path in home.iterdir() if path.name not in ("labs", "datasets", "solutions")] == []


def test_what_only_the_drill_imports_stays_away_too() -> None:
    assert stage.hidden(module("01")) == {"judges", "drill", "desk"}


def test_another_user_can_read_it_and_nobody_write(tmp_path: Path) -> None:
    home = stage.build(module("01"), tmp_path)
    for path in (home, *home.rglob("*")):
        if not path.is_symlink():
            assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644), path


def small_lab(folder: Path, **files: str) -> Module:
    lab = folder / "labs" / "01_dataops_intro"  # its notebook imports none of these
    lab.mkdir(parents=True)
    (folder / "labs" / "etl").mkdir()
    (folder / "solutions").mkdir()
    for name, text in files.items():
        (lab / f"{name}.py").write_text(text)
    return Module("01_dataops_intro", solutions=folder / "solutions", labs=folder / "labs")


def test_a_file_that_both_sides_import_is_seen(tmp_path: Path) -> None:
    lab = small_lab(
        tmp_path,
        exercises="from . import shared",
        judges="from . import shared, deep\nfrom .exercises import x",
        deep="import deeper",
        deeper="",
        shared="",
    )
    assert stage.hidden(lab) == {"judges", "deep", "deeper"}


def test_an_exercise_may_not_import_a_judge(tmp_path: Path) -> None:
    lab = small_lab(tmp_path, exercises="from .judges import answer", judges="answer = 42")
    with pytest.raises(ValueError, match="judges is imported by what a learner sees"):
        stage.hidden(lab)


def test_an_edited_lab_has_a_stage_of_its_own(tmp_path: Path) -> None:
    lab = small_lab(tmp_path, exercises="x = 1", judges="")
    first = stage.build(lab, tmp_path / "stages")
    assert stage.build(replace(lab), tmp_path / "stages") == first
    (lab.lab / "exercises.py").write_text("x = 2")
    second = stage.build(lab, tmp_path / "stages")
    assert second != first
    assert (second / "labs" / lab.id / "exercises.py").read_text() == "x = 2"
    assert (first / "labs" / lab.id / "exercises.py").read_text() == "x = 1"
    assert (second / "datasets").resolve() == paths.DATASETS
