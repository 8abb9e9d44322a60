"""An answer of any library becomes the same plain data, and an unusable one becomes a sentence."""

import datetime as dt
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flightschool.learn.evidence import UnusableAnswer, plain, table

ROWS = {"origin": ["JFK", "LGA"], "flights": [297, 240], "share": [0.75, None]}
EXPECTED = {"columns": ["origin", "flights", "share"], "rows": [["JFK", 297, 0.75], ["LGA", 240, None]]}


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(ROWS),
        pd.DataFrame(ROWS).set_index("origin"),
        pl.DataFrame(ROWS),
        pl.LazyFrame(ROWS),
        pa.table(ROWS),
        "duckdb",
        [dict(zip(ROWS, row, strict=True)) for row in zip(*ROWS.values(), strict=True)],
    ],
    ids=["pandas", "pandas index", "polars", "polars lazy", "arrow", "duckdb", "list of dicts"],
)
def test_every_library_gives_the_same_table(frame):
    if isinstance(frame, str):  # made here, since DuckDB complains of what outlives the interpreter
        frame = duckdb.from_arrow(pa.table(ROWS))
    assert table(frame) == EXPECTED


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (..., None),
        (float("nan"), None),
        (pd.NaT, None),
        (pd.NA, None),
        (float("inf"), "inf"),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.array([1, 2]), [1, 2]),
        (Decimal("1.5"), 1.5),
        (dt.date(2013, 2, 8), "2013-02-08"),
        (pd.Timestamp("2013-02-08 07:00", tz="America/New_York"), "2013-02-08T12:00:00Z"),
        (np.datetime64("2013-02-08"), "2013-02-08"),
        ({"b", "a"}, ["a", "b"]),
        ({("JFK", 1): 2}, {"JFK, 1": 2}),
        (Path("a") / "b", "a/b"),
        (b"x", {"base64": "eA=="}),
        (10**30, str(10**30)),
    ],
)
def test_values_become_plain(value, expected):
    assert plain(value) == expected


class Liar(int):
    """Agrees with everything."""

    def __eq__(self, other):
        return True

    def __int__(self):
        raise AssertionError("asked")

    __hash__ = int.__hash__


def test_a_subclass_is_not_asked_for_its_value():
    assert type(plain(Liar(3))) is int
    assert plain(Liar(3)) == 3


@pytest.mark.parametrize("value", [object(), (n for n in range(3)), print, lambda: 1])
def test_what_is_no_data_is_refused_in_a_sentence(value):
    with pytest.raises(UnusableAnswer, match="can't be read as an answer"):
        plain(value)


def test_deep_nesting_and_huge_tables_are_refused():
    deep = current = []
    for _step in range(50):
        current.append([])
        current = current[0]
    with pytest.raises(UnusableAnswer, match="nested"):
        plain(deep)
    with pytest.raises(UnusableAnswer, match="aggregate"):
        table(pd.DataFrame({"a": range(11)}), max_rows=10)
    with pytest.raises(UnusableAnswer, match="table was asked for"):
        table(3)


json_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(json_like)
def test_plain_data_stays_as_it_is_and_survives_json(value):
    assert plain(value) == value
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == value
