"""The delay model behind FastAPI: `uvicorn delays.delay_api:app`. $MODEL names its file, model.json by default."""

import os
from pathlib import Path

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from delays.delay_table import load, probability

app = FastAPI(title="Delays", version="1.0.0")
model = load(Path(os.environ.get("MODEL", "model.json")))


class Flight(BaseModel):
    """A flight as it is planned; `hour` is that of the scheduled departure, local."""

    carrier: str = Field(pattern="^[A-Z0-9]{2}$")
    origin: str = Field(pattern="^[A-Z]{3}$")
    hour: int = Field(ge=0, le=23)


@app.get("/health")
def health() -> dict[str, str]:
    """Whether a model is there to answer with: 503 when it is not."""
    if model is None:
        raise HTTPException(503, "No model was found.")
    return {"status": "ok"}


@app.post("/predict")
def predict(flight: Flight) -> dict[str, float]:
    """The probability that the flight arrives 15 minutes late or later."""
    if model is None:
        raise HTTPException(503, "No model was found.")
    return {"late_probability": round(probability(model, flight.carrier, flight.origin, flight.hour), 6)}
