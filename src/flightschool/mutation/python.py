"""Mistakes in Python that works on data: operators over the syntax tree of the standard library.

Left alone: imports, annotations, decorators, docstrings, what is raised, and lines marked `# pragma: no mutate`.
SQL within a string is mutated by the operators for SQL (see `embedded`).
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from flightschool.mutation.mutants import GRAMMARS, Mutant, Operator, change, off_by_one

PRAGMA = re.compile(r"#\s*pragma:\s*no mutate\b")

CONFUSED: dict[str, tuple[str, ...]] = {
    "dep_time": ("arr_time", "sched_dep_time"),
    "arr_time": ("dep_time",),
    "dep_delay": ("arr_delay",),
    "arr_delay": ("dep_delay",),
    "air_time": ("distance",),
    "sched_dep_time": ("dep_time",),
    "origin": ("dest",),
    "carrier": ("origin",),
    "year": ("month",),
    "time_hour": ("hour",),
    "queued_at": ("started_at",),
    "started_at": ("queued_at",),
    "finished_at": ("started_at",),
    "began_at": ("detected_at",),
    "restored_at": ("detected_at",),
    "committed_at": ("deployed_at",),
    "deployment": ("change",),
    "at": ("received_at",),
    "received_at": ("flight_date",),
    "cancelled": ("diverted",),
    "on_time": ("flights",),
    "scheduled": ("on_time",),
}
"""Columns that people take for one another."""

CALLS: dict[str, tuple[str, ...]] = {
    "sum": ("count", "mean", "max"),
    "count": ("sum", "nunique"),
    "nunique": ("count",),
    "size": ("nunique",),
    "mean": ("median", "sum"),
    "median": ("mean", "max"),
    "prod": ("mean", "min"),
    "min": ("max",),
    "max": ("min",),
    "any": ("all",),
    "all": ("any",),
    "first": ("last",),
    "last": ("first",),
    "idxmax": ("idxmin",),
    "idxmin": ("idxmax",),
    "isna": ("notna",),
    "notna": ("isna",),
    "is_null": ("is_not_null",),
    "is_not_null": ("is_null",),
    "floor": ("ceil", "round"),
    "head": ("tail",),
    "n_unique": ("count",),
    "len": ("n_unique",),
}
"""Methods that people take for one another."""

DROPPED = {
    "drop_duplicates", "dropna", "fillna", "fill_null", "drop_nulls", "sort_values", "sort", "sort_index", "distinct",
    "unique", "filter", "where", "mask", "query", "head", "limit", "tz_convert", "tz_localize", "coalesce", "shift",
    "clip", "strip", "lower", "round", "isin",
}  # fmt: skip
"""Methods whose call may be left out: the frame goes on as it was."""

WORDS: dict[str, tuple[str, ...]] = {
    "left": ("inner",),
    "inner": ("left",),
    "outer": ("inner",),
    "first": ("last",),
    "last": ("first",),
    "w": ("a",),
    "wb": ("ab",),
    "UTC": ("America/New_York",),
    "America/New_York": ("UTC",),
    "delete_matching": ("overwrite_or_ignore",),
    "30min": ("60min", "15min"),
    "30m": ("1h",),
    "h": ("D",),
    "hive": ("directory",),
}
"""Settings given as text, and what people give instead."""

NEGATED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.FloorDiv,),
}


INCIDENTAL = {
    "strict",
    "newline",
    "lineterminator",
    "encoding",
    "nan_to_null",
    "check",
    "exist_ok",
    "parents",
}
"""Keyword arguments that guard or spell a thing and decide nothing about the data; they are left alone."""


@dataclass(frozen=True)
class Replacement:
    """A node for another, where the change is better told in words of its own than by the code's text."""

    node: ast.AST
    operator: str
    before: str
    after: str


class PythonOperator(Operator):
    """A mistake in Python."""

    kind: ClassVar[str] = "python"


