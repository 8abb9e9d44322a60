"""The glossary as a notebook, the links that lead to it, and how an author's slips are named."""

import json

import pytest

from flightschool.publish import SourceError, build, check

GLOSSARY = """\
# Glossary

What words mean here.

## late flight
One that reached the gate 15 minutes after its time, or later.
*Module 01*

## NA
How the source
writes *missing*.
*Module 01*
"""


@pytest.fixture
def glossary(house):
    house.glossary.parent.mkdir(exist_ok=True)
    house.glossary.write_text(GLOSSARY)
    return house.glossary


def cells(path):
    return ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]


def link(house, target):
    source = house.solutions / "01_sample.py"
    source.write_text(source.read_text().replace("the late flights", f"the [**late flights**]({target})", 1))


def test_each_entry_is_a_cell_that_leads_back_to_its_module(house, glossary):
    build(house=house)
    title, late, missing = cells(house.notebooks / "glossary.ipynb")
    assert title == "# Glossary\n\nWhat words mean here."
    assert late.startswith("## late flight\n\nOne that reached the gate")
    assert late.endswith("([module 01](01_sample.ipynb))")
    assert "writes *missing*." in missing
    assert check(house=house) == []
    ids = [cell["id"] for cell in json.loads((house.notebooks / "glossary.ipynb").read_text())["cells"]]
    assert ids == ["glossary", "late-flight", "NA"]


def test_a_link_leads_to_a_term(house, glossary):
    link(house, "glossary.ipynb#late-flight")
    build(house=house)
    assert "glossary.ipynb#cell-id=late-flight" in (house.notebooks / "01_sample.ipynb").read_text()


@pytest.mark.parametrize("target", ["glossary.ipynb#late_flight", "glossary.ipynb"])
def test_a_link_to_no_term_is_named_with_its_line(house, glossary, target):
    link(house, target)
    with pytest.raises(SourceError, match=r"01_sample\.py:4: the glossary has no term"):
        build(house=house)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("## alone\n", r"glossary\.md:14: write an entry as"),
        ("## NA\nAgain.\n*Module 01*\n", r"glossary\.md:14: NA stands here twice"),
    ],
)
def test_an_entry_that_is_none_is_named_with_its_line(house, glossary, text, said):
    glossary.write_text(f"{GLOSSARY}\n{text}")
    with pytest.raises(SourceError, match=said):
        build(house=house)


def test_it_is_translated_as_the_modules_are(house, glossary):
    build(house=house)
    template = (house.locale / "glossary.pot").read_text()
    message = next(text for text in template.split("\n\n") if "late flight" in text)
    po = house.locale / "xx" / "glossary.po"
    po.parent.mkdir(parents=True)
    po.write_text(
        'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        + message.rpartition('msgstr ""')[0]
        + 'msgstr "## vol en retard"\n'
    )
    (po.parent / "01_sample.po").write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n')
    build(house=house)
    assert cells(house.notebooks / "xx" / "glossary.ipynb")[1] == "## vol en retard"
    assert cells(house.notebooks / "glossary.ipynb")[1].startswith("## late flight")
