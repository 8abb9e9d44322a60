"""The workspace keeps what a learner wrote; a port in use is stepped over."""

import json
import socket

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from flightschool.errors import FlightSchoolError
from flightschool.workspace import first_free, lay_out


def write(path, text, stub="answer = ...", source=None):
    """A notebook with one markdown and one exercise cell."""
    metadata = {"nbgrader": {"grade_id": "q1", "solution": True, "grade": False}}
    cells = [new_markdown_cell(text, id="text"), new_code_cell(source or stub, id="q1", metadata=metadata)]
    nbformat.write(new_notebook(cells=cells), path)


def said_in(path):
    return ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]


@pytest.fixture
def places(tmp_path):
    notebooks, workspace = tmp_path / "notebooks", tmp_path / "workspace"
    notebooks.mkdir()
    write(notebooks / "01_a.ipynb", "one")
    return notebooks, workspace


def test_copies_are_made_once_and_updated_while_untouched(places):
    notebooks, workspace = places
    assert lay_out(notebooks, workspace) == []
    assert said_in(workspace / "01_a.ipynb")[0] == "one"
    write(notebooks / "01_a.ipynb", "two")
    assert lay_out(notebooks, workspace) == []
    assert said_in(workspace / "01_a.ipynb")[0] == "two"


def test_a_notebook_that_was_only_opened_counts_as_untouched(places):
    notebooks, workspace = places
    lay_out(notebooks, workspace)
    opened = nbformat.read(workspace / "01_a.ipynb", as_version=4)
    opened.metadata["language_info"] = {"name": "python", "version": "3.11.7"}
    opened.cells[1].outputs = [nbformat.v4.new_output("stream", text="1\n")]
    nbformat.write(opened, workspace / "01_a.ipynb")
    write(notebooks / "01_a.ipynb", "two")
    assert lay_out(notebooks, workspace) == []
    assert said_in(workspace / "01_a.ipynb")[0] == "two"


def test_answers_are_kept_and_carried_into_the_newer_version_beside(places):
    notebooks, workspace = places
    lay_out(notebooks, workspace)
    write(workspace / "01_a.ipynb", "one", source="answer = 42")
    assert lay_out(notebooks, workspace) == []
    write(notebooks / "01_a.ipynb", "two")
    (said,) = lay_out(notebooks, workspace)
    assert "yours is kept" in said
    assert "your answers to q1" in said
    assert said_in(workspace / "01_a.ipynb") == ["one", "answer = 42"]
    assert said_in(workspace / "01_a.new.ipynb") == ["two", "answer = 42"]
    assert lay_out(notebooks, workspace) == []


def test_a_stub_that_was_not_touched_becomes_the_new_one(places):
    notebooks, workspace = places
    lay_out(notebooks, workspace)
    write(workspace / "01_a.ipynb", "one, with a note of mine")
    write(notebooks / "01_a.ipynb", "two", stub="better = ...")
    (said,) = lay_out(notebooks, workspace)
    assert "answers" not in said
    assert said_in(workspace / "01_a.new.ipynb") == ["two", "better = ..."]


def test_a_damaged_notebook_and_a_lost_original_lose_no_work(places):
    notebooks, workspace = places
    lay_out(notebooks, workspace)
    (workspace / "01_a.ipynb").write_text("{damaged")
    (workspace / ".originals" / "01_a.ipynb").unlink()
    (said,) = lay_out(notebooks, workspace)
    assert "yours is kept" in said
    assert (workspace / "01_a.ipynb").read_text() == "{damaged"
    assert said_in(workspace / "01_a.new.ipynb")[0] == "one"


def test_the_next_free_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert first_free(port) != port


def test_no_port_at_all_is_one_sentence():
    with pytest.raises(FlightSchoolError, match="choose another"):
        first_free(70000)
