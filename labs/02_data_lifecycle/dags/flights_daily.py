"""The daily flight: ingest, transform and load one day, at 06:00 New York time on the day after."""

import pendulum
from airflow.sdk import Asset, Param, dag, task

DAY = "{{ ds }}"
SOURCE = "{{ params.source }}"
LAKE = "{{ params.lake }}"
WAREHOUSE_FLIGHTS = Asset("flights_warehouse")


@dag(
    schedule="0 6 * * *",
    start_date=pendulum.datetime(2013, 1, 1, tz="America/New_York"),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": pendulum.duration(minutes=5)},
    params={
        "source": Param("/data/raw", type="string", description="Folder or bucket of the daily files"),
        "lake": Param("/data/lake", type="string", description="Folder or bucket of the lake"),
    },
    tags=["flights"],
)
def flights_daily() -> None:
    """Every task can be run again: a second run leaves the same rows."""

    # Imported when a task runs: the scheduler reads this file often, and needs none of it.
    @task
    def ingest(day: str, source: str, lake: str) -> int:
        from datetime import date

        import etl

        return etl.ingest(date.fromisoformat(day), source, lake).rows_out

    @task
    def transform(day: str, lake: str) -> int:
        from datetime import date

        import etl

        return etl.transform(date.fromisoformat(day), lake).rows_out

    @task(outlets=[WAREHOUSE_FLIGHTS])
    def load(day: str, lake: str) -> int:
        from datetime import date

        import etl

        return etl.load(date.fromisoformat(day), lake).rows_out

    ingest(DAY, SOURCE, LAKE) >> transform(DAY, LAKE) >> load(DAY, LAKE)


flights_daily()
