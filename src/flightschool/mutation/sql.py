"""Mistakes in SQL: operators over sqlglot's tree, named as in the literature on mutating SQL queries."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp

from flightschool.mutation.mutants import GRAMMARS, Mutant, Operator, change, off_by_one
from flightschool.mutation.python import CONFUSED

DIALECT = "duckdb"

RELATIONAL: dict[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.LT: (exp.LTE, exp.GT),
    exp.LTE: (exp.LT, exp.GT),
    exp.GT: (exp.GTE, exp.LT),
    exp.GTE: (exp.GT, exp.LT),
    exp.EQ: (exp.NEQ,),
    exp.NEQ: (exp.EQ,),
}
ARITHMETIC: dict[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.Add: (exp.Sub,),
    exp.Sub: (exp.Add,),
    exp.Mul: (exp.Div,),
    exp.Div: (exp.Mul, exp.IntDiv),
    exp.IntDiv: (exp.Div,),
}
AGGREGATES: dict[type[exp.Expr], tuple[type[exp.Expr], ...]] = {
    exp.Sum: (exp.Avg, exp.Max),
    exp.Avg: (exp.Median, exp.Sum),
    exp.Median: (exp.Avg,),
    exp.Min: (exp.Max,),
    exp.Max: (exp.Min,),
    exp.First: (exp.Last,),
    exp.Last: (exp.First,),
}


class SqlOperator(Operator):
    """A mistake in SQL."""

    kind: ClassVar[str] = "sql"


def without(node: exp.Expr, **fields: Any) -> exp.Expr:
    """A copy with some of its arguments set, or removed by None."""
    other = node.copy()
    for name, value in fields.items():
        other.set(name, value)
    return other


def shorter(node: exp.Expr, name: str) -> Iterator[exp.Expr]:
    """Copies whose list argument lacks one item each."""
    items = node.args.get(name) or []
    for left_out in range(len(items)):
        other = node.copy()
        other.set(name, [item for place, item in enumerate(other.args[name]) if place != left_out])
        yield other


class SqlRelational(SqlOperator):
    """`<` for `<=`, `=` for `<>`."""

    code = "ROR"

    def mutate(self, node: Any) -> Iterator[Any]:
        for other in RELATIONAL.get(type(node), ()):
            yield other(this=node.this.copy(), expression=node.expression.copy())


class SqlArithmetic(SqlOperator):
    """`+` for `-`, whole division for division."""

    code = "AOR"

    def mutate(self, node: Any) -> Iterator[Any]:
        for other in ARITHMETIC.get(type(node), ()):
            yield other(this=node.this.copy(), expression=node.expression.copy())


class SqlLogical(SqlOperator):
    """AND for OR, or one side of it only."""

    code = "LCR"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, exp.And | exp.Or):
            other = exp.Or if isinstance(node, exp.And) else exp.And
            yield other(this=node.this.copy(), expression=node.expression.copy())
            yield node.this.copy()
            yield node.expression.copy()


class SqlConstant(SqlOperator):
    """A number one higher or lower."""

    code = "CRP"

    def mutate(self, node: Any) -> Iterator[Any]:
        if not isinstance(node, exp.Literal) or node.is_string or not node.this.isdigit():
            return
        if isinstance(node.parent, exp.Round):
            return  # how far a number is rounded is left to the learner by every judge
        for other in off_by_one(int(node.this)):
            if other >= 0:
                yield exp.Literal.number(other)


class SqlNull(SqlOperator):
    """Nulls seen where none are, and left where they were seen to: IS NULL turned round, COALESCE or NULLIF left out."""

    code = "NLS"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, exp.Is) and not isinstance(node.parent, exp.Not):
            yield exp.Not(this=node.copy())
        elif isinstance(node, exp.Not | exp.Coalesce | exp.Nullif):
            yield node.this.copy()


class SqlAggregate(SqlOperator):
    """A mean for a sum, count(column) for count(*), a count without its DISTINCT."""

    code = "AGR"

    def mutate(self, node: Any) -> Iterator[Any]:
        for other in AGGREGATES.get(type(node), ()):
            yield other(this=node.this.copy())
        if isinstance(node, exp.Count):
            if isinstance(node.this, exp.Distinct):
                yield exp.Count(this=node.this.expressions[0].copy())
            elif not isinstance(node.this, exp.Star):
                yield exp.Count(this=exp.Star())
                yield exp.Count(this=exp.Distinct(expressions=[node.this.copy()]))
        if isinstance(node, exp.Filter):
            yield node.this.copy()


class SqlJoin(SqlOperator):
    """An inner join for an outer one, and the other way round."""

    code = "JOI"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, exp.Join) and (node.args.get("on") or node.args.get("using")):
            if node.side:
                yield without(node, side=None)
            else:
                yield without(node, side="LEFT")


class SqlSelect(SqlOperator):
    """DISTINCT left out or put in."""

    code = "SEL"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, exp.Select):
            yield without(node, distinct=None if node.args.get("distinct") else exp.Distinct())


class SqlFilter(SqlOperator):
    """WHERE, HAVING, QUALIFY or LIMIT left out."""

    code = "FDL"

    def mutate(self, node: Any) -> Iterator[Any]:
        for clause in ("where", "having", "qualify", "limit"):
            if isinstance(node, exp.Select | exp.Delete | exp.Update) and node.args.get(clause):
                yield without(node, **{clause: None})


class SqlGroup(SqlOperator):
    """A column too few in GROUP BY or PARTITION BY."""

    code = "GRU"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, exp.Group) and len(node.expressions) > 1:
            yield from shorter(node, "expressions")
        elif isinstance(node, exp.Window):
            yield from shorter(node, "partition_by")


class SqlOrder(SqlOperator):
    """Descending for ascending; a sort key left out; ranks that count ties otherwise."""

    code = "ORD"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, exp.Ordered):
            yield without(node, desc=not node.args.get("desc"))
        elif isinstance(node, exp.Order) and len(node.expressions) > 1:
            yield from shorter(node, "expressions")
        elif isinstance(node, exp.RowNumber):
            yield exp.Anonymous(this="rank")
        elif isinstance(node, exp.Rank):
            yield exp.RowNumber()


class SqlCase(SqlOperator):
    """CASE without its ELSE, or with the two turned round."""

    code = "CAS"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, exp.Case) and (default := node.args.get("default")):
            yield without(node, default=None)
            if len(node.args["ifs"]) == 1:
                (one,) = node.args["ifs"]
                turned = exp.If(this=one.this.copy(), true=default.copy())
                yield without(node, ifs=[turned], default=one.args["true"].copy())


class SqlIdentifier(SqlOperator):
    """One column taken for another."""

    code = "IRC"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, exp.Column) and not isinstance(node.parent, exp.Alias):
            for other in CONFUSED.get(node.name.lower(), ()):
                yield exp.column(other, table=node.table or None)


class SqlDay(SqlOperator):
    """A day too late, or the day of another time zone."""

    code = "DAY"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node, exp.AtTimeZone):
            yield node.this.copy()
        elif isinstance(node, exp.DateFromParts):
            yield exp.Add(this=node.copy(), expression=exp.Literal.number(1))


def parse(source: str) -> exp.Expr:
    """The tree of one statement or condition. Raises sqlglot.errors.ParseError."""
    return sqlglot.parse_one(source, read=DIALECT)


def write(tree: exp.Expr) -> str:
    """The text of a tree."""
    return tree.sql(dialect=DIALECT)


def grammar(source: str, operators: Collection[Operator], _touch: Callable[[int], bool]) -> Iterator[Mutant]:
    """The mutants of a statement. sqlglot keeps no lines for its nodes, so all of the text may be touched."""
    tree = parse(source)
    original = write(tree)
    for number, node in enumerate(list(tree.walk())):
        for operator in operators:
            for other in operator.mutate(node):
                mutated = write(swapped(tree, number, other))
                if mutated != original:
                    yield Mutant("sql", operator.code, 1, mutated, *change(original, mutated))


def swapped(tree: exp.Expr, number: int, other: exp.Expr) -> exp.Expr:
    """A copy of the tree with its node of that number, in the order of `walk`, replaced."""
    whole = tree.copy()
    node = next(one for place, one in enumerate(whole.walk()) if place == number)
    if node.parent is None:
        return other
    node.replace(other)
    return whole


GRAMMARS["sql"] = grammar
