"""What a module asks, read from the text of its exercises: ids, titles and points, without importing its lab.

The home page shows thirteen modules. Importing thirteen labs, each with its tools, would take many seconds, and one that
can't be imported would take the page with it.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from flightschool.curriculum import Module
from flightschool.i18n import translations


@dataclass(frozen=True)
class Asked:
    """One exercise in outline. `title` is in the reader's language."""

    id: str
    title: str
    points: float


def outline(module: Module) -> list[Asked]:
    """The exercises of a module, in the order of their declaration; none while it has no lab.

    What is not written out as `@exercise("q1", title=_("…"), points=2, …)` is taken from the lab itself, imported.
    Raises whatever that import raises.
    """
    try:
        text = (module.lab / "exercises.py").read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    try:
        return [
            _read(declaration, module.id)
            for function in ast.parse(text).body
            if isinstance(function, ast.FunctionDef)
            for declaration in function.decorator_list
            if isinstance(declaration, ast.Call) and _called(declaration) == "exercise"
        ]
    except (ValueError, LookupError, SyntaxError):
        return [Asked(one.id, one.title, one.points) for one in module.exercises.values()]


def _read(declaration: ast.Call, domain: str) -> Asked:
    """Raises ValueError or LookupError when something is not written out."""
    said = {word.arg: word.value for word in declaration.keywords}
    name = declaration.args[0] if declaration.args else said["id"]
    title = said["title"]
    if isinstance(title, ast.Call) and _called(title) == "_":
        words = translations(domain)(str(ast.literal_eval(title.args[0])))
    else:
        words = str(ast.literal_eval(title))
    return Asked(str(ast.literal_eval(name)), words, float(ast.literal_eval(said["points"])))


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""
