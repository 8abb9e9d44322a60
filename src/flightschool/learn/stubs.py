"""Untouched stubs: is there anything of the learner's to look at?"""

from __future__ import annotations

import dis
import types
from typing import Any

_NOTHING = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "COPY_FREE_VARS", "MAKE_CELL"}


def untouched(answer: Any) -> bool:
    """Whether `answer` is still what the stub left: `...`, a function with an empty body, or a container of these only."""
    if answer is ...:
        return True
    if isinstance(answer, types.FunctionType):
        return _empty(answer)
    if isinstance(answer, dict):
        return bool(answer) and all(untouched(item) for item in answer.values())
    if isinstance(answer, (list, tuple)):
        return bool(answer) and all(untouched(item) for item in answer)
    return False


def _empty(function: types.FunctionType) -> bool:
    """Whether the body does nothing but return None or `...` (a docstring is nothing, too)."""
    for step in dis.get_instructions(function):
        if step.opname not in _NOTHING:
            return False
        if step.opname in ("LOAD_CONST", "RETURN_CONST") and step.argval not in (None, ...):
            return False
    return True
