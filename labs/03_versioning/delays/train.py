"""data/prepared.csv → model.json: how likely a flight is late, by carrier, drawn towards the mean where there are few flights."""

import csv
import json
from collections import Counter
from pathlib import Path

import yaml
from rules import is_late

params = yaml.safe_load(Path("params.yaml").read_text())
late_from, smoothing = params["late_from"], params["train"]["smoothing"]

flights, late = Counter(), Counter()
with Path("data/prepared.csv").open(newline="") as file:
    for flight in csv.DictReader(file):
        flights[flight["carrier"]] += 1
        late[flight["carrier"]] += is_late(flight, late_from)

mean = late.total() / flights.total()
model = {
    carrier: round((late[carrier] + smoothing * mean) / (flights[carrier] + smoothing), 6)
    for carrier in sorted(flights)
}
Path("model.json").write_text(json.dumps(model, indent=1) + "\n")
