"""Grading in the course's image, where learners' code can't be walled in on this machine and Docker is at hand.

The container is no wall. It is a Linux in which the same command builds the same walls: without a network, without a way to gain
rights, with the course and the submissions to read and one folder to write. What it may do besides was found by trying; docs/compose.md
says how.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from flightschool import paths
from flightschool.engine import sandbox
from flightschool.engine.sandbox import NoSandbox
from flightschool.i18n import _

IMAGE = f"flightschool:{version('flightschool')}"
COURSE = "/flightschool"
"""Where the checkout is in the image, which was installed for that place."""
INSIDE = "FLIGHTSCHOOL_IN_CONTAINER"
"""Set in the container: there is no further one."""
UNFILTERED = ("seccomp=unconfined", "apparmor=unconfined")
"""The runtime's own filters forbid to make namespaces and to mount, by which walls are made. Behind the walls our own filter holds."""
CAPABILITIES = (
    "CHOWN",
    "DAC_OVERRIDE",
    "KILL",
    "NET_ADMIN",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_ADMIN",
    "SYS_CHROOT",
)
"""The least with which root builds walls, and goes into them by setns(2), which wants the last. Behind the walls none is left."""
TRIAL = "from flightschool.engine.sandbox import available; available().require()"


@dataclass(frozen=True)
class Way:
    """The rights with which walls can be built in a container."""

    root: bool
    options: tuple[str, ...]


def _options(option: str, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for value in values for part in (option, value))


ORDINARY = Way(False, _options("--security-opt", (*UNFILTERED, "systempaths=unconfined")))
"""As an ordinary user without a capability, in a user namespace. The paths that the runtime hides in /proc must be seen: with a part
of it covered the kernel lets nobody but root mount one."""
ROOT = Way(
    True,
    (
        *_options("--security-opt", UNFILTERED),
        *_options("--cap-add", CAPABILITIES),
        *("--tmpfs", "/root"),  # what is imported looks for settings at home
    ),
)
"""As root, with nine capabilities, where the kernel of the containers forbids user namespaces as well."""


@dataclass(frozen=True)
class Container:
    """What to start a container with: Docker's client, and the way that works."""

    client: str
    way: Way

    def command(
        self, words: Sequence[str], *, folder: Path, out: Path, user: tuple[int, int], terminal: bool
    ) -> list[str]:
        """The command line that runs `flightschool WORDS` in a container.

        Args:
            words: the command's own arguments; paths among them mean the same inside, for each is mounted at its own place.
            folder: the submissions, to read.
            out: where results go, to write. It exists.
            user: user and group id to which the results belong.
            terminal: whether a person looks on, so that there is a progress bar.
        """
        said = [f"{name}={os.environ[name]}" for name in ("LANG", "LANGUAGE", "LC_ALL") if name in os.environ]
        state = "/tmp/flightschool"  # noqa: S108
        options = [
            *_rights(self.way, user),
            *(["--tty"] if terminal else []),
            "--workdir",
            _named(Path()),
            *_options("--env", [f"{INSIDE}=1", f"FLIGHTSCHOOL_STATE={state}", "HOME=/tmp", *said]),
            *_options("--mount", ["type=volume,destination=/tmp", _bound(paths.ROOT, COURSE, write=False)]),
            *_options(
                "--mount", [_bound(folder, _named(folder), write=False), _bound(out, _named(out), write=True)]
            ),
        ]
        return [self.client, "run", *options, IMAGE, *_inside(words, self.way, out, user)]

    def grade(self, words: Sequence[str], *, folder: Path, out: Path) -> int:
        """Run `flightschool WORDS` in a container; the exit status, as the command would have given it here."""
        out.mkdir(parents=True, exist_ok=True)
        command = self.command(
            words,
            folder=folder,
            out=out,
            user=(os.getuid(), os.getgid()),
            terminal=sys.stdout.isatty(),
        )
        with subprocess.Popen(command) as process:
            while True:
                try:
                    return process.wait()
                except KeyboardInterrupt:
                    continue  # it has reached the client, too, which hands it on: inside, what is graded is kept


