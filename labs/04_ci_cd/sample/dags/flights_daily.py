"""The report each morning: check the file, then make the report."""

from datetime import datetime, timedelta

from airflow.sdk import dag, task

RELEASE = "1.4.0"


@dag(
    schedule="0 6 * * *",
    start_date=datetime(2013, 1, 1),
    catchup=False,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5)},
    tags=[f"release-{RELEASE}"],
)
def flights_daily() -> None:
    """Two tasks, in this order."""

    @task
    def check() -> str:
        return "data/flights.csv"

    @task
    def report(path: str) -> str:
        return path

    report(check())


flights_daily()
