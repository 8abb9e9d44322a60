"""Each operator makes its mistake, on a snippet, and leaves alone what is not its business."""

import ast

import pytest

from flightschool.mutation import Operator, UnknownKind, mutants, sample
from flightschool.mutation.mutants import GRAMMARS, OPERATORS, Mutant
from flightschool.mutation.texts import kind_of, rewritten_text, spoilt, text_mutants

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
IMAGE = """\
FROM python:3.11.14-slim AS one
# what changes seldom
COPY lock .
RUN apt-get update \\
    && pip install --no-cache-dir -r lock
USER 1000
CMD ["python", "-m", "app", "--host", "0.0.0.0"]
"""
DOCKERFILE = [
    ("SDL", "USER 1000\n", ""),
    ("SWP", "USER 1000\nCMD [\"python\", \"-m\", \"app\", \"--host\", \"0.0.0.0\"]\n", "CMD [\"python\", \"-m\", \"app\", \"--host\", \"0.0.0.0\"]\nUSER 1000\n"),
    ("KDL", "pip install --no-cache-dir -r", "pip install -r"),
    ("CDL", "RUN apt-get update \\\n    && pip", "RUN pip"),
    ("CRP", "USER 1000", "USER root"),
    ("CRP", "0.0.0.0", "127.0.0.1"),
    ("TAG", "python:3.11.14-slim", "python:3.11-slim"),
    ("TAG", "python:3.11.14-slim", "python:latest"),
    ("FRM", 'CMD ["python", "-m", "app", "--host", "0.0.0.0"]', "CMD python -m app --host 0.0.0.0"),
    ("FRM", "CMD [", "ENTRYPOINT ["),
    ("FDL", "COPY lock .", "COPY . ."),
]  # fmt: skip
IGNORE = [
    ("SDL", "*\n!src/*.py\n", "!src/*.py\n"),
    ("UOD", "*\n!src/*.py\n", "*\nsrc/*.py\n"),
    ("FDL", "*\n!src/*.py\n", "*\n!src\n"),
    ("SWP", "*\n!src/*.py\n", "!src/*.py\n*\n"),
]
YAML = [
    ("KDL", "a: {b: 1, c: 2}", "a:\n  c: 2\n"),
    ("GRU", "a: [b, c]", "a:\n- c\n"),
    ("SWP", "a: [b, c]", "a:\n- c\n- b\n"),
    ("CRP", "a: {wait: 5s}", "a:\n  wait: 6s\n"),
    ("CRP", "a: {cache: false}", "a:\n  cache: true\n"),
    ("CRP", "a: {condition: service_healthy}", "a:\n  condition: service_started\n"),
    ("CRP", "ports: ['127.0.0.1:80:90']", "ports:\n- 0.0.0.0:80:90\n"),
    ("CRP", "ports: ['127.0.0.1:80:90']", "ports:\n- 127.0.0.1:80:91\n"),
    ("TAG", "a: {image: 'db:1.2'}", "a:\n  image: db:latest\n"),
]
SHELL = [
    ("SDL", "#!/bin/sh\nset -e\nrun\n", "#!/bin/sh\nrun\n"),
    ("LCR", "[ a ] || exit 0\n", "[ a ] && exit 0\n"),
    ("ROR", '[ "$1" = x ]\n', '[ "$1" != x ]\n'),
    ("CRP", "exit 125\n", "exit 0\n"),
    ("CRP", 'git show "$2"\n', 'git show "$3"\n'),
]


@pytest.mark.parametrize(("code", "before", "after"), PYTHON)
def test_mistakes_in_python(code, before, after):
    assert ast.unparse(ast.parse(after)) in [one.source for one in mutants(before, operators=[code])]


@pytest.mark.parametrize(("code", "before", "after"), SQL)
def test_mistakes_in_sql(code, before, after):
    assert after in [one.source for one in mutants(before, "sql", operators=[code])]


@pytest.mark.parametrize(("code", "before", "after"), DOCKERFILE)
def test_mistakes_in_a_dockerfile(code, before, after):
    assert IMAGE.replace(before, after) in [
        one.source for one in mutants(IMAGE, "dockerfile", operators=[code])
    ]


