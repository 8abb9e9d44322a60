"""Module 05 with an engine: its tests, and its solution, whose checks build, run and inspect each image for real."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from engine import Engine, TrialError, run
from grading import BIN, ROOT

TESTS = "tests/labs/05_docker/test_engine.py"
MODULE = "05"


def tests(engine: Engine) -> str:
    """What came of its tests, in a line.

    Raises:
        TrialError: one failed or was skipped.
    """
    with _asked(engine) as environment:
        said = run(BIN / "python", "-m", "pytest", "-q", "-rs", TESTS, cwd=ROOT, env=environment)
    passed = re.search(r"^(\d+) passed in ", said, re.MULTILINE)
    if passed is None:
        raise TrialError(
            f"module 05's tests with an engine were not all run: {' | '.join(said.splitlines()[-4:])}"
        )
    return f"{passed[1]} tests passed, none skipped"


def notebook(engine: Engine) -> str:
    """What came of its solution. Raises TrialError: an exercise was not passed."""
    with _asked(engine) as environment:
        return run(BIN / "flightschool", "run", MODULE, cwd=ROOT, env=environment).rstrip()


@contextmanager
def _asked(engine: Engine) -> Iterator[dict[str, str]]:
    """The environment of a process that asks this engine and leaves nobody's progress behind."""
    with tempfile.TemporaryDirectory(prefix="flightschool-lessons-") as place:
        kept = {name: value for name, value in engine.environment.items() if name != "FLIGHTSCHOOL_DOCKER"}
        yield {**kept, "FLIGHTSCHOOL_STATE": place, "FLIGHTSCHOOL_WORKSPACE": place}
