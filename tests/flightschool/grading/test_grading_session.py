"""One submission in its process: marks on a secret world, whatever the cells do."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from flightschool import curriculum, publish
from flightschool.curriculum import Outcome, Verdict
from flightschool.engine import sandbox, warm
from flightschool.grading import session
from flightschool.grading.model import Limits, Plan, Step, Task

pytestmark = pytest.mark.skipif(bool(sandbox.available().walls), reason=sandbox.available().walls)

SEED = 20131
LAB = "from flightschool.learn import Lab\nlab = Lab('01', seed=0)"
QUIZ_WRONG = "answers = {question: 'nothing' for question in 'abcde'}"
LIMITS = Limits(cell=4, notebook=60, memory=2**30)


@pytest.fixture(scope="module")
def graded() -> Iterator[session.Session]:
    running = session.Session("01", SEED, LIMITS)
    yield running
    running.close()


def verdicts(graded: session.Session, **cells: str) -> dict[str, Verdict]:
    """What comes of cells for exercises; those not named are left out of the plan."""
    steps = [Step(LAB, "lab")]
    for exercise, code in cells.items():
        call = {"q4": "who_is_paged", "quiz": "answers"}.get(exercise, "answer")
        steps += [Step(code, exercise), Step(f"lab.{exercise}.check({call})", f"{exercise}-check", exercise)]
    return session.Attempt(graded, Plan(tuple(steps))).verdicts()


def right_quiz() -> str:
    """The letters that pass, found by trying: the judges are asked, no file is read."""
    from labs.kit import fixtures

    from flightschool.data import World

    passing = next(
        one for one in fixtures("01_dataops_intro") if (one.exercise, one.kind) == ("quiz", "passing")
    )
    return f"answers = {passing.answer(World(SEED))!r}"


def test_a_right_answer_passes_and_a_wrong_one_does_not(graded: session.Session) -> None:
    assert verdicts(graded, quiz=right_quiz())["quiz"].outcome is Outcome.PASSED
    wrong = verdicts(graded, quiz=QUIZ_WRONG)["quiz"]
    assert wrong.outcome is Outcome.FAILED
    assert wrong.found


def test_a_stub_is_not_attempted(graded: session.Session) -> None:
    found = verdicts(graded, q4="def who_is_paged(page):\n    ...", quiz="answers = {'a': ..., 'b': ...}")
    assert {found["q4"].outcome, found["quiz"].outcome} == {Outcome.NOT_ATTEMPTED}


def test_the_world_is_the_secret_one_whatever_the_notebook_asks_for(graded: session.Session) -> None:
    for seed, outcome in ((SEED, Outcome.PASSED), (0, Outcome.FAILED)):
        code = f"{right_quiz()}\nif not lab.world.seed == lab.seed == {seed}: answers = {{'a': '9'}}"
        assert verdicts(graded, quiz=code)["quiz"].outcome is outcome


LOOP = "while True: pass"


@pytest.mark.parametrize(
    ("code", "outcome", "word"),
    [
        (LOOP, Outcome.TIMED_OUT, "not done after 4 s"),
        ("import os; os._exit(0)", Outcome.ERROR, "ended itself"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", Outcome.ERROR, "signal 9"),
        ("import ctypes; ctypes.string_at(1)", Outcome.ERROR, "signal 11"),
        ("while True: print('x' * 2**16)", Outcome.ERROR, "put out more than"),
        ("raise KeyError('here')", Outcome.ERROR, "NameError"),
        ("def who_is_paged(page): raise ValueError('there')", Outcome.ERROR, "ValueError: there"),
        ("def who_is_paged(page): return bytearray(3 * 2**30)", Outcome.OUT_OF_MEMORY, "memory"),
        ("def who_is_paged(page):\n    while True: pass", Outcome.TIMED_OUT, "not done after 4 s"),
        ("lab = None", Outcome.ERROR, "AttributeError"),
    ],
)
def test_a_bad_cell_costs_its_own_exercise_and_no_other(
    graded: session.Session, code: str, outcome: Outcome, word: str
) -> None:
    found = verdicts(graded, q4=code, quiz=right_quiz())
    assert found["q4"].outcome is outcome
    assert word in found["q4"].found
    if code != "lab = None":  # which is the learner's own doing, as in a kernel
        assert found["quiz"].outcome is Outcome.PASSED


def test_an_exercise_that_does_well_without_the_bad_cell_is_not_blamed_for_it(
    graded: session.Session,
) -> None:
    steps = (
        Step(LAB, "lab"),
        Step(LOOP, "mine"),
        Step(right_quiz(), "quiz"),
        Step("lab.quiz.check(answers)", "quiz-check", "quiz"),
    )
    assert session.Attempt(graded, Plan(steps)).verdicts()["quiz"].outcome is Outcome.PASSED


def test_the_whole_notebook_has_a_deadline() -> None:
    running = session.Session("01", SEED, Limits(cell=30, notebook=3, memory=2**30))
    try:
        begin = time.monotonic()
        found = verdicts(running, q4=LOOP, quiz=right_quiz())
    finally:
        running.close()
    assert found["q4"].outcome is Outcome.TIMED_OUT
    assert found["quiz"].outcome is Outcome.TIMED_OUT
    assert "not reached" in found["quiz"].found
    assert time.monotonic() - begin < 30


def test_what_a_submission_says_about_itself_is_worth_nothing(graded: session.Session) -> None:
    code = """
