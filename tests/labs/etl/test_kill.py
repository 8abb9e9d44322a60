"""SIGKILL at random moments: the day read afterwards is wholly the old or wholly the new one.

`ETL_KILLS` sets how many complete runs are killed, on a folder and a bucket in turn (2 by default; twenty:
``ETL_KILLS=20 pytest tests/labs/etl/test_kill.py -k complete -s``).
"""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import date, timedelta
from typing import Any

import etl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from etl.contract import NATURAL_KEY
from etl.store import Store
from etl.warehouse import current, publish

DAY = date(2013, 2, 8)
TABLES = ("flights", "on_time")
WRITES_KILLED = 10
RUNS_KILLED = int(os.environ.get("ETL_KILLS", "2"))

# Loads the old and the new day in turn, so that any moment is a moment of a load.
WRITER = """
import sys
from datetime import date, timedelta
import pyarrow.parquet as pq
from etl.warehouse import publish
folder, lake = sys.argv[1:]
days = [{t: pq.read_table(f"{folder}/{age}-{t}.parquet") for t in ("flights", "on_time")} for age in ("old", "new")]
publish(date(2013, 2, 8), days[0], lake)
print("ready", flush=True)
while True:
    for tables in days:
        publish(date(2013, 2, 8), tables, lake, keep=timedelta(0))
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL"),
]


def day_read(lake: str) -> dict[str, pa.Table]:
    """All tables of one version: a PUT that was under way at the kill may still arrive between two reads."""
    while True:
        version = current(DAY, lake).version
        found = {table: etl.read_day(DAY, lake, table) for table in TABLES}
        if current(DAY, lake).version == version:
            return found


def same(found: dict[str, pa.Table], expected: dict[str, pa.Table]) -> bool:
    return all(found[table].equals(expected[table]) for table in TABLES)


def assert_whole(lake: str, old: dict[str, pa.Table], new: dict[str, pa.Table]) -> str:
    found = day_read(lake)
    keys = list(zip(*(found["flights"][column].to_pylist() for column in NATURAL_KEY), strict=True))
    assert len(keys) == len(set(keys))
    assert same(found, old) or same(found, new)
    return "old" if same(found, old) else "new"


def kill(process: subprocess.Popen[Any]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def old_and_new(spark, tmp_path, source, deliver, flights):
    """Two forms of one day, of the size of a real one, in other rows as well as in other values."""
    found = []
    for number, late in ((930, 0), (951, 25)):
        deliver(flights(number, late))
        etl.run(DAY, source, tmp_path / "elsewhere", spark)
        found.append(day_read(str(tmp_path / "elsewhere")))
    assert not same(*found)
    return found


def test_a_kill_in_the_write_leaves_a_whole_day(lake, tmp_path, old_and_new):
    old, new = old_and_new
    for age, tables in (("old", old), ("new", new)):
        for table, rows in tables.items():
            pq.write_table(rows, tmp_path / f"{age}-{table}.parquet")
    publish(DAY, old, lake)
    moments, switched = random.Random(8), 0
    for _ in range(WRITES_KILLED):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), lake],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        with writer:
            assert writer.stdout
            assert writer.stdout.readline() == "ready\n"
            before = current(DAY, lake).version
            time.sleep(moments.uniform(0, 0.4))
            assert writer.poll() is None
            kill(writer)
        print(assert_whole(lake, old, new), end=" ")
        switched += current(DAY, lake).version != before
        publish(DAY, old, lake, keep=timedelta(0))
        publish(DAY, new, lake, keep=timedelta(0))
        assert same(day_read(lake), new)
        assert len(Store(lake).names(f"warehouse/day={DAY}/versions")) == 2
    assert switched, "no kill came during a load"


def test_a_kill_in_a_complete_run_leaves_a_whole_day(
    s3, tmp_path, source, spark, old_and_new, deliver, flights
):
    old, new = old_and_new
    command = [sys.executable, "-m", "etl", "run", "--day", str(DAY), "--source", str(source), "--lake"]
    lakes = [str(tmp_path / "lake"), "s3://lake/flights"]
    cwd = tmp_path / "cwd"
    cwd.mkdir()

    def put_back(lake: str) -> None:
        deliver(flights(930))
        etl.run(DAY, source, lake, spark)
        assert same(day_read(lake), old)
        deliver(flights(951, 25))

    put_back(lakes[0])
    start = time.perf_counter()
    undisturbed = subprocess.run(
        [*command, lakes[0]], cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    duration = time.perf_counter() - start
    assert (undisturbed.returncode, undisturbed.stderr) == (0, "")
    assert same(day_read(lakes[0]), new)
    assert list(cwd.iterdir()) == []

    moments, outcomes = random.Random(8), []
    while len(outcomes) < RUNS_KILLED:
        lake = lakes[len(outcomes) % 2]
        put_back(lake)
        moment = moments.uniform(0, duration)
        with subprocess.Popen(
            [*command, lake],
            cwd=cwd,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                process.wait(timeout=moment)
            except subprocess.TimeoutExpired:
                kill(process)
            else:
                # The machine has become faster since we measured: that was no kill.
                assert process.returncode == 0
                duration = moment
                continue
        outcomes.append(assert_whole(lake, old, new))
        where = "s3" if lake.startswith("s3:") else "local"
        print(f"{len(outcomes)}: {moment:.2f} of {duration:.2f} s, {where}: {outcomes[-1]}")
        etl.run(DAY, source, lake, spark)
        assert same(day_read(lake), new)
