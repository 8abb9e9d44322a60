"""The author's kit of fixtures: answers to exercises, said to pass, to fail for a reason, or to be untouched.

`tests/labs/NN_topic/answers.py` holds functions `(world) -> answer` under these decorators; `test_exercises.py` runs them all.
"""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
Answer = Callable[[Any], Any]


@dataclass(frozen=True)
class Fixture:
    """One answer to one exercise: `kind` is passing, failing or untouched; `because` stands in a failing one's verdict."""

    exercise: str
    kind: str
    name: str
    answer: Answer
    because: str = ""
    slow: bool = False


def _declare(kind: str, exercise: str, because: str = "", slow: bool = False) -> Callable[[Answer], Fixture]:
    return lambda answer: Fixture(exercise, kind, answer.__name__, answer, because, slow)


def passing(exercise: str, *, slow: bool = False) -> Callable[[Answer], Fixture]:
    """An answer that must pass on every world. `slow`: only on two worlds."""
    return _declare("passing", exercise, slow=slow)


def failing(exercise: str, *, because: str, slow: bool = False) -> Callable[[Answer], Fixture]:
    """A mistake that people make; its verdict must not pass, and must say `because` (any case)."""
    return _declare("failing", exercise, because, slow)


def untouched(exercise: str) -> Callable[[Answer], Fixture]:
    """What the stub leaves."""
    return _declare("untouched", exercise)


def fixtures(module_id: str) -> list[Fixture]:
    """All fixtures of a module, in the order in which they stand."""
    path = HERE / module_id / "answers.py"
    name = f"answers_{module_id}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return [item for item in vars(sys.modules[name]).values() if isinstance(item, Fixture)]
