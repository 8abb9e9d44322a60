"""The batch: everything is graded once, whatever dies, and nothing stops it."""

import io
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from flightschool import curriculum
from flightschool.curriculum import Outcome
from flightschool.errors import FlightSchoolError
from flightschool.grading import batch
from flightschool.grading.executors import Crew, Processes, Unusable
from flightschool.grading.gradebook import Gradebook
from flightschool.grading.model import Limits, Round, Submission, Task
from flightschool.grading.progress import Watch

sys.path.insert(0, str(Path(__file__).parent))  # worker processes get this path, too

import grading_fakes as fakes

MODULE = curriculum.module("01")


class Threads(Crew):
    """Workers in this process, so that a test can look at them."""

    def __init__(self, workers: int = 2) -> None:
        self._pool = ThreadPoolExecutor(workers)
        self.wanted = 2 * workers  # type: ignore[misc]

    wanted = 0  # type: ignore[assignment]

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait, cancel_futures=cancel_futures)

    def abandon(self) -> None:
        self.shutdown(cancel_futures=True)


def read(submission: Submission) -> bytes:
    return submission.file.read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "handed in").mkdir()
    return tmp_path / "handed in"


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook(tmp_path / "out" / "gradebook.sqlite") as opened:
        yield opened


@pytest.fixture
def watch() -> Watch:
    return Watch(Console(file=io.StringIO()))


@pytest.fixture(autouse=True)
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADING_FAKES_LOG", str(tmp_path / "log"))


Grade = Callable[..., Round]


@pytest.fixture
def grade(folder: Path, book: Gradebook, watch: Watch) -> Grade:
    """Grades what is in the folder: one submission a file, its learner the stem."""

    def run(crew: Crew | None = None, **changed: Any) -> Round:
        given = {
            "folder": folder,
            "seed": 7,
            "limits": Limits(),
            "progress": watch,
            "read": read,
            "work": fakes.work,
            **changed,
        }
        submissions = [Submission(path.stem, path) for path in sorted(folder.iterdir())]
        with crew or Threads() as workers:
            return batch.grade(submissions, MODULE, book, workers, **given)

    return run


def hand_in(folder: Path, *orders: str) -> list[str]:
    learners = [f"learner{number:03}" for number in range(len(orders))]
    for learner, order in zip(learners, orders, strict=True):
        (folder / f"{learner}.ipynb").write_text(order)
    return learners


def test_all_are_graded_once_and_in_order(folder: Path, grade: Grade, watch: Watch) -> None:
    learners = hand_in(folder, *["points 0.25"] * 20)
    round = grade()
    assert [one.learner for one in round.results] == learners
    assert {one.earned for one in round.results} == {1}
    assert round.results[0].file == "learner000.ipynb"
    assert (round.module, round.title, round.points) == (MODULE.id, MODULE.title, MODULE.points)
    assert sorted(fakes.calls()) == learners
    assert (watch.graded, watch.before, watch.refused, watch.failed) == (20, 0, 0, 0)


def test_only_what_changed_is_graded_again(folder: Path, grade: Grade, watch: Watch, book: Gradebook) -> None:
    learners = hand_in(folder, *["points 0.25"] * 5)
    before = grade()
    assert grade() == before
    assert (watch.total, watch.before) == (0, 5)
    (folder / "learner002.ipynb").write_text("points 1")
    after = grade()
    assert [one.earned for one in after.results] == [1, 1, 4, 1, 1]
    assert sorted(fakes.calls()) == sorted([*learners, "learner002"])
    assert [one.earned for one in book.history(MODULE.id, "learner002")] == [1]


def test_another_seed_or_limit_grades_all_again(folder: Path, grade: Grade) -> None:
    learners = hand_in(folder, *["points 0.25"] * 3)
    grade()
    grade(seed=8)
    grade(seed=8, limits=Limits(cell=1))
    grade(seed=8, limits=Limits(cell=1), regrade=True)
    assert sorted(fakes.calls()) == sorted(learners * 4)


def test_notebooks_are_read_when_their_turn_comes(folder: Path, grade: Grade) -> None:
    hand_in(folder, *["sleep 0.005"] * 50)
    ahead, reads = [], 0

    def counted(submission: Submission) -> bytes:
        nonlocal reads
        reads += 1
        ahead.append(reads - len(fakes.calls()))
        return read(submission)

    grade(Threads(2), read=counted)
    assert reads == 50
    assert max(ahead) <= 5


def test_what_cannot_be_read_is_refused_and_the_rest_graded(folder: Path, grade: Grade, watch: Watch) -> None:
    hand_in(folder, *["points 1"] * 4)
    reasons = {
        "learner001": FlightSchoolError("It is a bomb."),
        "learner002": ValueError("odd \ud800\nand more"),
    }

    def refusing(submission: Submission) -> bytes:
        if reason := reasons.get(submission.learner):
            raise reason
        return read(submission)

    round = grade(read=refusing)
    assert [one.refused for one in round.results] == ["", "It is a bomb.", "ValueError: odd ?", ""]
    assert [one.earned for one in round.results] == [4, 0, 0, 4]
    refused = round.results[1]
    assert {mark.outcome for mark in refused.marks} == {Outcome.NOT_ATTEMPTED}
    assert [mark.exercise for mark in refused.marks] == list(MODULE.exercises)
    assert refused.points == MODULE.points
    assert (watch.graded, watch.refused) == (2, 2)
    assert grade(read=refusing) == round
    assert watch.before == 4
    assert [one.refused for one in grade().results] == [""] * 4


