"""The batch: all submissions of a module, graded as workers get free, each result kept as soon as it is there."""

import os
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from flightschool.curriculum import Module, Outcome
from flightschool.engine import fingerprint
from flightschool.grading import stage
from flightschool.grading.executors import Crew, Unusable, Work, died, lost, trouble
from flightschool.grading.gradebook import Gradebook
from flightschool.grading.model import Limits, Mark, Result, Round, Submission, Task
from flightschool.grading.progress import Watch
from flightschool.i18n import _

TICK = 1.0
"""Seconds between two looks at the clock while nothing happens."""
FAULTS = 2
"""How often a submission may be what the grader fails at."""
Read = Callable[[Submission], bytes]


def grade(
    submissions: Sequence[Submission],
    module: Module,
    gradebook: Gradebook,
    executor: Crew,
    *,
    folder: Path,
    seed: int,
    limits: Limits,
    progress: Watch,
    read: Read,
    work: Work,
    regrade: bool = False,
) -> Round:
    """Grade what has no result yet, or another one than it would get now; all results of these learners.

    Whatever ends this, the results so far are in the gradebook, and the next call goes on from there. A submission
    that can't be read is *refused*. Where the grader itself fails, all that was in flight is tried again, one at a time, so that
    it is known whose fault it was; who was at fault twice has a *failure*, and is graded again by the next call.

    Args:
        submissions: one a learner.
        module: what they are of.
        gradebook: where results are kept.
        executor: who grades.
        folder: where the submissions are, for `Result.file`.
        seed: of the secret world.
        limits: of each submission.
        progress: what is told how far it is.
        read: gives the bytes of a submission; whatever it raises refuses that.
        work: grades one.
        regrade: grade all, whether or not something changed.

    Raises:
        Unusable: the executor can't go on.
        FlightSchoolError: the gradebook can't be written, or the course can't be read.
    """
    batch = _Batch(module, gradebook, executor, folder, seed, limits, progress, read, work)
    pending = list(submissions)
    if not regrade:
        finished = gradebook.finished(module.id)
        pending = [one for one in submissions if not batch.stands(one, finished.get(one.learner))]
    removed = sorted(gradebook.learners(module.id) - {one.learner for one in submissions})
    progress.begin(len(pending), len(submissions) - len(pending), tuple(removed))
    batch.run(pending)
    return batch.round(submissions)


class _Batch:
    """What is the same for all submissions, and what is in flight."""

    def __init__(
        self,
        module: Module,
        gradebook: Gradebook,
        executor: Crew,
        folder: Path,
        seed: int,
        limits: Limits,
        progress: Watch,
        read: Read,
        work: Work,
    ) -> None:
        self.module, self.gradebook, self.executor, self.folder = module, gradebook, executor, folder
        self.seed, self.limits, self.progress, self.read, self.work = seed, limits, progress, read, work
        self.course = fingerprint.course(module)
        self.flying: dict[Future[Result], Task] = {}
        self.again: deque[tuple[Task, BaseException, int]] = deque()

    @cached_property
    def exercises(self) -> dict[str, stage.Listed]:
        """Of the module, by id."""
        return stage.catalogue(self.module, stage.build(self.module))

    def stands(self, submission: Submission, known: str | None) -> bool:
        """Whether the result of that fingerprint is the one that the submission would get."""
        return known is not None and known == self.prepare(submission).fingerprint

    def prepare(self, submission: Submission) -> Task | Result:
        """What is to be done for a submission, or what came of it when it can't be read."""
        file = place(submission, self.folder)
        try:
            notebook = self.read(submission)
        except Exception as error:  # from a damaged archive anything may come
            reason = trouble(error)
            return Result(
                learner=submission.learner,
                file=file,
                fingerprint=self._fingerprint(b"refused: " + reason.encode(errors="replace")),
                marks=tuple(
                    Mark(
                        exercise=one.id,
                        title=one.title,
                        points=one.points,
                        outcome=Outcome.NOT_ATTEMPTED,
                        share=0,
                    )
                    for one in self.exercises.values()
                ),
                refused=reason,
            )
        return Task(
            module=self.module.id,
            learner=submission.learner,
            file=file,
            fingerprint=self._fingerprint(notebook),
            notebook=notebook,
            seed=self.seed,
            limits=self.limits,
        )

    def run(self, pending: Sequence[Submission]) -> None:
        """Grade these. Notebooks are read when a worker is about to get free, so memory does not grow with their number."""
        waiting = iter(pending)
        while True:
            while not self.again and len(self.flying) < self.executor.wanted:
                submission = next(waiting, None)
                if submission is None:
                    break
                prepared = self.prepare(submission)
                if isinstance(prepared, Result):
                    self.keep(prepared)
                else:
                    self.flying[self.executor.submit(self.work, prepared)] = prepared
            if self.flying:
                self._land()
            elif self.again:
                self._alone(*self.again.popleft())
            else:
                return

    def _land(self) -> None:
        """Take what is done."""
        alone = len(self.flying) == 1
        done, _flying = wait(self.flying, TICK, FIRST_COMPLETED)
        for future in done:
            task = self.flying.pop(future)
            came = outcome(future)
            if isinstance(came, Result):
                self.keep(came)
            else:
                # A process that dies takes others along, which may not even have begun.
                self.again.append((task, came, int(alone or not died(came))))
        self.progress.tick()

    def _alone(self, task: Task, error: BaseException, faults: int) -> None:
        """Try again with no other in flight that could be at fault."""
        while faults < FAULTS:
            came = outcome(self.executor.submit(self.work, task))
            if isinstance(came, Result):
                self.keep(came)
                return
            error, faults = came, faults + 1
        self.keep(
            Result(
                learner=task.learner,
                file=task.file,
                fingerprint=task.fingerprint,
                failure=_("{reason} It was tried twice.").format(reason=trouble(error)),
            )
        )

    def keep(self, result: Result) -> None:
        """Put a result into the gradebook."""
        self.gradebook.put(self.module.id, result, datetime.now(UTC))
        self.progress.landed(result)

    def round(self, submissions: Sequence[Submission]) -> Round:
        """All results, in the order of the submissions. Where those were found and when they came is told as it is now."""
        results = []
        for one in submissions:
            result = self.gradebook.get(self.module.id, one.learner)
            assert result is not None
            now = {"file": place(one, self.folder), "received": one.received}
            results.append(result.model_copy(update=now))
        return Round(
            module=self.module.id,
            title=self.module.title,
            points=sum(one.points for one in self.exercises.values()),
            graded_at=self.gradebook.graded_at(self.module.id) or datetime.now(UTC),
            results=tuple(results),
        )

    def _fingerprint(self, notebook: bytes) -> str:
        return self.gradebook.fingerprint(self.course, notebook, self.seed, self.limits)


def outcome(future: "Future[Result]") -> Result | BaseException:
    """What a future brings: a result, or the grader's own trouble. Waits for it.

    Raises:
        Unusable: no other task has a chance either.
    """
    try:
        error = future.exception()
    except CancelledError:
        raise lost() from None
    if isinstance(error, Unusable):
        raise error
    return future.result() if error is None else error


def place(submission: Submission, folder: Path) -> str:
    """Where a submission is, from the folder on; half a character in a name is written out."""
    parts = [os.path.relpath(submission.file, folder), *filter(None, [submission.member])]
    return "/".join(parts).encode(errors="backslashreplace").decode()
