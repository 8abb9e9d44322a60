"""What came of an executed solution: how it ended, what its own checks say, what it took."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from flightschool.learn.display import VERDICT_MIME

NO_VERDICT = "no verdict"


class Ending(StrEnum):
    """What became of a notebook."""

    OK = "ok"
    CHECKS = "checks not passed"
    FAILED = "failed"
    KILLED = "killed"
    TIMED_OUT = "timed out"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Result:
    """One notebook's run.

    `minutes` is wall time; `memory` the largest sum of resident memory, in bytes, of its process tree with all the
    servers that it started, sampled (pages that two processes share count twice). `reason` is one line for a person,
    empty when all is well. When `cached`, nothing was executed, and all this is of an earlier run.
    """

    name: str
    ending: Ending
    minutes: float
    memory: int
    passed: int
    total: int
    reason: str
    notebook: Path | None
    """As executed, kept even when it failed."""
    html: Path | None
    cached: bool = False


def checks(notebook: Path) -> dict[str, str]:
    """The outcome of each check in an executed notebook: the last verdict on each exercise.

    A check cell without a verdict in its outputs counts as *no verdict*, so that a check which says nothing is not
    taken for one that passed.
    """
    found: dict[str, str] = {}
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        verdicts = {
            verdict["exercise"]: str(verdict["outcome"]) for verdict in _verdicts(cell.get("outputs", []))
        }
        marked = cell["metadata"].get("nbgrader", {})
        if marked.get("grade") and not marked.get("solution") and not verdicts:
            found.setdefault(marked["grade_id"].removesuffix("-check"), NO_VERDICT)
        found |= verdicts
    return found


def _verdicts(outputs: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for output in outputs:
        if verdict := output.get("data", {}).get(VERDICT_MIME):
            yield verdict
