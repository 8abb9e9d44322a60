"""`flightschool`, as it is, with an ear at each submission: what its code prints is written down, for grading itself throws it away.

    python -m security.attacks.listening FOLDER WEAKNESS grade …

WEAKNESS is `none`, or names one of WEAKNESSES: a grader that deserves to be beaten, to show that the attacks can do it.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from flightschool.curriculum import Outcome, Verdict
from flightschool.engine import messages, warm
from flightschool.grading import judging, session
from flightschool.grading.model import Result, Task

FOLDER, WEAKNESS = "ATTACKS_FOLDER", "ATTACKS_WEAKNESS"
LONGEST = 2**20
"""Characters that are written down of each submission."""
PATIENCE = 8.0
"""Seconds for one verdict: a judge that hangs need not cost the two minutes that it may take."""


def _trusting() -> None:
    """Believe the verdict that comes out of the submission's own process."""
    session.without_evidence = lambda told: Verdict(  # type: ignore[assignment]
        Outcome(told["outcome"]), float(told.get("share", 0)), message=told.get("message", "")
    )


def _generous() -> None:
    """Let everything pass that is handed over."""
    judging.Judges.verdict = lambda *_: Verdict.passed("All right.")  # type: ignore[method-assign]


WEAKNESSES: dict[str, Callable[[], None]] = {
    "none": lambda: None,
    "trusting": _trusting,
    "generous": _generous,
}

_real = session.work
_execute = warm.Child.execute
_learner = ""


def _heard(self: warm.Child, *args: Any) -> Iterator[Any]:
    """Execute a cell, and write down what it puts out."""
    for message in _execute(self, *args):
        if isinstance(message, messages.Output):
            _note(message.content.get("text") or message.content.get("data"))
        elif isinstance(message, messages.Done) and message.error is not None:
            _note(f"{message.error.ename}: {message.error.evalue}\n")
        yield message


def _note(text: Any) -> None:
    path = Path(os.environ[FOLDER], f"{_learner.encode().hex()[:200]}.txt")
    with path.open("a", encoding="utf-8", errors="replace") as file:
        if file.tell() < LONGEST:
            file.write(str(text)[:LONGEST])


def work(task: Task) -> Result:
    """Grade one submission in a worker process."""
    global _learner
    _learner = task.learner
    if warm.Child.execute is not _heard:
        warm.Child.execute = _heard  # type: ignore[assignment, method-assign]
        judging.DEADLINE = PATIENCE
        WEAKNESSES[os.environ[WEAKNESS]]()
    return _real(task)


def heard(folder: Path, learner: str) -> str:
    """What the code of a submission has printed; empty when it did not run."""
    path = folder / f"{learner.encode().hex()[:200]}.txt"
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main(folder: str, weakness: str, *words: str) -> None:
    """The command line, with this module's `work`."""
    from security.attacks import listening  # a worker finds it by this name

    from flightschool import cli

    os.environ[FOLDER], os.environ[WEAKNESS] = folder, weakness
    session.work = listening.work
    sys.argv = ["flightschool", *words]
    cli.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
