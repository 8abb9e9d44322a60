"""Faults of values: repeated, missing, out of range, in another unit or zone, or without a parent."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from flightschool.data import reading
from flightschool.data.faults.base import TableFault, described, dictionary
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class DuplicateKeys(TableFault):
    """Some rows occur a second time, further down. The rate is their share of the rows."""

    name: ClassVar[str] = "duplicate keys"

    @property
    def reads(self) -> frozenset[str]:
        return frozenset(self._key)

    @property
    def _key(self) -> list[str]:
        return list(dictionary(self.table)["key"])

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        import pandas as pd

        self._needs(batch, *self._key)
        return pd.concat([batch, batch.iloc[self._some([True] * len(batch), rng, rate)]], ignore_index=True)

    def present(self, batch: pd.DataFrame) -> bool:
        key = [column for column in self._key if column in batch]
        return key == self._key and bool(batch.duplicated(key).any())


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
        "temp": "dewp",
        "dewp": "temp",
        "humid": "temp",
    }
    """A column that may be missing, and one beside which it never is."""

    def __post_init__(self) -> None:
        super().__post_init__()
        required = described(self.table, self.column).get("constraints", {}).get("required", False)
        if not required and self.column not in self.KNOWN_BY:
            raise FlightSchoolError(
                _("A null burst in {column} can't be told from real gaps; choose another column.").format(
                    column=self.column
                )
            )

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({self.KNOWN_BY[self.column]} if self.column in self.KNOWN_BY else ())

    @property
    def writes(self) -> frozenset[str]:
        return frozenset({self.column})

    def _expected(self, batch: pd.DataFrame) -> pd.Series:
        beside = self.KNOWN_BY.get(self.column)
        return batch[beside].notna() if beside else batch[self.column].notna() | True

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        self._needs(batch, self.column, *self.reads)
        lost = batch[self.column].copy()
        if str(lost.dtype) == "int64":
            lost = lost.astype("float64")
        elif str(lost.dtype) == "bool":
            lost = lost.astype("boolean")
        lost.iloc[self._some(self._expected(batch), rng, rate)] = None
        return batch.assign(**{self.column: lost})

    def present(self, batch: pd.DataFrame) -> bool:
        if not {self.column, *self.reads} <= set(batch):
            return False
        return bool((batch[self.column].isna() & self._expected(batch)).any())


@dataclass(frozen=True)
class OutOfRange(TableFault):
    """Numbers lie beyond the bounds that the data dictionary gives. The rate is the share of the values.

    What has an upper bound comes a whole range too high (a time of 28:75, a humidity of 140 %), what has a lower
    one alone is negative.
    """

    name: ClassVar[str] = "out-of-range"
    column: str = "sched_dep_time"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not {"minimum", "maximum"} & set(described(self.table, self.column).get("constraints", {})):
            raise FlightSchoolError(
                _("The data dictionary gives {column} no bounds to leave; choose another column.").format(
                    column=self.column
                )
            )

    @property
    def writes(self) -> frozenset[str]:
        return frozenset({self.column})

    @property
    def _bounds(self) -> tuple[float, float]:
        constraints = described(self.table, self.column)["constraints"]
        return constraints.get("minimum", -float("inf")), constraints.get("maximum", float("inf"))

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        self._needs(batch, self.column)
        values = batch[self.column].copy()
        rows = self._some(values.notna(), rng, rate)
        low, high = self._bounds
        if high == float("inf"):
            values.iloc[rows] = low - 1 - values.iloc[rows].abs()
        else:
            values.iloc[rows] += high + 1 - max(low, 0)
        return batch.assign(**{self.column: values})

    def present(self, batch: pd.DataFrame) -> bool:
        import pandas as pd

        if self.column not in batch:
            return False
        values = pd.to_numeric(batch[self.column], errors="coerce").dropna()
        return bool((~values.between(*self._bounds)).any())


@dataclass(frozen=True)
class MinutesToHours(TableFault):
    """air_time comes in hours. The rate is the share of the rows that flew."""

    name: ClassVar[str] = "unit change"

    FASTEST: ClassVar[float] = 1_000
    """mph; the fastest flight of the data made 703."""

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"distance"})

    @property
    def writes(self) -> frozenset[str]:
        return frozenset({"air_time"})

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        self._needs(batch, "air_time", "distance")
        changed = batch["air_time"].copy()
        rows = self._some(changed.notna(), rng, rate)
        changed.iloc[rows] = (changed.iloc[rows] / 60).round(2)
        return batch.assign(air_time=changed)

    def present(self, batch: pd.DataFrame) -> bool:
        import pandas as pd

        if not {"air_time", "distance"} <= set(batch):
            return False
        hours, miles = (pd.to_numeric(batch[c], errors="coerce") for c in ("air_time", "distance"))
        return bool((miles / (hours / 60) > self.FASTEST).any())


@dataclass(frozen=True)
class FahrenheitToCelsius(TableFault):
    """temp, of the weather, comes in °C. The rate is the share of the hours that have one.

    Told by the humidity that follows from temperature and dew point (Magnus formula; Alduchov and Eskridge,
    J. Appl. Meteor. 35, 1996): it is off by 28 percentage points at most in the real data, by 52 at least where
    temp is in °C.
    """

    name: ClassVar[str] = "unit change"
    table: str = field(default="weather", kw_only=True)

    OFF: ClassVar[float] = 40
    """Percentage points."""

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"dewp", "humid"})

    @property
    def writes(self) -> frozenset[str]:
        return frozenset({"temp"})

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        self._needs(batch, "temp", "dewp", "humid")
        changed = batch["temp"].copy()
        told = batch[["temp", "dewp", "humid"]].notna().all(axis=1)
        rows = self._some(told, rng, rate)
        changed.iloc[rows] = ((changed.iloc[rows] - 32) / 1.8).round(2)
        return batch.assign(temp=changed)

    def present(self, batch: pd.DataFrame) -> bool:
        import numpy as np
        import pandas as pd

        if not {"temp", "dewp", "humid"} <= set(batch):
            return False
        columns = ("temp", "dewp", "humid")
        temp, dewp, humid = (pd.to_numeric(batch[c], errors="coerce") for c in columns)
        vapour = [np.exp(17.625 * c / (243.04 + c)) for c in ((dewp - 32) / 1.8, (temp - 32) / 1.8)]
        return bool(((100 * vapour[0] / vapour[1] - humid).abs() > self.OFF).any())


@dataclass(frozen=True)
class TimeZoneShift(TableFault):
    """time_hour holds New York's local time, still labelled UTC. The rate is the share of the rows.

    Told by the column hour, which is local: the two differ by no offset that New York has.
    """

    name: ClassVar[str] = "time-zone shift"

    ZONE: ClassVar[str] = "America/New_York"

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"hour"})

    @property
    def writes(self) -> frozenset[str]:
        return frozenset({"time_hour"})

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        self._needs(batch, "time_hour", "hour")
        times = batch["time_hour"].copy()
        rows = self._some(times.notna(), rng, rate)
        times.iloc[rows] = (
            times.iloc[rows].dt.tz_convert(self.ZONE).dt.tz_localize(None).dt.tz_localize("UTC")
        )
        return batch.assign(time_hour=times)

    def present(self, batch: pd.DataFrame) -> bool:
        import pandas as pd

        if not {"time_hour", "hour"} <= set(batch):
            return False
        times = pd.to_datetime(batch["time_hour"], utc=True, errors="coerce")
        return bool((times.notna() & (times.dt.tz_convert(self.ZONE).dt.hour != batch["hour"])).any())


@dataclass(frozen=True)
class OrphanKeys(TableFault):
    """A code whose parent row does not exist. The rate is the share of the rows that get it.

    The real data have orphans of their own (721 aircraft, 4 airports); they are known, and are not the fault.
    """

    name: ClassVar[str] = "orphan keys"
    column: str = "dest"

    PARENTS: ClassVar[dict[str, tuple[str, str]]] = {
        "carrier": ("airlines", "carrier"),
        "tailnum": ("planes", "tailnum"),
        "origin": ("airports", "faa"),
        "dest": ("airports", "faa"),
        "home_airport": ("airports", "faa"),
    }
    """The table and column in which a code should be found."""

    def __post_init__(self) -> None:
        super().__post_init__()
        described(self.table, self.column)
        if self.column not in self.PARENTS:
            raise FlightSchoolError(
                _("{column} refers to no other table; choose one of {columns}.").format(
                    column=self.column, columns=", ".join(self.PARENTS)
                )
            )

    @property
    def writes(self) -> frozenset[str]:
        return frozenset({self.column})

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        self._needs(batch, self.column)
        codes = batch[self.column].copy()
        rows = self._some(codes.notna(), rng, rate)
        known = _known(*self.PARENTS[self.column])
        orphan = codes.iloc[rows[0]]
        while orphan in known:
            orphan = "".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[int(rng.random() * 26)] for _letter in orphan)
        codes.iloc[rows] = orphan
        return batch.assign(**{self.column: codes})

    def present(self, batch: pd.DataFrame) -> bool:
        if self.column not in batch:
            return False
        return not set(batch[self.column].dropna().unique()) <= _known(*self.PARENTS[self.column])


@lru_cache
def _known(parent: str, key: str) -> frozenset[str]:
    """The codes of a parent table, and those that the clean flights have without one."""
    import pyarrow.compute as pc

    flown = {"faa": ("origin", "dest")}.get(key, (key,))
    flights = reading.load("flights")
    codes = set(reading.load(parent)[key].to_pylist())
    return frozenset(codes.union(*(pc.unique(flights[column]).to_pylist() for column in flown)) - {None})
