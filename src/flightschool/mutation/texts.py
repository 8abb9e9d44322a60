"""Answers that are texts (a Dockerfile, a compose file, a hook): what kind each text is, and its mutants.

Such an answer is mutated as it leaves the fixture, whatever it was put together from.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

import yaml  # type: ignore[import-untyped]

from flightschool.mutation.mutants import Mutant, mutants
from flightschool.mutation.yaml import read, written


def texts(answer: Any) -> dict[str, str]:
    """The texts of an answer by their keys; an answer that is one text has the key ""."""
    if isinstance(answer, str):
        return {"": answer}
    if isinstance(answer, dict):
        return {
            name: text for name, text in answer.items() if isinstance(name, str) and isinstance(text, str)
        }
    return {}


def kind_of(name: str, text: str) -> str:
    """The kind of a text, such as `yaml`; empty for one that can't be mutated."""
    if name == ".dockerignore":
        return "dockerignore"
    if "\n" not in text.strip():
        return ""
    if re.search(r"^FROM\s+\S", text, re.MULTILINE):
        return "dockerfile"
    if re.match(r"#!.*\b(ba)?sh\b", text):
        return "shell"
    try:
        tree = ast.parse(text)
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body):
            return "python"
    except SyntaxError:
        pass
    try:
        return "yaml" if isinstance(read(text), dict) else ""
    except yaml.YAMLError:
        return ""


def rewritten_text(name: str, text: str) -> str | None:
    """The text as its mutants are written, and no mistake; None for one that stays as it is written."""
    kind = kind_of(name, text)
    if kind == "python":
        return ast.unparse(ast.parse(text))
    return written(read(text)) if kind == "yaml" else None


def text_mutants(answer: Any) -> Iterator[tuple[str, Mutant]]:
    """Key and mutant, for each text of an answer."""
    for name, text in texts(answer).items():
        if kind := kind_of(name, text):
            for one in mutants(text, kind):
                yield name, one


def spoilt(answer: Any, name: str, text: str) -> Any:
    """The answer with another text in that place."""
    return {**answer, name: text} if name else text