answers = None
import flightschool.learn.questions as questions
way = get_ipython().hand_over
def check(self, answer):
    for outcome in ("passed", "partly", "failed"):
        way.nothing("quiz", outcome=outcome, share="1", message="all right")
questions.Question.check = check
"""
    found = verdicts(graded, quiz=code)["quiz"]
    assert found.share == 0
    assert found.outcome in (Outcome.ERROR, Outcome.FAILED)


def test_nothing_is_left_of_a_submission(graded: session.Session) -> None:
    before = {one.pid for one in psutil.process_iter()}
    code = "import subprocess\nsubprocess.Popen('setsid sleep 1000.4711 & disown', shell=True, start_new_session=True)"
    verdicts(graded, quiz=f"{code}\n{right_quiz()}")
    left = [
        one
        for one in psutil.process_iter(["cmdline"])
        if one.pid not in before and "1000.4711" in (one.info["cmdline"] or ())
    ]
    assert left == []


def test_the_drill_is_planted_from_outside(graded: session.Session) -> None:
    steps = (
        Step(LAB, "lab"),
        Step("incident = lab.drill()", "page"),
        Step(
            "affected = sorted(path.name for path in (lab.workdir / 'desk' / 'outbox').iterdir())\n"
            "assert incident.page.severity == 'SEV2'\n"
            "import importlib.util, pathlib, flightschool.paths as paths\n"
            "assert not list(paths.LABS.rglob('drill.py')) and not list(paths.LABS.rglob('desk.py'))\n",
            "drill",
        ),
        Step(
            "incident.check({'since': affected[3][-14:-4], 'affected': affected, 'repair': lambda raw: raw,"
            " 'desk': lab.workdir / 'desk'})",
            "drill-check",
            "drill",
        ),
    )
    found = session.Attempt(graded, Plan(steps)).verdicts()["drill"]
    assert found.outcome in (Outcome.FAILED, Outcome.PARTLY), found.text


@pytest.mark.slow
def test_the_solution_passes_on_a_secret_world(graded: session.Session) -> None:
    notebook = publish.solution_notebook(curriculum.module("01"))
    task = Task(module="01", learner="anna", file="a.ipynb", fingerprint="f", notebook=notebook, seed=SEED)
    result = graded.grade(task)
    assert {mark.outcome for mark in result.marks} == {Outcome.PASSED}
    assert result.earned == result.points == curriculum.module("01").points
    assert result.notices == ()


def test_a_damaged_file_is_refused_in_a_sentence(graded: session.Session) -> None:
    task = Task(module="01", learner="anna", file="a.ipynb", fingerprint="f", notebook=b"{", seed=SEED)
    result = graded.grade(task)
    assert result.refused
    assert {mark.outcome for mark in result.marks} == {Outcome.NOT_ATTEMPTED}
    assert result.points == curriculum.module("01").points


def test_without_walls_only_when_told_so(tmp_path: Path) -> None:
    running = session.Session("01", SEED, Limits(walls=False))
    try:
        assert verdicts(running, quiz=right_quiz())["quiz"].outcome is Outcome.PASSED
        where = verdicts(
            running, quiz="import os\nanswers = {'a': os.environ['HOME'], 'b': os.environ.get('SECRET', '')}"
        )
    finally:
        running.close()
    assert str(Path.home()) != os.devnull
    assert where["quiz"].outcome is Outcome.FAILED


@pytest.mark.parametrize("harm", ["it ended", "it is old", "all is gone"])
def test_a_process_made_in_advance_is_used_only_if_it_will_do(graded: session.Session, harm: str) -> None:
    verdicts(graded, quiz=QUIZ_WRONG)
    spare, since = graded._next or pytest.fail("none was made")
    if harm == "it ended":
        spare.kill()
    elif harm == "it is old":
        graded._next = spare, since - session.SPARE
    else:
        assert isinstance(graded.forks, warm.Template)
        graded.forks.process.kill()
        graded.forks.process.wait()
    assert verdicts(graded, quiz=right_quiz())["quiz"].outcome is Outcome.PASSED
    assert not spare.living()


def test_no_process_made_in_advance_is_left() -> None:
    before = {one.pid for one in psutil.process_iter()}
    running = session.Session("01", SEED, LIMITS)
    verdicts(running, quiz=QUIZ_WRONG)
    assert running._next is not None
    running.close()
    assert [one for one in psutil.Process().children(recursive=True) if one.pid not in before] == []
