"""A second language is `.po` files and nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from babel.messages.pofile import read_po, write_po

from flightschool.errors import FlightSchoolError
from flightschool.publish import House, SourceError, build, check


def pseudo(template: Path, language: str) -> Path:
    """A translation of everything: each message in brackets, its placeholders left alone."""
    with template.open("rb") as file:
        catalog = read_po(file)
    for message in catalog:
        if message.id:
            message.string = f"⟦{message.id}⟧"
    po = template.parent / language / f"{template.stem}.po"
    po.parent.mkdir(parents=True, exist_ok=True)
    with po.open("wb") as file:
        write_po(file, catalog)
    return po


@pytest.fixture
def french(house: House) -> House:
    build(house=house)
    for template in house.locale.glob("*.pot"):
        pseudo(template, "fr")
    return house


def ids(template: Path) -> list[str]:
    with template.open("rb") as file:
        return [message.id for message in read_po(file) if message.id]


def test_templates_hold_text_cells_hints_and_messages(house: House) -> None:
    build(house=house)
    assert ids(house.locale / "01_sample.pot") == [
        "# 01 · A day at the airport\n\nYou will count the late flights, 100 % of them. Braces {like this} are prose.",
        "Well flown.",
        "The late flights",
        "Look at the minutes.",
        "Compare with 15.",
        "The worst delay",
        "Look at the last row.",
        "Think of max.",
        "You found both late flights.",
        "two flights",
        "{n} flights",
        "Count again.",
    ]
    assert ids(house.locale / "flightschool.pot") == ["Hello {name}", "Your code here"]
    text = (house.locale / "01_sample.pot").read_text()
    assert "Date" not in text
    assert text.count("python-brace-format") == 1
    assert "#: solutions/01_sample.py\n" in text
    assert "#: labs/01_sample/judges.py\n" in text


def test_a_language_comes_out_translated(french: House) -> None:
    build(house=french)
    english = nbformat.read(french.notebook("01_sample"), as_version=4)
    translated = nbformat.read(french.notebook("01_sample", "fr"), as_version=4)
    assert french.notebook("01_sample", "fr") == french.notebooks / "fr" / "01_sample.ipynb"
    assert [cell.id for cell in translated.cells] == [cell.id for cell in english.cells]
    for theirs, ours in zip(translated.cells, english.cells, strict=True):
        if ours.cell_type == "markdown":
            assert theirs.source == f"⟦{ours.source}⟧"
        else:
            assert theirs.source == ours.source.replace("Your code here", "⟦Your code here⟧")
            assert theirs.metadata == ours.metadata
    assert check(house=french) == []


def test_hints_and_messages_come_out_translated(french: House) -> None:
    """In a process of its own, as a learner's kernel would be."""
    code = """
import json
from pathlib import Path
from flightschool.curriculum import module
one = module("01_sample")
verdict = one.judges["q1"]([1], None)
print(json.dumps([one.exercises["q1"].title, one.exercises["q1"].hints, verdict.found, verdict.try_next]))
"""
    environment = os.environ | {"FLIGHTSCHOOL_HOME": str(french.root), "FLIGHTSCHOOL_LANG": "fr"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [
        "⟦The late flights⟧",
        ["⟦Look at the minutes.⟧", "⟦Compare with 15.⟧"],
        "⟦1 flights⟧",
        "⟦Count again.⟧",
    ]


def test_one_language_can_be_built_alone(french: House) -> None:
    build("fr", house=french)
    assert french.notebook("01_sample", "fr").is_file()
    assert "01_sample" not in build("fr", house=french).lines


def test_what_is_not_translated_stays_english(french: House) -> None:
    source = french.solutions / "01_sample.py"
    source.write_text(source.read_text().replace("Well flown", "Nicely flown"))
    build(house=french)
    cells = nbformat.read(french.notebook("01_sample", "fr"), as_version=4).cells
    assert cells[0].source.startswith("⟦")
    assert cells[-1].source == "Nicely flown."


def test_a_language_that_is_given_up_takes_its_notebooks_along(french: House) -> None:
    build(house=french)
    (french.locale / "fr" / "01_sample.po").unlink()
    assert [one.path for one in check(house=french)] == [french.notebook("01_sample", "fr")]
    assert build(house=french).removed == [french.notebook("01_sample", "fr")]


def test_an_unknown_language_is_said(house: House) -> None:
    with pytest.raises(
        FlightSchoolError, match=r"No module is translated into 'xx': make solutions/locale/xx/NN_topic\.po"
    ):
        build("xx", house=house)
    assert not house.notebooks.exists()


def test_a_damaged_catalogue_is_said(french: House) -> None:
    (french.locale / "fr" / "01_sample.po").write_bytes(b'msgid "Well flown."\nmsgstr "\xff\xfe"\n')
    with pytest.raises(FlightSchoolError, match=r"^solutions/locale/fr/01_sample\.po can't be read"):
        build(house=french)


def test_a_translation_may_not_break_the_pipeline(french: House) -> None:
    """A marker smuggled in by a translation is no marker: solutions are cut from the source's own cells."""
    po = french.locale / "fr" / "01_sample.po"
    po.write_text(po.read_text().replace("⟦Well flown.⟧", "### BEGIN SOLUTION"))
    try:
        build(house=french)
    except SourceError as error:
        pytest.fail(str(error))
    assert "max(minutes)" not in french.notebook("01_sample", "fr").read_text()
