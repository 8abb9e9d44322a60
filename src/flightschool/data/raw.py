"""Raw daily files: CSV as the source system sends it, made from the verified data on demand.

UTF-8 with a header, commas, no quotes where none are needed, lines that end with a line feed, NA for missing,
whole numbers without a point, time_hour in UTC as 2013-02-08T10:00:00Z.
"""

from __future__ import annotations

import io
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from flightschool.data import reading
from flightschool.data.writing import atomic

if TYPE_CHECKING:
    import pandas as pd


def file_name(d: date, table: str = "flights") -> str:
    """The name under which the source sends a day of a table: flights-2013-02-08.csv."""
    return f"{table}-{d.isoformat()}.csv"


def raw_day(d: date, folder: Path) -> Path:
    """Write the raw file of one day into `folder` and return its path; the same bytes each time, atomically.

    Raises:
        NoSuchData: the day is not in 2013.
        DamagedData: the data it is made from are damaged.
    """
    d = reading.a_day(d)
    content = render(reading.day(d))
    path = Path(folder) / file_name(d)
    with atomic(path) as file:
        file.write(content)
    return path


def render(frame: pd.DataFrame) -> bytes:
    """A frame of flights, weather or passengers as the bytes of a raw file; dates as 2013-02-08, true or false."""
    plain = {name: frame[name].dt.strftime("%Y-%m-%d") for name in frame.select_dtypes("datetime64[ns]")}
    plain |= {
        name: frame[name].map({True: "true", False: "false"})
        for name in frame.select_dtypes(["bool", "boolean"])
    }
    # Ten digits: enough for an hour with decimals, and 517.0 is written as 517.
    text: str = frame.assign(**plain).to_csv(
        index=False, na_rep="NA", lineterminator="\n", float_format="%.10g", date_format="%Y-%m-%dT%H:%M:%SZ"
    )
    return text.encode()


def parse(content: bytes, like: pd.DataFrame | None = None) -> pd.DataFrame:
    """The frame in the bytes of a whole raw file; known columns get the types of `like`, by default those of a day.

    A column whose values don't fit its type keeps the one that CSV gave it.

    Raises:
        ValueError: the file is empty, or a row has more fields than the header.
    """
    import pandas as pd

    kinds = (reading.day(reading.DAYS[0]) if like is None else like).dtypes
    # Text stays text, as 07030 must.
    texts = {name: "str" for name, kind in kinds.items() if kind == "object"}
    frame = pd.read_csv(io.BytesIO(content), keep_default_na=False, na_values=["NA"], dtype=texts)
    for name, kind in kinds.items():
        if name not in frame:
            continue
        # A type that doesn't fit is what a schema change is about: left for whoever looks.
        with suppress(ValueError):
            if str(kind).startswith("datetime64"):
                frame[name] = pd.to_datetime(frame[name], utc="UTC" in str(kind)).astype(kind)
            elif kind not in ("int64", "bool") or not frame[name].isna().any():
                frame[name] = frame[name].astype(kind)
    return frame
