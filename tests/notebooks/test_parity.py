"""One name finds the notebook, its source, its lab and its tests."""

import pytest

from flightschool import paths
from flightschool.curriculum import MODULE_NAME, Module, modules

TESTS = paths.ROOT / "tests" / "labs"


def test_there_are_modules() -> None:
    assert modules(), f"no NN_topic.py in {paths.SOLUTIONS}"


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.id)
def test_a_module_has_its_four_places(module: Module) -> None:
    places = [
        paths.SOLUTIONS / f"{module.id}.py",
        paths.NOTEBOOKS / f"{module.id}.ipynb",
        paths.LABS / module.id / "exercises.py",
        paths.LABS / module.id / "judges.py",
        TESTS / module.id / "answers.py",
    ]
    assert [str(path.relative_to(paths.ROOT)) for path in places if not path.is_file()] == []
    assert set(module.judges) == set(module.exercises)


def test_no_place_is_left_over() -> None:
    known = {module.id for module in modules()}
    found = [
        *paths.NOTEBOOKS.glob("*.ipynb"),
        *(paths.SOLUTIONS / "locale").rglob("*.po*"),
        *(path for folder in (paths.LABS, TESTS) for path in folder.glob("*/")),
    ]
    named = [path for path in found if MODULE_NAME.fullmatch(path.stem)]
    assert [str(path.relative_to(paths.ROOT)) for path in named if path.stem not in known] == []


def test_the_files_of_labs_do_not_share_a_name() -> None:
    """A lab's folder is on a notebook's import path, so two files of one name would shadow each other."""
    common = {"exercises", "judges", "drill"}
    names = [path.stem for path in paths.LABS.glob("[0-9]*/*.py") if path.stem not in common]
    assert sorted({name for name in names if names.count(name) > 1}) == []
