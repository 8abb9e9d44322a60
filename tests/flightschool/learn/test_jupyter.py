"""The workspace keeps what a learner wrote; a port in use is stepped over."""

import socket

import pytest

from flightschool.errors import FlightSchoolError
from flightschool.learn.jupyter import first_free, lay_out


@pytest.fixture
def places(tmp_path):
    notebooks, workspace = tmp_path / "notebooks", tmp_path / "workspace"
    notebooks.mkdir()
    (notebooks / "01_a.ipynb").write_text("one")
    return notebooks, workspace


def test_copies_are_made_once_and_updated_while_untouched(places):
    notebooks, workspace = places
    assert lay_out(notebooks, workspace) == []
    assert (workspace / "01_a.ipynb").read_text() == "one"
    (notebooks / "01_a.ipynb").write_text("two")
    assert lay_out(notebooks, workspace) == []
    assert (workspace / "01_a.ipynb").read_text() == "two"


def test_a_learners_answers_are_kept_and_the_newer_one_is_laid_beside(places):
    notebooks, workspace = places
    lay_out(notebooks, workspace)
    (workspace / "01_a.ipynb").write_text("mine")
    assert lay_out(notebooks, workspace) == []
    (notebooks / "01_a.ipynb").write_text("two")
    (said,) = lay_out(notebooks, workspace)
    assert "yours is kept" in said
    assert (workspace / "01_a.ipynb").read_text() == "mine"
    assert (workspace / "01_a.new.ipynb").read_text() == "two"
    assert lay_out(notebooks, workspace) == []


def test_a_lost_record_loses_no_work(places):
    notebooks, workspace = places
    lay_out(notebooks, workspace)
    (workspace / "01_a.ipynb").write_text("mine")
    (workspace / ".copied.json").write_text("{damaged")
    lay_out(notebooks, workspace)
    assert (workspace / "01_a.ipynb").read_text() == "mine"


def test_the_next_free_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert first_free(port) != port


def test_no_port_at_all_is_one_sentence():
    with pytest.raises(FlightSchoolError, match="choose another"):
        first_free(70000)
