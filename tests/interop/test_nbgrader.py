"""nbgrader gives our notebooks the marks that we give them, whichever way they come into its course."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from interop.submissions import Submission, one_of_each, ours, spread
from others import light
from others.environments import activated
from others.nbgrader_course import CONFIG, NbgraderCourse

from flightschool import paths, publish
from flightschool.curriculum import Exercise, Judge, Verdict, module
from flightschool.data import World
from flightschool.learn import Question

PAGE = (paths.ROOT / "docs" / "nbgrader.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
(MAKE_KERNEL, FROM_SOLUTION, FROM_RELEASE, GRADE) = (text for language, text in BLOCKS if language == "sh")
(CONFIGURATION,) = (text for language, text in BLOCKS if language == "python")

NOISE = """\
import logging, os, sys, warnings

def noise():
    warnings.warn("old")
    logging.warning("look")
    print("oops", file=sys.stderr)
    os.write(2, b"from below\\n")

"""


def question(share: float) -> Question:
    exercise = Exercise("q1", "One", 3, ("a", "b"), lambda answer, world: answer)
    verdict = (
        Verdict.passed("Well.")
        if share == 1
        else Verdict.partly(share, expected="e", found="f", try_next="t")
    )
    return Question(exercise, Judge("q1", lambda evidence, world: verdict), World(0))


def test_a_check_returns_points_to_nbgrader_alone(monkeypatch, capsys):
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    assert question(1).check(1) is None
    for phase in ("autograde", "validate"):
        monkeypatch.setenv("NBGRADER_EXECUTION", phase)
        assert question(1).check(1) == 3
        assert question(0.5).check(1) == 1.5
        assert question(0.5).check(...) == 0, "not attempted"
    capsys.readouterr()


def test_points_print_as_a_number(monkeypatch, capsys):
    """For anything else nbgrader gives full marks."""
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert repr(question(np.float64(0.25)).check(1)) == "0.75"
    capsys.readouterr()


def test_the_page_has_the_configuration_that_is_measured():
    assert set(CONFIG.splitlines()) <= set(CONFIGURATION.splitlines())


class ByThePage:
    """An nbgrader course that is made and graded by the commands of docs/nbgrader.md."""

    def __init__(self, folder: Path, tool: Path, entry: str) -> None:
        self.folder, checkout, home = folder / "course", folder / "checkout", folder / "home"
        for path in (self.folder, checkout, home):
            path.mkdir(parents=True)
        (checkout / ".venv").symlink_to(sys.prefix)
        (checkout / "notebooks").symlink_to(paths.NOTEBOOKS)
        self.module = module("01")
        publish.write_solutions([self.module], house=publish.House.at(checkout))
        nobodys = {name: value for name, value in activated(tool).items() if not name.startswith("JUPYTER")}
        self.environment = {**nobodys, "FLIGHTSCHOOL": str(checkout), "HOME": str(home)}
        (self.folder / "nbgrader_config.py").write_text(CONFIGURATION)
        self.run(MAKE_KERNEL)
        self.run(entry)

    def run(self, block: str) -> None:
        done = subprocess.run(
            ["sh", "-ec", block], cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{block}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def graded_by_the_page(folder: Path, tool: Path, entry: str, part: slice) -> list[tuple[Submission, dict]]:
    """Submissions made from what this way releases, each with nbgrader's marks."""
    made = ByThePage(folder, tool, entry)
    course = NbgraderCourse(made.folder)
    *answered, untouched = spread(made.module, course.released(made.module.id))
    handed = [*answered[part], untouched]
    for one in handed:
        course.submit(one.learner, made.module.id, one.notebook)
    made.run(GRADE)
    feedback = (
        made.folder / "feedback" / handed[0].learner / made.module.id / f"{made.module.id}.html"
    ).read_text()
    assert made.module.exercises["q1"].title in feedback, "the verdict is in it"
    marks = course.marks(made.module.id)
    return [(one, marks[one.learner]) for one in handed]


@pytest.mark.slow
def test_all_answers_to_module_01_get_our_marks(tmp_path, nbgrader):
    ways = {"solution": (FROM_SOLUTION, slice(0, None, 2)), "release": (FROM_RELEASE, slice(1, None, 2))}
    with ThreadPoolExecutor(len(ways)) as both:
        found = [
            both.submit(graded_by_the_page, tmp_path / name, nbgrader, entry, part)
            for name, (entry, part) in ways.items()
        ]
    this, kinds = module("01"), set()
    for way in found:
        for submission, marks in way.result():
            wanted = ours(this, submission)
            assert marks == pytest.approx(wanted), names(submission)
            kinds |= {wanted[id] / exercise.points for id, exercise in this.exercises.items()}
    assert {0, 1} < kinds, "some are partly right"


@pytest.mark.slow
def test_right_and_wrong_answers_to_module_02_get_our_marks(tmp_path, nbgrader):
    """One of each kind: a run of this notebook takes more than a minute, and all of its answers would take twelve."""
    this = module("02")
    release = (paths.NOTEBOOKS / f"{this.id}.ipynb").read_bytes()

    def graded(kind: str) -> tuple[Submission, dict[str, float]]:
        handed = one_of_each(this, release, kind)
        course = NbgraderCourse(tmp_path / kind)
        course.add(this.id, publish.solution_notebook(this))
        course.generate(this.id)
        course.submit(kind, this.id, handed.notebook)
        done = course.nbgrader("autograde", this.id)
        assert done.status == 0, done.said[-4000:]
        return handed, course.marks(this.id)[kind]

    with ThreadPoolExecutor(2) as both:
        found = list(both.map(graded, ("passing", "failing")))
    for submission, marks in found:
        assert marks == pytest.approx(ours(this, submission)), names(submission)
    assert found[0][1] == {id: exercise.points for id, exercise in this.exercises.items()}


@pytest.mark.slow
def test_what_a_learners_code_says_on_stderr_costs_nothing(tmp_path, nbgrader):
    """To nbgrader a line on stderr is a failure, be it a library's warning."""
    course = light.course(tmp_path / "light")
    answers = {
        id: NOISE + known[0][1].replace(":\n", ":\n    noise()\n", 1) for id, known in light.ANSWERS.items()
    }
    graded = NbgraderCourse(tmp_path / "nbgrader", course.environment)
    graded.add(light.ID, course.solution)
    graded.generate(light.ID)
    graded.submit("noisy", light.ID, light.answered(course.release, answers))
    assert graded.nbgrader("autograde", light.ID).status == 0
    assert "oops" in graded.autograded("noisy", light.ID).decode()
    assert graded.marks(light.ID) == {"noisy": {"q1": 2, "q2": 2, "q3": 1}}


@pytest.mark.slow
def test_an_assignment_without_its_cells_is_not_graded(tmp_path, nbgrader):
    """Why the page does not say `nbgrader db assignment add`."""
    course = light.course(tmp_path / "light")
    graded = NbgraderCourse(tmp_path / "nbgrader", course.environment)
    graded.submit("someone", light.ID, course.release)
    assert graded.nbgrader("db", "assignment", "add", light.ID).status == 0
    done = graded.nbgrader("autograde", light.ID)
    assert done.status != 0
    assert "did you forget to run 'nbgrader generate_assignment'" in done.said


def names(submission: Submission) -> str:
    return ", ".join(f"{exercise}: {one.name}" for exercise, one in submission.answers.items())
