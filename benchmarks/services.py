"""The embedded servers: each alone, all at once, their memory and their ends. Warm, medians.

    python benchmarks/services.py [--runs 3] [--json FILE] [NAME]...

A first `up` of all is not counted: it makes the templates and byte code that later ones find. Then each run starts
every server alone, by the library as a notebook does, and all together by `flightschool up`, and ends them. The state
folder is a new one, and nothing of yours is touched. Exit status 1 when a limit is missed or a server that can be had
did not start.

Seconds of CPU are those of the server's processes until it answers. They hardly depend on what else the machine does, and
their sum over the cores is the least that all at once can take: 24.0 s in all, so 12.0 s on two cores, of which Airflow takes 10.8, Spark
6.3 and MLflow 3.7 (before Spark started from an archive of classes, and Airflow and MLflow without looking for garbage: 37, 14.2, 13.4 and 4.7).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import report

# Before anything of ours is imported, which reads it.
STATE = Path(tempfile.mkdtemp(prefix="flightschool-services-"))
os.environ |= {
    "FLIGHTSCHOOL_STATE": str(STATE),
    "FLIGHTSCHOOL_WORKSPACE": str(STATE / "workspace"),
    "FLIGHTSCHOOL_COMPOSE": "off",
}

QUICK = {"s3": 2.0, "kafka": 2.0, "postgres": 2.0}
"""Seconds within which these are to be ready."""
ENDS, AIRFLOW_ENDS = 2.0, 6.0
TOGETHER = 1.2
"""All at once take at most so much of the slowest one's own time."""
MEMORY = 4.0
"""GiB in all."""


def command(*words: str) -> tuple[float, subprocess.CompletedProcess[str]]:
    """Seconds that a command of ours takes, and what it said."""
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "flightschool", *words], capture_output=True, text=True, check=False
    )
    return time.perf_counter() - begin, done


@dataclass(frozen=True)
class Alone:
    """Seconds until one server answers that this process starts, seconds of CPU that it took for that, and seconds until it is gone."""

    ready: float
    cpu: float
    gone: float

    @classmethod
    def of(cls, name: str) -> Alone:
        """Start it and end it."""
        from flightschool.services import registry

        service = registry.server(name).make()
        begin = time.perf_counter()
        service.start()
        ready = time.perf_counter()
        times = [one.cpu_times() for supervised in service.supervised() for one in supervised.tree()]
        cpu = sum(one.user + one.system + one.children_user + one.children_system for one in times)
        end = time.perf_counter()
        service.stop()
        return cls(ready - begin, cpu, time.perf_counter() - end)


def together(names: Sequence[str]) -> dict[str, Any]:
    """All of them by `flightschool up`: seconds up, seconds down (Airflow apart), bytes of memory."""
    up, done = command("up", *names)
    if done.returncode:
        sys.exit(done.stderr)
    _seconds, shown = command("status", "--json")
    servers = json.loads(shown.stdout)["servers"]
    silent = set(names) - {one["name"] for one in servers if one["ready"]}
    ends = {}
    for part in (["airflow"], [one for one in names if one != "airflow"]):
        if chosen := [name for name in part if name in names]:
            _seconds, done = command("down", *chosen)
            ends[part[0]] = float(done.stdout.split("Stopped in ")[1].split(" s:")[0])
    return {
        "up": up,
        "down": max(seconds for name, seconds in ends.items() if name != "airflow"),
        "airflow down": ends.get("airflow"),
        "bytes": {one["name"]: one["memory"] for one in servers},
        "silent": sorted(silent),
    }


def main() -> int:
    """Measure, print and keep."""
    from flightschool.engine import machine
    from flightschool.services import registry

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    wanted = chosen.names or [one.name for one in registry.table().values() if one.embedded]
    _seconds, warm = command("up", *wanted)
    print(warm.stderr, end="", file=sys.stderr)
    _seconds, shown = command("status", "--json")
    names = [one["name"] for one in json.loads(shown.stdout)["servers"]]
    command("down")
    if not names:
        return 1
    single: dict[str, list[Alone]] = {name: [] for name in names}
    at_once = []
    for _ in range(chosen.runs):
        for name in names:
            single[name].append(Alone.of(name))
        at_once.append(together(names))
    starts, work, ends = (
        {name: statistics.median(getattr(one, what) for one in times) for name, times in single.items()}
        for what in ("ready", "cpu", "gone")
    )
    memory = {name: statistics.median(one["bytes"][name] for one in at_once) / 2**20 for name in names}
    up, down = (statistics.median(one[key] for one in at_once) for key in ("up", "down"))
    print(f"{'medians of ' + str(chosen.runs):<16}{'ready':>9}{'CPU':>9}{'gone':>9}{'memory':>10}")
    for name in names:
        print(
            f"{name:<16}{starts[name]:>7.2f} s{work[name]:>7.2f} s{ends[name]:>7.2f} s{memory[name]:>6.0f} MiB"
        )
    total, seconds = sum(memory.values()) / 1024, sum(work.values())
    print(f"{'all at once':<16}{up:>7.2f} s{seconds:>7.2f} s{down:>7.2f} s{total:>6.2f} GiB")
    slowest, cores = max(starts.values()), machine.cores()
    print(f"the CPU work of all takes {cores} cores {seconds / cores:.1f} s at least")
    limits = [(f"{name} ready", starts[name], most) for name, most in QUICK.items() if name in starts]
    limits += [
        ("all at once, of the slowest's own time", up / slowest, TOGETHER),
        ("memory in all, GiB", total, MEMORY),
        ("all but Airflow gone", down, ENDS),
    ]
    if "airflow" in names:
        airflow = statistics.median(one["airflow down"] for one in at_once)
        limits.append(("Airflow gone", airflow, AIRFLOW_ENDS))
    missed = [limit for limit in limits if limit[1] > limit[2]]
    for what, found, most in limits:
        print(f"{'over ' if found > most else 'holds'} {what}: {found:.2f}, at most {most:g}")
    silent = sorted({name for one in at_once for name in one["silent"]})
    absent = sorted(set(wanted) - set(names))
    if absent or silent:
        print(f"not started here: {', '.join(absent) or 'none'}; silent: {', '.join(silent) or 'none'}")
    content = {
        "runs": chosen.runs,
        "ready seconds": starts,
        "CPU seconds": work,
        "gone seconds": ends,
        "memory MiB": memory,
        "all at once": {"up seconds": up, "down seconds": down, "memory GiB": total},
        "limits": [{"what": what, "found": found, "at most": most} for what, found, most in limits],
        "absent": absent,
    }
    report.keep("services", content, chosen.json)
    return 1 if missed or silent else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    finally:
        shutil.rmtree(STATE, ignore_errors=True)
