"""What this machine, or the container that we are in, has to give: cores and memory."""

import os
from contextlib import suppress
from pathlib import Path

GROUPS = (
    ("/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)
"""Where a container's limit of memory stands, in version 2 and 1 of control groups; what is used of it, and what of that
is files that would be let go."""


def cores() -> int:
    """How many processors we may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory() -> int:
    """Bytes of memory that we could still take."""
    import psutil

    free = int(psutil.virtual_memory().available)
    for place, limit, usage, files in GROUPS:
        folder = Path(place)
        with suppress(OSError, ValueError, KeyError):  # no such group, or "max": no limit
            most = int((folder / limit).read_text())
            stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
            free = min(free, max(most - int((folder / usage).read_text()) + int(stat[files]), 0))
    return free
