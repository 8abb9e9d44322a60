"""Every judge has been seen to pass, to fail for the stated reason, and to leave an untouched stub alone."""

import json

import pytest
from labs.kit import Fixture, fixtures

from flightschool.curriculum import Module, Outcome, modules
from flightschool.data import World
from flightschool.learn.questions import judge_answer

SEEDS = (0, 7, 42, 1903, 20130208, 99991)
CASES = [(module, fixture) for module in modules() for fixture in fixtures(module.id)]


def case_id(case: tuple[Module, Fixture]) -> str:
    module, fixture = case
    return f"{module.number}.{fixture.exercise}-{fixture.kind}-{fixture.name}"


def judged(module: Module, fixture: Fixture, seed: int):
    world = World(seed)
    exercise = module.exercises[fixture.exercise]
    return judge_answer(exercise, module.judges[fixture.exercise], fixture.answer(world), world)


@pytest.mark.parametrize("case", [c for c in CASES if c[1].kind == "passing"], ids=case_id)
def test_right_answers_pass_on_every_world(case):
    module, fixture = case
    for seed in SEEDS[:2] if fixture.slow else SEEDS:
        verdict = judged(module, fixture, seed)
        assert verdict.outcome is Outcome.PASSED, f"seed {seed}: {verdict.text}"
        assert verdict.message, "a passed check says what it proves"


@pytest.mark.parametrize("case", [c for c in CASES if c[1].kind == "failing"], ids=case_id)
def test_mistakes_fail_for_their_reason(case):
    module, fixture = case
    for seed in SEEDS[:2] if fixture.slow else SEEDS:
        verdict = judged(module, fixture, seed)
        assert verdict.outcome in (Outcome.FAILED, Outcome.PARTLY, Outcome.ERROR), f"seed {seed}: {verdict}"
        assert fixture.because.lower() in verdict.text.lower(), f"seed {seed}: {verdict.text}"
        if verdict.outcome is not Outcome.ERROR:
            assert verdict.found
            assert verdict.expected
            assert verdict.try_next


@pytest.mark.parametrize("case", [c for c in CASES if c[1].kind == "untouched"], ids=case_id)
def test_untouched_stubs_are_not_attempted(case):
    module, fixture = case
    assert judged(module, fixture, 0).outcome is Outcome.NOT_ATTEMPTED


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.id)
def test_every_exercise_has_its_judge_and_fixtures(module):
    assert set(module.exercises) == set(module.judges)
    graded = [id for id in module.exercises if id.startswith("q") and id[1:].isdigit()]
    assert len(graded) >= 5
    assert "drill" in module.exercises
    for id in module.exercises:
        kinds = [fixture.kind for fixture in fixtures(module.id) if fixture.exercise == id]
        assert kinds.count("passing") >= 1, f"{id} has no passing answer"
        assert kinds.count("failing") >= 3, f"{id} has fewer than three failing answers"
        assert kinds.count("untouched") >= 1, f"{id} has no untouched stub"


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.id)
def test_hints_do_not_repeat_themselves(module):
    for exercise in module.exercises.values():
        assert len(set(exercise.hints)) == len(exercise.hints) >= 3
        assert json.dumps(exercise.hints)
