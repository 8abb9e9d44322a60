"""A DAG that shows that scheduler, executor and API server work together; put your own beside it."""

import pendulum
from airflow.sdk import dag, task


@dag(
    schedule=None,
    start_date=pendulum.datetime(2013, 1, 1, tz="America/New_York"),
    catchup=False,
    tags=["platform"],
)
def platform_check() -> None:
    """Two tasks; the second uses what the first returned."""

    @task
    def departures() -> dict[str, int]:
        return {"EWR": 305, "JFK": 297, "LGA": 240}

    @task
    def total(by_airport: dict[str, int]) -> int:
        return sum(by_airport.values())

    total(departures())


platform_check()