def variant(node: Any, **fields: Any) -> Any:
    """A copy of the node with some fields changed."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


class RelationalOperatorReplacement(PythonOperator):
    """`<` for `<=`, `==` for `!=`, `in` for `not in`."""

    code = "ROR"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, ast.Compare):
            for place, operator in enumerate(node.ops):
                for other in NEGATED[type(operator)]:
                    yield variant(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])


class ArithmeticOperatorReplacement(PythonOperator):
    """`+` for `-`, `*` for `/`, whole division for division."""

    code = "AOR"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, ast.BinOp | ast.AugAssign):
            for other in ARITHMETIC.get(type(node.op), ()):
                yield variant(node, op=other())


class LogicalConnectorReplacement(PythonOperator):
    """`and` for `or`, `&` for `|`; or one side of it only."""

    code = "LCR"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, ast.BoolOp):
            yield variant(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
            for left_out in range(len(node.values)):
                rest = [value for place, value in enumerate(node.values) if place != left_out]
                yield rest[0] if len(rest) == 1 else variant(node, values=rest)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
            yield variant(node, op=ast.BitOr() if isinstance(node.op, ast.BitAnd) else ast.BitAnd())
            yield node.left
            yield node.right


class UnaryOperatorDeletion(PythonOperator):
    """`not`, `~` or a minus left out."""

    code = "UOD"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, ast.UnaryOp):
            yield node.operand


class ConstantReplacement(PythonOperator):
    """A number one higher or lower (off by one), a truth value turned round, a setting taken for another."""

    code = "CRP"

    def mutate(self, node: Any) -> Iterator[Any]:
        if not isinstance(node, ast.Constant):
            return
        value = node.value
        if isinstance(value, bool):
            yield variant(node, value=not value)
        elif isinstance(value, int | float):
            yield from (variant(node, value=near) for near in off_by_one(value))
        elif isinstance(value, str):
            for other in WORDS.get(value, ()):
                yield variant(node, value=other)
            if value in ("a", "b", "c", "d"):  # the letters of a quiz
                yield variant(node, value="abcda"["abcd".index(value) + 1])


class IdentifierReplacement(PythonOperator):
    """One column taken for another."""

    code = "IRC"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, ast.Attribute):
            for other in CONFUSED.get(node.attr, ()):
                yield variant(node, attr=other)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for other in CONFUSED.get(node.value, ()):
                yield variant(node, value=other)


class CallReplacement(PythonOperator):
    """One method taken for another: a mean for a median, a count for a sum."""

    code = "CRC"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                for other in CALLS.get(node.func.attr, ()):
                    yield variant(node, func=variant(node.func, attr=other))
            elif isinstance(node.func, ast.Name) and node.func.id in ("min", "max", "any", "all"):
                (other,) = CALLS[node.func.id]
                yield variant(node, func=variant(node.func, id=other))
        elif isinstance(node, ast.Tuple) and len(node.elts) == 2:
            # A named aggregation of pandas: ("flight", "size").
            column, how = node.elts
            if isinstance(how, ast.Constant):
                for other in CALLS.get(how.value, ()) if isinstance(how.value, str) else ():
                    yield variant(node, elts=[column, variant(how, value=other)])


class CallDeletion(PythonOperator):
    """A step left out of a chain: no drop_duplicates, no dropna, no sort_values, no `sorted`."""

    code = "CDL"

    def mutate(self, node: Any) -> Iterator[Any]:
        if not isinstance(node, ast.Call):
            return
        if isinstance(node.func, ast.Attribute) and node.func.attr in DROPPED:
            yield node.func.value
        elif isinstance(node.func, ast.Name) and node.func.id in ("sorted", "set") and node.args:
            yield ast.Call(func=ast.Name("list", ast.Load()), args=node.args[:1], keywords=[])


class FilterDeletion(PythonOperator):
    """All rows where some were asked for: `frame` for `frame[condition]`; a comprehension without its `if`."""

    code = "FDL"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and condition(node.slice):
            yield node.value
        elif isinstance(node, ast.comprehension) and node.ifs:
            for left_out in range(len(node.ifs)):
                yield variant(node, ifs=[test for place, test in enumerate(node.ifs) if place != left_out])


def condition(node: ast.AST) -> bool:
    """Whether an index is a condition on rows."""
    if isinstance(node, ast.Compare | ast.UnaryOp):
        return not isinstance(getattr(node, "op", None), ast.USub)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.BitAnd | ast.BitOr)
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("isna", "notna", "isin", "between", "duplicated")
    )


class KeywordReplacement(PythonOperator):
    """A keyword argument left out, so that the library's default holds."""

    code = "KDL"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, ast.Call):
            for left_out, keyword in enumerate(node.keywords):
                if keyword.arg not in {None, *INCIDENTAL} and isinstance(
                    keyword.value, ast.Constant | ast.List
                ):
                    rest = [one for place, one in enumerate(node.keywords) if place != left_out]
                    yield variant(node, keywords=rest)


class KeyDeletion(PythonOperator):
    """One column too few in a key: `groupby(["origin"])` for `groupby(["origin", "carrier"])`."""

    code = "GRU"

    def mutate(self, node: Any) -> Iterator[Any]:
        if (
            isinstance(node, ast.List)
            and isinstance(node.ctx, ast.Load)
            and len(node.elts) > 1
            and all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in node.elts)
        ):
            for left_out in range(len(node.elts)):
                yield variant(node, elts=[one for place, one in enumerate(node.elts) if place != left_out])


