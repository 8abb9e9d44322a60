"""The tables: what is in them, what an importer asks for, and that no cell is a formula."""

import csv
import io
import re
from datetime import UTC, datetime

import pytest
from graded import everyone, failed, hostile, of, refused, result
from hypothesis import given
from hypothesis import strategies as st

from flightschool.grading.reports import tables
from flightschool.grading.reports.tables import cell

FORMULAS = [
    "=cmd|'/c calc'!A0", "+1", "-1+1", "@SUM(1+1)*cmd|' /C calc'!A0", "=1\n+1", '"=1"', '="a"', " =1", "\t=1", "\r=1", "\n=1",
    "\u00a0=1", "\ufeff=1", "\u200b=1", "\x00=1", "＝1", "＠x", "＋1", "－x", "'\"=1", "\tx", "\rx",
]  # fmt: skip
INNER = ["a;=1", 'a;"=1', "x| @y", "a, =1", "a;'=1"]


def rows(pieces):
    text = "".join(pieces)
    assert text.endswith("\r\n")
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_disarmed(text):
    assert cell(text).startswith("'")


@pytest.mark.parametrize("text", INNER)
def test_a_formula_behind_another_programs_separator_is_disarmed(text):
    assert re.search(r"[;|,]'", cell(text))


@pytest.mark.parametrize(
    "text", ["-1", "-1.5", "12", "0.25", "O'Brien", "Ana-Maria", "a+b", "me@example.org", "x=1", "李", ""]
)
def test_honest_cells_stay(text):
    assert cell(text) == text


def test_a_dash_stays_readable():
    assert cell("-") == "'-"


@given(st.text(max_size=60))
def test_no_text_begins_a_formula(text):
    shown = cell(text)
    begins = shown.lstrip().lstrip("\"'")
    assert (
        shown.startswith("'")
        or re.fullmatch(r"-?\d+(\.\d+)?", shown)
        or begins[:1] not in tuple("=+-@＝＋－＠")
    )
    assert not set(shown) & set("\r\n\t\0")


def test_whatever_a_learner_is_called_a_row_is_a_row():
    names = [*FORMULAS, 'a"b', "a,b", 'x",="y', "a\r\nb,c,d", "O'Brien", "-"]
    table = rows(tables.grades(of(*(result(name) for name in names)), {}))
    assert len(table) == 1 + len(names)
    assert len({len(row) for row in table}) == 1
    for row in table[1:]:
        assert all(not text.startswith(tuple("=+-@\t\r\n")) for text in row)


def test_grades_say_who_what_and_when():
    table = rows(tables.grades(everyone(1), {"amelia": "Amélie O'Brien"}))
    assert table[0] == [
        "learner", "name", "file", "received", "days_late", "kept", "q1", "q2", "q3", "q4", "q5", "drill", "earned", "points",
        "status", "note",
    ]  # fmt: skip
    assert table[1] == [
        "amelia", "Amélie O'Brien", "amelia.ipynb", "2026-03-02T10:00:00+01:00", "1.25", "0.8", "2", "2", "0", "0", "0", "0",
        "3.2", "17", "graded", "The check of q3 was missing; it was put back.",
    ]  # fmt: skip
    by_status = {row[-2]: row for row in table[1:]}
    assert by_status["refused"][-4:] == ["0", "17", "refused", "The archive has no notebook in it."]
    assert by_status["failed"][-4:] == [
        "",
        "17",
        "failed",
        "The worker was lost: no room is left on its disk.",
    ]
    assert set(by_status["failed"][6:12]) == {""}


def test_canvas_finds_its_columns():
    table = rows(tables.canvas(everyone(1), {"amelia": "O'Brien, Amélie"}))
    assert table[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "01 · Why DataOps"]
    assert table[1] == ["    Points Possible", "", "", "", "", "17"]
    assert table[2] == ["O'Brien, Amélie", "", "", "amelia", "", "3.2"]
    assert "chiara" not in {row[3] for row in table}, "an empty grade would delete one"


def test_nobody_changes_the_points_that_canvas_has_for_the_assignment():
    table = rows(tables.canvas(of(hostile(), result("Points Possible")), {}))
    assert [row[0] for row in table if "Points Possible" in row[0]] == ["    Points Possible"]


def test_moodle_gets_one_user_a_row():
    table = rows(tables.moodle(everyone(1), {}))
    assert table[0] == ["Username", "Full name", "01 · Why DataOps"]
    assert [row[0] for row in table[1:]] == ["amelia", "bela", "learner00"]
    assert rows(tables.moodle(of(result("me@example.org")), {}))[0][0] == "Email address"


@pytest.mark.parametrize("name", ["", " ", "0", " 0\n", "=1", "\x00", "a\u202eb", "-x"])
def test_who_would_stop_moodle_or_get_into_anothers_row_is_left_out_and_told(name):
    round = of(result("amelia"), result(name), failed(), refused())
    assert [row[0] for row in rows(tables.moodle(round, {}))[1:]] == ["amelia", "bela"]
    assert tables.unknown_to_moodle(round) == [name]


def test_times_keep_their_zone():
    received = datetime(2026, 1, 1, tzinfo=UTC)
    assert rows(tables.grades(of(result("a", received=received)), {}))[1][3] == "2026-01-01T00:00:00+00:00"


def test_a_round_of_nobody_has_its_headings():
    assert len(rows(tables.grades(of(), {}))) == 1
    assert len(rows(tables.canvas(of(), {}))) == 2
    assert len(rows(tables.moodle(of(), {}))) == 1
