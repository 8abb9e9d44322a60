"""What the warm process of a module's graded runs is: one is lent to several workers, for all that it costs is its start."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flightschool import paths
from flightschool.curriculum import Module
from flightschool.engine import sandbox, warm
from flightschool.grading import stage
from flightschool.i18n import language
from flightschool.services import npm

WORKERS = 4
"""For how many workers one warm process forks without being what they wait for."""


@dataclass(frozen=True)
class Warmth:
    """What a warm process imports, the stage that it imports it from, and its environment; of that, `inside` is also a learner's."""

    modules: tuple[str, ...]
    home: Path
    inside: Mapping[str, str]
    outside: Mapping[str, str]

    @classmethod
    def of(cls, module: Module) -> "Warmth":
        """A module's. Its stage is made when it is not there yet.

        Raises:
            ValueError: what a learner sees imports what it may not.
        """
        home = stage.build(module)
        inside = {
            "FLIGHTSCHOOL_HOME": str(home),
            "FLIGHTSCHOOL_LANG": language(),
            "FLIGHTSCHOOL_MODULE": module.id,
            "FLIGHTSCHOOL_PROGRESS": "off",
            "FLIGHTSCHOOL_STATE": f"{sandbox.HOME}/.flightschool",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "PYTHONPATH": os.pathsep.join([str(paths.PACKAGE.parent), str(home / "labs")]),
        }
        if npm.TOOLS.is_dir():
            inside[npm.GIVEN] = str(npm.TOOLS)
        outside = {name: os.environ[name] for name in ("PATH", "LANG", "TZ") if name in os.environ}
        used = stage.libraries(module)
        preload = [name for name in warm.PRELOAD if name.split(".")[0].removesuffix("_inline") in used]
        return cls((*preload, "flightschool.grading.preload"), home, inside, outside)

    def template(self) -> warm.Template:
        """Start one. It takes a while to be warm, and does then what it was asked meanwhile."""
        return warm.Template(self.modules, {**self.outside, **self.inside})


_lent: tuple[Warmth, warm.Forks] | None = None


def lend(warmth: Warmth, control: socket.socket) -> None:
    """Let this process use a warm process that another has started."""
    global _lent
    _lent = warmth, warm.Forks(control)


def forks(warmth: Warmth) -> warm.Forks:
    """The lent one, where it is alive and what is wanted, or else a new one of our own."""
    if _lent is not None and _lent[0] == warmth and _lent[1].alive():
        return _lent[1]
    return warmth.template()
