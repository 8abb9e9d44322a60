"""From an answer to a verdict: the outcomes, the learner's own line, the ladder of hints."""

import pytest

from flightschool.curriculum import Module, NotAttempted, Outcome, Verdict, exercise, judge
from flightschool.errors import FlightSchoolError
from flightschool.learn.display import VERDICT_MIME, verdict_card
from flightschool.learn.questions import Question, judge_answer
from flightschool.learn.stubs import untouched


@exercise("q1", title="Twice", points=4, hints=("look", "double", "use *"))
def twice(answer, world):
    return [answer(n) for n in range(3)]


@judge("q1")
def twice_judge(evidence, world):
    right = sum(found == 2 * n for n, found in enumerate(evidence))
    said = {"expected": "the double", "found": f"{right} of 3", "try_next": "try 2"}
    if right == 3:
        return Verdict.passed("It doubles.")
    return Verdict.partly(right / 3, **said) if right > 1 else Verdict.failed(**said)


def outcome(answer):
    return judge_answer(twice, twice_judge, answer, None).outcome


def stub(n): ...


def documented_stub(n):
    """Twice n."""


def test_outcomes():
    assert outcome(lambda n: 2 * n) is Outcome.PASSED
    assert outcome(lambda n: n * n) is Outcome.PARTLY
    assert outcome(lambda n: "x") is Outcome.FAILED
    assert outcome(...) is Outcome.NOT_ATTEMPTED
    assert outcome(stub) is Outcome.NOT_ATTEMPTED
    assert outcome(documented_stub) is Outcome.NOT_ATTEMPTED
    assert outcome(object()) is Outcome.ERROR


@pytest.mark.parametrize("answer", [{"a": ...}, [..., stub], (...,)])
def test_containers_of_stubs_are_untouched(answer):
    assert untouched(answer)


@pytest.mark.parametrize("answer", [None, 0, "", {}, [], {"a": ..., "b": 1}, lambda: 0, lambda x: x, len])
def test_answers_are_not_stubs(answer):
    assert not untouched(answer)


def learners(n):
    return 1 / (n - n)


def test_an_error_shows_the_learners_own_line():
    verdict = judge_answer(twice, twice_judge, learners, None)
    assert verdict.outcome is Outcome.ERROR
    assert "ZeroDivisionError" in verdict.found
    assert "1 / (n - n)" in verdict.found
    assert "questions.py" not in verdict.found


def test_out_of_memory_not_attempted_and_unusable_are_told_apart():
    def hungry(n):
        raise MemoryError

    @exercise("q2", title="File", points=1, hints=("a", "b"))
    def nothing_written(answer, world):
        raise NotAttempted

    @exercise("q3", title="Given", points=1, hints=("a", "b"))
    def given(answer, world):
        return answer

    assert outcome(hungry) is Outcome.OUT_OF_MEMORY
    assert judge_answer(nothing_written, twice_judge, 1, None).outcome is Outcome.NOT_ATTEMPTED
    verdict = judge_answer(given, twice_judge, (n for n in range(3)), None)
    assert verdict.outcome is Outcome.FAILED
    assert "generator can't be read" in verdict.found


def test_the_ladder_gives_one_rung_a_call_and_stays_on_the_last(capsys):
    question = Question(twice, twice_judge, None)
    for _step in range(4):
        question.hint()
    said = capsys.readouterr().out
    assert [said.count(hint) for hint in twice.hints] == [1, 1, 2]
    assert "Hint 3 of 3" in said


def test_the_card_has_text_html_and_data_and_escapes():
    verdict = Verdict.failed(expected="<b>", found="x" * 3, try_next="y")
    bundle = verdict_card(twice, verdict)._repr_mimebundle_()
    assert bundle[VERDICT_MIME] == {"exercise": "q1", "outcome": "failed", "points": 0.0, "max_points": 4}
    assert "&lt;b&gt;" in bundle["text/html"]
    assert "✗ q1 · Twice: not yet · 0 of 4 points" in bundle["text/plain"]


def test_an_author_who_gets_a_share_or_ladder_wrong_is_told():
    with pytest.raises(ValueError, match="strictly"):
        Verdict.partly(1, expected="", found="", try_next="")
    with pytest.raises(ValueError, match="ladder"):
        exercise("q", title="", points=1, hints=("one",))
    with pytest.raises(ValueError, match="points"):
        exercise("q", title="", points=0, hints=("one", "two"))


def test_a_notebook_shows_our_errors_without_our_frames():
    assert FlightSchoolError("Do this.")._render_traceback_() == ["FlightSchoolError: Do this."]


@pytest.fixture
def with_source(tmp_path):
    (tmp_path / "07_topic.py").write_text(
        '# %% exercise="q1"\ndef twice(n):\n    ### BEGIN SOLUTION\n    return 2 * n\n    ### END SOLUTION\n\n# %%\nother = 1\n'
    )
    world = type("World", (), {"seed": 1})()
    return Question(twice, twice_judge, world, Module("07_topic", tmp_path, tmp_path))


def test_a_solution_is_offered_after_honest_attempts_and_only_then(with_source, capsys):
    with_source.check(...)
    with_source.solution()
    assert "First 3 more attempts" in capsys.readouterr().out
    for _attempt in range(3):
        with_source.check(lambda n: n)
    assert capsys.readouterr().out.count("Stuck") == 1
    with_source.solution()
    assert "return 2 * n" in capsys.readouterr().out


def test_where_the_source_is_absent_there_is_no_solution(with_source, capsys, tmp_path):
    (tmp_path / "07_topic.py").unlink()
    for _attempt in range(4):
        with_source.check(lambda n: n)
    with_source.solution()
    said = capsys.readouterr().out
    assert "Stuck" not in said
    assert "no solution here" in said