class ConditionDecided(PythonOperator):
    """A decision that always goes one way."""

    code = "COD"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, ast.If | ast.IfExp):
            for value in (True, False):
                yield variant(node, test=ast.Constant(value))


class StatementDeletion(PythonOperator):
    """A statement left out: a call made for its effect, a column set, an addition, a `continue`."""

    code = "SDL"

    def mutate(self, node: Any) -> Iterator[Any]:
        deletable = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        deletable |= isinstance(node, ast.AugAssign | ast.Continue | ast.Break)
        if isinstance(node, ast.Assign):
            deletable |= all(isinstance(target, ast.Subscript | ast.Attribute) for target in node.targets)
        if deletable:
            yield ast.Pass()


class DayShift(PythonOperator):
    """A day too late, or the day of another time zone."""

    code = "DAY"

    def mutate(self, node: Any) -> Iterator[Any]:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "to_datetime"
        ):
            for hours in (24, -5):
                shift = ast.parse(f"pd.Timedelta(hours={hours})", mode="eval").body
                yield ast.BinOp(left=node, op=ast.Add(), right=shift)


class EmbeddedSql(PythonOperator):
    """A mistake in the SQL of a string, by the operators for SQL."""

    code = "SQL"

    def mutate(self, node: Any) -> Iterator[Any]:
        from flightschool.mutation.embedded import mutate_literal

        if isinstance(node, ast.JoinedStr) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str)
        ):
            yield from mutate_literal(node)


@dataclass(frozen=True)
class Place:
    """Where a node hangs: a field of its parent, or an item of a list there; `statement` encloses it."""

    parent: ast.AST
    field: str
    index: int | None
    node: ast.AST
    statement: ast.AST

    def put(self, node: ast.AST) -> None:
        """Hang another node here."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


def places(tree: ast.AST, statement: ast.AST | None = None) -> Iterator[Place]:
    """All places that may be mutated, in the order of the text."""
    for field, value in ast.iter_fields(tree):
        if field in ("annotation", "returns", "decorator_list", "format_spec", "type_comment"):
            continue
        for index, node in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(node, ast.AST) or isinstance(node, ast.Import | ast.ImportFrom | ast.Raise):
                continue
            if isinstance(node, ast.keyword) and node.arg in INCIDENTAL:
                continue
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue  # a docstring
            around = node if isinstance(node, ast.stmt) or statement is None else statement
            # How far a number is rounded is left to the learner by every judge.
            rounding = (
                isinstance(tree, ast.Call) and named(tree.func) == "round" and isinstance(node, ast.Constant)
            )
            if not rounding and not (isinstance(tree, ast.JoinedStr) and isinstance(node, ast.Constant)):
                yield Place(tree, field, index, node, around)
            yield from places(node, around)


def named(function: ast.expr) -> str:
    """The last part of a function's name."""
    return str(getattr(function, "attr", getattr(function, "id", "")))


def grammar(source: str, operators: Collection[Operator], touch: Callable[[int], bool]) -> Iterator[Mutant]:
    """The mutants of a Python text; a statement is touched when one of its own lines may be."""
    tree = ast.parse(source)
    untouchable = pragmas(source, tree)
    original = ast.unparse(tree)
    for place in list(places(tree)):
        if untouchable.intersection(own_lines(place.statement)) or not any(
            map(touch, own_lines(place.statement))
        ):
            continue
        line = getattr(place.node, "lineno", getattr(place.statement, "lineno", 1))
        for operator in operators:
            for found in operator.mutate(place.node):
                told = found if isinstance(found, Replacement) else None
                place.put(found.node if isinstance(found, Replacement) else found)
                mutated = ast.unparse(ast.fix_missing_locations(tree))
                place.put(place.node)
                if mutated == original or not compiles(mutated):
                    continue
                before, after = (told.before, told.after) if told else change(original, mutated)
                yield Mutant("python", told.operator if told else operator.code, line, mutated, before, after)


def own_lines(statement: ast.AST) -> range:
    """The lines of a statement without those of the statements within it."""
    first = getattr(statement, "lineno", 1)
    body = getattr(statement, "body", None)
    if isinstance(body, list) and body:
        return range(first, max(first, body[0].lineno - 1) + 1)
    return range(first, (getattr(statement, "end_lineno", None) or first) + 1)


def pragmas(source: str, tree: ast.Module) -> set[int]:
    """The lines that must stay as they are; a mark on a `def` holds for the whole function."""
    marked = {n for n, line in enumerate(source.splitlines(), 1) if PRAGMA.search(line)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and marked.intersection(own_lines(node)):
            marked.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return marked


def compiles(source: str) -> bool:
    """Whether the text is Python at all."""
    try:
        compile(source, "<mutant>", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


GRAMMARS["python"] = grammar
