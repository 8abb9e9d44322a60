"""A line less in a right answer is a wrong answer, unless the exercise does not ask for that line; and no evidence breaks a judge."""

import pytest
from labs.kit import answers

from flightschool.curriculum import Module, Outcome
from flightschool.data import World
from flightschool.mutation.answers import passing, still_right
from flightschool.mutation.judges import Chosen
from flightschool.mutation.texts import spoilt, text_mutants

MODULE = Module("05_docker")
RIGHT = answers("05_docker")
SEEDS = (0, 42)


def less(text, joined=" \\\n"):
    """The text without one of its lines, for each; continued lines go together."""
    lines = text.replace(joined, "\0").splitlines()
    for n, line in enumerate(lines):
        rest = "\n".join([*lines[:n], *lines[n + 1 :]]).replace("\0", joined)
        yield line.replace("\0", joined).strip(), f"{rest}\n"


def passed(exercise, evidence, seed):
    verdict = MODULE.judges[exercise](evidence, World(seed))
    assert verdict.outcome is not Outcome.ERROR
    return verdict.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("exercise", "text", "not_asked"),
    [
        ("q2", RIGHT.API, ("WORKDIR", "USER", "EXPOSE", "HEALTHCHECK", "CMD")),
    ],
)
def test_each_instruction_counts(exercise, text, not_asked):
    for line, rest in less(text):
        wanted = line.startswith(not_asked)
        assert passed(exercise, {"engine": {}, **RIGHT.files(rest)}, 0) is wanted, line


@pytest.mark.parametrize(("exercise", "package"), [("q2", "delays"), ("q3", "delays")])
def test_each_pattern_counts(exercise, package):
    text = {"q2": RIGHT.API, "q3": RIGHT.TWICE}[exercise]
    ignore = f"*\n!{package}/*.py\n!model.json\n!requirements.lock\n"
    assert passed(exercise, {"engine": {}, **RIGHT.files(text, ignore)}, 42)
    for line, rest in less(ignore):
        # Without `*` everything may come in, and COPY delays/ takes a secret along.
        assert not passed(exercise, {"engine": {}, **RIGHT.files(text, rest)}, 42), line


@pytest.mark.parametrize("exercise", ["q3", "q5"])
def test_each_change_of_a_right_text_is_a_mistake_or_declared_to_be_none(exercise):
    """What `flightschool judge` samples, all of it on one world; the probe of these texts only passes them on."""
    right = still_right("05_docker", exercise)
    seen, wrong = set(), []
    for fixture in (one for one in passing("05_docker") if one.exercise == exercise):
        answer = fixture.answer(World(0))
        for name, mutant in text_mutants(answer):
            changed = spoilt(answer, name, mutant.source)
            evidence = changed if isinstance(changed, dict) else {"compose": changed}
            shown = str(Chosen(fixture.name, name, mutant, True))
            why = [pattern for pattern in right if pattern.search(shown)]
            seen.update(why)
            if passed(exercise, {"engine": {}, **evidence}, 0) is not bool(why):
                wrong.append(shown)
    assert wrong == []
    assert [one.pattern for one in right if one not in seen and "ignore=" not in one.pattern] == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("exercise", ["q1", "q4"])
def test_claims_of_a_good_run_help_no_bad_dockerfile(exercise, seed):
    text = {"q1": RIGHT.ETL, "q4": RIGHT.API}[exercise]
    claims = {
        "ran": {"landed": [], "days": {}, "whole": 0, "damaged": 1},
        "engine": {"layers": [], "user": "1000"},
    }
    for line, rest in less(text):
        if line.startswith(("COPY", "RUN", "USER", "FROM")):
            assert not passed(exercise, {**claims, **RIGHT.files(rest)}, seed), line


@pytest.mark.parametrize(
    ("exercise", "text", "said"),
    [
        ("q2", RIGHT.API, {"problem": "no space left"}),
        ("q2", RIGHT.API, {"replaced": 3, "layers": 9}),
        ("q3", RIGHT.TWICE, {"problem": "no space left"}),
        ("q3", RIGHT.TWICE, {"files": 9, "differing": ["app/x"], "count": 1}),
    ],
)
def test_an_engines_complaint_counts(exercise, text, said):
    assert passed(exercise, {"engine": {}, **RIGHT.files(text)}, 0)
    assert not passed(exercise, {"engine": said, **RIGHT.files(text)}, 0)


NONSENSE = [
    {"Dockerfile": "FROM scratch\nCOPY . /\n", ".dockerignore": 3, "ran": [], "engine": 7},
    {
        "Dockerfile": "FROM scratch\nRUN []\nCMD []\n",
        "ran": {"days": 3, "landed": {}},
        "engine": {"layers": 3, "run": "x", "megabytes": "y"},
    },
    {
        "Dockerfile": "FROM scratch\nHEALTHCHECK CMD [\n",
        "engine": {"differing": {"a": 1}, "count": None, "replaced": "x"},
    },
    {"Dockerfile": "\ud800FROM scratch\nCOPY x y\n"},
    {
        "Dockerfile": RIGHT.API,
        ".dockerignore": "[\n!\n\\\n**\n",
        "ran": {"replies": [3, {"status": 200, "text": "[]"}], "stop": 3},
    },
    {
        "Dockerfile": RIGHT.API,
        "ran": {"replies": [{"status": 200, "text": '{"late_probability": "x"}'}] * 3},
        "modelless": "x",
    },
    {
        "compose": "services: {db: {environment: [A, {B: c}], ports: [{}, 3, null], volumes: [null, {}]}, etl: {}, api: {}, dashboard: {}}"
    },
    {"compose": "services: {db: [], etl: 3}"},
    {"compose": "services:\n  db: &a {x: *a}\n"},
    {"compose": "[" * 5_000},
    {
        "culprit": ["x"],
        "lock": 3,
        "Dockerfile": {},
        "index": [],
        "reports": {"today": {"said": 3}, "later": []},
    },
]


@pytest.mark.parametrize("evidence", NONSENSE, ids=range(len(NONSENSE)))
@pytest.mark.parametrize("exercise", MODULE.exercises)
def test_nonsense_fails_in_words(exercise, evidence):
    verdict = MODULE.judges[exercise](evidence, World(0))
    assert verdict.outcome in (Outcome.FAILED, Outcome.PARTLY)
    assert verdict.found
    assert verdict.try_next
