"""Walls and limits around a learner's code, on Linux.

Two ways in: `enter(policy)` in a freshly forked child, for notebooks; `run(command, policy)`, for commands. Both stand on the same
walls: namespaces (pid, mount, network, ipc, host name, and users where the caller is not root), a root in memory with the
allowed paths read-only in it, another user or one without rights, a system call filter, limits on processes and tree.
"""

from flightschool.engine.sandbox.command import run
from flightschool.engine.sandbox.policy import (
    HOME,
    Ending,
    Network,
    NoSandbox,
    Policy,
    Report,
    Result,
    environment,
)
from flightschool.engine.sandbox.support import Support, available
from flightschool.engine.sandbox.walls import enter, prepare, read_report

__all__ = [
    "HOME",
    "Ending",
    "Network",
    "NoSandbox",
    "Policy",
    "Report",
    "Result",
    "Support",
    "available",
    "enter",
    "environment",
    "prepare",
    "read_report",
    "run",
]
