"""Comparison of tables as a person would make it: which difference is the first useful one to hear of?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flightschool.i18n import _

Table = dict[str, Any]


@dataclass(frozen=True)
class Difference:
    """The first useful difference between a table found and the one expected.

    `kind` is one of: no table, columns, empty, duplicate keys, missing rows, extra rows, values. `column` and `key`
    say where; `wrong` of `total` rows differ; `too_high` tells, for numbers, whether all wrong ones lie above (True), below
    (False) or on both sides (None). `sentence` says it to the learner without giving the expected value.
    """

    kind: str
    sentence: str
    column: str | None = None
    key: dict[str, Any] | None = None
    wrong: int = 0
    total: int = 0
    too_high: bool | None = None


def tables(
    found: Any,
    expected: Table,
    *,
    key: Sequence[str],
    relative: float = 1e-6,
    absolute: float = 1e-6,
) -> Difference | None:
    """Compare two tables of evidence (`{"columns", "rows"}`); None when they say the same.

    The order of rows and columns does not matter, nor further columns, nor the case of a column's name; numbers are equal within
    `relative` or `absolute`, and a whole float equals its integer. `key` are the columns that name a row.
    """
    if not is_table(found):
        return Difference("no table", _("No table came back."))
    names = {str(name).lower(): i for i, name in enumerate(found["columns"])}
    if missing := [name for name in expected["columns"] if name.lower() not in names]:
        return Difference(
            "columns",
            _("The table has no column {missing}; it has {have}.").format(
                missing=", ".join(missing), have=", ".join(map(str, found["columns"])) or _("none")
            ),
        )
    if expected["rows"] and not found["rows"]:
        return Difference("empty", _("The table has no rows."), total=len(expected["rows"]))
    wanted = {name: i for i, name in enumerate(expected["columns"])}
    mine: dict[tuple[Any, ...], list[Any]] = {}
    for row in found["rows"]:
        at = tuple(_normal(row[names[name.lower()]]) for name in key)
        if at in mine:
            return Difference(
                "duplicate keys",
                _("More than one row for {key}.").format(key=_spell(key, at)),
                key=dict(zip(key, at, strict=True)),
                total=len(expected["rows"]),
            )
        mine[at] = row
    theirs = {tuple(_normal(row[wanted[name]]) for name in key): row for row in expected["rows"]}
    for kind, lacking, sentence in (
        (
            "missing rows",
            [at for at in theirs if at not in mine],
            _("{wrong} of {total} rows are missing; the first is {key}."),
        ),
        (
            "extra rows",
            [at for at in mine if at not in theirs],
            _("{wrong} rows should not be there; the first is {key}."),
        ),
    ):
        if lacking:
            first = min(lacking, key=repr)
            return Difference(
                kind,
                sentence.format(wrong=len(lacking), total=len(theirs), key=_spell(key, first)),
                key=dict(zip(key, first, strict=True)),
                wrong=len(lacking),
                total=len(theirs),
            )
    for name in expected["columns"]:
        wrong = [
            at
            for at, row in theirs.items()
            if not same(
                mine[at][names[name.lower()]], row[wanted[name]], relative=relative, absolute=absolute
            )
        ]
        if wrong:
            return _values(
                name,
                key,
                wrong,
                len(theirs),
                [(mine[at][names[name.lower()]], theirs[at][wanted[name]]) for at in wrong],
            )
    return None


def _values(
    name: str, key: Sequence[str], wrong: list[tuple[Any, ...]], total: int, pairs: list[tuple[Any, Any]]
) -> Difference:
    above = [f > e for f, e in pairs if _number(f) and _number(e)]
    too_high = all(above) if len(above) == len(pairs) and len(set(above)) == 1 else None
    side = {True: _(" too high"), False: _(" too low"), None: ""}[too_high]
    return Difference(
        "values",
        _("{wrong} of {total} rows differ in {column}; for {key} you have {value}{side}.").format(
            wrong=len(wrong),
            total=total,
            column=name,
            key=_spell(key, wrong[0]),
            value=_short(pairs[0][0]),
            side=side and "," + side,
        ),
        column=name,
        key=dict(zip(key, wrong[0], strict=True)),
        wrong=len(wrong),
        total=total,
        too_high=too_high,
    )


def same(found: Any, expected: Any, *, relative: float = 1e-6, absolute: float = 1e-6) -> bool:
    """Whether two plain values say the same: numbers within tolerance, times in one form, all else equal."""
    if _number(found) and _number(expected):
        return math.isclose(found, expected, rel_tol=relative, abs_tol=absolute)
    return bool(_normal(found) == _normal(expected))


def is_table(evidence: Any) -> bool:
    """Whether `evidence` has the form that `learn.evidence.table` gives."""
    return (
        isinstance(evidence, dict)
        and isinstance(evidence.get("columns"), list)
        and isinstance(evidence.get("rows"), list)
        and all(isinstance(row, list) and len(row) == len(evidence["columns"]) for row in evidence["rows"])
    )


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _normal(value: Any) -> Any:
    """A form in which equal things are equal: 1.0 is 1, a midnight is its day."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str):
        return value.removesuffix("Z").removesuffix("T00:00:00")
    if isinstance(value, dict):  # hashable, since it may stand in a key
        return tuple(sorted((name, _normal(item)) for name, item in value.items()))
    return tuple(map(_normal, value)) if isinstance(value, list) else value


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else _("nothing") if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _spell(key: Sequence[str], values: Sequence[Any]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in zip(key, values, strict=True))
