"""Each operator makes its mistake, on a snippet, and leaves alone what is not its business."""

import ast

import pytest

from flightschool.mutation import Operator, UnknownKind, mutants, sample
from flightschool.mutation.mutants import GRAMMARS, OPERATORS, Mutant

PYTHON = [
    ("ROR", "late = delay < 15", "late = delay <= 15"),
    ("ROR", "late = delay == 15", "late = delay != 15"),
    ("ROR", "known = name in names", "known = name not in names"),
    ("AOR", "share = late / all", "share = late * all"),
    ("AOR", "count += 1", "count -= 1"),
    ("LCR", "both = a and b", "both = a or b"),
    ("LCR", "both = (x > 1) & (y > 2)", "both = (x > 1) | (y > 2)"),
    ("LCR", "both = a and b", "both = a"),
    ("UOD", "kept = rows[~known]", "kept = rows[known]"),
    ("CRP", "limit = 15", "limit = 16"),
    ("CRP", "f(3, ascending=False)", "f(3, ascending=True)"),
    ("CRP", "open(path, 'w')", "open(path, 'a')"),
    ("CRP", "t.tz_convert('UTC')", "t.tz_convert('America/New_York')"),
    ("CRP", "a.merge(b, how='left')", "a.merge(b, how='inner')"),
    ("IRC", "x = flights.dep_delay", "x = flights.arr_delay"),
    ("IRC", "x = row['queued_at']", "x = row['started_at']"),
    ("CRC", "x = delays.mean()", "x = delays.median()"),
    ("CRC", "x = group.agg(n=('flight', 'size'))", "x = group.agg(n=('flight', 'nunique'))"),
    ("CDL", "x = f.drop_duplicates('id').head(3)", "x = f.head(3)"),
    ("CDL", "for f in sorted(files): g(f)", "for f in list(files):\n    g(f)"),
    ("FDL", "x = flights[flights.dep_time.notna()]", "x = flights"),
    ("FDL", "x = [a for a in b if a]", "x = [a for a in b]"),
    ("KDL", "x = f.drop_duplicates('id', keep='last')", "x = f.drop_duplicates('id')"),
    ("GRU", "x = f.groupby(['origin', 'carrier'])", "x = f.groupby(['origin'])"),
    ("COD", "x = a if c else b", "x = a if True else b"),
    ("SDL", "f()\ng()", "pass\ng()"),
    ("SDL", "f['late'] = 1", "pass"),
    ("DAY", "x = pd.to_datetime(y)", "x = pd.to_datetime(y) + pd.Timedelta(hours=24)"),
]
SQL = [
    ("ROR", "select * from t where a < 1", "SELECT * FROM t WHERE a <= 1"),
    ("AOR", "select a // b from t", "SELECT a / b FROM t"),
    ("LCR", "select * from t where a and b", "SELECT * FROM t WHERE a OR b"),
    ("CRP", "select * from t where a < 15", "SELECT * FROM t WHERE a < 16"),
    ("NLS", "select coalesce(a, 0) from t", "SELECT a FROM t"),
    ("NLS", "select * from t where a is null", "SELECT * FROM t WHERE NOT a IS NULL"),
    ("AGR", "select count(a) from t", "SELECT COUNT(*) FROM t"),
    ("AGR", "select count(distinct a) from t", "SELECT COUNT(a) FROM t"),
    ("AGR", "select sum(a) from t", "SELECT AVG(a) FROM t"),
    ("AGR", "select count(*) filter (a > 1) from t", "SELECT COUNT(*) FROM t"),
    ("JOI", "select * from a left join b on a.x = b.x", "SELECT * FROM a JOIN b ON a.x = b.x"),
    ("JOI", "select * from a join b using (x)", "SELECT * FROM a LEFT JOIN b USING (x)"),
    ("SEL", "select distinct a from t", "SELECT a FROM t"),
    ("FDL", "select * from t where a", "SELECT * FROM t"),
    ("FDL", "delete from t where a", "DELETE FROM t"),
    ("GRU", "select a from t group by a, b", "SELECT a FROM t GROUP BY a"),
    ("GRU", "select sum(a) over (partition by b) from t", "SELECT SUM(a) OVER () FROM t"),
    ("ORD", "select a from t order by a", "SELECT a FROM t ORDER BY a DESC"),
    ("ORD", "select a from t order by a, b", "SELECT a FROM t ORDER BY a"),
    ("CAS", "select case when a then 1 else 0 end from t", "SELECT CASE WHEN a THEN 1 END FROM t"),
    ("IRC", "select sum(dep_delay) from t", "SELECT SUM(arr_delay) FROM t"),
    ("DAY", "select make_date(a, b, c) from t", "SELECT MAKE_DATE(a, b, c) + 1 FROM t"),
    ("DAY", "select a at time zone 'UTC' from t", "SELECT a FROM t"),
]


