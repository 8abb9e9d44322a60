"""A chart of a gate: which step stops which commit."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt

if TYPE_CHECKING:
    from .runner import Run

WELL, STOPPED, NOT_RUN = "#0072B2", "#D55E00", "#DDDDDD"


def chart(messages: Sequence[str], runs: Sequence[Run]) -> str:
    """Draw one row a commit and one column a step; return the same in words.

    A dot is a step that was well, a cross one that failed; what comes after a cross was not run.
    """
    steps = list(dict.fromkeys(step.name for run in runs for step in run.steps))
    height = 0.4 * len(runs) + 1.8
    figure, axes = plt.subplots(figsize=(9, height), layout="constrained")
    said = []
    for row, (message, run) in enumerate(zip(messages, runs, strict=True)):
        results = {step.name: step.result for step in run.steps}
        for column, step in enumerate(steps):
            result = results.get(step)
            colour, marker = {"success": (WELL, "o"), "failure": (STOPPED, "X")}.get(
                str(result), (NOT_RUN, "_")
            )
            axes.scatter(column, row, color=colour, marker=marker, s=90)
        stopped = next((short(name) for name, result in results.items() if result == "failure"), None)
        said.append(f"{message}: " + (f"stopped by {stopped}" if stopped else run.conclusion))
    axes.set_yticks(
        range(len(messages)), [textwrap.shorten(message, 40, placeholder=" …") for message in messages]
    )
    axes.set_xticks(range(len(steps)), [short(step) for step in steps], rotation=30, ha="right")
    axes.invert_yaxis()
    axes.set_title("Where each commit is stopped (● well, ✖ failed, – not run)")
    axes.margins(x=0.05, y=0.2)
    axes.spines[:].set_visible(False)
    plt.show()
    plt.close(figure)
    return "The chart in words:\n" + "\n".join(f"- {line}" for line in said)


def short(step: str) -> str:
    """A step's name, short enough for an axis."""
    first = step.splitlines()[0].split("@")[0].removeprefix("python -m tools.")
    return textwrap.shorten(first, 26, placeholder=" …")
