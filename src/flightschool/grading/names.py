"""The global names that a cell of Python binds, and those that it reads and has not bound itself.

The code is a learner's: it is parsed and never run, and only up to a length at which the parser is safe from deep nesting.
"""

import ast
import re
import symtable
import warnings
from collections.abc import Iterator

LONGEST = 10_000
"""Characters that are parsed; longer code counts as reading every word in it."""

CANNOT_PARSE = (SyntaxError, ValueError, RecursionError, MemoryError)

_WORD = re.compile(r"(?<![\w.])[^\W\d]\w*")
_BINDING = re.compile(
    r"^(?:(?:async[ \t]{1,9})?def[ \t]{1,9}(?P<function>\w+)|class[ \t]{1,9}(?P<type>\w+)"
    r"|(?P<targets>[^\W\d]\w*(?:[ \t]{0,9},[ \t]{0,9}[^\W\d]\w*){0,20})[ \t]{0,9}(?::[^=\n]{1,200})?=(?!=))",
    re.MULTILINE,
)


def words(code: str) -> frozenset[str]:
    """All words of the code that aren't attributes, comments and texts included."""
    return frozenset(_WORD.findall(code))


def defined(code: str) -> frozenset[str]:
    """Names of the functions, classes and variables that lines at the margin define, also when the code doesn't parse."""
    found: set[str] = set()
    for match in _BINDING.finditer(code):
        found |= {
            name.strip() for name in (match["function"] or match["type"] or match["targets"]).split(",")
        }
    return frozenset(found)


def bound(code: str) -> frozenset[str]:
    """Every global name that the code binds, imports and loop variables too; what `defined` finds when it doesn't parse."""
    try:
        parsed, top, inner = _parsed(code)
        stored = {name for name, stored in _uses(parsed) if stored}
    except CANNOT_PARSE:
        return defined(code)
    # The compiler takes `a: int` for an assignment.
    found = {
        one.get_name()
        for one in top.get_symbols()
        if one.is_imported()
        or (one.is_assigned() and not (one.is_annotated() and one.get_name() not in stored))
    }
    for scope in inner:
        found |= {
            one.get_name() for one in scope.get_symbols() if one.is_declared_global() and one.is_assigned()
        }
    return frozenset(found)


def read(code: str) -> frozenset[str]:
    """Global names that the code reads before it binds them, builtins among them; all `words` when it can't be parsed."""
    if len(code) > LONGEST:
        return words(code)
    try:
        parsed, _top, inner = _parsed(code)
        seen: set[str] = set()
        found: set[str] = set()
        for name, stored in _uses(parsed):
            if stored:
                seen.add(name)
            elif name not in seen:
                found.add(name)
    except CANNOT_PARSE:
        return words(code)
    # What stands in functions is read when they are called, which is after this cell.
    for scope in inner:
        found |= {
            one.get_name() for one in scope.get_symbols() if one.is_referenced() and one.is_global()
        } - seen
    return frozenset(found)


def tree(code: str) -> ast.Module:
    """The syntax tree, without the parser's warnings. Raises one of CANNOT_PARSE."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(code)


def _parsed(code: str) -> tuple[ast.Module, symtable.SymbolTable, list[symtable.SymbolTable]]:
    """The tree, the outermost scope, and all scopes in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        top = symtable.symtable(code, "<cell>", "exec")
    scopes = [top]
    for scope in scopes:  # grows meanwhile
        scopes += scope.get_children()
    return tree(code), top, scopes[1:]


def _uses(node: ast.AST) -> Iterator[tuple[str, bool]]:
    """Names in the order in which the outermost scope reads (False) and binds (True) them."""
    match node:
        case ast.Name():
            yield node.id, not isinstance(node.ctx, ast.Load)
            return
        case ast.Assign():
            parts: list[ast.AST | None] = [node.value, *node.targets]
        case ast.AugAssign():
            if isinstance(node.target, ast.Name):
                yield node.target.id, False
            parts = [node.value, node.target]
        case ast.AnnAssign():
            parts = [node.annotation, node.value, node.target if node.value else None]
        case ast.NamedExpr():
            parts = [node.value, node.target]
        case ast.For() | ast.AsyncFor():
            parts = [node.iter, node.target, *node.body, *node.orelse]
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            for part in (*node.decorator_list, node.args):
                yield from _uses(part)
            yield node.name, True
            return
        case ast.arguments():
            parts = [*node.defaults, *node.kw_defaults]
        case ast.Lambda():
            parts = [node.args]
        case ast.ClassDef():
            for part in (*node.decorator_list, *node.bases, *node.keywords):
                yield from _uses(part)
            yield node.name, True
            return
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            parts = [node.generators[0].iter]  # the rest is a scope of its own
        case ast.Import() | ast.ImportFrom():
            for alias in node.names:
                yield alias.asname or alias.name.split(".")[0], True
            return
        case ast.ExceptHandler(name=str(name)):
            yield name, True
            parts = [node.type, *node.body]
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name, True
            parts = list(ast.iter_child_nodes(node))
        case _:
            parts = list(ast.iter_child_nodes(node))
    for child in parts:
        if child is not None:
            yield from _uses(child)
