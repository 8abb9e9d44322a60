"""A Spark standalone cluster for real, by a driver in a process of its own."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flightschool import services
from flightschool.services import StartError, Unavailable
from flightschool.services.servers import spark as module
from flightschool.services.servers.spark import Spark

pytestmark = pytest.mark.slow

DRIVER = """
import json, sys, os, psutil
from pyspark.sql import SparkSession, functions as f
builder = SparkSession.builder.appName("lab")
for name, value in json.loads(sys.argv[1]).items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
where = spark.sparkContext.parallelize(range(8), 8).map(lambda n: os.environ["SPARK_EXECUTOR_DIRS"]).distinct().count()
total = spark.range(1000).agg(f.sum("id")).first()[0]
mine = psutil.Process().children(recursive=True)
for process in psutil.process_iter():
    try:
        if any(f"@127.0.0.1:{port}" in one for one in process.cmdline() for port in sys.argv[2:]):
            mine.append(process)  # an executor: a worker's address is among its arguments
    except psutil.Error:
        pass
listening = {one.laddr.ip for process in mine for one in process.net_connections("tcp") if one.status == "LISTEN"}
print(json.dumps([total, where, len(mine) > 2, sorted(listening)]))
spark.stop()
"""


@pytest.fixture(scope="module")
def server(state: Path) -> Spark:
    return services.spark()


def test_runs_an_application_on_both_workers_and_on_loopback_only(server: Spark, tmp_path: Path) -> None:
    assert len(server.workers()) == 2
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, json.dumps(server.config()), *map(str, server.ports.values())],
        env={**os.environ, **server.env()},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=500,
    )
    total, where, seen, listening = json.loads(done.stdout.splitlines()[-1])
    assert (total, where, seen) == (499500, 2, True)
    assert set(listening) <= {"127.0.0.1", "::ffff:127.0.0.1"}


def test_a_dead_worker_is_not_taken_for_a_cluster(server: Spark) -> None:
    assert server._process is not None
    for process in server._process.tree():
        if "worker.Worker" in " ".join(process.cmdline()):
            process.kill()
            break
    end = time.monotonic() + 120
    while server.running and time.monotonic() < end:
        time.sleep(0.1)
    assert not server.running
    assert server._process.tree() == []


def test_without_java(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match=r"no java on PATH.*sudo apt-get install openjdk-17-jre-headless"):
        Spark().start()


def test_that_dies_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DAEMON", "-Xssnonsense0")
    with pytest.raises(StartError, match=r"did not start: it ended with status 1.*nonsense0") as caught:
        Spark().start()
    assert "\n" not in str(caught.value)
