"""A DVC pipeline under changes: after each, `dvc repro` runs, and what it ran is counted.

The scripts of `delays/` are copied; each copy gets a last line that notes its name when it has run. So a script counts when it ran, whatever
the stage is called that ran it.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from flightrepo import Repository

from flightschool.data import raw

if TYPE_CHECKING:
    from flightschool.data import World

SCRIPTS = ("prepare", "train", "evaluate")
DELAYS = Path(__file__).parent / "delays"
SESSION = Path(__file__).with_name("repro_session.py")
PATIENCE = 55.0
"""Seconds for all; idle, a machine needs about five."""
NOTE = "\nwith open({log!r}, 'a') as log:\n    log.write({name!r} + '\\n')\n"


@dataclass(frozen=True)
class Change:
    """A change of the project: what it is, and the files that it writes."""

    name: str
    files: Mapping[str, str]


def project(world: World, log: Path) -> dict[str, str]:
    """The project at first: scripts that note their runs in `log`, parameters, and a day of flights."""
    files = {name: (DELAYS / name).read_text(encoding="utf-8") for name in ("rules.py", "params.yaml")}
    for name in SCRIPTS:
        files[f"{name}.py"] = _noting((DELAYS / f"{name}.py").read_text(encoding="utf-8"), name, log)
    files["data/flights.csv"] = _flights(world, 1)
    files["README.md"] = "# Delays\n"
    return files


def changes(world: World, log: Path) -> list[Change]:
    """The changes of a world, one after the other, in its order. Each stays."""
    rng = world.rng("changes")
    files = project(world, log)
    params = yaml.safe_load(files["params.yaml"])
    names = [
        "raw",
        "airports",
        "late_from",
        "smoothing",
        "threshold",
        "unread",
        "rules",
        "comment",
        "comments",
    ]
    rng.shuffle(names)
    made = []
    for name in names:
        wrote: dict[str, str] = {}
        new = copy.deepcopy(params)
        if name == "raw":
            wrote["data/flights.csv"] = _flights(world, 2)
        elif name == "airports":
            new["prepare"]["airports"] = world.airports[:2]
        elif name == "late_from":
            new["late_from"] = rng.choice([20, 25, 30])
        elif name == "smoothing":
            new["train"]["smoothing"] = rng.choice([5, 50, 80])
        elif name == "threshold":
            new["evaluate"]["threshold"] = rng.choice([0.1, 0.3, 0.5])
        elif name == "unread":
            new["chart"]["colour"] = rng.choice(["green", "grey"])
            wrote["README.md"] = "# Delays\n\nHow late, and how likely.\n"
        elif name == "rules":
            wrote["rules.py"] = files["rules.py"] + "\n# Agreed with the airports.\n"
        elif name == "comment":
            wrote["prepare.py"] = "# Reviewed in March.\n" + files["prepare.py"]
        elif name == "comments":
            wrote |= {
                script: "# Reviewed in April.\n" + files[script] for script in ("train.py", "evaluate.py")
            }
        if new != params:
            params = new
            wrote["params.yaml"] = yaml.safe_dump(params, sort_keys=False)
        made.append(Change(name, wrote))
    return made


def reproduce(pipeline: str, world: World, place: Path) -> dict[str, Any]:
    """Run that `dvc.yaml` once, then after each change of the world.

    `{"first": [scripts in the order in which they ran], "steps": [{"change", "ran"}], "metrics": {file: values}, "problem": DVC's last words or ""}`
    """
    log = place / "runs.log"
    repository = Repository(place / "delays").init()
    repository.write(project(world, log) | {"dvc.yaml": pipeline})
    steps = [Change("first", {}), *changes(world, log)]
    task = place / "task.json"
    task.write_text(
        json.dumps({"log": str(log), "steps": [[step.name, dict(step.files)] for step in steps]}),
        encoding="utf-8",
    )
    problem = ""
    try:
        done = subprocess.run(
            [sys.executable, str(SESSION), str(task)],
            cwd=repository.folder,
            env=repository.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            check=False,
        )
        words = done.stderr
        report = next(
            (line for line in reversed(done.stdout.splitlines()) if line.startswith("report: ")), ""
        )
    except subprocess.TimeoutExpired:
        report, words = "", "ERROR: it took too long"
    found = (
        json.loads(report.removeprefix("report: ")) if report else {"ran": [], "metrics": {}, "failed": True}
    )
    if found["failed"]:
        lines = [line for line in words.splitlines() if line.strip()]
        errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR")] or lines[-2:]
        problem = " ".join(" ".join(errors).split())[:400].replace(str(place), "…") or "no reason was given"
    ran = found["ran"]
    return {
        "first": ran[0] if ran else [],
        "steps": [{"change": step.name, "ran": what} for step, what in zip(steps[1:], ran[1:], strict=False)],
        "metrics": found["metrics"],
        "problem": problem,
    }


def _noting(script: str, name: str, log: Path) -> str:
    return script + NOTE.format(log=str(log), name=name)


def _flights(world: World, days: int) -> str:
    import pandas as pd

    return raw.render(pd.concat([world.flights(day) for day in world.days(days)])).decode()
