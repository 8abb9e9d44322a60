"""Leaked personal data: what names or reaches a person, in a column where nobody looks for it."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from flightschool.data.faults.base import TableFault
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LeakedPersonalData(TableFault):
    """Made-up passengers' e-mail addresses, phone numbers or names stand in a free text, added if it isn't there.

    The rate is the share of the rows whose text has one. It is told by form, in every column but those in which the
    table of passengers keeps such data: an address has an @, a phone number a + and ten digits or more, a name is
    two capitalised words. Real free text would need more care: New York passes for a name.
    """

    name: ClassVar[str] = "leaked personal data"
    kind: str = "email"
    column: str = "remarks"

    KINDS: ClassVar[dict[str, tuple[str, str, re.Pattern[str]]]] = {
        "email": ("email", "confirmation sent to {}", re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")),
        "phone": ("phone", "call back {}", re.compile(r"\+\d(?:[ .-]?\d){9,}")),
        "name": (
            "full_name",
            "seat changed by {}",
            re.compile(r"\b[A-ZÀ-ÖØ-Þ][\w'’-]+ (?:[A-Z]\. )?[A-ZÀ-ÖØ-Þ][\w'’-]+"),
        ),
    }
    """By kind: the column of the passengers it comes from, the text around it, its form."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind not in self.KINDS:
            raise FlightSchoolError(
                _("No personal data of the kind {kind!r} can leak; choose one of {kinds}.").format(
                    kind=self.kind, kinds=", ".join(self.KINDS)
                )
            )

    @property
    def writes(self) -> frozenset[str]:
        return frozenset({self.column})

    def plant(self, batch: pd.DataFrame, rng: random.Random, rate: float) -> pd.DataFrame:
        import pandas as pd

        from flightschool.data import people

        rows = self._some([True] * len(batch), rng, rate)
        source, text, _form = self.KINDS[self.kind]
        (crowd,) = people.passengers(len(rows), int(rng.random() * 2**32))
        if self.column in batch:
            remarks = batch[self.column].astype("object")
        else:
            remarks = pd.Series(float("nan"), index=batch.index, dtype="object")
        remarks.iloc[rows] = [text.format(leaked) for leaked in crowd[source].to_pylist()]
        return batch.assign(**{self.column: remarks})

    def present(self, batch: pd.DataFrame) -> bool:
        source, _text, form = self.KINDS[self.kind]
        free = batch.select_dtypes("object").columns.drop(source, errors="ignore")
        return any(form.search(str(value)) for column in free for value in batch[column].dropna().unique())
