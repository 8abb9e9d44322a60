"""The first useful difference: found where there is one, and only there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightschool.learn.compare import same, tables

EXPECTED = {
    "columns": ["day", "origin", "flights"],
    "rows": [["2013-02-08", "JFK", 3], ["2013-02-08", "LGA", 2]],
}


def with_rows(*rows):
    return {"columns": list(EXPECTED["columns"]), "rows": [list(row) for row in rows]}


def test_order_case_types_and_further_columns_do_not_matter():
    found = {
        "columns": ["extra", "FLIGHTS", "origin", "day"],
        "rows": [[0, 2.0, "LGA", "2013-02-08T00:00:00"], [0, 3.0000000001, "JFK", "2013-02-08"]],
    }
    assert tables(found, EXPECTED, key=["day", "origin"]) is None


@pytest.mark.parametrize(
    ("found", "kind", "says"),
    [
        (None, "no table", "No table"),
        ({"columns": ["a"], "rows": [[1, 2]]}, "no table", "No table"),
        ({"columns": ["day", "origin"], "rows": []}, "columns", "no column flights"),
        (with_rows(), "empty", "no rows"),
        (
            with_rows(["2013-02-08", "JFK", 3]),
            "missing rows",
            "1 of 2 rows are missing; the first is day 2013-02-08, origin LGA",
        ),
        (
            with_rows(["2013-02-08", "JFK", 3], ["2013-02-08", "LGA", 2], ["2013-02-09", "LGA", 2]),
            "extra rows",
            "should not be there",
        ),
        (
            with_rows(["2013-02-08", "JFK", 3], ["2013-02-08", "JFK", 3]),
            "duplicate keys",
            "More than one row",
        ),
        (
            with_rows(["2013-02-08", "JFK", 5], ["2013-02-08", "LGA", 9]),
            "values",
            "2 of 2 rows differ in flights",
        ),
    ],
)
def test_each_difference_is_said(found, kind, says):
    difference = tables(found, EXPECTED, key=["day", "origin"])
    assert difference is not None
    assert difference.kind == kind
    assert says in difference.sentence


def test_the_expected_value_is_never_given_away():
    difference = tables(
        with_rows(["2013-02-08", "JFK", 5], ["2013-02-08", "LGA", 9]), EXPECTED, key=["day", "origin"]
    )
    assert difference is not None
    assert "you have 5, too high" in difference.sentence
    assert difference.too_high is True
    assert "3" not in difference.sentence.replace("2013", "")


@given(
    st.lists(st.tuples(st.integers(0, 50), st.floats(-1e6, 1e6)), unique_by=lambda row: row[0], min_size=1),
    st.randoms(),
)
def test_shuffled_rows_are_the_same_and_one_changed_value_is_found(rows, random):
    expected = {"columns": ["id", "x"], "rows": [list(row) for row in rows]}
    shuffled = [list(row) for row in rows]
    random.shuffle(shuffled)
    assert tables({"columns": ["id", "x"], "rows": shuffled}, expected, key=["id"]) is None
    shuffled[0][1] += 10
    difference = tables({"columns": ["id", "x"], "rows": shuffled}, expected, key=["id"])
    assert difference is not None
    assert (difference.kind, difference.wrong, difference.key) == ("values", 1, {"id": shuffled[0][0]})


def test_booleans_are_not_numbers():
    assert not same(None, 0)
    assert same(1, 1.0)
    assert same("2013-02-08T12:00:00Z", "2013-02-08T12:00:00")


def test_a_key_of_any_kind_is_compared():
    odd = {"columns": ["day", "origin", "flights"], "rows": [[{"a": 1}, [1], 3]]}
    difference = tables(odd, EXPECTED, key=["day", "origin"])
    assert difference is not None
    assert difference.kind == "missing rows"
    assert tables(odd, odd, key=["day", "origin"]) is None
