"""What the walls cost: a fork of a warm Python that runs a dozen small pandas cells, with and without, in pairs.

    python benchmarks/sandbox.py [pairs]

Prints one JSON object: medians in milliseconds of wall and of CPU time (the child's whole tree), and of their differences.
"""

import gc
import json
import os
import platform
import resource
import statistics
import sys
import time
from pathlib import Path

import numpy  # noqa: F401 - warm
import pandas as pd
import pyarrow  # noqa: F401 - warm

from flightschool.engine.sandbox import Policy, available, enter, environment, prepare, run

CELLS = """
import io
frame = pd.DataFrame({"day": range(1000), "delay": [n % 37 for n in range(1000)], "carrier": ["AA", "UA"] * 500})
late = frame[frame.delay > 15]
by = frame.groupby("carrier").delay.mean()
table = late.head().to_html()
joined = frame.merge(by.rename("mean"), left_on="carrier", right_index=True)
pivot = frame.pivot_table(index="carrier", values="delay", aggfunc="max")
text = frame.to_csv(index=False)
back = pd.read_csv(io.StringIO(text))
summary = back.describe()
ranked = back.sort_values("delay").reset_index(drop=True)
assert len(ranked) == 1000
""".strip().splitlines()


def once(policy: Policy | None) -> tuple[float, float]:
    """Wall and CPU milliseconds of one fork, from before it until its end is known."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    child = os.fork()
    if child == 0:
        if policy is not None:
            enter(policy)
        scope = {"pd": pd}
        for cell in CELLS:
            exec(cell, scope)
        os._exit(0)
    _pid, status = os.waitpid(child, 0)
    wall = time.perf_counter() - begin
    assert status == 0, status
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    return wall * 1e3, cpu * 1e3


def main(pairs: int) -> None:
    """Measure and print."""
    available().require()
    policy = Policy(readable=(*environment(), Path(pd.__file__).parents[1]))
    prepare(policy)
    once(None)
    gc.collect()
    gc.freeze()
    bare, walled = [], []
    for number in range(pairs):  # each goes first half of the time
        for kind in ("bare", "walled") if number % 2 else ("walled", "bare"):
            if kind == "bare":
                bare.append(once(None))
            else:
                walled.append(once(policy))
    commands = []
    for _ in range(5):
        begin = time.perf_counter()
        run(["true"], policy)
        commands.append((time.perf_counter() - begin) * 1e3)

    def median(values: list[float]) -> float:
        return round(statistics.median(values), 1)

    print(
        json.dumps(
            {
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, load {os.getloadavg()[0]:.1f}",
                "user": "root" if os.geteuid() == 0 else "ordinary",
                "pairs": pairs,
                "wall_ms": {"bare": median([w for w, _ in bare]), "walled": median([w for w, _ in walled])},
                "cpu_ms": {"bare": median([c for _, c in bare]), "walled": median([c for _, c in walled])},
                "walls_cost_ms": {
                    "wall": median([b[0] - a[0] for a, b in zip(bare, walled, strict=True)]),
                    "cpu": median([b[1] - a[1] for a, b in zip(bare, walled, strict=True)]),
                },
                "run_true_wall_ms": median(commands),
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
