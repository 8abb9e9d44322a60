"""The judges of a graded run: a process of their own, behind walls without a network, that learners' code never enters.

They are forked from the warm process, which knows no secret, and get the seed first, then evidence, and give verdicts, a JSON line each, over
a socket. Evidence is hostile (a Parquet file made to crash its
reader, say); so what it can do at worst is to end this process, which is started again then.
"""

import base64
import hashlib
import io
import json
import os
import socket
import tarfile
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flightschool import paths
from flightschool.curriculum import Module, Outcome, Verdict, load_lab_file
from flightschool.engine import sandbox, warm
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _, language

DEADLINE = 120.0
"""Seconds for one verdict; the first on a world takes longest, for the reference is worked out then."""
LONGEST = 2_000
"""Characters of one sentence of a verdict."""
KEPT = 10_000
"""Verdicts that are kept, of a few KB each."""
MEMORY = 2 * 2**30
FOREVER = 10**6
INSIDE = f"{sandbox.HOME}/.flightschool"
"""The state folder behind the walls."""


class Judges:
    """The judges of a module on a world, seen from outside.

    Args:
        module: whose.
        seed: of the world.
        forks: gives the warm process from which they are forked.
        walls: whether they are behind walls.
    """

    def __init__(
        self, module: Module, seed: int, forks: Callable[[], warm.Forks], walls: bool = True
    ) -> None:
        self._forks = forks
        self._module, self._seed, self._walls = module, seed, walls
        self._process: warm.Called | None = None
        self._home: tempfile.TemporaryDirectory[str] | None = None
        self._planted: dict[str, Any] | None = None
        self._known: dict[bytes, Verdict] = {}

    def verdict(self, exercise: str, evidence: Any) -> Verdict:
        """The verdict on evidence; *error* when it can't be judged. A judge that died is asked a second time, one that hangs is not.

        Most right answers give the same evidence, so the verdicts on what was seen are kept.
        """
        try:
            request = json.dumps({"judge": exercise, "evidence": evidence}).encode()
        except RecursionError:
            return _unjudged()
        key = hashlib.sha256(request).digest()
        if key not in self._known:
            if len(self._known) >= KEPT:
                del self._known[next(iter(self._known))]
            verdict = self._judged(request)
            if verdict is None:  # perhaps the machine's fault, so the next of its kind has a judge of its own
                return _unjudged()
            self._known[key] = verdict
        return self._known[key]

    def _judged(self, request: bytes) -> Verdict | None:
        for _attempt in range(2):
            try:
                told = self._ask(request)
            except _Gone as gone:
                if isinstance(gone.__cause__, TimeoutError):
                    break
            else:
                return Verdict(**{**told, "outcome": Outcome(told["outcome"])})
        return None

    def plant(self) -> dict[str, Any]:
        """The drill of this world, planted in an empty work folder: `page`, and `files` (a tar archive in base64).

        Raises:
            FlightSchoolError: it can't be planted.
        """
        if self._planted is None:
            try:
                self._planted = self._ask(b'{"plant": true}')
            except _Gone:
                raise FlightSchoolError(
                    _("The drill of {module} can't be planted for grading.").format(module=self._module.id)
                ) from None
        return self._planted

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._channel.close()
            self._process.kill()
            self._process = None
        if self._home is not None:
            self._home.cleanup()
            self._home = None

    def _ask(self, request: bytes) -> dict[str, Any]:
        deadline = time.monotonic() + DEADLINE
        try:
            if self._process is None:
                self._start()
            self._channel.settimeout(DEADLINE)
            self._channel.sendall(request + b"\n")
            found = bytearray()
            while not found.endswith(b"\n"):
                self._channel.settimeout(max(deadline - time.monotonic(), 0.001))
                data = self._channel.recv(2**18)
                if not data:
                    raise OSError("it has ended")
                found += data
            reply: dict[str, Any] = json.loads(found)
        except (OSError, ValueError, RecursionError) as error:
            self.close()
            raise _Gone from error
        return reply

    def _start(self) -> None:
        environment = {**os.environ, "FLIGHTSCHOOL_PROGRESS": "off"}
        if self._walls:  # read when the package is imported, which is before the walls are up
            environment["FLIGHTSCHOOL_STATE"] = INSIDE
        else:
            self._home = tempfile.TemporaryDirectory(prefix="flightschool-")
            environment["HOME"] = self._home.name
        self._process, self._channel = self._forks().call(
            __name__,
            self._module.id,
            self._walls,
            folder=environment.get("HOME", "/"),
            environment=environment,
        )
        self._channel.sendall(json.dumps({"seed": self._seed}).encode() + b"\n")


def _unjudged() -> Verdict:
    return Verdict(
        Outcome.ERROR,
        found=_("What your answer gave could not be judged: the judge did not survive it."),
        try_next=_("Return what the task names, in the form and size that it names."),
    )


class _Gone(Exception):
    """The process did not answer."""


def policy() -> sandbox.Policy:
    """The walls of the judges: they read the course, and nothing else of this machine."""
    readable = (*sandbox.environment(), paths.PACKAGE, paths.LABS, paths.SOLUTIONS, paths.DATASETS)
    return sandbox.Policy(
        readable=readable,
        memory=MEMORY,
        cpu=FOREVER,
        wall=FOREVER,
        network=sandbox.Network.NONE,
        environment=(
            ("FLIGHTSCHOOL_HOME", str(paths.ROOT)),
            ("FLIGHTSCHOOL_LANG", language()),
            ("FLIGHTSCHOOL_PROGRESS", "off"),
            ("FLIGHTSCHOOL_STATE", INSIDE),
        ),
    )


def main(descriptor: int, name: str, walls: bool) -> None:
    """Judge until nobody asks any more."""
    if walls:
        sandbox.enter(policy(), keep=(2, descriptor))
    from flightschool import curriculum
    from flightschool.data import World

    module = curriculum.module(name)
    with socket.socket(fileno=descriptor) as channel, channel.makefile("rwb") as lines:
        world = World(json.loads(lines.readline())["seed"])
        for line in lines:
            request = json.loads(line)
            told = _plant(module, world) if "plant" in request else _judge(module, world, request)
            lines.write(json.dumps(told).encode() + b"\n")
            lines.flush()


def _judge(module: Module, world: Any, request: Mapping[str, Any]) -> dict[str, Any]:
    from flightschool.learn.questions import judge_evidence

    verdict = judge_evidence(module.judges[request["judge"]], request["evidence"], world)
    told = asdict(verdict)
    for name in ("message", "expected", "found", "try_next"):
        if len(told[name]) > LONGEST:
            told[name] = told[name][:LONGEST] + " …"
    return told


def _plant(module: Module, world: Any) -> dict[str, Any]:
    lab = _PlantingGround(module, world)
    page = load_lab_file(module.lab, "drill").plant(lab)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=1) as files:
        for path in sorted(lab.workdir.iterdir()):
            files.add(path, path.name)
    return {"page": asdict(page), "files": base64.b64encode(archive.getvalue()).decode()}


class _PlantingGround:
    """What of a lab a drill may use to be planted from outside: the world, and the work folder at its place in the learner's walls."""

    def __init__(self, module: Module, world: Any) -> None:
        self.module, self.world, self.seed, self.path = module, world, world.seed, module.lab
        self.workdir = Path.home() / "work" / module.id
        self.workdir.mkdir(parents=True, exist_ok=True)