@pytest.mark.parametrize(
    ("kind", "code", "before", "after"),
    [
        (kind, *case)
        for kind, cases in (("dockerignore", IGNORE), ("yaml", YAML), ("shell", SHELL))
        for case in cases
    ],
)
def test_mistakes_in_other_texts(kind, code, before, after):
    assert after in [one.source for one in mutants(before, kind, operators=[code])]


def test_every_operator_is_shown_to_work():
    assert {code for code, *_rest in PYTHON} | {"SQL"} == {one.code for one in OPERATORS["python"]}
    shown = {"sql": SQL, "dockerfile": DOCKERFILE, "dockerignore": IGNORE, "yaml": YAML, "shell": SHELL}
    for kind, cases in shown.items():
        assert {code for code, *_rest in cases} == {one.code for one in OPERATORS[kind]}


def test_a_dockerfile_is_left_as_it_is_but_for_the_mistake():
    for one in mutants(IMAGE, "dockerfile"):
        assert one.source.count("# what changes seldom") == 1
        assert one.source.startswith("FROM")
    heredoc = "FROM a:1.2\nRUN <<END\none\nUSER 0\nEND\nUSER 7\n"
    assert {one.line for one in mutants(heredoc, "dockerfile", operators=["SDL"])} == {2, 6}


def test_a_stage_is_left_out_only_beside_another():
    assert not [one for one in mutants("FROM a:1.2\nUSER 7\n", "dockerfile") if "FROM" not in one.source]
    two = mutants("FROM a:1.2 AS b\nUSER 7\nFROM b\n", "dockerfile", operators=["SDL"])
    assert "USER 7\nFROM b\n" in [one.source for one in two]


def test_a_text_of_another_kind_is_refused():
    for kind in ("dockerfile", "yaml"):
        with pytest.raises(SyntaxError):
            mutants("neither: [", kind)


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("Dockerfile", "# a\nFROM x:1.0\nUSER 7\n", "dockerfile"),
        (".dockerignore", "*\n", "dockerignore"),
        ("guard", "#!/bin/sh\nexit 0\n", "shell"),
        ("guard", "#!/usr/bin/env python3\nimport sys\nsys.exit(1)\n", "python"),
        ("", "stages:\n  a: {cmd: x}\n", "yaml"),
        ("lock", "six==1.0 \\\n    --hash=sha256:00\n", ""),
        ("culprit", "nyc-shares==0.8.0", ""),
    ],
)
def test_the_kind_of_an_answers_text(name, text, kind):
    assert kind_of(name, text) == kind


def test_the_texts_of_an_answer_are_mutated_one_at_a_time():
    answer = {"Dockerfile": "FROM x:1.0\nUSER 7\n", ".dockerignore": "*\n!a\n", "desk": object()}
    found = list(text_mutants(answer))
    assert {name for name, _mutant in found} == {"Dockerfile", ".dockerignore"}
    for name, mutant in found:
        changed = spoilt(answer, name, mutant.source)
        assert [key for key in answer if changed[key] != answer[key]] == [name]
    assert spoilt("a: 1\n", "", "a: 2\n") == "a: 2\n"


def test_yaml_of_a_workflow_keeps_its_words():
    """YAML 1.1 takes `on` for a truth value; GitHub does not."""
    source = "on:\n  push: {branches: [main]}\njobs: {a: {if: yes, retry: true}}\n"
    written = rewritten_text("", source)
    assert written == "on:\n  push:\n    branches:\n    - main\njobs:\n  a:\n    if: yes\n    retry: true\n"
    assert "retry: false" in "".join(one.source for one in mutants(source, "yaml", operators=["CRP"]))


def test_what_is_left_out_is_told():
    (gone,) = (one for one in mutants(IMAGE, "dockerfile", operators=["SDL"]) if "USER" not in one.source)
    assert gone.diff == "USER 1000 → (left out)"
    (other,) = mutants("services: {db: {image: 'p:1.2'}}", "yaml", operators=["TAG"])[:1]
    assert other.diff == "services.db.image: p:1.2 → p:latest"


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
    with pytest.raises(UnknownKind, match=r"'toml'.*python, shell, sql"):
        mutants("a = 1", "toml")


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
