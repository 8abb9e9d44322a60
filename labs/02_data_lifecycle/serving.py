"""Consumption by an API: the on-time table of the warehouse, and the delay model."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import duckdb
import pandas as pd
from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel, Field

COLUMNS = "flight_date, origin, carrier, flights, cancelled, diverted, on_time, on_time_share, mean_dep_delay, mean_arr_delay"


class OnTime(BaseModel):
    """On-time performance of a carrier at an airport on a day; delays in minutes, null when nothing flew."""

    flight_date: date
    origin: str
    carrier: str
    flights: int
    cancelled: int
    diverted: int
    on_time: int
    on_time_share: float
    mean_dep_delay: float | None
    mean_arr_delay: float | None


class PlannedFlight(BaseModel):
    """A flight as it is planned; `hour` is that of the scheduled departure, local; `distance` is in miles."""

    day: date
    origin: str = Field(pattern="^[A-Z]{3}$")
    dest: str = Field(pattern="^[A-Z]{3}$")
    carrier: str = Field(pattern="^[A-Z0-9]{2}$")
    hour: int = Field(ge=0, le=23)
    distance: int = Field(gt=0)


class Risk(BaseModel):
    """The probability that the flight arrives 15 minutes late or later."""

    late_probability: float


def create_app(warehouse: Path, model: Path | None = None) -> FastAPI:
    """The API over a warehouse that holds daily_on_time, and over a saved model if there is one.

    GET /health, /on-time, /on-time/{day}/{origin}/{carrier}; POST /delay-risk. What is not there is answered with 404
    and a sentence; 503 means that the warehouse is being written, or that no model is deployed.
    """
    app = FastAPI(title="On-time API", version="1.0.0")
    pipeline = None
    if model is not None:
        import model as delay_model

        pipeline = delay_model.load(model)

    @app.get("/health")
    def health() -> dict[str, str]:
        query(warehouse, "select 1 from daily_on_time limit 1", [])
        return {"status": "ok"}

    @app.get("/on-time")
    def on_time(
        day: date | None = None,
        origin: str | None = None,
        carrier: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[OnTime]:
        wanted = {"flight_date": day, "origin": origin, "carrier": carrier}
        return find(warehouse, {name: value for name, value in wanted.items() if value is not None}, limit)

    @app.get("/on-time/{day}/{origin}/{carrier}")
    def on_time_of(day: date, origin: str, carrier: str) -> OnTime:
        found = find(warehouse, {"flight_date": day, "origin": origin, "carrier": carrier}, 1)
        if not found:
            raise HTTPException(404, f"{carrier} had no flight from {origin} on {day} in our data.")
        return found[0]

    @app.post("/delay-risk")
    def delay_risk(flight: PlannedFlight) -> Risk:
        if pipeline is None:
            raise HTTPException(503, "No model is deployed here.")
        row = flight.model_dump(exclude={"day"})
        parts = {"year": flight.day.year, "month": flight.day.month, "day": flight.day.day}
        said = delay_model.probability(pipeline, pd.DataFrame([{**row, **parts}]))
        return Risk(late_probability=round(float(said.iloc[0]), 4))

    return app


def find(warehouse: Path, wanted: dict[str, Any], limit: int) -> list[OnTime]:
    """Rows whose columns (names of ours, never of the caller's) have these values."""
    condition = " and ".join(f"{column} = ?" for column in wanted) or "true"
    sql = f"select {COLUMNS} from daily_on_time where {condition} order by all limit ?"  # noqa: S608
    return [OnTime.model_validate(row) for row in query(warehouse, sql, [*wanted.values(), limit])]


def query(warehouse: Path, sql: str, values: list[Any]) -> list[dict[str, Any]]:
    """Rows as dicts. A connection a request, read-only, so that the pipeline can write between two of them."""
    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            cursor = connection.execute(sql, values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    except (duckdb.IOException, duckdb.CatalogException):
        raise HTTPException(
            503, "The warehouse is not there yet or is being written; try again shortly."
        ) from None
