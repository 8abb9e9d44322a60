"""Planted faults: what goes wrong with data, one class each, named as the field names it.

A fault is planted in the batch of one day: a table fault in its frame of flights, a file fault in the files in which
the day arrives. To add one, write a class with a name, `plant` and `present`; `every` finds it, and the tests hold it
to the two promises: it is absent from clean data and present once planted.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from flightschool.data import reading
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

if TYPE_CHECKING:
    import pandas as pd


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


class Fault(ABC, Generic[Batch]):
    """One kind of fault. Both methods are pure; the same batch, rng state and rate give the same result."""

    name: ClassVar[str]

    @abstractmethod
    def plant(self, batch: Batch, rng: random.Random, rate: float) -> Batch:
        """The batch with the fault in it. `rate`, above 0 to 1, is its extent; each class says of what."""

    @abstractmethod
    def present(self, batch: Batch) -> bool:
        """Whether the fault is in the batch, told from the batch alone."""

    def _needs(self, batch: pd.DataFrame, *columns: str) -> None:
        """Refuse a frame from which an earlier fault took a column: nothing would be planted, and none the wiser."""
        for column in columns:
            if column not in batch:
                raise FlightSchoolError(
                    _(
                        "The fault {fault} needs the column {column}, which is not there; plant it first."
                    ).format(fault=self.name, column=column)
                )


class TableFault(Fault["pd.DataFrame"]):
    """A fault of values or columns, in a frame of flights (see `flightschool.data.day`)."""


class FileFault(Fault[Files]):
    """A fault of delivery, in the files of one or more days."""


@dataclass(frozen=True)
class LatePartition(FileFault):
    """The day arrives `days` late. The rate has no meaning: a file is late or not."""

    name: ClassVar[str] = "late partition"
    days: int = 1

    def plant(self, batch: Files, rng: random.Random, rate: float) -> Files:
        return tuple(replace(file, arrived=file.arrived + timedelta(days=self.days)) for file in batch)

    def present(self, batch: Files) -> bool:
        return any(file.arrived > due(file.day) for file in batch)


@dataclass(frozen=True)
class DuplicateFile(FileFault):
    """The day is sent twice, under another name. The rate has no meaning."""

    name: ClassVar[str] = "duplicate file"

    def plant(self, batch: Files, rng: random.Random, rate: float) -> Files:
        again = (replace(file, name=file.name.removesuffix(".csv") + "-1.csv") for file in batch)
        return (*batch, *again)

    def present(self, batch: Files) -> bool:
        contents = [file.content for file in batch if file.content]
        return len(set(contents)) < len(contents)


@dataclass(frozen=True)
class TruncatedFile(FileFault):
    """The file ends in the middle of a line. The rate is the share of its bytes that is lost, at least one."""

    name: ClassVar[str] = "truncated file"

    def plant(self, batch: Files, rng: random.Random, rate: float) -> Files:
        return tuple(replace(file, content=self._cut(file.content, rate)) for file in batch)

    @staticmethod
    def _cut(content: bytes, rate: float) -> bytes:
        kept = content[: max(len(content) - max(int(len(content) * rate), 1), 1)]
        # Never at a line's end, where nobody could see it.
        return kept.rstrip(b"\n")

    def present(self, batch: Files) -> bool:
        return any(file.content and not file.content.endswith(b"\n") for file in batch)


@dataclass(frozen=True)
class EmptyFile(FileFault):
    """The file arrives with no bytes in it. The rate has no meaning."""

    name: ClassVar[str] = "empty file"

    def plant(self, batch: Files, rng: random.Random, rate: float) -> Files:
        return tuple(replace(file, content=b"") for file in batch)

    def present(self, batch: Files) -> bool:
        return any(not file.content for file in batch)


@dataclass(frozen=True)
class DuplicateKeys(TableFault):
    """Some flights occur a second time, further down. The rate is their share of the rows."""

    name: ClassVar[str] = "duplicate keys"

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        import pandas as pd

        self._needs(batch, *reading.KEY)
        return pd.concat([batch, batch.iloc[_some(range(len(batch)), rng, rate)]], ignore_index=True)

    def present(self, batch: pd.DataFrame) -> bool:
        return bool(batch.duplicated(list(reading.KEY)).any())


@dataclass(frozen=True)
class NullBurst(TableFault):
    """Values go missing where the data always have them. The rate is the share of those rows that lose theirs."""

    name: ClassVar[str] = "null burst"
    column: str = "tailnum"

    KNOWN_BY: ClassVar[dict[str, str]] = {
        "dep_time": "dep_delay",
        "dep_delay": "dep_time",
        "arr_delay": "air_time",
        "air_time": "arr_delay",
        "tailnum": "dep_time",
    }
    """A column that may be missing, and one beside which it never is."""

    def __post_init__(self) -> None:
        if self.column == "arr_time":
            raise FlightSchoolError(
                _("A null burst in arr_time can't be told from real gaps; choose another column.")
            )

    def _expected(self, batch: pd.DataFrame) -> pd.Series:
        beside = self.KNOWN_BY.get(self.column)
        return batch[beside].notna() if beside else batch[self.column].notna() | True

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        self._needs(batch, self.column, self.KNOWN_BY.get(self.column, self.column))
        rows = [n for n, expected in enumerate(self._expected(batch)) if expected]
        lost = batch[self.column].copy()
        if str(lost.dtype) == "int64":
            lost = lost.astype("float64")
        lost.iloc[_some(rows, rng, rate)] = None
        return batch.assign(**{self.column: lost})

    def present(self, batch: pd.DataFrame) -> bool:
        if self.column not in batch:
            return False
        return bool((batch[self.column].isna() & self._expected(batch)).any())


@dataclass(frozen=True)
class RenamedColumn(TableFault):
    """A column has another name. The rate has no meaning: a frame has one header."""

    name: ClassVar[str] = "renamed column"
    old: str = "tailnum"
    new: str = "tail_number"

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        self._needs(batch, self.old)
        return batch.rename(columns={self.old: self.new})

    def present(self, batch: pd.DataFrame) -> bool:
        return self.old not in batch and self.new in batch


@dataclass(frozen=True)
class MinutesToHours(TableFault):
    """air_time comes in hours. The rate is the share of the rows that flew."""

    name: ClassVar[str] = "unit change"

    FASTEST: ClassVar[float] = 1_000
    """mph; the fastest flight of the data made 703."""

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        self._needs(batch, "air_time", "distance")
        changed = batch["air_time"].copy()
        rows = _some([n for n, flew in enumerate(changed.notna()) if flew], rng, rate)
        changed.iloc[rows] = (changed.iloc[rows] / 60).round(2)
        return batch.assign(air_time=changed)

    def present(self, batch: pd.DataFrame) -> bool:
        if "air_time" not in batch:
            return False
        return bool((batch["distance"] / (batch["air_time"] / 60) > self.FASTEST).any())


def every() -> list[TableFault | FileFault]:
    """One of each fault, with its defaults, by name."""
    kinds: list[Callable[[], TableFault | FileFault]] = [
        *TableFault.__subclasses__(),
        *FileFault.__subclasses__(),
    ]
    return sorted((kind() for kind in kinds), key=lambda fault: fault.name)


def _some(rows: Iterable[int], rng: random.Random, rate: float) -> list[int]:
    """The share `rate` of the rows, at least one of them, in order.

    Ranked by `rng.random()`, the one method whose sequence Python promises to keep.
    """
    ranked = sorted((rng.random(), row) for row in rows)
    return sorted(row for _rank, row in ranked[: max(round(len(ranked) * rate), 1)])
