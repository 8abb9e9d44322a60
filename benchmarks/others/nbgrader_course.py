"""An nbgrader course in a folder: source, release, submitted and autograded notebooks, and the gradebook."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flightschool.engine.runner import kernel_environment
from others import light
from others.environments import activated, environment
from others.measured import Marks, Measured, Ran, run

CONFIG = """\
c = get_config()
c.ClearSolutions.code_stub = {"python": "...  # Your code here"}
c.Execute.timeout = 600
"""
"""docs/nbgrader.md says why."""

MARKS = """\
import json, sys
from nbgrader.api import Gradebook

with Gradebook("sqlite:///gradebook.db") as book:
    found = {
        submission.student.id: {
            grade.name.removesuffix("-check"): grade.auto_score
            for notebook in submission.notebooks
            for grade in notebook.grades
        }
        for submission in book.assignment_submissions(sys.argv[1])
    }
print(json.dumps(found))
"""


class Failed(Exception):
    """A command of another grader has failed; the message holds what it said."""


@dataclass
class NbgraderCourse:
    """A course in `folder`, which is made when it is not there. Kernels are this very Python, which has the course's packages.

    `variables` are added to the environment of all that runs. Raises Unavailable where nbgrader can't be had.
    """

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tool = environment("nbgrader")
        self.folder.mkdir(parents=True, exist_ok=True)
        kernel = kernel_environment(self.folder)
        del kernel["JUPYTER_NO_CONFIG"]  # the course has one
        kernel.pop("PYTHONPATH", None)
        self.environment = {**kernel, "PATH": activated(tool)["PATH"], **self.variables}
        self._bin = tool / "bin"
        config = self.folder / "nbgrader_config.py"
        if not config.exists():
            config.write_text(CONFIG)

    def add(self, assignment: str, notebook: bytes) -> None:
        """Put an assignment's notebook, of the same name, into source/."""
        _write(self.folder / "source" / assignment / f"{assignment}.ipynb", notebook)

    def submit(self, learner: str, assignment: str, notebook: bytes) -> None:
        """Put a learner's notebook into submitted/."""
        _write(self.folder / "submitted" / learner / assignment / f"{assignment}.ipynb", notebook)

    def released(self, assignment: str) -> bytes:
        """What nbgrader made for learners."""
        return (self.folder / "release" / assignment / f"{assignment}.ipynb").read_bytes()

    def autograded(self, learner: str, assignment: str) -> bytes:
        """A learner's notebook as nbgrader executed it."""
        return (self.folder / "autograded" / learner / assignment / f"{assignment}.ipynb").read_bytes()

    def nbgrader(self, *words: str, deadline: float = 3600) -> Ran:
        """Run a command of nbgrader in the course's folder."""
        return run([str(self._bin / "nbgrader"), *words], self.folder, self.environment, deadline)

    def generate(self, assignment: str, *options: str) -> None:
        """`nbgrader generate_assignment`. Raises Failed."""
        done = self.nbgrader("generate_assignment", assignment, *options)
        if done.status:
            raise Failed(done.said[-4000:])

    def marks(self, assignment: str) -> Marks:
        """What the gradebook says; an exercise that nbgrader gave no mark is not in it. Raises Failed."""
        done = run([str(self._bin / "python"), "-c", MARKS, assignment], self.folder, self.environment)
        if done.status:
            raise Failed(done.said[-4000:])
        found = json.loads(done.said.splitlines()[-1])
        return {
            learner: {exercise: points for exercise, points in marks.items() if points is not None}
            for learner, marks in found.items()
        }


def nbgrader_autograde(folder: Path, notebooks: Mapping[str, bytes], course: light.Course) -> Measured:
    """Grade notebooks of the light course, by learner, with `nbgrader autograde`; only that command is measured.

    Raises:
        Unavailable: nbgrader can't be had.
        Failed: nbgrader has not graded them all.
    """
    made = NbgraderCourse(folder, course.environment)
    made.add(light.ID, course.solution)
    made.generate(light.ID)
    for learner, notebook in notebooks.items():
        made.submit(learner, light.ID, notebook)
    done = made.nbgrader("autograde", light.ID)
    if done.status:
        raise Failed(done.said[-4000:])
    return Measured(done.wall, done.cpu, len(notebooks), made.marks(light.ID))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
