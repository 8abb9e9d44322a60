"""Drift: every row is right, and the mix of the rows is not what it was.

One day can't be told to drift in an absolute sense: real days differ, by storm and by season. So a batch is held to
reference days: those that are passed, or else all clean days of its season in 2013 (December to February, March to
May …). For each class of a column its share of the rows has a daily range over the reference. A batch drifts where
a share lies beyond that range by more than half of the range's width. Weaker drift is not told, here or by anybody
else who has seen these days only; `least` is the rate from which every day of 2013 is told.
"""

from __future__ import annotations

import random
from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from flightschool.data import reading
from flightschool.data.faults.base import TableFault
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Drift(TableFault):
    """What both kinds share: the comparison with reference days."""

    FEWEST: ClassVar[int] = 7
    """Days of a reference: fewer have no range."""

    @abstractmethod
    def classes(self, batch: pd.DataFrame) -> pd.Series:
        """The class of each row, missing where it has none."""

    def present(self, batch: pd.DataFrame, reference: pd.DataFrame | None = None) -> bool:
        """Whether the batch, of one day or several, lies outside what the reference days do.

        `reference` are clean flights of at least seven days; by default those of the batch's season.

        Raises:
            FlightSchoolError: the reference has too few days.
        """
        if not {*self.reads, *self.writes, "month"} <= set(batch):
            return False
        shares = self.classes(batch).value_counts(normalize=True)
        if not len(shares):
            return False
        if reference is None:
            daily = _season(type(self), tuple(sorted({_season_of(m) for m in batch["month"].unique()})))
        else:
            daily = _daily(self, reference)
            if len(daily) < self.FEWEST:
                raise FlightSchoolError(
                    _("A reference of {days} days has no range; give at least {fewest}.").format(
                        days=len(daily), fewest=self.FEWEST
                    )
                )
        shares = shares.reindex(daily.columns.union(shares.index), fill_value=0)
        low = daily.min().reindex(shares.index, fill_value=0)
        high = daily.max().reindex(shares.index, fill_value=0)
        spare = (high - low) / 2
        return bool(((shares < low - spare) | (shares > high + spare)).any())


@dataclass(frozen=True)
class CovariateDrift(Drift):
    """One airport's flights thin out, so the mix of origins moves while each flight is as true as before.

    The rate is the share of that airport's flights that are gone.
    """

    name: ClassVar[str] = "covariate drift"
    usual: ClassVar[float] = 0.8
    least: ClassVar[float] = 0.6
    keeps_rows: ClassVar[bool] = False
    origin: str = "JFK"

    @property
    def reads(self) -> frozenset[str]:
        return frozenset({"origin"})

    def classes(self, batch: pd.DataFrame) -> pd.Series:
        return batch["origin"]

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        self._needs(batch, "origin")
        gone = self._some(batch["origin"] == self.origin, rng, rate)
        return batch.drop(index=batch.index[gone]).reset_index(drop=True)


@dataclass(frozen=True)
class LabelDrift(Drift):
    """What a model of delays should predict moves: flights wait four hours on the ground before they reach the gate.

    arr_time and arr_delay stay consistent with each other, and nothing that is known before arrival tells. The rate
    is the share of the flights that arrived.
    """

    name: ClassVar[str] = "label drift"
    usual: ClassVar[float] = 0.6
    least: ClassVar[float] = 0.3

    HELD: ClassVar[int] = 240
    """Minutes. Two hours would pass for a stormy day unless every flight had them."""
    LATE: ClassVar[tuple[float, ...]] = (-float("inf"), 15, 60, 180, float("inf"))
    """Bounds of the classes of arr_delay, in minutes; up to 15 is on time."""

    @property
    def writes(self) -> frozenset[str]:
        return frozenset({"arr_time", "arr_delay"})

    def classes(self, batch: pd.DataFrame) -> pd.Series:
        import pandas as pd

        delays = pd.to_numeric(batch["arr_delay"], errors="coerce")
        return pd.cut(delays, self.LATE, labels=False)

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        self._needs(batch, "arr_time", "arr_delay")
        times, delays = batch["arr_time"].copy(), batch["arr_delay"].copy()
        rows = self._some(times.notna() & delays.notna(), rng, rate)
        hhmm = times.iloc[rows]
        # From 1 to 1440, as the source writes midnight: 2400.
        minute = (hhmm // 100 * 60 + hhmm % 100 + self.HELD - 1) % 1440 + 1
        times.iloc[rows] = minute // 60 * 100 + minute % 60
        delays.iloc[rows] += self.HELD
        return batch.assign(arr_time=times, arr_delay=delays)


def _season_of(month: int) -> int:
    """0 for December to February, 1 for March to May, and so on."""
    return int(month) % 12 // 3


def _daily(drift: Drift, flights: pd.DataFrame) -> pd.DataFrame:
    """The share of each class (columns) on each day (rows)."""
    import pandas as pd

    return pd.crosstab([flights["month"], flights["day"]], drift.classes(flights), normalize="index")


@lru_cache(maxsize=16)
def _season(kind: type[Drift], seasons: tuple[int, ...]) -> pd.DataFrame:
    """`_daily` of the clean days of some seasons."""
    import pyarrow.compute as pc

    drift = kind()
    table = reading.load("flights").select(["month", "day", *sorted(drift.reads | drift.writes)])
    months = [m for m in range(1, 13) if _season_of(m) in seasons]
    return _daily(drift, reading.to_frame(table.filter(pc.field("month").isin(months))))
