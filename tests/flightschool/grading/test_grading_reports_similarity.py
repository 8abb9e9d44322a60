"""Answers that are alike: copies are found through renaming and reordering, the obvious way and short answers are not told."""

import random

import pytest
from graded import result

from flightschool.grading.reports.similarity import ALIKE, alike, tokens

COPIED = '''def daily_report(flights, by):
    """Return the report."""
    kinds = flights.assign(
        cancelled=flights["dep_time"].isna(),
        late=flights["arr_delay"].fillna(0) > 15,
    )
    groups = kinds.groupby(by)
    report = groups[["cancelled", "late"]].sum()
    report["scheduled"] = groups.size()
    report["share"] = 1 - report["late"] / report["scheduled"]
    return report.sort_values("share", ascending=False).reset_index()
'''
RENAMED = (
    COPIED.replace("kinds", "k").replace("groups", "g").replace("report", "r").replace("15", "14.9")
    .replace("    ", "  ").replace('"late"', "'delayed'").replace("Return the r.", "As asked.  # my own")
)  # fmt: skip
OTHER = """def daily_report(flights, by):
    rows = []
    for key, group in flights.groupby(by):
        late = sum(1 for delay in group.arr_delay if delay > 15)
        gone = len(group) - group.dep_time.count()
        rows.append({by: key, "scheduled": len(group), "cancelled": gone, "share": (len(group) - late) / len(group)})
    rows.sort(key=lambda row: row["share"], reverse=True)
    return pd.DataFrame(rows)
"""


def found(*codes, exercise="q1"):
    return alike([result(f"l{n:03d}", answers={exercise: code}) for n, code in enumerate(codes)])


def of_ones_own(rng):
    """An answer that nobody else has."""
    calls = [
        "groupby",
        "merge",
        "assign",
        "agg",
        "query",
        "pivot",
        "shift",
        "cumsum",
        "isin",
        "stack",
        "rank",
        "clip",
    ]
    lines = []
    for _ in range(12):
        one, other, third = rng.sample(calls, 3)
        lines.append(
            rng.choice(
                [f"a = b.{one}(c).{other}(1) + b.{third}", f"for a in b.{one}: c.{other}(a, a.{third}())", f"if a.{one} in b: return c.{other}.{third}"]
            )
        )  # fmt: skip
    return "\n".join(lines)


def test_a_copy_is_found_though_all_names_are_others():
    (pair,) = found(COPIED, RENAMED, OTHER)
    assert pair.learners == ("l000", "l001")
    assert pair.exercise == "q1"
    assert pair.share > 0.9


def test_a_copy_with_some_lines_changed_is_found():
    changed = COPIED.replace("    return", "    print(len(report))\n    return").replace(
        "fillna(0)", "fillna(99)"
    )
    (pair,) = found(COPIED, changed)
    assert ALIKE <= pair.share < 1


def test_answers_of_two_minds_are_not_told():
    assert found(COPIED, OTHER) == []
    assert found(*(of_ones_own(random.Random(n)) for n in range(40))) == []


def test_a_text_of_sql_counts_word_by_word():
    one = '''def report(c):
    return c.sql("""
        select carrier, count(*) as scheduled, sum(dep_time is null) as cancelled, avg(arr_delay > 15) as late
        from flights left join planes using (tailnum) where day between first and last
        group by carrier having count(*) > 10 order by scheduled desc
    """)'''
    other = '''def report(c):
    return c.sql("""
        with known as (select * from flights semi join planes on planes.tailnum = flights.tailnum)
        select carrier, sum(1) filter (arr_delay <= 15) / sum(1), count_if(dep_time is null) from known
        where day >= first and day <= last group by all qualify row_number() over (partition by carrier) = 1
    """)'''
    assert len(found(one, one)) == 1
    assert found(one, other) == []


def test_short_answers_say_nothing():
    short = "def f(x):\n    return x.groupby('a').size()"
    assert found(short, short) == []
    longer = "\n".join(COPIED.splitlines()[:5])
    assert len(tokens(longer)) > 30
    assert found(longer, longer) == []
    assert found("", "") == []


def test_the_obvious_way_is_not_told_and_a_copy_beside_it_is():
    crowd = [COPIED] * 10 + [of_ones_own(random.Random(n)) for n in range(38)]
    assert found(*crowd) == []
    twins = of_ones_own(random.Random("twins"))
    (pair,) = found(*crowd, twins, twins.replace("a ", "mine "))
    assert pair.learners == ("l048", "l049")


def test_the_obvious_way_with_one_line_more_is_not_told():
    more = COPIED + "    print(by)\n"
    assert found(*[COPIED] * 38, more, more) == []


def test_a_ring_in_a_large_class_is_found():
    pairs = found(*[COPIED] * 5, *(of_ones_own(random.Random(n)) for n in range(60)))
    assert len(pairs) == 10


def test_exercises_are_compared_apart_and_the_most_alike_come_first():
    changed = RENAMED.replace("fillna(0)", "fillna(None)")
    answers = [{"q1": COPIED, "q2": OTHER}, {"q1": changed, "q2": OTHER}, {"q2": COPIED}]
    pairs = alike([result(f"l{n}", answers=one) for n, one in enumerate(answers)])
    assert [(pair.exercise, pair.learners) for pair in pairs] == [("q2", ("l0", "l1")), ("q1", ("l0", "l1"))]


def test_the_order_of_the_pairs_does_not_depend_on_chance():
    codes = [COPIED] * 3 + [OTHER] * 3
    assert found(*codes) == found(*codes)


@pytest.mark.parametrize(
    "code",
    ["def (", "'''" + "a'" * 50_000, '"' * 100_000, "\\\n " * 50_000, "." * 100_000, ". " * 50_000, "\0\udcff", "!ls\n%%sql\nselect 1", "(" * 100_000, "b" * 100_000, "0." * 50_000],
    ids=lambda code: repr(code[:8]),
)  # fmt: skip
def test_code_that_is_none_is_tokens_all_the_same(code):
    assert len(tokens(code)) <= 2_000
    found(code, code + " ")


def test_what_is_told_apart():
    assert tokens("def f(x): return x .size() + 1.5e3 # no") == [
        "def", "name", "(", "name", ")", ":", "return", "name", ".size", "(", ")", "+", "number",
    ]  # fmt: skip
    assert tokens("print(f'a', rb\"b\", '''c''')") == ["print", "(", "text", ",", "text", ",", "text", ")"]
