"""The judges' process: what it says, what it can't do, and what becomes of evidence that kills it."""

import base64
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from flightschool import curriculum, paths
from flightschool.curriculum import Outcome
from flightschool.engine import sandbox, warm
from flightschool.errors import FlightSchoolError
from flightschool.grading import judging
from flightschool.grading.warmth import Warmth

pytestmark = pytest.mark.skipif(bool(sandbox.available().walls), reason=sandbox.available().walls)


@pytest.fixture(scope="module")
def template() -> Iterator[warm.Template]:
    template = Warmth.of(curriculum.module("01")).template()
    yield template
    template.close()


@pytest.fixture(scope="module")
def judges(template: warm.Template) -> Iterator[judging.Judges]:
    judges = judging.Judges(curriculum.module("01"), 7, lambda: template)
    yield judges
    judges.close()


def test_right_evidence_passes_and_wrong_evidence_does_not(judges: judging.Judges) -> None:
    from flightschool.data import World
    from flightschool.learn.evidence import plain

    module = curriculum.module("01")
    right = plain(module.exercises["q4"].probe(lambda page: "ops", World(7)))
    assert judges.verdict("q4", right).outcome is not Outcome.PASSED
    assert judges.verdict("quiz", {"a": "1"}).outcome is not Outcome.PASSED


@pytest.mark.parametrize(
    "evidence", [None, "passed", [[[[]]]], {"outcome": "passed"}, 1e308, {"a": ["b"] * 1000}]
)
def test_any_evidence_gets_a_verdict(judges: judging.Judges, evidence: object) -> None:
    for exercise in curriculum.module("01").exercises:
        assert judges.verdict(exercise, evidence).share == 0


def test_a_drill_is_planted_the_same_each_time(judges: judging.Judges, template: warm.Template) -> None:
    def names(planted: dict) -> list[str]:
        with tarfile.open(fileobj=io.BytesIO(base64.b64decode(planted["files"]))) as files:
            return files.getnames()

    first = judges.plant()
    again = judging.Judges(curriculum.module("01"), 7, lambda: template)
    try:
        second = again.plant()
    finally:
        again.close()
    assert first["page"] == second["page"]
    assert "desk/inbox" in names(first)
    assert names(first) == names(second)


def test_it_can_reach_the_course_and_nothing_else() -> None:
    walls = judging.policy()
    assert walls.network is sandbox.Network.NONE
    kept_away = ["/etc/shadow", paths.ROOT / ".git", paths.ROOT / "tests", paths.STATE, Path(__file__)]
    told = sandbox.run(["ls", "-d", *map(str, kept_away), str(paths.LABS)], walls)
    assert told.stdout.decode().split() == [str(paths.LABS)]


DEADLY = """
import os, time
from flightschool.curriculum import Verdict, judge

@judge("q1")
def deadly(evidence, world):
    if evidence == "die":
        os._exit(3)
    if evidence == "sleep":
        time.sleep(3600)
    if evidence.startswith("once") and not os.path.exists(been := evidence.split()[1]):
        open(been, "w").close()
        os._exit(3)
    if evidence == "raise":
        raise RuntimeError("a hole")
    return Verdict.passed("x" * 100_000)
"""


@pytest.fixture
def deadly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: warm.Template
) -> Iterator[judging.Judges]:
    """The judges of a house whose judge does not survive some evidence."""
    lab = tmp_path / "labs" / "01_dataops_intro"
    lab.mkdir(parents=True)
    (lab / "judges.py").write_text(DEADLY)
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "01_dataops_intro.py").touch()
    monkeypatch.setenv("FLIGHTSCHOOL_HOME", str(tmp_path))
    monkeypatch.setattr(judging, "DEADLINE", 5.0)
    judges = judging.Judges(
        curriculum.module("01"), 7, lambda: template, walls=False
    )  # the walls of the real course hide this one
    yield judges
    judges.close()


@pytest.mark.parametrize("evidence", ["die", "sleep", "raise"])
def test_evidence_that_kills_the_judge_is_worth_nothing_and_spoils_nothing(
    deadly: judging.Judges, evidence: str
) -> None:
    assert deadly.verdict("q1", evidence).outcome is Outcome.ERROR
    verdict = deadly.verdict("q1", "fine")
    assert verdict.outcome is Outcome.PASSED
    assert len(verdict.message) == judging.LONGEST + 2


def test_a_judge_that_died_is_asked_once_more(deadly: judging.Judges, tmp_path: Path) -> None:
    assert deadly.verdict("q1", f"once {tmp_path}/been").outcome is Outcome.PASSED
    assert (tmp_path / "been").exists()


def test_a_drill_that_is_not_there_is_one_sentence(deadly: judging.Judges) -> None:
    with pytest.raises(FlightSchoolError, match="can't be planted"):
        deadly.plant()
