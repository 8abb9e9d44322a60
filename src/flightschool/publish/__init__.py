"""Publishing: `solutions/NN_topic.py` becomes `notebooks/NN_topic.ipynb`, and templates for translators.

`build` makes them all and `check` says what differs; `solution_notebook` is one module solved, ready to execute;
`carry_answers` takes a learner's answers along to a newer notebook.
"""

from flightschool.publish.answers import carry_answers
from flightschool.publish.house import House
from flightschool.publish.press import (
    Built,
    Difference,
    Kept,
    State,
    build,
    check,
    solution_notebook,
    write_solutions,
)
from flightschool.publish.source import Problem, SourceError

__all__ = [
    "Built",
    "Difference",
    "House",
    "Kept",
    "Problem",
    "SourceError",
    "State",
    "build",
    "carry_answers",
    "check",
    "solution_notebook",
    "write_solutions",
]