@pytest.mark.parametrize(("code", "before", "after"), PYTHON)
def test_mistakes_in_python(code, before, after):
    assert ast.unparse(ast.parse(after)) in [one.source for one in mutants(before, operators=[code])]


@pytest.mark.parametrize(("code", "before", "after"), SQL)
def test_mistakes_in_sql(code, before, after):
    assert after in [one.source for one in mutants(before, "sql", operators=[code])]


def test_every_operator_is_shown_to_work():
    assert {code for code, *_rest in PYTHON} | {"SQL"} == {one.code for one in OPERATORS["python"]}
    assert {code for code, *_rest in SQL} == {one.code for one in OPERATORS["sql"]}


def test_sql_within_python_keeps_its_gaps():
    found = mutants("query = f\"select sum(a) from {table} where d = '{day}' and n < 3\"", operators=["SQL"])
    assert any("n <= 3" in one.source for one in found)
    assert all("{table}" in one.source for one in found)
    assert {one.operator for one in found} >= {"ROR", "LCR", "AGR", "FDL"}
    assert "zz_gap" not in "".join(one.source + one.diff for one in found)


def test_a_text_that_only_looks_like_sql_is_left_alone():
    assert mutants("hint = 'select what you like, from wherever'", operators=["SQL"]) == []


def test_what_is_left_alone():
    source = '''
@limit(15)
def report(flights: "a" < 2):
    """Fewer than 15."""
    import pandas as pd
    if flights.empty:
        raise ValueError(15 + 1)
    part = flights.head(3)  # pragma: no mutate
    return round(part, 2)
'''
    assert {one.line for one in mutants(source)} == {6}
    assert mutants("def setup():  # pragma: no mutate\n    return 1 + 2\n") == []


def test_only_touched_lines():
    assert {one.line for one in mutants("a = 1\nb = 2\nc = 3\n", touch=lambda line: line == 2)} == {2}


def test_mutants_are_different_and_compile():
    source = "def f(a, b):\n    return a[a.x > 1].groupby(['p', 'q']).sum() + b\n"
    texts = [one.source for one in mutants(source)]
    assert len(texts) == len(set(texts)) > 5
    for text in texts:
        compile(text, "mutant", "exec")
        assert text != ast.unparse(ast.parse(source))


def test_a_sample_is_the_same_each_time_and_has_all_operators():
    everyone = mutants("x = a < 1 and b > 2 or c == 3\ny = p + q - r * s\nf(x)\n")
    few = sample(everyone, 6)
    assert few == sample(list(reversed(everyone)), 6)[::-1]
    assert len(few) == 6
    assert len({one.operator for one in few}) == min(6, len({one.operator for one in everyone}))
    assert sample(everyone, 1000) == everyone


def test_the_change_is_told_in_one_line():
    (one,) = mutants("# begin\nx = 1\ny = delay < 15  # end\n", operators=["ROR"])[:1]
    assert one.diff == "y = delay < 15 → y = delay <= 15"


def test_an_unknown_kind_is_named():
    with pytest.raises(UnknownKind, match=r"'yaml'.*python, sql"):
        mutants("a: 1", "yaml")


def test_a_room_adds_a_kind_of_its_own():
    """As alert rules will: a grammar, and operators that register themselves."""
    try:

        class Threshold(Operator):
            kind, code = "rule", "CRP"

            def mutate(self, node):
                yield node + 1

        def grammar(source, operators, touch):
            name, value = source.split(" > ")
            for operator in operators:
                for other in operator.mutate(int(value)):
                    yield Mutant("rule", operator.code, 1, f"{name} > {other}", value, str(other))

        GRAMMARS["rule"] = grammar
        assert [one.source for one in mutants("late > 3", "rule")] == ["late > 4"]
    finally:
        GRAMMARS.pop("rule", None)
        OPERATORS.pop("rule", None)
