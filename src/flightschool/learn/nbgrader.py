"""nbgrader's reading of a check: where nbgrader runs the notebook, a check returns the points that were earned.

nbgrader takes a check cell's marks from its outputs, in their order: an error or anything on stderr is worth nothing, a result that
reads as a number is worth that number, and all else is worth everything (`nbgrader.utils.determine_grade`, 0.9.6).
"""

from __future__ import annotations

import os

from flightschool.curriculum import Exercise, Verdict


def clear() -> None:
    """Where nbgrader runs the notebook, take back what the cell has put out so far: a warning on stderr would cost all points."""
    if _running():
        from IPython.display import clear_output

        clear_output()  # type: ignore[no-untyped-call]


def points(exercise: Exercise, verdict: Verdict) -> float | None:
    """Where nbgrader runs the notebook, the points that a verdict earns; None elsewhere."""
    # A judge may have computed its share in NumPy, whose numbers do not print as numbers.
    return float(exercise.points * verdict.share) if _running() else None


def _running() -> bool:
    """Whether `nbgrader autograde` or `nbgrader validate` does; both set this variable for the kernel."""
    return "NBGRADER_EXECUTION" in os.environ
