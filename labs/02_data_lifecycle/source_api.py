"""The airport's API, the source system of the lab: flights and weather of a day, a page at a time.

Run it with `uvicorn source_api:app`. A day that is not in the data, or is no day, is answered with 404 or 422 and a sentence.
"""

from datetime import date
from functools import lru_cache
from typing import Annotated, Any

import pyarrow.compute as pc
from fastapi import FastAPI, HTTPException, Query
from pydantic import BaseModel

from flightschool import data

Offset = Annotated[int, Query(ge=0, description="rows to skip")]
Limit = Annotated[int, Query(ge=1, le=1000, description="rows in a page, at most")]


class Page(BaseModel):
    """One page of rows, and how many there are in all."""

    total: int
    offset: int
    limit: int
    items: list[dict[str, Any]]


@lru_cache(maxsize=64)
def rows_of(name: str, day: date) -> list[dict[str, Any]]:
    """The rows of `flights` or `weather` of one day. Raises HTTPException (404) for a day without data."""
    if day not in data.DAYS:
        raise HTTPException(
            404, f"There is no data for {day}; ask for a day from {data.DAYS[0]} to {data.DAYS[-1]}."
        )
    table = data.load(name, day.month)
    return table.filter((pc.field("month") == day.month) & (pc.field("day") == day.day)).to_pylist()


def page(rows: list[dict[str, Any]], offset: int, limit: int) -> Page:
    """The rows from `offset` on, at most `limit` of them."""
    return Page(total=len(rows), offset=offset, limit=limit, items=rows[offset : offset + limit])


def create_app() -> FastAPI:
    """The application: /health, /flights/{day}, /weather/{day}."""
    app = FastAPI(title="Airport API", version="1.0.0")

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/flights/{day}")
    def flights(day: date, offset: Offset = 0, limit: Limit = 100) -> Page:
        return page(rows_of("flights", day), offset, limit)

    @app.get("/weather/{day}")
    def weather(day: date, offset: Offset = 0, limit: Limit = 100) -> Page:
        return page(rows_of("weather", day), offset, limit)

    return app


app = create_app()
