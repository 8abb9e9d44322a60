"""The audit of judges, on a small course of its own: a fair judge, a blind one, a weak probe, a narrow judge."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flightschool import paths
from flightschool.mutation.answers import alike, leaves, sql_rewritten

pytestmark = pytest.mark.slow

EXERCISES = """
from flightschool.curriculum import exercise

def declare(id, probe):
    return exercise(id, title=id, points=1, hints=("a", "b"))(probe)

def delays(world, odd):
    rng = world.rng("delays")
    return [2 * rng.randint(0, 20) + odd * rng.randint(0, 1) for _ in range(200)]

fair = declare("fair", lambda answer, world: answer(delays(world, True)))
blind = declare("blind", lambda answer, world: answer(delays(world, True)))
weak = declare("weak", lambda answer, world: answer(delays(world, False)))
narrow = declare("narrow", lambda answer, world: answer(delays(world, True)))
lazy = declare("lazy", lambda answer, world: answer([1, 2, 3]))
texts = declare("texts", lambda answer, world: answer)
strict = declare("strict", lambda answer, world: answer)
literal = declare("literal", lambda answer, world: answer)
"""
JUDGES = """
import yaml
from flightschool.curriculum import Verdict, judge
from .exercises import delays

def verdict(good):
    return Verdict.passed("yes") if good else Verdict.failed(expected="a number", found="another", try_next="again")

def right(world, odd):
    return sum(delay < 15 for delay in delays(world, odd))

fair = judge("fair")(lambda evidence, world: verdict(evidence == right(world, True)))
blind = judge("blind")(lambda evidence, world: verdict(isinstance(evidence, int)))
weak = judge("weak")(lambda evidence, world: verdict(evidence == right(world, False)))
narrow = judge("narrow")(lambda evidence, world: verdict(type(evidence) is int and evidence == right(world, True)))
lazy = judge("lazy")(lambda evidence, world: verdict(evidence == 3))
texts = judge("texts")(lambda evidence, world: verdict(yaml.safe_load(evidence).get("wait") == 5))
literal = judge("literal")(lambda evidence, world: verdict("# seconds" in evidence))
strict = judge("strict")(lambda evidence, world: verdict(yaml.safe_load(evidence) == {"wait": 5, "note": "hello"}))
"""
ANSWERS = """
import duckdb
from labs.kit import passing

LIMIT = 15

def early(delays):
    if not delays:
        return -1
    return len([delay for delay in delays if delay < LIMIT])

@passing("fair")
def counting(world):
    return early

@passing("fair")
def in_sql(world):
    def early(delays):
        with duckdb.connect() as connection:
            query = "select count(*) filter (delay < 15) from (select unnest(?) as delay)"
            return connection.execute(query, [delays]).fetchone()[0]
    return early

@passing("blind")
def for_the_blind(world):
    return early

@passing("weak")
def for_the_weak(world):
    return early

@passing("narrow")
def whole(world):
    return early

@passing("narrow")
def with_a_point(world):
    return lambda delays: float(early(delays))

@passing("lazy")
def three(world):
    return early

@passing("texts")
def waits(world):
    return "wait: 5\\nnote: hello\\n"

@passing("strict")
def waits_and_says_so(world):
    return "wait: 5\\nnote: hello\\n"

@passing("literal")
def with_its_comment(world):
    return "wait: 5 # seconds\\nnote: hello\\n"

