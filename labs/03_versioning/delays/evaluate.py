"""model.json, data/prepared.csv → metrics/evaluate.json: how far the forecast is off, and how often it warns."""

import csv
import json
from pathlib import Path

import yaml
from rules import is_late

params = yaml.safe_load(Path("params.yaml").read_text())
late_from, threshold = params["late_from"], params["evaluate"]["threshold"]
model = json.loads(Path("model.json").read_text())

with Path("data/prepared.csv").open(newline="") as file:
    pairs = [(model[flight["carrier"]], is_late(flight, late_from)) for flight in csv.DictReader(file)]

Path("metrics").mkdir(exist_ok=True)
Path("metrics/evaluate.json").write_text(
    json.dumps(
        {
            "brier": round(sum((forecast - late) ** 2 for forecast, late in pairs) / len(pairs), 6),
            "warned_share": round(sum(forecast >= threshold for forecast, _late in pairs) / len(pairs), 4),
        }
    )
    + "\n"
)
