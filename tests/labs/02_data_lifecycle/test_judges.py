"""No evidence, however malformed, makes a judge of module 02 raise or pass."""

import pytest

from flightschool.curriculum import Module, Outcome
from flightschool.data import World

MODULE = Module("02_data_lifecycle")
NONSENSE = [
    None,
    0,
    "text",
    [],
    {},
    {"columns": [], "rows": []},
    {"columns": ["airport", "window_start", "pushbacks"], "rows": [[None, None, None], [[], {}, "x"]]},
    {"columns": "abc", "rows": 3},
    {"once": {"columns": ["flight_date"], "rows": [[1]]}, "twice": 3, "corrected": None},
    {"written": {"files": [{"path": 3, "columns": None}, 7], "rows": [1, {}], "touched": 5}, "rewritten": []},
    {"written": {"files": [{"path": "departure_day=2013-01-01/a.parquet", "columns": []}], "rows": [{}]}},
    {"etl": {"columns": ["flight_date", "origin", "hour"], "rows": [[1, 2, 3]]}, "elt": "x"},
    {"rows": {"columns": ["origin"], "rows": []}, "error": None, "dialects": []},
    {
        "replies": {"known": {"status": 200, "body": [1]}},
        "extracts": {".hyper": {"kinds": 3}, ".parquet": None},
    },
    {"live": {"problem": ["x"]}, "repaired": 1},
    {"live": {"problem": "no table"}, "deleted": 3},
    {"rerun": ["b"], "clock": {"a": 1}},
]


@pytest.mark.parametrize("evidence", NONSENSE, ids=range(len(NONSENSE)))
@pytest.mark.parametrize("exercise", MODULE.exercises)
def test_nonsense_fails_in_words(exercise, evidence):
    verdict = MODULE.judges[exercise](evidence, World(0))
    assert verdict.outcome in (Outcome.FAILED, Outcome.PARTLY)
    assert verdict.found
    assert verdict.expected
    assert verdict.try_next
