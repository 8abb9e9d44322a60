"""The nights of q4: batches that come to a table of flights, sound ones and others, and a colleague who publishes in between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa
import wap

if TYPE_CHECKING:
    from flightschool.data import World

NIGHTS = ("sound", "unsound", "colleague")
ROWS = 200
"""Rows of a day that are used; enough for every fault, and quick."""


@dataclass(frozen=True)
class Nights:
    """What is published before, what each night brings, and what the colleague publishes meanwhile."""

    before: pa.Table
    batches: dict[str, pa.Table]
    colleague: pa.Table


def nights(world: World) -> Nights:
    """Those of a world. The unsound one is a part of the day before, or lacks airports, or has its air_time in hours."""
    rng = world.rng("nights")
    sizes = rng.sample(range(ROWS - 60, ROWS), 5)
    one, two, three, four, five = (
        wap.batch(world.flights(day).head(n)) for n, day in zip(sizes, world.days(5), strict=True)
    )
    again = two.slice(0, rng.randint(40, 120))
    places = set(rng.sample(range(three.num_rows), rng.randint(3, 9)))
    origin = [None if at in places else value for at, value in enumerate(three["origin"].to_pylist())]
    missing = three.set_column(
        three.schema.get_field_index("origin"), "origin", pa.array(origin, pa.string())
    )
    minutes = [None if value is None else value // 60 for value in three["air_time"].to_pylist()]
    hours = three.set_column(
        three.schema.get_field_index("air_time"),
        "air_time",
        pa.array([m or None for m in minutes], pa.int32()),
    )
    unsound = rng.choice([again, again, missing, hours])
    return Nights(one, {"sound": two, "unsound": unsound, "colleague": four}, five)


def through(answer: Callable[..., Any], world: World, place: Path, s3: Any) -> list[dict[str, Any]]:
    """Let the learner's function take each night's batch; what was seen before, during and after.

    A night: `returned`, `raised`, `audits` (rows audited, rows that readers of main saw then), `before` and `after` (rows of main by day), `written`
    (new snapshots), `branches` left.
    """
    this = nights(world)
    catalog = wap.catalog(place, s3, f"night-{uuid4().hex}")
    table = catalog.create_table(wap.TABLE, schema=wap.SCHEMA)
    table.append(this.before)
    evidence = []
    before = _days(catalog)
    for night in NIGHTS:
        known = {snapshot.snapshot_id for snapshot in catalog.load_table(wap.TABLE).snapshots()}
        audits: list[dict[str, int]] = []

        def audit(rows: Any, night: str = night, audits: list[dict[str, int]] = audits) -> list[str]:
            rows = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, preserve_index=False)
            main = catalog.load_table(wap.TABLE)
            audits.append({"rows": rows.num_rows, "main": main.scan().count()})
            if night == "colleague" and len(audits) == 1:
                main.append(this.colleague)
            return wap.problems(rows)

        returned, raised = None, ""
        try:
            returned = answer(catalog.load_table(wap.TABLE), this.batches[night], audit)
        except Exception as error:
            if type(error).__name__ != "CommitFailedException":
                raise
            raised = type(error).__name__
        after = catalog.load_table(wap.TABLE)
        evidence.append(
            {
                "night": night,
                "returned": returned if isinstance(returned, bool) else str(returned)[:40],
                "raised": raised,
                "audits": audits[:5],
                "before": before,
                "after": (now := _days(catalog)),
                "written": len({snapshot.snapshot_id for snapshot in after.snapshots()} - known),
                "branches": sorted(name for name in after.refs() if name != "main"),
            }
        )
        before = now
        for name in evidence[-1]["branches"]:
            after.manage_snapshots().remove_branch(name).commit()
    return evidence


def _days(catalog: Any) -> dict[str, int]:
    """Rows of main by day."""
    days = catalog.load_table(wap.TABLE).scan(selected_fields=("flight_date",)).to_arrow()
    counted = days.group_by("flight_date").aggregate([("flight_date", "count")]).to_pylist()
    return {str(row["flight_date"]): row["flight_date_count"] for row in counted}
