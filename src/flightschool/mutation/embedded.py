"""SQL within Python: a string, or an f-string whose gaps stand for names and values while the SQL is mutated."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sqlglot.errors import SqlglotError

from flightschool.mutation.mutants import mutants
from flightschool.mutation.python import Replacement

SQL = re.compile(
    r"^\s*\(?\s*(with|select|from|insert|delete|update|create|copy|merge)\s|\bselect\s|^[\w.\"]+ = \? and ",
    re.IGNORECASE,
)
GAP = re.compile(r"zz_gap_(\d+)_zz", re.IGNORECASE)


def mutate_literal(node: ast.Constant | ast.JoinedStr) -> Iterator[Replacement]:
    """The string with one mistake in its SQL; nothing when it is no SQL."""
    text, gaps = opened(node)
    if not SQL.search(text):
        return
    try:
        found = mutants(text, "sql")
    except SqlglotError:
        return
    for mutant in found:
        shown = (GAP.sub(r"{…}", side) for side in (mutant.before, mutant.after))
        yield Replacement(closed(mutant.source, gaps), mutant.operator, *shown)


def rewritten(node: ast.Constant | ast.JoinedStr) -> ast.expr | None:
    """The string with its SQL as the mutants write it, and no mistake; None when it is no SQL."""
    from flightschool.mutation.sql import parse, write

    text, gaps = opened(node)
    if not SQL.search(text):
        return None
    try:
        return closed(write(parse(text)), gaps)
    except SqlglotError:
        return None


def opened(node: ast.Constant | ast.JoinedStr) -> tuple[str, list[ast.expr]]:
    """The text with a name in the place of each gap, and the gaps."""
    if isinstance(node, ast.Constant):
        return str(node.value), []
    text = ""
    gaps: list[ast.expr] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        else:
            text += f"zz_gap_{len(gaps)}_zz"
            gaps.append(part)
    return text, gaps


def closed(text: str, gaps: list[ast.expr]) -> ast.expr:
    """The string again, with its gaps."""
    if not gaps:
        return ast.Constant(text)
    pieces = GAP.split(text)  # text, number, text, number, …, text
    values: list[ast.expr] = []
    for place, piece in enumerate(pieces):
        if place % 2:
            values.append(gaps[int(piece)])
        elif piece:
            values.append(ast.Constant(piece))
    return ast.JoinedStr(values)