STILL_RIGHT = {
    "texts": {"note: hello": "nobody asked for a note", "nowhere": "it names nothing"},
    "strict": {"note: hello": "nobody asked for a note"},
}
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("course")
    for name, text in (
        ("solutions/01_small.py", "# # 01 · Small\n"),
        ("labs/01_small/exercises.py", EXERCISES),
        ("labs/01_small/judges.py", JUDGES),
        ("tests/labs/01_small/answers.py", ANSWERS),
        ("tests/labs/kit.py", (paths.ROOT / "tests/labs/kit.py").read_text(encoding="utf-8")),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def measure(course: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "import typer; from flightschool.cli import judge; typer.run(judge)"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=os.environ | {"FLIGHTSCHOOL_HOME": str(course), "COLUMNS": "120"},
        cwd=course,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def audited(course):
    done = measure(course, "--verbose", "--mutants", "1000")
    found = json.loads((course / "build/judge/mutants.json").read_text(encoding="utf-8"))
    return done, {one["exercise"]: one for one in found}


def test_a_fair_judge_catches_all(audited):
    _done, found = audited
    fair = found["fair"]
    assert fair["caught_mean"] == 1
    assert fair["refused"] == []
    assert fair["mutants"] > 10
    assert {"ROR", "CRP", "FDL", "AGR"} <= {fate["operator"] for fate in fair["fates"]}


def test_what_the_right_answer_never_reaches_is_not_mutated(audited):
    _done, found = audited
    told = "".join(fate["diff"] for fate in found["fair"]["fates"])
    assert "LIMIT" in told
    assert "return -1" not in told


def test_a_blind_judge_is_found_out(audited):
    done, found = audited
    blind = found["blind"]
    assert blind["caught_mean"] < 0.5
    assert any(fate["told_apart"] and not any(fate["caught"].values()) for fate in blind["fates"])
    assert done.returncode == 1
    assert "let through on" in done.stdout
    assert "delay <= LIMIT" in done.stdout


def test_what_a_weak_probe_does_not_show_is_not_told_apart(audited):
    """Without an odd delay nothing lies on the limit, so a < for a <= goes unnoticed: listed, not counted as caught."""
    _done, found = audited
    (boundary,) = (fate for fate in found["weak"]["fates"] if fate["diff"].endswith("delay <= LIMIT])"))
    assert not boundary["told_apart"]
    (same,) = (fate for fate in found["fair"]["fates"] if fate["diff"] == boundary["diff"])
    assert same["told_apart"]


def test_a_narrow_judge_refuses_a_right_answer(audited):
    done, found = audited
    (refused,) = found["narrow"]["refused"]
    assert refused.startswith("with_a_point")
    assert "refused a right answer: with_a_point" in done.stdout


def test_an_answer_that_is_a_text_is_mutated_itself(audited):
    done, found = audited
    texts = found["texts"]
    assert {fate["diff"] for fate in texts["fates"]} == {
        "wait: 5 → (left out)",
        "wait: 5 → 6",
        "note: hello → (left out)",
    }
    assert texts["caught_mean"] == 1
    assert texts["refused"] == []
    assert [fate["diff"] for fate in texts["fates"] if fate["right"]] == ["note: hello → (left out)"]
    assert "right: nobody asked for a note" in done.stdout
    assert "STILL_RIGHT names no mutant by 'nowhere' (it names nothing)" in texts["notes"]


def test_a_text_that_does_not_stand_being_written_anew_is_left_alone(audited):
    _done, found = audited
    (note,) = found["literal"]["notes"]
    assert note.startswith("with_its_comment: it can't be mutated")
    assert found["literal"]["mutants"] == 0


def test_a_change_declared_right_must_pass(audited):
    _done, found = audited
    (refused,) = found["strict"]["refused"]
    assert refused.startswith("waits_and_says_so KDL: note: hello → (left out) (nobody asked for a note)")


def test_right_answers_and_answers_by_heart_on_many_worlds(course):
    done = measure(course, "--seeds", "6")
    found = {
        one["exercise"]: one
        for one in json.loads((course / "build/judge/worlds.json").read_text(encoding="utf-8"))
    }
    assert found["fair"]["right"] == 12
    assert found["fair"]["by_heart"] == 10
    assert found["fair"]["good"]
    assert len(found["lazy"]["fooled"]) == 5
    assert len(found["narrow"]["refused"]) == 6
    assert done.returncode == 1


def test_mistakes_of_the_user_are_one_sentence(course):
    done = measure(course, "--exercise", "q99")
    assert "No module that was asked for has an exercise q99." in done.stderr


def test_equal_evidence_is_taken_for_equal():
    one = {"columns": ["a", "b"], "rows": [[1, 0.1 + 0.2], [2, None]]}
    other = {"columns": ["B", "a"], "rows": [[None, 2.0], [0.3, 1]]}
    assert leaves(one) == leaves(other) != leaves({"columns": ["a", "b"], "rows": [[1, 0.3]]})
    assert leaves([1, 2]) != leaves([2, 1])
    assert leaves({"a": [], "b": {}}) != leaves({"a": [], "b": []})


def test_what_moves_by_itself_tells_nothing_apart():
    right = [leaves({"commit": name, "rows": 3}) for name in ("c0ffee", "decade")]
    assert alike(leaves({"commit": "facade", "rows": 3}), right)
    assert not alike(leaves({"commit": "c0ffee", "rows": 4}), right)
    assert not alike(leaves({"commit": "c0ffee", "rows": 3, "more": 1}), right)
    assert not alike({}, right)


def test_sql_as_the_mutants_write_it():
    assert sql_rewritten("x = 1") is None
    assert sql_rewritten("x = f'select a from {t}'") == "x = f'SELECT a FROM {t}'"
