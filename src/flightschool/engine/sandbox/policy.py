"""What a learner's code may do: a policy, and how a run under it ended."""

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

MIB = 2**20
HOME = "/home/learner"
"""The private, writable home inside; also the working directory."""


class NoSandbox(FlightSchoolError):
    """Learners' code can't be walled in on this machine. The message says why."""


class Network(StrEnum):
    """What of a network there is inside. Never the machine's own: not even its loopback."""

    NONE = "none"
    LOOPBACK = "loopback"
    """A loopback of its own, for servers that the learner's code starts inside."""


class Ending(StrEnum):
    """How the code's first process ended, as seen from outside the walls."""

    EXITED = "exited"
    TIMED_OUT = "timed out"
    """Wall time, or CPU time, was used up."""
    OUT_OF_MEMORY = "out of memory"
    """The process tree held more than the policy's memory and was killed."""
    KILLED = "killed"
    """Ended by a signal of its own making, or by a caller that went away."""


def environment() -> tuple[Path, ...]:
    """The readable paths of the Python that runs this: its environment and the installation that it was made from."""
    prefixes = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve().parents[1]}
    return tuple(sorted(prefixes - {Path("/usr")}))


@dataclass(frozen=True)
class Policy:
    """Walls and limits. Sizes are in bytes, times in seconds.

    Nothing of the machine can be read inside but `readable`, and the system's programs and libraries (`/usr`, `/bin`, `/lib*`
    and the few files of `/etc` that they need). Nothing can be written but a private tmpfs, which is gone afterwards.

    Every path in `readable` appears inside under the same name, read-only, with all below it. A path that is itself
    a symlink stays a symlink and is not followed. Parents are followed, so name only paths that are the grader's own. What is below
    one is seen whole: name a lab's files, not the folder that has the judges in it. A socket there can be connected to.
    """

    readable: tuple[Path, ...] = field(default_factory=environment)
    writable: int = 512 * MIB
    """Of /tmp, /var/tmp, /dev/shm and the home together; held in memory."""
    memory: int = 1024 * MIB
    """Of each process beyond what it was forked with (RLIMIT_DATA), and of the whole tree beyond the same (a control
    group where one can be had, else by looking every TICK seconds)."""
    cpu: int = 120
    """Of one process. A tree's CPU time is bounded by `wall` times the cores."""
    wall: float = 300.0
    """Of the whole. A notebook gets 2 s more, so that a deadline of the engine's own is never overtaken."""
    processes: int = 128
    """Threads count."""
    open_files: int = 1024
    file_size: int = 256 * MIB
    output: int = 16 * MIB
    """Of standard output and of standard error each, for `run`: what is beyond is dropped, and said."""
    network: Network = Network.LOOPBACK
    environment: tuple[tuple[str, str], ...] = ()
    """Added to the few variables that are set inside."""

    def __post_init__(self) -> None:
        """Refuse what would not be a limit.

        Raises:
            FlightSchoolError: a limit is not positive, or a path is relative or the root itself.
        """
        for name in (
            "writable",
            "memory",
            "cpu",
            "wall",
            "processes",
            "open_files",
            "file_size",
            "output",
        ):
            if getattr(self, name) <= 0:
                raise FlightSchoolError(
                    _("The limit {name} of a sandbox must be more than 0.").format(name=name)
                )
        for path in self.readable:
            if not path.is_absolute() or ".." in path.parts or path == Path("/"):
                raise FlightSchoolError(
                    _("{path} can't be made readable in a sandbox: name an absolute path below /.").format(
                        path=path
                    )
                )

    def plain(self) -> dict[str, Any]:
        """As JSON has it, for another process; `of` reads it."""
        return {**asdict(self), "readable": [os.fspath(path) for path in self.readable]}

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> "Policy":
        """A policy from what `plain` gave, or from some of its fields.

        Raises:
            FlightSchoolError: as when it is made; also for a network that there is not, or a field that there is not.
        """
        given = dict(fields)
        try:
            if "readable" in given:
                given["readable"] = tuple(map(Path, given["readable"]))
            if "network" in given:
                given["network"] = Network(given["network"])
            if "environment" in given:
                given["environment"] = tuple((name, value) for name, value in given["environment"])
            return cls(**given)
        except (TypeError, ValueError) as error:
            raise FlightSchoolError(
                _("This is no policy of a sandbox: {error}.").format(error=error)
            ) from error

    def variables(self) -> dict[str, str]:
        """The whole environment inside."""
        return {
            "HOME": HOME,
            "LANG": "C.UTF-8",
            "LOGNAME": "learner",
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "TMPDIR": "/tmp",  # noqa: S108 - the private one inside
            "TZ": os.environ.get("TZ", "UTC"),
            "USER": "learner",
            **dict(self.environment),
        }


@dataclass(frozen=True)
class Report:
    """What the watcher outside the walls says when all is over.

    `status` is the exit status; 128 and the signal's number where a signal ended it. `seconds` is wall time, `peak` the
    most memory of the tree seen, in bytes. Look at `refused` first: when it is not empty the walls could not be built, nothing ran,
    and it says why.
    """

    ending: Ending
    status: int
    seconds: float
    peak: int
    refused: str = ""


@dataclass(frozen=True)
class Result:
    """What `run` gives back: the report, and the output as far as the policy lets it through."""

    ending: Ending
    status: int
    seconds: float
    peak: int
    stdout: bytes
    stderr: bytes
    truncated: bool
