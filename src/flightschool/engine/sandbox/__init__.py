"""Walls and limits around a learner's code, on Linux.

Three ways in: a `Warden` forks walled processes out of a big one, for notebooks; `enter(policy)` in a freshly forked small one;
`run(command, policy)`, for commands. All stand on the same walls: namespaces (pid, mount, network, ipc, host name, and users where the caller is not root), a root in memory with the
allowed paths read-only in it, another user or one without rights, a system call filter, limits on processes and tree.
"""

from flightschool.engine.sandbox.command import run
from flightschool.engine.sandbox.entering import enter
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
from flightschool.engine.sandbox.walls import prepare
from flightschool.engine.sandbox.warden import Warden
from flightschool.engine.sandbox.watch import read_report

__all__ = [
    "HOME",
    "Ending",
    "Network",
    "NoSandbox",
    "Policy",
    "Report",
    "Result",
    "Support",
    "Warden",
    "available",
    "enter",
    "environment",
    "prepare",
    "read_report",
    "run",
]
