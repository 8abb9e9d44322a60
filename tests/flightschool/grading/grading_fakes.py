"""Work that is done without a notebook: what a submission says is what happens. Worker processes import this file."""

import os
import signal
import time
from pathlib import Path

from flightschool.curriculum import Outcome
from flightschool.grading.model import Mark, Result, Task


def log() -> Path:
    """The file in which each call of `work` leaves a line: learner, process."""
    return Path(os.environ["GRADING_FAKES_LOG"])


def calls() -> list[str]:
    """The learners for whom `work` was called, in order."""
    return [line.split()[0] for line in log().read_text().splitlines()] if log().exists() else []


def result(task: Task, share: float = 0.5, **fields: object) -> Result:
    """A result with one mark."""
    mark = Mark(exercise="q1", title="One", points=4, outcome=Outcome.PARTLY, share=share)
    given = {"learner": task.learner, "file": task.file, "fingerprint": task.fingerprint, "marks": (mark,)}
    return Result.model_validate(given | fields)


def work(task: Task) -> Result:
    """Do as the submission says: `die`, `die once`, `raise`, `exit`, `sleep 0.1`, `points 0.25`, `surrogate`."""
    with log().open("a") as file:
        file.write(f"{task.learner} {os.getpid()}\n")
    order, _space, value = task.notebook.decode().partition(" ")
    if order == "die" and (value != "once" or calls().count(task.learner) == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    if order == "raise":
        raise RuntimeError("the disk is full\nand more")
    if order == "exit":
        raise SystemExit("ended")
    if order == "sleep":
        time.sleep(float(value))
    if order == "surrogate":
        return result(task, notices=("half \ud800 a character",))
    return result(task, float(value) if order == "points" else 0.5)


def pid(_task: object) -> int:
    """The worker's process."""
    return os.getpid()


def lent(module: str) -> bool:
    """Whether the warm process of this worker is a lent one. It is tried, by a call of what is not there."""
    from flightschool import curriculum
    from flightschool.engine import warm
    from flightschool.grading import warmth

    forks = warmth.forks(warmth.Warmth.of(curriculum.module(module)))
    called, channel = forks.call("judge_of_nothing", folder="/", environment={})
    channel.close()
    called.kill()
    if isinstance(forks, warm.Template):
        forks.close()
    return not isinstance(forks, warm.Template)
