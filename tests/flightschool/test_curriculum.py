"""Modules are found by id, number or topic; their labs load, each file apart."""

import pytest

from flightschool.curriculum import module, modules
from flightschool.errors import FlightSchoolError


@pytest.fixture
def house(tmp_path):
    solutions, labs = tmp_path / "solutions", tmp_path / "labs"
    (labs / "07_topic").mkdir(parents=True)
    solutions.mkdir()
    (solutions / "07_topic.py").write_text("# %% [markdown]\n# # 07 · A topic\n")
    (solutions / "notes.py").write_text("")
    (labs / "07_topic" / "common.py").write_text("WORD = 'shared'\n")
    (labs / "07_topic" / "exercises.py").write_text(
        "from flightschool.curriculum import exercise\nfrom .common import WORD\n"
        "@exercise('q1', title=WORD, points=2, hints=('a', 'b'))\ndef one(answer, world):\n    return answer\n"
    )
    return solutions, labs


def test_a_module_is_found_by_each_of_its_names(house):
    (only,) = modules(*house)
    assert [module(name, *house).id for name in ("07_topic", "07", "7", "topic")] == [only.id] * 4
    assert only.title == "A topic"
    assert only.points == 2
    assert only.exercises["q1"].title == "shared"


def test_without_its_file_there_is_no_judge(house):
    with pytest.raises(FileNotFoundError, match=r"judges\.py"):
        _ = modules(*house)[0].judges


def test_an_unknown_module_is_one_sentence(house):
    with pytest.raises(FlightSchoolError, match=r"no module 'x'.*07_topic"):
        module("x", *house)
