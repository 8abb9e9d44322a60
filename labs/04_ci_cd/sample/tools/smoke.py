"""Asks what is deployed for a report: exit status 0 when it answers."""

import os
import subprocess
import sys
from pathlib import Path

CODE = """
from ontime.report import report
flight = {"origin": "JFK", "dep_time": "600", "arr_delay": "3"}
assert report([flight])["JFK"]["on_time"] == 1
"""


def main(name: str) -> int:
    """Try the current release of a site in a process of its own."""
    current = Path(os.environ["SITES"]) / name / "current"
    if not current.exists():
        print(f"smoke: nothing is deployed to {name}", file=sys.stderr)
        return 1
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=current, capture_output=True, text=True, check=False
    )
    last = (done.stderr.strip().splitlines() or ["answers"])[-1]
    print(f"smoke: {name}: {last}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
