"""Write, audit, publish: a day of flights comes to an Apache Iceberg table on a branch, is checked there, and reaches main only when it is sound.

The catalogue is one SQLite file, the table lies in a bucket. Data files are never moved: a branch is a name for a snapshot, and publishing
lets main name the snapshot that was audited. `write_audit_publish` of the notebook's q4 is not here: it is yours to write.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from flightschool.i18n import translations

if TYPE_CHECKING:
    import pandas as pd
    from pyiceberg.catalog.sql import SqlCatalog

_ = translations("03_versioning")

TABLE = "operations.flights"
SCHEMA = pa.schema(
    {
        "flight_date": pa.date32(),
        "carrier": pa.string(),
        "flight": pa.int32(),
        "origin": pa.string(),
        "sched_dep_time": pa.int32(),
        "air_time": pa.int32(),
        "distance": pa.int32(),
    }
)
KEY = ["flight_date", "carrier", "flight", "origin", "sched_dep_time"]
"""What names a flight."""
AIRPORTS = ("EWR", "JFK", "LGA")


def catalog(folder: Path, s3: Any, bucket: str) -> SqlCatalog:
    """A catalogue in `folder`, its warehouse in a bucket of `s3` (the service), which is made."""
    from pyiceberg.catalog.sql import SqlCatalog

    s3.client().create_bucket(Bucket=bucket)
    account = s3.env()
    made = SqlCatalog(
        "flights",
        **{
            "uri": f"sqlite:///{folder / 'catalog.db'}",
            "warehouse": f"s3://{bucket}/warehouse",
            "s3.endpoint": s3.endpoint,
            "s3.region": account["AWS_REGION"],
            "s3.access-key-id": account["AWS_ACCESS_KEY_ID"],
            "s3.secret-access-key": account["AWS_SECRET_ACCESS_KEY"],
        },
    )
    made.create_namespace_if_not_exists("operations")
    return made


def batch(flights: pd.DataFrame) -> pa.Table:
    """A day of raw flights as the table wants it."""
    columns = {name: flights[name] for name in SCHEMA.names if name != "flight_date"}
    columns["flight_date"] = [
        date(int(y), int(m), int(d)) for y, m, d in zip(flights.year, flights.month, flights.day, strict=True)
    ]
    return pa.table(
        {
            name: pa.array(columns[name], field.type, from_pandas=True)
            for name, field in zip(SCHEMA.names, SCHEMA, strict=True)
        },
        SCHEMA,
    )


def problems(rows: pa.Table) -> list[str]:
    """What is wrong with the rows of a whole table, in sentences; none when it may be published."""
    found = []
    twice = rows.num_rows - rows.group_by(KEY).aggregate([]).num_rows
    if twice:
        found.append(_("{n} rows name a flight that another row names, too.").format(n=twice))
    for name in KEY:
        if rows[name].null_count:
            found.append(_("{n} rows have no {name}.").format(n=rows[name].null_count, name=name))
    strange = [
        airport for airport in pc.unique(rows["origin"]).to_pylist() if airport not in (*AIRPORTS, None)
    ]
    if strange:
        found.append(
            _("Flights leave from {airports}, which is none of ours.").format(airports=", ".join(strange))
        )
    speed = pc.divide(pc.cast(rows["distance"], pa.float64()), pc.cast(rows["air_time"], pa.float64()))
    if (fast := pc.sum(pc.greater(speed, 15)).as_py() or 0) > 0:
        found.append(
            _("{n} flights are faster than 15 miles a minute: is air_time in minutes?").format(n=fast)
        )
    return found
