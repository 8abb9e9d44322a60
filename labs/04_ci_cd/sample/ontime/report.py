"""The report: scheduled, cancelled and punctual flights of each airport."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

from ontime.rules import on_time


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a flights file; an empty field is a value that is missing."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def report(flights: Iterable[Mapping[str, str]]) -> dict[str, dict[str, int]]:
    """For each airport: flights scheduled, cancelled (never departed) and on time."""
    airports: dict[str, dict[str, int]] = {}
    for flight in flights:
        counts = airports.setdefault(flight["origin"], {"scheduled": 0, "cancelled": 0, "on_time": 0})
        counts["scheduled"] += 1
        counts["cancelled"] += not flight["dep_time"]
        delay = flight["arr_delay"]
        counts["on_time"] += on_time(int(delay) if delay else None)
    return dict(sorted(airports.items()))
