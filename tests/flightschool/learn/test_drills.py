"""A drill pages, keeps three times, leaves a postmortem, and can be given up."""

import types

import pytest

from flightschool.curriculum import Verdict, exercise, judge
from flightschool.learn import drills
from flightschool.learn.drills import Incident, Page
from flightschool.learn.questions import Question


@exercise("drill", title="Repair", points=1, hints=("a", "b"))
def probe(answer, world):
    return answer


@judge("drill")
def judged(evidence, world):
    if evidence == "mended":
        return Verdict.passed("It holds.")
    return Verdict.failed(expected="whole", found="broken", try_next="mend")


class FakeLab:
    def __init__(self, workdir):
        self.workdir = workdir
        self.broken = False
        self.module, self.seed = None, 0
        self._question = Question(probe, judged, None)

    def question(self, name):
        return self._question


def plant(lab):
    lab.broken = True
    return Page("SEV2", "Empty dashboard", "no rows", "an analyst", "06:40", look=("the log",))


def restore(lab):
    lab.broken = False


@pytest.fixture
def clock(monkeypatch):
    now = types.SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(drills.time, "monotonic", lambda: now.seconds)
    return now


@pytest.fixture
def incident(tmp_path, clock):
    return Incident(FakeLab(tmp_path), types.SimpleNamespace(plant=plant, restore=restore))


def test_the_page_says_the_symptom(incident):
    assert incident._lab.broken
    assert "SEV2 · Empty dashboard" in repr(incident)
    assert "Look at: the log" in repr(incident)


def test_three_times_are_kept_and_only_the_first_pass_counts(incident, clock, capsys):
    clock.seconds = 120
    incident.detected("the file came twice")
    clock.seconds = 200
    incident.check("still broken")
    assert incident.seconds_to_restore is None
    clock.seconds = 300
    incident.check("mended")
    clock.seconds = 900
    incident.check("mended")
    said = capsys.readouterr().out
    for line in (
        "Time to detect: 2.0 min",
        "Time to repair: 3.0 min",
        "Time to restore: 5.0 min",
    ):
        assert line in said


def test_a_stub_is_no_finding(incident, capsys):
    incident.detected(...)
    assert incident.seconds_to_detect is None
    assert "Nothing noted" in capsys.readouterr().out


def test_the_postmortem_is_a_form_with_the_times(incident, clock):
    clock.seconds = 60
    incident.detected("twice")
    incident.postmortem()
    text = (incident._lab.workdir / "postmortem.md").read_text()
    assert "**What was wrong**: twice" in text
    assert "**Time to detect**: 60 s" in text
    assert "**What was luck**: (write a line)" in text


def test_abandoning_restores_and_stops_the_clock(incident, clock):
    clock.seconds = 60
    incident.detected("twice")
    incident.abandon()
    assert not incident._lab.broken
    assert incident.seconds_to_detect is None
