"""The glossary: `docs/glossary.md` becomes a notebook beside the modules', which link to its terms.

A notebook, for JupyterLab opens a link to one of its cells from wherever the course's notebooks lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import nbformat

from flightschool.curriculum import Module
from flightschool.i18n import _
from flightschool.publish.house import House
from flightschool.publish.source import Page, Problem, SourceError

NAME = "glossary"
LINK = re.compile(r"\]\(glossary\.ipynb(?:#([^)]*))?\)")
_ENTRY = re.compile(r"## (?P<term>.+)\n(?P<text>(?:.+\n)+)\*Module (?P<module>\d\d)\*\n?")


@dataclass(frozen=True)
class Entry:
    """A term, what it means in a sentence or two, the number of the module that introduces it, and its line."""

    term: str
    text: str
    module: str
    line: int

    @property
    def anchor(self) -> str:
        """The id of its cell, with which a link to it ends: `glossary.ipynb#late-flight`."""
        return self.term.replace(" ", "-")


def read(house: House) -> list[Entry]:
    """The entries, in the order of the file; none where there is no file.

    Raises:
        SourceError: an entry is not written as the others are, or a term stands there twice.
    """
    path = house.glossary
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    entries: list[Entry] = []
    problems: list[Problem] = []
    head, *parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    line = head.count("\n") + 1
    for part in parts:
        if match := _ENTRY.fullmatch(part.strip() + "\n"):
            one = Entry(match["term"].strip(), match["text"].strip(), match["module"], line)
            if one.anchor in [other.anchor for other in entries]:
                problems.append(
                    Problem(house.shown(path), line, _("{term} stands here twice").format(term=one.term))
                )
            entries.append(one)
        else:
            what = _("write an entry as `## term`, its text, and `*Module NN*`, each on lines of its own")
            problems.append(Problem(house.shown(path), line, what))
        line += part.count("\n")
    if problems:
        raise SourceError(problems)
    return entries


def links(page: Page) -> Iterator[tuple[int, int, str]]:
    """Cell, line in it (from 0) and anchor of each link to the glossary, in their order."""
    for index, cell in enumerate(page.notebook.cells):
        if cell.cell_type == "markdown":
            for match in LINK.finditer(cell.source):
                yield index, cell.source.count("\n", 0, match.start()), match[1] or ""


def check_links(page: Page, entries: list[Entry]) -> None:
    """Note each link of a module to a term that the glossary lacks."""
    known = {one.anchor for one in entries}
    for index, line, name in links(page):
        if name not in known:
            page.report(index, _("the glossary has no term {name!r}").format(name=name), line)


def page(house: House, entries: list[Entry], modules: Mapping[str, Module]) -> Page:
    """The glossary as a notebook of text, a cell each entry; `modules` by their number."""
    title, _gap, intro = (
        house.glossary.read_text(encoding="utf-8").partition("## ")[0].strip().partition("\n\n")
    )
    cells = [_cell(NAME, f"{title}\n\n{intro}")]
    for one in entries:
        module = modules.get(one.module)
        named = f"module {one.module}"
        where = f"[{named}]({module.id}.ipynb)" if module else named
        cells.append(_cell(one.anchor, f"## {one.term}\n\n{one.text} ({where})"))
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    return Page(NAME, house.shown(house.glossary), notebook, [1, *(one.line for one in entries)])


def _cell(name: str, text: str) -> Any:
    return nbformat.v4.new_markdown_cell(text, id=name)  # type: ignore[no-untyped-call]
