"""What every fault is: a name, a way to plant it, a way to tell it."""

from __future__ import annotations

import json
import random
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from flightschool import paths
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("flights", "weather", "passengers")
"""The tables whose batches a fault may hit."""


@dataclass(frozen=True)
class RawFile:
    """A file on its way from the source system: the day it is for, its name and bytes, when it arrives."""

    day: date
    name: str
    content: bytes
    arrived: datetime


Files = tuple[RawFile, ...]
Batch = TypeVar("Batch")


def due(d: date) -> datetime:
    """When the file of a day should have arrived: at noon UTC of the next day, after its last departure."""
    return datetime.combine(d + timedelta(days=1), time(12), tzinfo=UTC)


@dataclass(frozen=True)
class Fault(ABC, Generic[Batch]):
    """One kind of fault. Both methods are pure; the same batch, rng state and rate give the same result.

    Raises:
        FlightSchoolError: the table is none of `TABLES`, or the fault can't be told in the column chosen.
    """

    name: ClassVar[str]
    usual: ClassVar[float] = 0.05
    """The rate where none is given."""
    least: ClassVar[float] = 0
    """The rate below which the fault can't be told from what real days do by themselves."""

    table: str = field(default="flights", kw_only=True)

    def __post_init__(self) -> None:
        if self.table not in TABLES:
            raise FlightSchoolError(
                _("No fault can be planted in {table!r}; choose one of {tables}.").format(
                    table=self.table, tables=", ".join(TABLES)
                )
            )

    @abstractmethod
    def plant(self, batch: Batch, rng: random.Random, rate: float) -> Batch:
        """The batch with the fault in it. `rate`, above 0 to 1, is its extent; each class says of what."""

    @abstractmethod
    def present(self, batch: Batch) -> bool:
        """Whether the fault is in the batch, told from the batch alone."""


@dataclass(frozen=True)
class TableFault(Fault["pd.DataFrame"]):
    """A fault of values or columns, in a frame of `table` (see `World.batch`)."""

    keeps_rows: ClassVar[bool] = True
    """Whether all rows stay; a fault that takes rows may take those that an earlier fault hit."""

    @property
    def reads(self) -> frozenset[str]:
        """The columns that the fault is told by and leaves as they are."""
        return frozenset()

    @property
    def writes(self) -> frozenset[str]:
        """The columns that the fault changes."""
        return frozenset()

    def _needs(self, batch: pd.DataFrame, *columns: str) -> None:
        """Refuse a frame from which an earlier fault took a column: nothing would be planted, and none the wiser."""
        for column in columns:
            if column not in batch:
                raise FlightSchoolError(
                    _(
                        "The fault {fault} needs the column {column}, which is not there; plant it first."
                    ).format(fault=self.name, column=column)
                )

    def _some(self, rows: Iterable[Any], rng: random.Random, rate: float) -> list[int]:
        """Of the positions where `rows` is true, the share `rate`, at least one, in order.

        Ranked by `rng.random()`, the one method whose sequence Python promises to keep.
        """
        ranked = sorted((rng.random(), n) for n, eligible in enumerate(rows) if eligible)
        if not ranked:
            raise FlightSchoolError(
                _("The fault {fault} finds no row to hit in this batch; plant it in another.").format(
                    fault=self.name
                )
            )
        return sorted(n for _rank, n in ranked[: max(round(len(ranked) * rate), 1)])


@dataclass(frozen=True)
class FileFault(Fault[Files]):
    """A fault of delivery, in the files of one or more days."""


@lru_cache
def dictionary(table: str) -> dict[str, Any]:
    """The data dictionary of a table, datasets/schemas/<table>.json, with its fields by name."""
    schema = json.loads((paths.DATASETS / "schemas" / f"{table}.json").read_text(encoding="utf-8"))
    key = schema["primaryKey"]
    return {
        "fields": {entry["name"]: entry for entry in schema["fields"]},
        "key": [key] if isinstance(key, str) else key,
    }


def described(table: str, column: str) -> dict[str, Any]:
    """What the data dictionary says of one column.

    Raises:
        FlightSchoolError: the table has no such column.
    """
    fields = dictionary(table)["fields"]
    if column not in fields:
        raise FlightSchoolError(
            _("The table {table} has no column {column}; choose one of {columns}.").format(
                table=table, column=column, columns=", ".join(fields)
            )
        )
    entry: dict[str, Any] = fields[column]
    return entry
