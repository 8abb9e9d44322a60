"""A Git remote of one's own: a bare repository with hooks, and a daemon that gives it out."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.services.base import LOOPBACK, Unavailable
from flightschool.services.servers.home import Housed
from flightschool.services.servers.program import program

REPOSITORY = "remote.git"
HOOKS = ("pre-receive", "update", "post-receive", "post-update", "reference-transaction")
"""Those that a remote runs when somebody pushes: https://git-scm.com/docs/githooks"""
OWN = "own-post-receive"
LOGGING = f"""#!/bin/sh
# Notes each push, then runs the hook of whoever set one.
pushed=$(cat)
printf '%s\\n' "$pushed" | while read -r line; do printf '%s %s\\n' "$(date +%s)" "$line"; done >>pushes.log
[ ! -x hooks/{OWN} ] || printf '%s\\n' "$pushed" | hooks/{OWN}
"""


@dataclass(frozen=True)
class Push:
    """One ref that a push has changed. A commit of zeros: it was not there before, or is not any more."""

    at: datetime
    old: str
    new: str
    ref: str


class Git(Housed):
    """A bare repository: push to `url`, its path; fetch from there or from `endpoint`, a `git://` address.

    Nobody pushes by the daemon, which knows no users: whoever can write the folder may push, and that is you.
    The repository goes when it stops.
    """

    name = "git"
    told = ("url",)

    def __init__(self) -> None:
        super().__init__()
        self.url = ""

    @property
    def label(self) -> str:
        return _("Git remote")

    @property
    def endpoint(self) -> str:
        return f"git://{self.host}:{self.port}/{REPOSITORY}"

    def furnish(self, home: Path) -> None:
        path = home / REPOSITORY
        self.url = str(path)
        self._git("init", "--quiet", "--bare", "--initial-branch=main", "--template=", str(path))
        (path / "hooks").mkdir()
        # A learner's global core.hooksPath must not switch these off.
        self._git("-C", str(path), "config", "core.hooksPath", str(path / "hooks"))
        self._write("post-receive", LOGGING)

    def command(self, port: int) -> Sequence[str]:
        options = [f"--listen={LOOPBACK}", f"--port={port}", f"--base-path={self.home}", "--export-all"]
        return [self._program(), "daemon", "--reuseaddr", "--verbose", "--log-destination=stderr", *options]

    def environment(self) -> Mapping[str, str]:
        return _quiet()

    def answers(self) -> bool:
        try:
            done = subprocess.run(
                [self._program(), "ls-remote", self.endpoint],
                env={**os.environ, **_quiet()},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=5,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def hook(self, name: str, script: str | None) -> None:
        """Run that script (its first line names the interpreter) at each push; None: no more.

        Raises:
            FlightSchoolError: no remote runs a hook of that name, or the script has no first line of that kind.
        """
        if name not in HOOKS:
            raise FlightSchoolError(
                _("A remote has no hook {name!r}; it has {known}.").format(name=name, known=", ".join(HOOKS))
            )
        file = OWN if name == "post-receive" else name
        if script is None:
            (self._path() / "hooks" / file).unlink(missing_ok=True)
            return
        if not script.startswith("#!"):
            raise FlightSchoolError(
                _(
                    "The first line of a hook names its interpreter, such as #!/bin/sh or #!/usr/bin/env python3."
                )
            )
        self._write(file, script)

    def pushes(self) -> list[Push]:
        """All refs that pushes have changed, the oldest first."""
        try:
            lines = (self._path() / "pushes.log").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            at, old, new, ref = line.split(" ", 3)
            found.append(Push(datetime.fromtimestamp(int(at)).astimezone(), old, new, ref))
        return found

    def _path(self) -> Path:
        path = Path(self.url)
        if not self.url or not path.is_dir():
            raise Unavailable(_("The Git remote is not running: start it with services.git()."))
        return path

    def _write(self, name: str, script: str) -> None:
        hooks = self._path() / "hooks"
        new = hooks / f".{name}"
        new.write_text(script, encoding="utf-8")
        new.chmod(0o700)
        new.replace(hooks / name)

    def _program(self) -> str:
        return program(self.label, "git", "git")

    def _git(self, *arguments: str) -> None:
        done = subprocess.run(
            [self._program(), *arguments],
            env={**os.environ, **_quiet()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise OSError(done.returncode, done.stderr.strip())


def _quiet() -> dict[str, str]:
    """Nothing of a learner's settings, and no question on a terminal."""
    return {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