def test_a_killer_costs_nobody_else_anything(folder: Path, grade: Grade, watch: Watch) -> None:
    hand_in(folder, "points 1", "die", "points 1", "die once", "points 1", "points 1")
    round = grade(Processes(2))
    assert [bool(one.failure) for one in round.results] == [False, True, False, False, False, False]
    assert "died, perhaps for want of memory. It was tried twice." in round.results[1].failure
    assert round.results[1].marks == ()
    assert [one.earned for one in round.results] == [4, 0, 4, 2, 4, 4]
    assert (watch.graded, watch.failed) == (5, 1)
    tried = fakes.calls().count("learner001")
    assert tried in (2, 3)
    (folder / "learner001.ipynb").write_text("points 1")
    assert not any(one.failure for one in grade(Processes(1)).results)
    assert fakes.calls().count("learner001") == tried + 1


def test_the_graders_own_trouble_is_said(folder: Path, grade: Grade) -> None:
    hand_in(folder, "raise", "exit", "points 1", "surrogate")
    failures = [one.failure for one in grade().results]
    assert failures[0] == "RuntimeError: the disk is full It was tried twice."
    assert failures[1] == "SystemExit: ended It was tried twice."
    assert failures[2:] == ["", ""]
    calls = len(fakes.calls())
    grade()
    assert len(fakes.calls()) == calls + 4, "failures, and they alone, are tried again"


def test_who_handed_nothing_in_any_more_is_reported(
    folder: Path, grade: Grade, watch: Watch, book: Gradebook
) -> None:
    hand_in(folder, *["points 1"] * 3)
    grade()
    (folder / "learner001.ipynb").unlink()
    round = grade()
    assert [one.learner for one in round.results] == ["learner000", "learner002"]
    assert watch.removed == ("learner001",)
    assert book.get(MODULE.id, "learner001") is not None


def test_when_and_where_it_came_is_told_as_it_is_now(folder: Path, book: Gradebook, watch: Watch) -> None:
    hand_in(folder, "points 1")
    when = datetime(2026, 3, 1, tzinfo=UTC)
    given: dict[str, Any] = {
        "seed": 7,
        "limits": Limits(),
        "progress": watch,
        "read": read,
        "work": fakes.work,
    }
    first = Submission("ada", folder / "learner000.ipynb")
    second = Submission("ada", folder / "learner000.ipynb", member="a/b\udcff.ipynb", received=when)
    for submission in (first, second):
        with Threads() as crew:
            round = batch.grade([submission], MODULE, book, crew, folder=folder.parent, **given)
    assert round.results[0].received == when
    assert round.results[0].file == "handed in/learner000.ipynb/a/b\\udcff.ipynb"
    assert len(fakes.calls()) == 1


def test_what_is_done_when_ctrl_c_comes_is_kept(
    folder: Path, grade: Grade, book: Gradebook, watch: Watch
) -> None:
    hand_in(folder, *["points 1"] * 10)

    def interrupted(submission: Submission) -> bytes:
        if submission.learner == "learner007":
            raise KeyboardInterrupt
        return read(submission)

    with pytest.raises(KeyboardInterrupt):
        grade(Threads(1), read=interrupted)
    kept = len(book.finished(MODULE.id))
    assert 0 < kept <= 7
    assert watch.done == kept
    assert len(grade().results) == 10


def test_a_lost_cluster_ends_the_batch_with_a_sentence(folder: Path, grade: Grade, book: Gradebook) -> None:
    learners = hand_in(folder, *["points 1"] * 3)

    class Lost(Threads):
        def submit(self, fn: Callable[..., Any], task: Task, /) -> "Future[Any]":  # type: ignore[override]
            future: Future[Any] = Future()
            if task.learner == learners[0]:
                return super().submit(fn, task)
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    with pytest.raises(Unusable, match="What is graded is kept"):
        grade(Lost(1))


def test_an_unusable_executor_ends_the_batch(folder: Path, grade: Grade) -> None:
    hand_in(folder, *["points 1"] * 3)

    def unusable(_task: Task) -> None:
        raise Unusable("Another course.")

    with pytest.raises(Unusable, match="Another course"):
        grade(work=unusable)


def test_elsewhere_than_on_a_terminal_a_line_comes_now_and_then(
    folder: Path, grade: Grade, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flightschool.grading import progress

    monkeypatch.setattr(progress, "EVERY", 0.0)
    hand_in(folder, *["points 1"] * 3)
    with watch:
        grade()
    said = watch.console.file.getvalue()  # type: ignore[attr-defined]
    assert "3/3 · " in said
    assert "3 graded, 0 refused, 0 failed" in said
    assert "\x1b" not in said


def test_on_a_terminal_there_is_a_bar(folder: Path, grade: Grade) -> None:
    hand_in(folder, *["points 1"] * 3)
    watch = Watch(Console(file=io.StringIO(), force_terminal=True, width=120))
    with watch:
        grade(progress=watch)
    assert "3 graded" in watch.console.file.getvalue()  # type: ignore[attr-defined]
