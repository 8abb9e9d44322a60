"""Measures set-up and start: seconds, disk and memory, against bare JupyterLab in pairs; prints a table, keeps JSON.

Works on a copy of the checkout in a temporary folder, so that the environment in use is left alone. System packages are
taken as they are found: what set-up would install of them depends on the machine, and is not part of the figures.
Usage: python benchmarks/setup.py [--cold] [--runs N]; --cold starts once with an empty package cache (downloads all).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "build" / "benchmarks"
COPIED = (
    "environment",
    "src",
    "labs",
    "notebooks",
    "datasets",
    "pyproject.toml",
    "Makefile",
    "README.md",
    "LICENSE",
    "LICENSE-text",
)
GIB = 2**30
MIB = 2**20


def main() -> int:
    """Run all measurements."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cold", action="store_true", help="also measure once with an empty package cache")
    parser.add_argument("--runs", type=int, default=3, help="how often to measure what is given as a median")
    options = parser.parse_args()
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="flightschool-bench-") as folder:
        tree = Path(folder) / "checkout"
        copy_checkout(tree)
        if options.cold:
            cache = Path(folder) / "cache"
            before = shutil.disk_usage(folder).free
            figures["set-up, cold cache (s)"] = set_up(tree, UV_CACHE_DIR=str(cache))
            figures["disk that a cold set-up takes, cache included (GiB)"] = (
                before - shutil.disk_usage(folder).free
            ) / GIB
            remove_environment(tree)
            shutil.rmtree(cache)
        warm = []
        for _ in range(options.runs):
            remove_environment(tree)
            warm.append(set_up(tree))
        figures["set-up, warm cache (s)"] = statistics.median(warm)
        figures["disk of .venv and .tools (GiB)"] = (size_of(tree / ".venv") + size_of(tree / ".tools")) / GIB
        figures["set-up again, nothing to do (s)"] = statistics.median(set_up(tree) for _ in range(5))
        measure_start(tree, options.runs, figures)
    report(figures, options.runs)
    return 0


def copy_checkout(tree: Path) -> None:
    """What set-up and start need, without what running made."""
    tree.mkdir()
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        elif source.exists():
            shutil.copy(source, tree)


def remove_environment(tree: Path) -> None:
    """Back to a fresh clone; the package cache stays."""
    for name in (".venv", ".tools"):
        shutil.rmtree(tree / name, ignore_errors=True)


def set_up(tree: Path, **env: str) -> float:
    """Seconds that environment/setup takes."""
    began = time.monotonic()
    done = subprocess.run(
        [tree / "environment/setup"],
        cwd=tree,
        env=os.environ | env,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"Set-up failed, so there is nothing to measure:\n{done.stderr}")
    return time.monotonic() - began


def size_of(folder: Path) -> int:
    """Bytes that a folder takes on disk."""
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*"))


def measure_start(tree: Path, runs: int, figures: dict[str, float]) -> None:
    """`make lab` against bare `jupyter lab`, one after the other so that noise hits both; and memory when idle."""
    bare = [
        str(tree / ".venv/bin/jupyter"),
        "lab",
        "--no-browser",
        "--allow-root",
        "--IdentityProvider.token=",
    ]
    ours = ["make", "--no-print-directory", "lab"]
    seconds: dict[str, list[float]] = {"ours": [], "bare": []}
    memory = []
    for turn in range(runs + 1):
        pair = {}
        for name, command in (("bare", bare), ("ours", ours)):
            port = 18600 + 2 * turn + (name == "ours")
            extra = [f"--port={port}"] if name == "bare" else [f"LAB=--no-browser --port {port}"]
            pair[name], used = start([*command, *extra], tree, port)
            if name == "ours":
                memory.append(used)
        if turn:  # the first pair warms the disk cache and the byte code
            for name, value in pair.items():
                seconds[name].append(value)
    figures["second `make lab` until JupyterLab answers (s)"] = statistics.median(seconds["ours"])
    figures["bare `jupyter lab` until it answers (s)"] = statistics.median(seconds["bare"])
    figures["difference of the pairs (s)"] = statistics.median(
        ours - bare for ours, bare in zip(seconds["ours"], seconds["bare"], strict=True)
    )
    figures["memory of an idle `make lab`, all processes (MiB)"] = statistics.median(memory) / MIB


def start(command: list[str], tree: Path, port: int) -> tuple[float, int]:
    """Seconds until the server answers, and the bytes (USS) of its process tree a moment later."""
    with tempfile.TemporaryFile("w+") as log:
        began = time.monotonic()
        process = psutil.Popen(
            command, cwd=tree, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            while True:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=2).close()
                    break
                if process.poll() is not None or time.monotonic() - began > 120:
                    log.seek(0)
                    sys.exit(f"{' '.join(command)} did not start:\n{log.read()[-2000:]}")
                time.sleep(0.05)
            took = time.monotonic() - began
            time.sleep(2)
            used = sum(one.memory_full_info().uss for one in [process, *process.children(recursive=True)])
        finally:
            end(process)
    return took, used


def end(process: psutil.Popen) -> None:
    """Ctrl-C for the whole group; what does not listen is killed."""
    for signal_number in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal_number)
        with contextlib.suppress(psutil.TimeoutExpired):
            process.wait(5)
            return


def report(figures: dict[str, float], runs: int) -> None:
    """Table to the terminal, JSON with the machine's description into the ignored folder build/."""
    machine = {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / GIB, 1),
        "load_average": os.getloadavg(),
    }
    for name, value in figures.items():
        print(f"{name:58} {value:9.2f}")
    print(
        f"medians of {runs} runs; load average {machine['load_average'][0]:.1f} on {machine['cores']} cores"
    )
    RESULTS.mkdir(parents=True, exist_ok=True)
    content = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "runs": runs,
        "figures": figures,
    }
    (RESULTS / "setup.json").write_text(json.dumps(content, indent=2) + "\n")
    print(f"kept in {(RESULTS / 'setup.json').relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
