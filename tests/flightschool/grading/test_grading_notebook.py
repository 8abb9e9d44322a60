"""Notebooks as editors, people and attackers leave them: cells, or one sentence."""

import copy
import json
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightschool import paths
from flightschool.grading import notebook
from flightschool.grading.notebook import Cell, Unreadable

REAL = (paths.NOTEBOOKS / "01_dataops_intro.ipynb").read_bytes()


def nb(*cells: Any, **more: Any) -> bytes:
    return json.dumps(
        {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **more}
    ).encode()


def code(source: Any, **more: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {},
        "outputs": [],
        "execution_count": None,
        **more,
    }


def test_a_generated_notebook() -> None:
    cells = notebook.cells(REAL)
    by_id = {cell.id: cell for cell in cells}
    assert len(by_id) == len(cells) > 50
    assert by_id["q1"].grade_id == "q1"
    assert by_id["q1-check"] == Cell(
        "code", "lab.q1.check(on_time_report)", "q1-check", "q1-check", frozenset()
    )
    assert [cell.source for cell in cells if "parameters" in cell.tags] == ["seed = 0"]
    assert notebook.module(REAL) == "01_dataops_intro"


def test_every_version_has_the_same_cells() -> None:
    page = nbformat.reads(REAL.decode(), as_version=4)
    expected = [(cell.kind, cell.source) for cell in notebook.cells(REAL)]
    for minor in range(6):
        older = copy.deepcopy(page)
        older.nbformat_minor = minor
        for cell in older.cells:
            if minor < 5:
                del cell["id"]
        found = notebook.cells(nbformat.writes(older).encode())
        assert [(cell.kind, cell.source) for cell in found] == expected, minor
    third = nbformat.convert(page, 3)
    third.worksheets[0].cells.insert(
        0, {"cell_type": "heading", "level": 1, "source": "A heading", "metadata": {}}
    )
    found = notebook.cells(json.dumps(third).encode())
    assert found[0] == Cell("markdown", "A heading")
    assert [(cell.kind, cell.source) for cell in found if cell.kind == "code"] == [
        one for one in expected if one[0] == "code"
    ]


@pytest.mark.parametrize(
    "data",
    [
        nb(code("a = 1\nb = 2")),
        nb(code(["a = 1\n", "b = 2"])),
        nb(code(["a = 1", "b = 2"])),
        nb(code("a = 1\r\nb = 2")),
        nb(code("a = 1\rb = 2")),
        b"\xef\xbb\xbf" + nb(code("a = 1\nb = 2")),
        nb(code("a = 1\nb = 2")).decode().encode("utf-16"),
        b"\xfe\xff" + nb(code("a = 1\nb = 2")).decode().encode("utf-16-be"),
        nb(code("a = 1\nb = 2"), nbformat=17, nbformat_minor="x"),
        nb(code("a = 1\nb = 2", metadata=None, outputs=7, id=12)),
        nb({"cell_type": "code", "input": "a = 1\nb = 2"}),
        b'{"cells": [], "cells": [{"cell_type": "code", "source": "a = 1\\nb = 2"}], "n": NaN, "m": -Infinity}',
        b"\n\n  " + nb(code("a = 1\nb = 2")) + b"\n\n",
    ],
)  # fmt: skip
def test_what_can_be_understood_is_taken(data: bytes) -> None:
    assert notebook.cells(data) == [Cell("code", "a = 1\nb = 2")]


def test_metadata_of_any_form() -> None:
    found = notebook.cells(
        nb(
            code("a", id="with space"),
            code("b", id="x" * 65),
            code("c", metadata={"nbgrader": {"grade_id": "q1"}, "tags": ["demo", 7]}),
            code("d", metadata={"nbgrader": [], "tags": "demo"}),
            code("e", metadata={"id": "Ab3_dE-9"}),
            code(None),
            {"cell_type": "video", "source": "g"},
        )
    )
    assert [cell.id for cell in found] == ["", "", "", "", "Ab3_dE-9", "", ""]
    assert (found[2].grade_id, found[2].tags) == ("q1", frozenset({"demo"}))
    assert (found[5].source, found[6].kind) == ("", "raw")


