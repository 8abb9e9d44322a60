"""The home page: a table for eyes and screen readers alike, plain text, links that open, an index that is renewed."""

import json
from html.parser import HTMLParser

import nbformat
import pytest

from flightschool import paths
from flightschool.learn import progress
from flightschool.learn.homepage import Home, write_index
from flightschool.learn.progress import ModuleProgress, Next, State, Summary

SUMMARY = Summary(
    modules=(
        ModuleProgress("01_a", "Why <DataOps>", State.DONE, 2, 2, 5, 5, 42.4, 3.25),
        ModuleProgress("02_b", "Stages", State.BEGUN, 1, 3, 2.5, 9, 7, None),
        ModuleProgress("03_c", "Versions", State.NOT_BEGUN, 0, 4, 0, 8, 0, None),
        ModuleProgress("04_d", "CI", State.IN_PREPARATION, 0, 0, 0, 0, 0, None),
    ),
    next=Next("02_b", "02 · Stages", "q2", "Count & <group>"),
)


class Reader(HTMLParser):
    """What a screen reader is told: balanced tags, headings with their scope, links, words."""

    def __init__(self, html):
        super().__init__()
        self.open, self.scopes, self.links, self.words = [], [], [], []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        self.open.append(tag)
        if tag == "th":
            self.scopes.append(said["scope"])
        if tag == "a":
            self.links.append(said["href"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "STATE", tmp_path / "state")
    folder = tmp_path / "workspace"
    folder.mkdir()
    for name in ("01_a", "02_b"):
        (folder / f"{name}.ipynb").write_text("{}")
    return folder


def test_html_says_all_in_words_and_links_what_is_there(workspace):
    page = Reader(Home(SUMMARY, workspace).html())
    assert page.scopes == ["col"] * 6 + ["row"] * 5
    assert page.links == ["02_b.ipynb#cell-id=q2", "01_a.ipynb", "02_b.ipynb"]
    for words in ("✓ done", "◐ begun", "○ not begun", "· in preparation", "q2 · Count & <group>", "1 of 3"):
        assert words in page.words
    assert any("run its cell again" in words for words in page.words)
    assert "caption" in Home(SUMMARY, workspace).html()


@pytest.mark.parametrize("width", [90, 140])
def test_text_says_the_same(workspace, width):
    said = Home(SUMMARY, workspace).text(width)
    assert max(map(len, said.splitlines())) <= width
    for words in ("01 · Why <DataOps>", "✓ done", "3.2 min", "3 of 9", "7.5 of 22"):
        assert words in said
    assert "Next: q2 · Count & <group>, in 02 · Stages" in said


def test_in_a_kernel_too_the_text_is_returned_and_nothing_is_shown(workspace, monkeypatch, capsys):
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert "01 · Why <DataOps>" in Home(SUMMARY, workspace).text()
    assert capsys.readouterr().out == ""


def test_all_done_and_trouble_are_said(workspace):
    home = Home(Summary(SUMMARY.modules[:1], None, "The file is <odd>."), workspace)
    assert "All is done" in home.text()
    assert "The file is <odd>." in home.text()
    assert "The file is &lt;odd&gt;." in home.html()
    assert "no module yet" in Home(Summary((), None), workspace).text()


def index(workspace):
    return nbformat.read(workspace / "index.ipynb", as_version=4)


def test_the_index_shows_the_page_before_it_is_run_and_is_renewed(workspace, monkeypatch):
    write_index(workspace)
    first = index(workspace)
    nbformat.validate(first)
    assert "Next: q1" in first.cells[1].outputs[0].data["text/plain"]
    first.cells[
        1
    ].outputs = []  # as a learner's JupyterLab may save it, with the cell that Shift+Enter leaves
    first.cells.append(nbformat.v4.new_code_cell(""))
    nbformat.write(first, workspace / "index.ipynb")
    write_index(workspace)
    assert index(workspace).cells[1].outputs


def test_what_the_learner_wrote_into_the_index_stays(workspace):
    write_index(workspace)
    mine = index(workspace)
    mine.cells[0].source += "\n\nMy notes"
    nbformat.write(mine, workspace / "index.ipynb")
    before = (workspace / "index.ipynb").read_bytes()
    write_index(workspace)
    assert (workspace / "index.ipynb").read_bytes() == before


@pytest.mark.parametrize("content", [b"{damaged", b"[]", b'{"cells": 1}', b"\xff\xfe"])
def test_an_index_that_is_no_notebook_is_moved_aside(workspace, content):
    (workspace / "index.ipynb").write_bytes(content)
    write_index(workspace)
    assert (workspace / "index.damaged-1.ipynb").read_bytes() == content
    assert index(workspace).cells[1].outputs


def test_the_index_is_valid_json_with_nothing_of_this_machine(workspace):
    write_index(workspace)
    text = (workspace / "index.ipynb").read_text()
    json.loads(text)
    assert str(workspace) not in text
    assert progress.journal().path.name not in text