def instead() -> Container | None:
    """What to grade in when learners' code can't be walled in here; None when it can, or when this is in a container already.

    Raises:
        NoSandbox: neither is to be had. It says why not.
    """
    here = sandbox.available().walls
    if not here or os.environ.get(INSIDE):
        return None
    client = shutil.which("docker")
    if client is None:
        raise _neither(here, _("Docker is not installed"))
    if reason := _fails([client, "version", "--format", "{{.Server.Version}}"]):
        raise _neither(here, _("Docker does not answer: {reason}").format(reason=reason))
    if _fails([client, "image", "inspect", IMAGE]):
        build = f"docker build -f environment/Dockerfile -t {IMAGE} ."
        raise _neither(
            here,
            _("the course's image is not there, make it in {folder} with: {build}").format(
                folder=paths.ROOT, build=build
            ),
        )
    root = os.getuid() == 0  # only root's results would be root's, too
    for way in (ROOT,) if root else (ORDINARY, ROOT):
        trial = [*_rights(way, (os.getuid(), os.getgid())), *_options("--env", [f"{INSIDE}=1"])]
        mounted = ["--mount", _bound(paths.ROOT, COURSE, write=False)]
        reason = _fails([client, "run", *trial, *mounted, IMAGE, "python", "-c", TRIAL])
        if not reason:
            return Container(client, way)
    raise _neither(here, _("in a container it can't either: {reason}").format(reason=reason))


def spelled(words: Sequence[str], deadline: str | None, due: datetime | None) -> list[str]:
    """The words of a command, with a deadline in this machine's time zone, which the container does not know, said with its zone."""
    if deadline is None or due is None:
        return list(words)
    exact = {deadline: due.isoformat(), f"--deadline={deadline}": f"--deadline={due.isoformat()}"}
    return [exact.get(word, word) for word in words]


def _rights(way: Way, user: tuple[int, int]) -> list[str]:
    """What a container of that way may do, and may not."""
    who = "0:0" if way.root else f"{user[0]}:{user[1]}"
    kept = ["--rm", "--network", "none", "--user", who, "--cap-drop", "ALL"]
    return [*kept, "--security-opt", "no-new-privileges", *way.options, "--read-only"]


def _named(path: Path) -> str:
    """An absolute path as it is called, through whatever link: so it is found by the same name inside."""
    return os.path.abspath(path)  # noqa: PTH100


def _bound(path: Path, place: str, *, write: bool) -> str:
    source = path.resolve()
    for path in (source, Path(place)):
        if set(',"') & set(str(path)):
            raise NoSandbox(
                _("{path} can't be mounted in a container: its name has a comma or a quotation mark.").format(
                    path=path
                )
            )
    return f"type=bind,source={source},destination={place}" + ("" if write else ",readonly")


def _inside(words: Sequence[str], way: Way, out: Path, user: tuple[int, int]) -> list[str]:
    """The command in the container; as root it hands over what it has made."""
    if not way.root or user == (0, 0):
        return ["flightschool", *words]
    script = 'flightschool "$@"; status=$?; chown -R "$OWNER" "$OUT"; exit $status'
    return ["env", f"OWNER={user[0]}:{user[1]}", f"OUT={_named(out)}", "sh", "-c", script, "sh", *words]


def _fails(command: Sequence[str]) -> str:
    """The last line of why a command fails; empty when it does not."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=120, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return ""
    lines = (done.stderr or done.stdout).strip().splitlines()
    return lines[-1] if lines else str(done.returncode)


def _neither(walls: str, reason: str) -> NoSandbox:
    return NoSandbox(
        _("{walls} Nor is there a container for it: {reason}.").format(walls=walls, reason=reason)
    )
