"""Uses each server of compose once, for real, from inside the lab's container: python check.py NAME…

Prints a line for each; ends with 1 and a sentence at the first that does not do what it is there for.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0
"""Seconds for what one server does on behalf of another: a scrape, a task, a job."""


def secrets() -> dict[str, str]:
    """What environment/dotenv made."""
    lines = (ROOT / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def ask(url: str, body: Any = None, *, method: str | None = None, **headers: str) -> Any:
    """The JSON, or else the text, of a reply."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310
        url, data, {"Content-Type": "application/json", **headers}, method=method
    )
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
        text = reply.read().decode()
    try:
        return json.loads(text)
    except ValueError:
        return text


def refused(url: str, body: Any) -> bool:
    """Whether the server turns the request down for want of a right."""
    try:
        ask(url, body)
    except urllib.error.HTTPError as error:
        return error.code in (401, 403)
    return False


def until(what: str, look: Callable[[], Any]) -> Any:
    """What `look` gives, as soon as that is true."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.5)
    sys.exit(f"{what} did not come within {PATIENCE:.0f} s")


def found() -> str:
    """A lab's `services.s3()` is compose's, without a changed line."""
    from flightschool import services

    endpoint = services.s3().endpoint
    assert endpoint == "http://s3:7070", endpoint
    return "services.s3() is compose's"


def postgres() -> str:
    """A table is written and summed; no server's role gets into another's database."""
    import psycopg

    known = secrets()
    with psycopg.connect(
        host="postgres", user="flights", password=known["POSTGRES_PASSWORD"], dbname="flights"
    ) as one:
        one.execute("create temp table delays (carrier text, minutes int)")
        one.execute("insert into delays values ('AA', 7), ('UA', 35)")
        [total] = one.execute("select sum(minutes) from delays").fetchone() or [None]
    assert total == 42, total
    for user, password, database in (
        ("airflow", "wrong", "airflow"),
        ("airflow", known["AIRFLOW_DB_PASSWORD"], "mlflow"),
    ):
        try:
            psycopg.connect(host="postgres", user=user, password=password, dbname=database).close()
        except psycopg.OperationalError:
            continue
        sys.exit(f"{user} got into {database}, which it must not")
    return "a table written and summed, strangers kept out"


def s3() -> str:
    """An object comes back as it went."""
    import boto3

    known = secrets()
    client = boto3.client(
        "s3",
        endpoint_url="http://s3:7070",
        region_name="us-east-1",
        aws_access_key_id=known["S3_ACCESS_KEY_ID"],
        aws_secret_access_key=known["S3_SECRET_ACCESS_KEY"],
    )
    client.create_bucket(Bucket="lake")
    client.put_object(Bucket="lake", Key="flights/2013-01-01.csv", Body=b"carrier,minutes\n")
    assert (
        client.get_object(Bucket="lake", Key="flights/2013-01-01.csv")["Body"].read() == b"carrier,minutes\n"
    )
    return "an object written and read"


def monitoring() -> str:
    """A pushed metric arrives in Prometheus, and the alert on its age in Alertmanager."""
    ask(
        "http://pushgateway:9091/metrics/job/trial/table/flights",
        b"pipeline_last_success_timestamp_seconds 1\n",
        method="PUT",
    )

    def scraped() -> Any:
        found = ask("http://prometheus:9090/api/v1/query?query=pipeline_last_success_timestamp_seconds")
        return found["data"]["result"]

    [series] = until("the pushed metric", scraped)
    assert series["metric"]["table"] == "flights", series
    assert series["metric"]["job"] == "trial", series
    [alert] = until(
        "the alert TableStale",
        lambda: ask("http://alertmanager:9093/api/v2/alerts?filter=alertname=TableStale"),
    )
    down = ask("http://prometheus:9090/api/v1/query?query=up%20==%200")["data"]["result"]
    assert not down, down
    return f"a metric scraped, an alert raised: {alert['annotations']['summary']}"


def airflow() -> str:
    """Somebody without the password stays out; a DAG runs through scheduler, executor and API to success."""
    api = "http://airflow-apiserver:8080"
    assert refused(f"{api}/auth/token", {"username": "admin", "password": "admin"}), (
        "a guessed password was taken"
    )
    token = ask(f"{api}/auth/token", {"username": "admin", "password": secrets()["AIRFLOW_PASSWORD"]})[
        "access_token"
    ]
    bearer = {"Authorization": f"Bearer {token}"}

    def parsed() -> Any:
        return [
            dag for dag in ask(f"{api}/api/v2/dags", **bearer)["dags"] if dag["dag_id"] == "platform_check"
        ]

    until("the DAG platform_check", parsed)
    dag = f"{api}/api/v2/dags/platform_check"
    ask(dag, {"is_paused": False}, method="PATCH", **bearer)
    run = ask(f"{dag}/dagRuns", {"logical_date": None}, **bearer)["dag_run_id"]

    def ended() -> Any:
        state = ask(f"{dag}/dagRuns/{run}", **bearer)["state"]
        return state if state in ("success", "failed") else None

    state = until("the end of the DAG run", ended)
    assert state == "success", state
    value = ask(f"{dag}/dagRuns/{run}/taskInstances/total/xcomEntries/return_value", **bearer)["value"]
    assert value in (842, "842"), value
    return "a DAG of two tasks ran to success"


def spark() -> str:
    """A job of the lab's driver runs on both workers."""
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as f

    session = (
        SparkSession.builder.master("spark://spark-master:7077")
        .config("spark.executor.memory", "512m")
        .config("spark.driver.host", "lab")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    try:

        def host(_rows: Any) -> Any:
            import socket

            time.sleep(1)
            yield socket.gethostname()

        until(
            "the second worker",
            lambda: (
                len(session.sparkContext.parallelize(range(4), 4).mapPartitions(host).distinct().collect())
                == 2
            ),
        )
        total = session.range(1_000_000).agg(f.sum("id")).first()
    finally:
        session.stop()
    assert total is not None
    assert total[0] == 499_999_500_000, total
    return "a job ran on both workers"


def mlflow() -> str:
    """A run's metric and file come back."""
    import tempfile

    from mlflow import MlflowClient

    client = MlflowClient("http://mlflow:5000")
    run = client.create_run(client.create_experiment("trial")).info.run_id
    client.log_metric(run, "rmse", 4.2)
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "model.txt").write_text("delay = 42")
        client.log_artifact(run, str(Path(place) / "model.txt"))
        back = Path(client.download_artifacts(run, "model.txt", place + "/.."))
        assert back.read_text() == "delay = 42"
        back.unlink()
    assert client.get_run(run).data.metrics == {"rmse": 4.2}
    return "a run with a metric and a file"


def evidently() -> str:
    """A project is made, and only with the secret."""
    import uuid

    project = {"id": str(uuid.uuid4()), "name": "trial"}
    assert refused("http://evidently:8000/api/projects", project), "somebody wrote without the secret"
    ask("http://evidently:8000/api/projects", project, **{"evidently-secret": secrets()["EVIDENTLY_SECRET"]})
    assert "trial" in json.dumps(ask("http://evidently:8000/api/projects"))
    return "a project made, a stranger refused"


CHECKS = {one.__name__: one for one in (found, postgres, s3, monitoring, airflow, spark, mlflow, evidently)}

if __name__ == "__main__":
    for name in sys.argv[1:]:
        began = time.monotonic()
        said = CHECKS[name]()
        sys.stdout.write(f"{name}: {said} ({time.monotonic() - began:.1f} s)\n")
        sys.stdout.flush()
