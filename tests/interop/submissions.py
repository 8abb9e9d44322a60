"""Submissions made of fixtures: the answers of tests/labs/NN_topic/answers.py, as learners would have them in their notebooks."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import zip_longest

import nbformat
from labs.kit import Fixture, fixtures

from flightschool import paths
from flightschool.curriculum import Module
from flightschool.data import World
from flightschool.learn.questions import judge_answer

CELL = """\
import sys

sys.path.append({tests!r})
from labs.kit import fixtures

(_chosen,) = [one for one in fixtures({module!r}) if one.name == {name!r}]
_answer = _chosen.answer(lab.world)
{assignments}
"""


@dataclass(frozen=True)
class Submission:
    """A learner's notebook, with a fixture for each exercise that is answered."""

    learner: str
    notebook: bytes
    answers: Mapping[str, Fixture]


def spread(module: Module, release: bytes) -> list[Submission]:
    """Every fixture of a module, in as few submissions as the exercise with most fixtures needs; the last one is untouched."""
    by_exercise = defaultdict(list)
    for fixture in fixtures(module.id):
        by_exercise[fixture.exercise].append(fixture)
    rows = [*zip_longest(*by_exercise.values()), ()]
    return [submission(module, release, f"row-{n:02}", filter(None, row)) for n, row in enumerate(rows)]


def one_of_each(module: Module, release: bytes, kind: str) -> Submission:
    """A submission with the first passing, failing or untouched fixture of each exercise."""
    first = {one.exercise: one for one in reversed(fixtures(module.id)) if one.kind == kind}
    return submission(module, release, kind, first.values())


def submission(module: Module, release: bytes, learner: str, answers: Iterable[Fixture]) -> Submission:
    """The learner notebook with these fixtures in the exercises' cells; the other cells are as released."""
    chosen = {fixture.exercise: fixture for fixture in answers}
    page = nbformat.reads(release.decode(), as_version=4)
    cells = {cell.metadata.nbgrader.grade_id: cell for cell in page.cells if "nbgrader" in cell.metadata}
    for exercise, fixture in chosen.items():
        cells[exercise].source = CELL.format(
            tests=str(paths.ROOT / "tests"),
            module=module.id,
            name=fixture.name,
            assignments="\n".join(_assignments(cells[f"{exercise}-check"].source)),
        )
    return Submission(learner, nbformat.writes(page).encode(), chosen)


def _assignments(check: str) -> list[str]:
    """Statements that give an answer the names which the check cell hands over: `check(f)`, or `check({"etl": f, "elt": g})`."""
    call = ast.parse(check).body[-1]
    assert isinstance(call, ast.Expr)
    assert isinstance(call.value, ast.Call)
    (handed,) = call.value.args
    if isinstance(handed, ast.Name):
        return [f"{handed.id} = _answer"]
    assert isinstance(handed, ast.Dict), check
    return [
        f"{ast.unparse(name)} = _answer[{ast.unparse(key)}]"
        for key, name in zip(handed.keys, handed.values, strict=True)
        if key is not None
    ]


def ours(module: Module, submission: Submission) -> dict[str, float]:
    """The points that we give a submission on the learner's world, by exercise."""
    world = World(0)
    points = dict.fromkeys(module.exercises, 0.0)
    for id, fixture in submission.answers.items():
        exercise = module.exercises[id]
        verdict = judge_answer(exercise, module.judges[id], fixture.answer(world), world)
        points[id] = exercise.points * verdict.share
    return points
