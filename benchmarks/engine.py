"""The engine `flightschool` beside papermill's own: wall time of a notebook, in pairs, medians.

    python benchmarks/engine.py [--pairs 5] [--json FILE]

A pair is one run with each engine, one straight after the other, so that whatever else the machine does bears on both.
The warm process is started before the first pair;
what that costs stands in a line of its own.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, redirect_stderr
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.engines import papermill_engines

from flightschool import curriculum, publish
from flightschool.engine import warm
from flightschool.engine.papermill import FlightSchoolEngine
from flightschool.engine.runner import kernel_environment

ENGINES = {"stock": None, "flightschool": "flightschool"}


def trivial() -> bytes:
    """A notebook of twelve pandas cells."""
    first = "import pandas as pd\nframe = pd.DataFrame({'a': range(100), 'b': [n % 7 for n in range(100)]})"
    cells = [first, *["frame.groupby('b').a.describe().head(3)"] * 11]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells], metadata={"kernelspec": kernel}
    )
    return nbformat.writes(made).encode()


def timed(run: Callable[[], Any]) -> float:
    """Seconds of wall time of one call."""
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def execute(source: Path, folder: Path, engine: str | None) -> None:
    """One run."""
    papermill.execute_notebook(
        source,
        folder / "out.ipynb",
        engine_name=engine,
        kernel_name="python3",
        progress_bar=False,
        cwd=folder,
        start_timeout=180,
    )


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    if reason := warm.missing():
        print(f"Nothing to measure: {reason}.", file=sys.stderr)
        return 1
    papermill_engines.register("flightschool", FlightSchoolEngine)
    found: dict[str, Any] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(redirect_stderr((folder / "log").open("w")))
        os.environ |= kernel_environment(folder)
        os.environ["FLIGHTSCHOOL_STATE"] = str(folder / "state")
        found["start of the warm process"] = {"flightschool": timed(warm.template)}
        module = curriculum.modules()[0]
        for name, data in (("trivial", trivial()), (module.id, publish.solution_notebook(module))):
            source = folder / f"{name}.ipynb"
            source.write_bytes(data)
            times: dict[str, list[float]] = {engine: [] for engine in ENGINES}
            for pair in range(chosen.pairs):
                order = list(ENGINES.items())
                for label, engine in order if pair % 2 else order[::-1]:
                    work = folder / "work" / f"{name}-{label}-{pair}"
                    work.mkdir(parents=True)
                    times[label].append(timed(lambda: execute(source, work, engine)))  # noqa: B023
            found[name] = {label: statistics.median(values) for label, values in times.items()}
    machine = {"cores": os.cpu_count(), "system": platform.platform(), "python": platform.python_version()}
    print(f"{'medians of ' + str(chosen.pairs) + ' pairs':<28}{'stock':>10}{'flightschool':>14}{'ratio':>8}")
    for name, row in found.items():
        stock = f"{row['stock']:.3f} s" if "stock" in row else ""
        ratio = f"{row['stock'] / row['flightschool']:.1f}×" if "stock" in row else ""
        print(f"{name:<28}{stock:>10}{row['flightschool']:>12.3f} s{ratio:>8}")
    if chosen.json:
        chosen.json.write_text(json.dumps({"machine": machine, "seconds": found}, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
