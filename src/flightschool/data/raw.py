"""Raw daily files: CSV as the source system sends it, made from the verified data on demand.

UTF-8 with a header, commas, no quotes where none are needed, lines that end with a line feed, NA for missing,
whole numbers without a point, time_hour in UTC as 2013-02-08T10:00:00Z.
"""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from flightschool.data import reading
from flightschool.data.writing import atomic

if TYPE_CHECKING:
    import pandas as pd


def file_name(d: date) -> str:
    """The name under which the source sends a day: flights-2013-02-08.csv."""
    return f"flights-{d.isoformat()}.csv"


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
    """A frame of flights as the bytes of a raw file."""
    # Ten digits: enough for an hour with decimals, and 517.0 is written as 517.
    text: str = frame.to_csv(
        index=False, na_rep="NA", lineterminator="\n", float_format="%.10g", date_format="%Y-%m-%dT%H:%M:%SZ"
    )
    return text.encode()


def parse(content: bytes) -> pd.DataFrame:
    """The frame in the bytes of a whole raw file; known columns get the types that `frame` gives them.

    Raises:
        ValueError: the file is empty, or a row has more fields than the header.
    """
    import pandas as pd

    frame = pd.read_csv(io.BytesIO(content), keep_default_na=False, na_values=["NA"])
    for name, kind in reading.day(reading.DAYS[0]).dtypes.items():
        if name not in frame:
            continue
        if str(kind).startswith("datetime64"):
            frame[name] = pd.to_datetime(frame[name], utc=True)
        elif kind != "int64" or not frame[name].isna().any():
            frame[name] = frame[name].astype(kind)
    return frame
