"""Every term of the glossary is introduced, with a link, by the module that the glossary names; no link leads nowhere."""

import re
from functools import cache

import pytest

from flightschool.curriculum import Module, modules
from flightschool.publish import House, glossary
from flightschool.publish.source import Page, read

HOUSE = House()
ENTRIES = glossary.read(HOUSE)
ANOTHER_SENSE = {
    "extract": "to extract is a verb, too",
    "gate": "an airport has gates, too",
    "model": "dbt calls a file of SQL a model, too",
    "deployment": "a drawing of the whole comes first, and its text in words",
    "orchestration": "a drawing of the whole comes first, and its text in words",
}


@cache
def page_of(module: Module) -> Page:
    return read(module.source, module.id)


def linked(module: Module) -> list[str]:
    """The anchors that a module leads to, in their order."""
    return [anchor for _cell, _line, anchor in glossary.links(page_of(module))]


# A module whose author has not yet come to its links; its terms are in the glossary already.
LINKING = [module for module in modules() if linked(module)]


def prose_before(module: Module, anchor: str) -> str:
    """A module's text before a link, without its head, headings, drawings and code."""
    text = "\n\n".join(
        cell.source for cell in page_of(module).notebook.cells[1:] if cell.cell_type == "markdown"
    )
    before = text[: text.index(f"glossary.ipynb#{anchor})")].rpartition("[")[0]
    return re.sub(r"```.*?```|`[^`]*`|^#.*$", "", before, flags=re.DOTALL | re.MULTILINE)


def test_there_is_a_glossary_and_modules_link_to_it() -> None:
    assert len(ENTRIES) > 60
    assert {module.id[:2] for module in LINKING} >= {"01", "02", "03", "05"}


def test_no_link_leads_nowhere() -> None:
    known = {one.anchor for one in ENTRIES}
    assert {module.id: set(linked(module)) - known for module in LINKING} == {
        module.id: set() for module in LINKING
    }


def test_no_entry_is_orphaned() -> None:
    """Each names a module that there is, and that module links to it, once."""
    known = {module.id[:2] for module in modules()}
    assert {one.term for one in ENTRIES if one.module not in known} == set()
    for module in LINKING:
        wanted = sorted(one.anchor for one in ENTRIES if one.module == module.id[:2])
        assert sorted(linked(module)) == wanted, module.id


@pytest.mark.parametrize("module", LINKING, ids=lambda module: module.id)
def test_the_link_stands_where_the_term_occurs_first(module: Module) -> None:
    late = [
        one.term
        for one in ENTRIES
        if one.module == module.id[:2]
        and one.term not in ANOTHER_SENSE
        and re.search(rf"\b{re.escape(one.term)}s?\b", prose_before(module, one.anchor), re.IGNORECASE)
    ]
    assert late == []


def test_entries_are_short_and_in_order() -> None:
    terms = [one.term.lower().replace("-", " ") for one in ENTRIES]
    assert terms == sorted(terms)
    for one in ENTRIES:
        assert len(re.findall(r"[.?](?:\s|$)", one.text)) <= 2, one.term
        assert len(one.text) <= 200, one.term
        assert re.fullmatch(r"[\w-]+", one.anchor), one.term


def test_the_notebook_stands_beside_the_others() -> None:
    """A link without a folder holds in notebooks/ and in a learner's workspace, which is a copy of it."""
    assert HOUSE.notebook("glossary").is_file()
