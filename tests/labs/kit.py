"""The author's kit of fixtures: answers to exercises, said to pass, to fail for a reason, or to be untouched.

`tests/labs/NN_topic/answers.py` holds functions `(world) -> answer` under these decorators; `test_exercises.py` runs them all.
"""

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).parent
SEEDS = (0, 7, 42, 1903, 20130208, 99991)
"""The learner's world and five others."""

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

    @property
    def seeds(self) -> tuple[int, ...]:
        """The worlds that it is tried on."""
        return SEEDS[:2] if self.slow else SEEDS


def _declare(kind: str, exercise: str, because: str = "", slow: bool = False) -> Callable[[Answer], Fixture]:
    def declare(answer: Answer) -> Fixture:
        fixture = Fixture(exercise, kind, answer.__name__, answer, because, slow)
        # A second function of the same name would quietly take the place of the first.
        declared = answer.__globals__.setdefault("__fixtures__", {})  # type: ignore[attr-defined]
        if answer.__name__ in declared:
            raise ValueError(f"{answer.__globals__['__file__']}: two fixtures are called {answer.__name__}")  # type: ignore[attr-defined]
        declared[answer.__name__] = fixture
        return fixture

    return declare


def passing(exercise: str, *, slow: bool = False) -> Callable[[Answer], Fixture]:
    """An answer that must pass on every world. `slow`: only on two worlds."""
    return _declare("passing", exercise, slow=slow)


def failing(exercise: str, *, because: str, slow: bool = False) -> Callable[[Answer], Fixture]:
    """A mistake that people make; its verdict must not pass, and must say `because` (any case)."""
    if not because.strip():
        raise ValueError("a failing answer needs the words by which its verdict names the mistake")
    return _declare("failing", exercise, because, slow)


def untouched(exercise: str) -> Callable[[Answer], Fixture]:
    """What the stub leaves."""
    return _declare("untouched", exercise)


def answers(module_id: str) -> ModuleType:
    """A module's `answers.py`, imported once. Raises FileNotFoundError when the module has none."""
    path = HERE / module_id / "answers.py"
    name = f"answers_{module_id}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[name] = loaded
        try:
            spec.loader.exec_module(loaded)
        except BaseException:
            del sys.modules[name]  # else a half of it would be found the next time
            raise
    return sys.modules[name]


def fixtures(module_id: str) -> list[Fixture]:
    """All fixtures of a module, in the order in which they stand."""
    return [item for item in vars(answers(module_id)).values() if isinstance(item, Fixture)]


def draft(module_id: str) -> str:
    """What is still to come in a module under construction: `DRAFT = "…"` in its answers.py; empty when it is finished."""
    return str(getattr(answers(module_id), "DRAFT", ""))
