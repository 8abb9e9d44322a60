"""What every benchmark says beside its figures: on which machine, when, and where they are kept."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "build" / "benchmarks"
GIB = 2**30


def machine() -> dict[str, Any]:
    """The machine, and how busy it is at this moment."""
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / GIB, 1),
        "load_average": os.getloadavg(),
    }


def keep(name: str, content: dict[str, Any], file: Path | None = None) -> None:
    """Write the figures of the benchmark of that name as JSON, into the ignored folder build/ by default; say where."""
    file = file or RESULTS / f"{name}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    head = {"measured": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
    file.write_text(json.dumps(head | content, indent=2) + "\n", encoding="utf-8")
    print(f"kept in {file.relative_to(ROOT) if file.is_relative_to(ROOT) else file}")
