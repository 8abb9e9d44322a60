"""Schema changes: a column renamed, added, or of another type. Plant them after the faults of values."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from flightschool.data.faults.base import TableFault, described
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RenamedColumn(TableFault):
    """A column has another name. The rate has no meaning: a frame has one header."""

    name: ClassVar[str] = "renamed column"
    old: str = "tailnum"
    new: str = "tail_number"

    @property
    def writes(self) -> frozenset[str]:
        return frozenset({self.old, self.new})

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        self._needs(batch, self.old)
        return batch.rename(columns={self.old: self.new})

    def present(self, batch: pd.DataFrame) -> bool:
        return self.old not in batch and self.new in batch


@dataclass(frozen=True)
class AddedColumn(TableFault):
    """A column that nobody announced stands in the middle. The rate has no meaning."""

    name: ClassVar[str] = "added column"
    column: str = "gate"

    @property
    def writes(self) -> frozenset[str]:
        return frozenset({self.column})

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        if self.column in batch:
            raise FlightSchoolError(
                _("The column {column} is there already; give the added one another name.").format(
                    column=self.column
                )
            )
        result = batch.copy()
        values = [
            f"{'ABCD'[int(rng.random() * 4)]}{1 + int(rng.random() * 40)}" for _row in range(len(batch))
        ]
        # In the middle, where whoever counts columns reads the wrong ones from there on.
        result.insert(len(batch.columns) // 2, self.column, values)
        return result

    def present(self, batch: pd.DataFrame) -> bool:
        return self.column in batch


@dataclass(frozen=True)
class RetypedColumn(TableFault):
    """Numbers arrive as text with a decimal comma. The rate has no meaning: a column has one type."""

    name: ClassVar[str] = "retyped column"
    column: str = "dep_delay"

    def __post_init__(self) -> None:
        super().__post_init__()
        if described(self.table, self.column)["type"] not in ("integer", "number"):
            raise FlightSchoolError(
                _("{column} is not a number that could be retyped as text; choose another column.").format(
                    column=self.column
                )
            )

    @property
    def writes(self) -> frozenset[str]:
        return frozenset({self.column})

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        self._needs(batch, self.column)
        text = batch[self.column].map(self._european, na_action="ignore")
        return batch.assign(**{self.column: text.astype("object")})

    @staticmethod
    def _european(number: float) -> str:
        text = f"{number:.10g}"
        # Always a comma: 11 alone would be read as a number again.
        return (text if "." in text else text + ".0").replace(".", ",")

    def present(self, batch: pd.DataFrame) -> bool:
        return self.column in batch and any(isinstance(v, str) for v in batch[self.column])
