"""What this machine has to wall learners' code in with, found by trying."""

import shutil
import sys
from dataclasses import dataclass
from functools import lru_cache

from flightschool.engine.sandbox import cgroup
from flightschool.engine.sandbox.command import run
from flightschool.engine.sandbox.policy import MIB, Ending, NoSandbox, Policy
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _


@dataclass(frozen=True)
class Support:
    """What can be had. A reason is empty where its way works."""

    walls: str
    """Why `enter` and `run` don't work."""
    bubblewrap: str
    """Why bubblewrap does not; named for whoever wants to know."""
    containers: tuple[str, ...]
    """Container runtimes that are installed. Not used here; grading can use Docker, see `grading/container.py`."""
    counted: bool
    """Whether a control group counts the memory of the whole tree; it is looked at every 50 ms otherwise."""

    def require(self) -> None:
        """Raise NoSandbox, with the reasons, where learners' code can't be walled in."""
        if not self.walls:
            return
        raise NoSandbox(
            _(
                "{walls} Neither bubblewrap ({bubblewrap}) nor a container runtime ({containers}) is used instead."
            ).format(
                walls=self.walls,
                bubblewrap=self.bubblewrap or _("it works here"),
                containers=", ".join(self.containers) or _("none is installed"),
            )
        )


@lru_cache(maxsize=1)
def available() -> Support:
    """Try each way once, in about 0.2 s."""
    return Support(
        walls=_walls(),
        bubblewrap=_bubblewrap(),
        containers=tuple(name for name in ("docker", "podman", "nerdctl") if shutil.which(name)),
        counted=sys.platform == "linux" and cgroup.places() is not None,
    )


def _walls() -> str:
    try:
        tried = run(["true"], Policy(writable=MIB, wall=30.0))
    except FlightSchoolError as error:
        return str(error)
    if tried.ending is not Ending.EXITED or tried.status:
        return _("A trial behind the walls ended with {ending} ({status}).").format(
            ending=tried.ending, status=tried.status
        )
    return ""


def _bubblewrap() -> str:
    import subprocess  # not above, as in `command`

    found = shutil.which("bwrap")
    if found is None:
        return _("not installed")
    tried = subprocess.run(
        [found, "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, text=True, check=False
    )
    return "" if tried.returncode == 0 else (tried.stderr.strip() or str(tried.returncode))
