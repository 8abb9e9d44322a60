"""The graders that ours is measured against: they give the marks that the answers deserve, and an attack on them is seen."""

import re

import pytest
from others import environments, light
from others.attack import Arena
from others.nbgrader_course import nbgrader_autograde
from others.otter_run import otter_run

from flightschool.curriculum import load_lab_file
from flightschool.data import World
from flightschool.engine import sandbox
from flightschool.learn.questions import judge_answer

HOSTILE = """\
import pathlib

for path in pathlib.Path.home().rglob("private.txt"):
    path.write_text(path.read_text() + "mine now")
try:
    type(lab.q1).check = lambda self, answer: 1.0
except NameError:
    from otter.test_files.exception_test import test_case

    test_case.call_func = lambda self, environment: None
"""


@pytest.mark.parametrize("name", ["nbgrader", "otter"])
def test_requirements_are_pinned_hashed_and_without_an_address(name):
    text = (environments.HERE / f"{name}.txt").read_text()
    pins = re.findall(r"^([a-z0-9-]+)==\S+(.*?)(?=^[a-z]|\Z)", text, re.MULTILINE | re.DOTALL)
    assert len(pins) > 50
    assert all("--hash=sha256:" in rest for _name, rest in pins)
    assert "://" not in text
    for line in (environments.HERE / f"{name}.in").read_text().splitlines():
        if line and not line.startswith("#"):
            assert re.split(r"[<>=]", line)[0] in {found for found, _rest in pins}


def test_without_a_registry_there_is_a_reason(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "TOOLS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(environments.Unavailable, match="there is no uv"):
        environments.environment("nbgrader")
    uv = tmp_path / "bin" / "uv"
    uv.parent.mkdir()
    uv.write_text("#!/bin/sh\necho no route to the registry >&2\nexit 2\n")
    uv.chmod(0o755)
    with pytest.raises(environments.Unavailable, match="otter can't be installed: no route"):
        environments.environment("otter")


def test_the_light_course_gives_the_marks_that_its_answers_deserve(tmp_path):
    course = light.course(tmp_path)
    module, world = course.module, World(0)
    turns = load_lab_file(module.lab, "turnarounds").log(0)
    for id, known in light.ANSWERS.items():
        assert known[0][0] == module.exercises[id].points
        for points, code in known:
            names = {"turns": turns}
            exec(code, names)
            answer = next(value for name, value in names.items() if name in code.split("(")[0])
            verdict = judge_answer(module.exercises[id], module.judges[id], answer, world)
            assert module.exercises[id].points * verdict.share == points, verdict.text
    handed = course.submissions(50)
    assert len({one.notebook for one in handed}) == len({one.learner for one in handed}) == 50
    assert {sum(one.marks.values()) for one in handed} == {0, 1, 2, 3, 4, 5}


@pytest.mark.slow
def test_the_others_give_the_same_marks(tmp_path, nbgrader, otter):
    course = light.course(tmp_path / "light")
    handed = [course.submissions(40)[number] for number in (0, 10, 20, 35)]
    notebooks = {one.learner: one.notebook for one in handed}
    wanted = {one.learner: dict(one.marks) for one in handed}
    assert len({tuple(marks.values()) for marks in wanted.values()}) == 4
    for found in (
        nbgrader_autograde(tmp_path / "nbgrader", notebooks, course),
        otter_run(tmp_path / "otter", notebooks),
    ):
        assert found.marks == wanted
        assert found.n == 4
        assert found.wall > 0
        assert found.cpu > 0


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["nbgrader", "otter"])
def test_an_attack_is_seen(tool, tmp_path, request):
    request.getfixturevalue(tool)
    if reason := sandbox.available().walls:
        pytest.skip(reason)
    arena = Arena(tool, tmp_path)
    right = {"q3": light.ANSWERS["q3"][0][1]}
    twin = light.answered(arena.release, right)
    harmless = arena.attack(light.answered(arena.release, {**right, "q1": "late_share = ..."}), twin)
    assert (harmless.mark, harmless.honest) == (1, 1)
    assert harmless.held
    hostile = arena.attack(light.answered(arena.release, {**right, "q1": HOSTILE}), twin)
    assert hostile.mark_changed
    assert hostile.read
    assert hostile.changed
    assert hostile.finished
