"""Whose file it is: the forms of each platform, what people name things, and ids that stay apart."""

import pytest

from flightschool.grading.learners import Modules, clean, distinct, owners

KNOWN = Modules(["01_dataops_intro", "02_data_lifecycle"])


def whose(*paths: str, root: str = "handed in") -> list[str]:
    return [one.learner for one in owners([tuple(path.split("/")) for path in paths], root, KNOWN)]


@pytest.mark.parametrize(
    ("path", "learner"),
    [
        ("anoanna_12345_67890_01_dataops_intro", "anoanna_12345"),
        ("anoanna_LATE_12345_67890_01_dataops_intro-1", "anoanna_12345"),
        ("anon_Ab3dE_67890_work", "anon_Ab3dE"),
        ("LATE_anon_Ab3dE_67890_work", "anon_Ab3dE"),
        ("Anna Ano_123456_assignsubmission_file/work", "Anna Ano_123456"),
        ("Anna Ano_123456_assignsubmission_file_/work", "Anna Ano_123456"),
        ("Anna Ano_123456_assignsubmission_file_work", "Anna Ano_123456"),
        ("Team Blue_assignsubmission_file/work", "Team Blue"),
        ("submitted/anna/01_dataops_intro/work", "anna"),
        ("intro-submissions/intro-anna/work", "anna"),
        ("anna/deep/in/folders/work", "anna"),
        ("anna", "anna"),
        ("01_dataops_intro anna", "anna"),
        ("anna-01-DataOps Intro", "anna"),
    ],
)
def test_the_platforms_names_say_whose_it_is(path: str, learner: str) -> None:
    assert whose(path, "ben_1_2_x" if "_67890_" in path else "submitted/ben/01_dataops_intro/w")[0] == learner


def test_canvas_numbers_the_learners_files() -> None:
    first, second = owners([("ada_1_10_work",), ("ada_1_12_work-2",)], "x", KNOWN)
    assert (first.base, first.version, first.serial, first.platform) == ("work", 0, 10, True)
    assert (second.base, second.version, second.serial) == ("work", 2, 12)


def test_names_that_only_look_like_canvas_are_names() -> None:
    """A file's number belongs to one file."""
    assert whose("flight_2013_01_a", "flight_2013_01_b") == ["flight_2013_01_a", "flight_2013_01_b"]


def test_a_cover_is_nobodys() -> None:
    assert whose("week 1/anna/work", "week 1/ben/work") == ["anna", "ben"]
    assert whose("anna/work") == ["anna"]
    assert whose("01_dataops_intro", root="anna") == ["anna"]


def test_only_the_outermost_part_counts() -> None:
    """What is within is the learner's to name."""
    assert whose("anna/ben_1_2_x", "carl/work") == ["anna", "carl"]
    assert whose("anna/Ben_123456_assignsubmission_file/work", "carl/work") == ["anna", "carl"]


def test_modules_are_found_however_they_are_spelled() -> None:
    for name in ("01_dataops_intro", "01-dataops-intro (2)", "DataOps Intro", "ada_01_dataops_intro-3"):
        assert KNOWN.named(name) == "01_dataops_intro"
    assert KNOWN.named("dataops introduction") == ""
    assert KNOWN.named("01_dataops_intro and 02_data_lifecycle") == ""


def test_ids_are_clean_and_stay_apart() -> None:
    ids = distinct(["ada", "ada\u202e", "a/da", "a_da", ""])
    assert ids["ada"] == "ada"
    assert ids["a_da"] == "a_da"
    assert len(set(ids.values())) == 5
    assert not any("/" in one or "\u202e" in one for one in ids.values())
    assert clean("a\n\tb\x00" + "c" * 200, 20) == "a b" + "c" * 16 + "…"
