"""Evidence: a learner's answer as plain data (null, booleans, numbers, strings, lists, objects with string keys).

Only this crosses from the learner's process to a judge, so it must survive JSON unchanged.
"""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import math
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from itertools import islice
from pathlib import PurePath
from typing import Any

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

MAX_ROWS = 200_000
MAX_DEPTH = 20


class UnusableAnswer(FlightSchoolError):
    """An answer that can't be turned into data. The message says what was given and what would do."""


def table(frame: Any, max_rows: int = MAX_ROWS) -> dict[str, Any]:
    """A data frame as `{"columns": [names], "rows": [[values]]}`.

    Takes pandas, Polars, PySpark, DuckDB relations, Arrow tables, and a list of dicts. The index of a pandas
    frame counts as columns when it has names. Raises UnusableAnswer for anything else and above `max_rows`.
    """
    kind = f"{type(frame).__module__}.{type(frame).__qualname__}"
    if isinstance(frame, list) and frame and all(isinstance(row, Mapping) for row in frame):
        columns = list(dict.fromkeys(str(key) for row in frame for key in row))
        _refuse_large(len(frame), max_rows)
        return {"columns": columns, "rows": [[plain(row.get(name)) for name in columns] for row in frame]}
    if kind.startswith("pyspark.sql."):
        arrow = frame.limit(max_rows + 1).toArrow()
    elif kind.startswith("pandas."):
        _refuse_large(len(frame), max_rows)
        return _pandas_table(frame)
    elif kind.startswith("polars."):
        arrow = (frame.collect() if kind.endswith("LazyFrame") else frame).to_arrow()
    elif "duckdb" in kind and hasattr(frame, "to_arrow_table"):
        arrow = frame.limit(max_rows + 1).to_arrow_table()
    elif kind.startswith("pyarrow."):
        arrow = frame
    else:
        raise UnusableAnswer(
            _(
                "A table was asked for and {kind} was given: return a data frame (pandas, Polars, Spark, DuckDB or Arrow)."
            ).format(kind=_name(frame))
        )
    _refuse_large(arrow.num_rows, max_rows)
    values = [[plain(value) for value in arrow.column(i).to_pylist()] for i in range(arrow.num_columns)]
    return {
        "columns": [str(name) for name in arrow.column_names],
        "rows": [list(row) for row in zip(*values, strict=True)],
    }


def _pandas_table(frame: Any) -> dict[str, Any]:
    if frame.ndim == 1:
        frame = frame.to_frame(name=frame.name if frame.name is not None else "value")
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    columns = [[plain(value) for value in frame.iloc[:, i].tolist()] for i in range(frame.shape[1])]
    return {
        "columns": [str(name) for name in frame.columns],
        "rows": [list(row) for row in zip(*columns, strict=True)],
    }


def plain(value: Any, depth: int = 0) -> Any:
    """`value` as plain data. Missing values of every library, NaN and `...` become null; dates and times ISO 8601.

    A time with a zone is given in UTC. Raises UnusableAnswer for what has no such form, and for what is nested
    more than twenty deep.
    """
    if depth > MAX_DEPTH:
        raise UnusableAnswer(
            _("The answer is nested too deeply to be read: return a flat table, list or dict.")
        )
    # Exact types first: a subclass may do anything when it is asked for its value.
    kind = type(value)
    if value is None or value is ... or kind in (bool, str):
        return None if value is ... else value
    if kind is int:
        return value if abs(value) < 2**63 else str(value)
    if kind is float:
        return None if math.isnan(value) else value if math.isfinite(value) else str(value)
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in islice(value, MAX_ROWS)]
    if isinstance(value, Mapping):
        return {_key(key): plain(item, depth + 1) for key, item in islice(value.items(), MAX_ROWS)}
    if isinstance(value, AbstractSet):
        return sorted((plain(item, depth + 1) for item in islice(value, MAX_ROWS)), key=repr)
    if isinstance(value, (bytes, bytearray)):
        return {"base64": base64.b64encode(value).decode()}
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    if isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
        return value.isoformat()
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, decimal.Decimal):
        return plain(float(value))
    if isinstance(value, PurePath):
        return str(value)
    if type(value).__module__.startswith("numpy"):
        inner = value.tolist()
        return plain(inner) if not type(inner).__module__.startswith("numpy") else str(value)
    # The base class's own method: a subclass's may answer anything.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return plain(int.__int__(value))
    if isinstance(value, float):
        return plain(float.__float__(value))
    raise UnusableAnswer(
        _("{kind} can't be read as an answer: return numbers, text, lists, dicts or a data frame.").format(
            kind=_name(value)
        )
    )


def _key(key: Any) -> str:
    if isinstance(key, tuple):
        return ", ".join(_key(part) for part in key)
    value = plain(key)
    return value if isinstance(value, str) else str(value)


def _name(value: Any) -> str:
    """What a person would call the type of `value`, without asking the value."""
    kind = type(value)
    return (
        kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__.split('.')[0]} {kind.__name__}"
    )


def _refuse_large(rows: int, limit: int) -> None:
    if rows > limit:
        raise UnusableAnswer(
            _(
                "The table has more than {limit:,} rows; the answer is far smaller: aggregate before you return it."
            ).format(limit=limit)
        )
