"""data/flights.csv → data/prepared.csv: flights of some airports that arrived, and the columns that later scripts want."""

import csv
from pathlib import Path

import yaml

COLUMNS = ["origin", "carrier", "hour", "arr_delay"]
airports = yaml.safe_load(Path("params.yaml").read_text())["prepare"]["airports"]

with (
    Path("data/flights.csv").open(newline="") as raw,
    Path("data/prepared.csv").open("w", newline="") as prepared,
):
    rows = csv.DictWriter(prepared, COLUMNS, extrasaction="ignore", lineterminator="\n")
    rows.writeheader()
    rows.writerows(
        flight
        for flight in csv.DictReader(raw)
        if flight["origin"] in airports and flight["arr_delay"] != "NA"
    )