def test_a_lone_surrogate_can_be_encoded_afterwards() -> None:
    (cell,) = notebook.cells(b'{"cells": [{"cell_type": "code", "source": "x = \'\\ud800\\ud83d\\ude80\'"}]}')
    assert cell.source == "x = '\ufffd\U0001f680'"


CONFLICT = REAL.replace(b'   "source": [', b'<<<<<<< HEAD\n   "source": [\n=======\n', 1)

BAD = {
    "nothing": (b"", "empty"),
    "blanks": (b" \n ", "empty"),
    "a photograph": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x9c\x80", "UTF-8"),
    "cut off": (REAL[:9000], "breaks off|damaged at line"),
    "cut off after the cells": (REAL.rstrip()[:-1], "breaks off"),
    "a conflict": (CONFLICT, "conflict markers"),
    "a web page": (b"<!DOCTYPE html><html>", "web page"),
    "Python": (b"import pandas\n", "damaged at line 1"),
    "a list": (b"[]", "not a notebook"),
    "a number": (b"7", "not a notebook"),
    "a large number": (b'{"cells": [], "n": ' + b"9" * 5000 + b"}", "no notebook holds"),
    "no cells": (b'{"metadata": {}}', "no list of cells"),
    "cells in a dict": (b'{"cells": {}}', "no list of cells"),
    "a bad worksheet": (b'{"worksheets": [{"cells": 1}]}', "no list of cells"),
    "a cell that is none": (nb(code("a"), 7), "Cell 2"),
    "a cell of numbers": (nb(code([1])), "Cell 1"),
    "a cell of a dict": (nb(code({"a": 1})), "Cell 1"),
    "deep": (b"[" * 100_000, "too deeply"),
    "deep dicts": (b'{"a":' * 100_000, "too deeply"),
    "too many cells": (nb(*[code("")] * (notebook.MOST_CELLS + 1)), "cells"),
    "too much text": (nb(*[code("x" * 2**20)] * 6), "5 MiB of text"),
    "too large": (b" " * (notebook.NOTEBOOK_LIMIT + 1), "larger than 20 MiB"),
    "many lists": (b'{"cells": [' + b"[]," * 1_000_001 + b"0]}", "outputs are too large"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_can_not_be_read_is_one_sentence(name: str) -> None:
    data, words = BAD[name]
    with pytest.raises(Unreadable, match=words) as refused:
        notebook.cells(data)
    assert str(refused.value).count("\n") == 0
    notebook.module(data)  # never raises


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["cells", "source", "cell_type", "metadata", "id", "tags", "nbgrader", "worksheets", "input"]), inner
    ),
    max_leaves=25,
)  # fmt: skip


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_nothing_but_cells_or_unreadable(data: bytes) -> None:
    notebook.module(data)
    try:
        cells = notebook.cells(data)
    except Unreadable:
        return
    for cell in cells:
        cell.source.encode()
        assert cell.kind in ("code", "markdown", "raw")


@given(st.lists(st.sampled_from(["code", "markdown"]), max_size=5), st.data())
def test_any_cell_value(kinds: list[str], data: st.DataObject) -> None:
    raw = [
        {"cell_type": kind, "source": data.draw(json_values), "metadata": data.draw(json_values)}
        for kind in kinds
    ]
    try:
        assert len(notebook.cells(nb(*raw))) == len(kinds)
    except Unreadable as error:
        assert "Cell" in str(error)  # noqa: PT017


def test_the_module_is_what_the_metadata_say() -> None:
    def said(**flightschool: str) -> str:
        return notebook.module(nb(metadata={"flightschool": flightschool}))

    assert said(source="solutions/07_data_quality.py") == "07_data_quality"
    assert said(source="solutions/../x.py") == ""
    assert said(language="en") == ""
    assert notebook.module(REAL.decode().encode("utf-16")) == "01_dataops_intro"
    text = '"flightschool": {"source": "solutions/07_data_quality.py"}'
    assert notebook.module(nb(code(text))) == ""  # a cell that quotes metadata
