"""The delay model: the share of late arrivals by carrier, airport and hour, pulled towards the whole where flights are few.

As a file it is JSON: it can be read by a person, compared by a machine, and loading it runs nothing.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

LATE_MINUTES = 15
WEIGHT = 20
"""So many flights of the whole are mixed into each cell."""


def fit(flights: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The model of flights with carrier, origin, hour and arr_delay; those that never arrived are left out."""
    late: dict[str, int] = defaultdict(int)
    seen: dict[str, int] = defaultdict(int)
    for flight in flights:
        if flight["arr_delay"] is None:
            continue
        cell = f"{flight['carrier']} {flight['origin']} {int(flight['hour'])}"
        seen[cell] += 1
        late[cell] += flight["arr_delay"] >= LATE_MINUTES
    whole = sum(late.values()) / max(1, sum(seen.values()))
    cells = {cell: (late[cell] + WEIGHT * whole) / (seen[cell] + WEIGHT) for cell in sorted(seen)}
    return {"flights": sum(seen.values()), "whole": whole, "cells": cells}


def probability(model: Mapping[str, Any], carrier: str, origin: str, hour: int) -> float:
    """The probability of arriving 15 minutes late or later; where nothing is known, that of all flights."""
    return float(model["cells"].get(f"{carrier} {origin} {hour}", model["whole"]))


def load(path: Path) -> dict[str, Any] | None:
    """The model of a file; None while there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {"whole", "cells"} <= found.keys() else None


def save(model: Mapping[str, Any], path: Path) -> Path:
    """Write the model, the same bytes each time."""
    path.write_text(json.dumps(model, indent=0, sort_keys=True) + "\n", encoding="utf-8")
    return path
