"""What a person changed under notebooks/ is never lost."""

from pathlib import Path

import nbformat
import pytest

from flightschool.errors import FlightSchoolError
from flightschool.publish import House, build, carry_answers, check
from flightschool.publish.shelf import pristine


def answer(notebook: Path, exercise: str, source: str) -> None:
    """What a learner does: open in Jupyter, write, run, save."""
    node = nbformat.read(notebook, as_version=4)
    node.metadata.language_info.version = "3.11.2"
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.execution_count = 7
        if cell.id == exercise:
            cell.source = source
    nbformat.write(node, notebook)


def update(house: House) -> None:
    """The course moves on."""
    source = house.solutions / "01_sample.py"
    source.write_text(source.read_text().replace("Well flown", "Nicely flown"))


def test_a_build_keeps_what_was_edited(house: House) -> None:
    build(house=house)
    notebook = house.notebook("01_sample")
    fresh = notebook.read_bytes()
    answer(notebook, "q1", "late = [40, 16]")
    edited = notebook.read_bytes()

    built = build(house=house)
    assert notebook.read_bytes() == fresh
    (kept,) = built.kept
    assert kept.copy.read_bytes() == edited
    assert kept.copy.parent == house.edited
    (line,) = built.lines
    assert line == (
        f"notebooks/01_sample.ipynb had been changed by hand; that version is kept in .flightschool/edited/{kept.copy.name}."
    )
    assert check(house=house) == []


@pytest.mark.parametrize("content", [b"", b"<<<<<<< HEAD\n{", b"\xff\xfe", b'{"cells": []}'])
def test_whatever_stands_there_is_kept(house: House, content: bytes) -> None:
    build(house=house)
    house.notebook("01_sample").write_bytes(content)
    (kept,) = build(house=house).kept
    assert kept.copy.read_bytes() == content


def test_an_older_edition_is_replaced_without_a_word(house: House) -> None:
    build(house=house)
    update(house)
    built = build(house=house)
    assert built.kept == []
    assert house.notebook("01_sample") in built.written
    assert not house.edited.exists()


def test_what_cannot_be_kept_is_not_replaced(house: House) -> None:
    build(house=house)
    answer(house.notebook("01_sample"), "q1", "late = [40, 16]")
    edited = house.notebook("01_sample").read_bytes()
    house.state.write_text("a file where the folder should be")
    with pytest.raises(FlightSchoolError, match=r"edited/01_sample-\w+\.ipynb can't be written"):
        build(house=house)
    assert house.notebook("01_sample").read_bytes() == edited


def test_an_edited_notebook_whose_module_is_gone_stays(house: House) -> None:
    build(house=house)
    answer(house.notebook("01_sample"), "q1", "late = [40, 16]")
    (house.solutions / "01_sample.py").rename(house.solutions / "02_sample.py")
    (house.labs / "01_sample").rename(house.labs / "02_sample")
    assert build(house=house).kept == []
    assert house.notebook("01_sample").exists()
    (found,) = check(house=house)
    assert "is made from no source" in found.sentence


def test_answers_are_carried_into_the_next_edition(house: House, tmp_path: Path) -> None:
    build(house=house)
    notebook = house.notebook("01_sample")
    mine = tmp_path / "mine.ipynb"
    mine.write_bytes(notebook.read_bytes())
    base = tmp_path / "base.ipynb"
    base.write_bytes(notebook.read_bytes())
    answer(mine, "q1", "late = [40, 16]")
    before = mine.read_bytes()
    update(house)
    build(house=house)

    assert carry_answers(mine, notebook, tmp_path / "next.ipynb", base) == ("q1",)
    assert mine.read_bytes() == before
    assert check(house=house) == []
    node = nbformat.read(tmp_path / "next.ipynb", as_version=4)
    nbformat.validate(node)
    sources = {cell.id: cell.source for cell in node.cells}
    assert sources["q1"] == "late = [40, 16]"
    assert sources["q2"].endswith("...  # Your code here")
    assert "Nicely flown" in node.cells[-1].source
    assert not pristine((tmp_path / "next.ipynb").read_bytes())


def test_without_answers_the_new_edition_is_as_generated(house: House, tmp_path: Path) -> None:
    build(house=house)
    notebook = house.notebook("01_sample")
    assert carry_answers(notebook, notebook, tmp_path / "next.ipynb", notebook) == ()
    assert (tmp_path / "next.ipynb").read_bytes() == notebook.read_bytes()


def test_answers_in_a_damaged_notebook_are_left_where_they_are(house: House, tmp_path: Path) -> None:
    build(house=house)
    mine = tmp_path / "mine.ipynb"
    mine.write_text("<<<<<<< HEAD")
    with pytest.raises(FlightSchoolError, match="is no notebook any more"):
        carry_answers(mine, house.notebook("01_sample"), mine, mine)
    assert mine.read_text() == "<<<<<<< HEAD"
    with pytest.raises(FlightSchoolError, match=r"gone\.ipynb is missing"):
        carry_answers(tmp_path / "gone.ipynb", house.notebook("01_sample"), mine, house.notebook("01_sample"))
