"""Every judge has been seen to pass, to fail for the stated reason, and to leave an untouched stub alone."""

import json
from collections import defaultdict
from functools import cache

import pytest
from labs.kit import Fixture, draft, fixtures

from flightschool.curriculum import Module, Outcome, Verdict, modules
from flightschool.data import World
from flightschool.learn.evidence import plain
from flightschool.learn.questions import judge_answer

MODULES = pytest.mark.parametrize("module", modules(), ids=lambda module: module.id)
CASES = [(module, fixture) for module in modules() for fixture in fixtures(module.id)]
MALFORMED = (
    None, True, 3, -0.5, "", "text", [], [None], ["text"], [[]], [{}], {}, {"columns": None}, {"text": []},
    {"columns": [], "rows": []}, {"columns": ["text"], "rows": [["text"]]}, [{"columns": [None], "rows": [[None]]}],
)  # fmt: skip


def case_id(case: tuple[Module, Fixture]) -> str:
    module, fixture = case
    return f"{module.id}.{fixture.exercise}-{fixture.kind}-{fixture.name}"


def cases(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", [case for case in CASES if case[1].kind == kind], ids=case_id)


def evidence(module: Module, fixture: Fixture, seed: int):
    """What the probe makes of the answer, after the journey from the learner's process to the judge."""
    world = World(seed)
    probed = module.exercises[fixture.exercise].probe(fixture.answer(world), world)
    return json.loads(json.dumps(plain(probed), allow_nan=False))


@cache
def judged(module: Module, fixture: Fixture, seed: int) -> Verdict:
    world = World(seed)
    exercise = module.exercises[fixture.exercise]
    return judge_answer(exercise, module.judges[fixture.exercise], fixture.answer(world), world)


def says(verdict: Verdict, reason: str) -> bool:
    """Whether a verdict gives a reason. What it expected does not count: that is said of every mistake."""
    return reason.lower() in f"{verdict.found} {verdict.try_next}".lower()


@cases("passing")
def test_right_answers_pass_on_every_world(case):
    module, fixture = case
    for seed in fixture.seeds:
        verdict = judged(module, fixture, seed)
        assert verdict.outcome is Outcome.PASSED, f"seed {seed}: {verdict.text}"
        assert verdict.message, "a passed check says what it proves"


@cases("failing")
def test_mistakes_fail_for_their_reason(case):
    module, fixture = case
    for seed in fixture.seeds:
        verdict = judged(module, fixture, seed)
        assert verdict.outcome in (Outcome.FAILED, Outcome.PARTLY, Outcome.ERROR), f"seed {seed}: {verdict}"
        assert says(verdict, fixture.because), f"seed {seed}: {verdict.text}"
        assert verdict.found
        assert verdict.try_next
        if verdict.outcome is not Outcome.ERROR:
            assert verdict.expected


@MODULES
def test_reasons_tell_mistakes_apart(module):
    """A reason that is given for every mistake of an exercise is the reason of none."""
    mistakes = defaultdict(list)
    for fixture in fixtures(module.id):
        if fixture.kind == "failing":
            mistakes[fixture.exercise].append(fixture)
    vague = [
        f"{id}: {fixture.because!r} of {fixture.name}"
        for id, those in mistakes.items()
        for fixture in those
        if all(says(judged(module, other, 0), fixture.because) for other in those)
    ]
    assert vague == []


@cases("untouched")
def test_untouched_stubs_are_not_attempted(case):
    module, fixture = case
    assert judged(module, fixture, 0).outcome is Outcome.NOT_ATTEMPTED


@cases("passing")
def test_judges_see_data_only(case):
    """The same verdict on the evidence after its journey as JSON, as it is in a graded run."""
    module, fixture = case
    verdict = module.judges[fixture.exercise](evidence(module, fixture, 0), World(0))
    assert verdict.outcome is Outcome.PASSED, verdict.text


@MODULES
def test_judges_refuse_malformed_evidence(module):
    """A hostile process may send anything: the verdict is never passed, and never an exception."""
    for id, judge in module.judges.items():
        for odd in MALFORMED:
            verdict = judge(odd, World(0))
            assert verdict.outcome in (Outcome.FAILED, Outcome.PARTLY), f"{id}, {odd!r}: {verdict}"
            assert verdict.found, f"{id}, {odd!r}"
            assert verdict.try_next, f"{id}, {odd!r}"


@MODULES
def test_every_exercise_has_its_judge_and_fixtures(module):
    assert set(module.exercises) == set(module.judges)
    for id in module.exercises:
        kinds = [fixture.kind for fixture in fixtures(module.id) if fixture.exercise == id]
        assert kinds.count("passing") >= 1, f"{id} has no passing answer"
        assert kinds.count("failing") >= 3, f"{id} has fewer than three failing answers"
        assert kinds.count("untouched") >= 1, f"{id} has no untouched stub"
    assert {fixture.exercise for fixture in fixtures(module.id)} == set(module.exercises)


@pytest.mark.parametrize(
    "module",
    [
        # Strict, so that the note can't outlive the construction.
        pytest.param(one, id=one.id, marks=[pytest.mark.xfail(reason=why, strict=True)] if why else [])
        for one, why in ((one, draft(one.id)) for one in modules())
    ],
)
def test_a_finished_module_has_five_exercises_and_a_drill(module):
    assert sum(id.startswith("q") and id[1:].isdigit() for id in module.exercises) >= 5
    assert "drill" in module.exercises


@MODULES
def test_hints_do_not_repeat_themselves(module):
    for exercise in module.exercises.values():
        assert len(set(exercise.hints)) == len(exercise.hints) >= 3
        assert json.dumps(exercise.hints)
