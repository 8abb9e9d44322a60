"""The departure report: how many flights left each airport on time. The team's other daily report.

A departure is on time when the aircraft left the gate less than 15 minutes after its scheduled time (US DOT, 14 CFR 234).
A cancelled flight was scheduled and did not leave on time: it stays in the denominator.
"""

from datetime import date
from pathlib import Path

import pandas as pd

LATE_FROM = 15
"""Minutes after schedule from which a flight counts as late."""


def departure_report(flights: pd.DataFrame, by: str = "origin") -> pd.DataFrame:
    """One row a value of `by`, sorted: `scheduled`, `cancelled`, `left_on_time` (flights) and `left_on_time_share` (0 to 1).

    `flights` has `dep_time` (missing: cancelled) and `dep_delay` (minutes after schedule).
    """
    facts = pd.DataFrame(
        {
            by: flights[by],
            "cancelled": flights.dep_time.isna(),
            "left_on_time": flights.dep_delay < LATE_FROM,
        }
    )
    groups = facts.groupby(by, sort=True)
    report = groups[["cancelled", "left_on_time"]].sum().astype("int64")
    report.insert(0, "scheduled", groups.size())
    report["left_on_time_share"] = (report.left_on_time / report.scheduled).round(4)
    return report.reset_index()


def publish(report: pd.DataFrame, day: date, outbox: Path) -> Path:
    """Write `departures-<day>.csv` into `outbox`, whole or not at all, over the one that is there; returns its path."""
    outbox.mkdir(parents=True, exist_ok=True)
    path = outbox / f"departures-{day}.csv"
    part = path.with_suffix(".part")
    report.to_csv(part, index=False, lineterminator="\n")
    part.replace(path)
    return path
