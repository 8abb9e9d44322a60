"""What the warm process of a graded run does beside importing libraries: the course, its exercises, and all that is slow the first time.

What is imported, compiled and cached here is inherited by each submission, which then need not do it again.
"""

import os
import sys
from typing import Any

import pandas as pd
from IPython import get_ipython

import flightschool.learn  # noqa: F401
from flightschool import curriculum
from flightschool import services as _services  # noqa: F401
from flightschool.data import World as _World  # noqa: F401 - the first check asks for it
from flightschool.learn.evidence import table

CELLS = (
    "frame.head()",
    "frame.groupby('b').a.describe().round(1)",
    "frame.groupby('b').agg(n=('a', 'size'), most=('c', 'max')).reset_index()",
    "frame.a.isna().groupby(frame.b).sum()",
    "list(frame.groupby('b').a.mean().sort_values(ascending=False).nlargest(1).index)",
    "frame.assign(d=frame.a - 1).nlargest(2, 'd').merge(frame.drop_duplicates('b'), on='b')",
    "frame.pivot_table(index='b', values='a', aggfunc='sum').to_dict()",
    "def answer(frame):\n    return {b: float(part.a.mean()) for b, part in frame.groupby('b')}\n\n\nanswer(frame)",
    "1 / 0",
)
"""What notebooks do, in small; the last one has a traceback made."""


def warm(shell: Any) -> None:
    """Run CELLS in the shell, and leave it as it was: where nobody listens yet, outputs go nowhere."""
    frame = pd.DataFrame(
        {"a": [1.5, 2.5, None], "b": ["x", "y", "x"], "c": pd.to_datetime(["2013-02-08"] * 3)}
    )
    table(frame)
    with shell.builtin_trap, shell.display_trap, open(os.devnull, "w") as nowhere:  # noqa: PTH123
        out, sys.stdout = sys.stdout, nowhere
        try:
            shell.user_ns["frame"] = frame
            for cell in CELLS:
                shell.run_cell(cell, store_history=True)
        finally:
            sys.stdout = out
            shell.reset()


exercises = curriculum.module(os.environ["FLIGHTSCHOOL_MODULE"]).exercises
if "pyarrow.parquet" in sys.modules:
    import pyarrow.acero
    import pyarrow.dataset  # noqa: F401
if "matplotlib.pyplot" in sys.modules:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    axes.bar(["a", "b"], [1, 2])
    figure.canvas.draw()
    plt.close(figure)
if shell := get_ipython():
    warm(shell)
