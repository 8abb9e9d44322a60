"""The same service with Flask: `gunicorn delays.delay_flask:app`. What FastAPI checks by types is checked by hand here."""

import os
import re
from pathlib import Path
from typing import Any

from flask import Flask, request

from delays.delay_table import load, probability

app = Flask(__name__)
model = load(Path(os.environ.get("MODEL", "model.json")))


@app.get("/health")
def health() -> tuple[dict[str, str], int]:
    """Whether a model is there to answer with: 503 when it is not."""
    return ({"status": "ok"}, 200) if model else ({"detail": "No model was found."}, 503)


@app.post("/predict")
def predict() -> tuple[dict[str, Any], int]:
    """The probability that the flight arrives 15 minutes late or later."""
    if model is None:
        return {"detail": "No model was found."}, 503
    asked = request.get_json(silent=True)
    flight = asked if isinstance(asked, dict) else {}
    carrier, origin, hour = flight.get("carrier"), flight.get("origin"), flight.get("hour")
    known = isinstance(carrier, str) and isinstance(origin, str) and isinstance(hour, int)
    if not known or not re.fullmatch("[A-Z0-9]{2} [A-Z]{3}", f"{carrier} {origin}") or hour not in range(24):
        return {"detail": "Give a carrier, an origin and an hour from 0 to 23."}, 422
    return {"late_probability": round(probability(model, carrier, origin, hour), 6)}, 200
