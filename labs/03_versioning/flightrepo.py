"""A Git repository of the lab's own, with DVC beside it: the real tools, and nothing of this machine's settings.

Whose notebook it is and what is in that person's ~/.gitconfig makes no difference here: name, clock, default branch and every
setting are the lab's, no credentials are asked for, and a command that is run in the wrong folder finds no repository above it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from flightschool import paths
from flightschool.errors import FlightSchoolError
from flightschool.i18n import translations
from flightschool.services.telemetry import OFF

_ = translations("03_versioning")

LEARNER = ("Flight School", "learner@flights.example")
"""Name and address of whoever commits, unless another author is named."""
SESSION = Path(__file__).with_name("dvc_session.py")
SPINNER = re.compile(r"^[\u2800-\u28ff] .*\n\n?", re.MULTILINE)
"""What DVC shows of its progress to somebody who watches."""


class CommandFailed(FlightSchoolError):
    """Git or DVC ended with an error; the message holds what it said."""


def settings(folder: Path) -> dict[str, str]:
    """The environment for Git and DVC in `folder`: the lab's settings, and none of the learner's."""
    home = paths.STATE / "dvc"
    home.mkdir(parents=True, exist_ok=True)
    config = home / "config"
    if not config.is_file():
        new = config.with_suffix(f".{os.getpid()}")
        new.write_text("[core]\n    analytics = false\n    check_update = false\n", encoding="utf-8")
        new.replace(config)
    own = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_"))}
    name, address = LEARNER
    return (
        own
        | OFF
        | {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CEILING_DIRECTORIES": str(Path(folder).resolve().parent),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_EDITOR": "true",
            "GIT_AUTHOR_NAME": name,
            "GIT_AUTHOR_EMAIL": address,
            "GIT_COMMITTER_NAME": name,
            "GIT_COMMITTER_EMAIL": address,
            "DVC_GLOBAL_CONFIG_DIR": str(home),
            "DVC_SYSTEM_CONFIG_DIR": str(home),
            "DVC_SITE_CACHE_DIR": str(home / "site"),
            # A stale .pyc of the version before would answer for the version that is checked out now.
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PYTHONHASHSEED": "0",  # DVC names the files to add in the order of a set
            "LC_ALL": "C.UTF-8",
        }
    )


@dataclass
class Repository:
    """Git and DVC in one folder. `env` is added to the settings, such as the address of an S3."""

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def init(self) -> Repository:
        """Make the folder an empty repository with the branch main; returns it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main", "--template=")
        return self

    def environment(self) -> dict[str, str]:
        """The whole environment in which its commands run; for a command of your own: `subprocess.run(…, env=…)`."""
        return settings(self.folder) | dict(self.env)

    def git(self, *arguments: str | Path, when: datetime | None = None, check: bool = True) -> str:
        """Run one Git command, at `when` by its own clock; returns what it printed, without the last line's end.

        Raises:
            CommandFailed: it ended with an error and `check` is true.
        """
        moment = {} if when is None else {f"GIT_{who}_DATE": stamp(when) for who in ("AUTHOR", "COMMITTER")}
        return self._run(["git", *map(str, arguments)], moment, check)

    def dvc(self, *commands: str | Sequence[str], check: bool = True) -> str:
        """Run DVC commands one after the other in one process, such as `"add data.csv", "push"`; returns what they printed.

        DVC takes longer to start than to work, so several at once cost little more than one. The first that fails is the last.
        """
        split = [command.split() if isinstance(command, str) else list(command) for command in commands]
        said = self._run([sys.executable, str(SESSION), json.dumps(split)], {}, check)
        return SPINNER.sub("", said).strip("\n")

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write files by their paths in the repository."""
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, message: str, *paths_: str, when: datetime | None = None) -> str:
        """Commit these paths (everything that changed, if none is named); returns the new commit's full name."""
        self.git("add", "--", *paths_) if paths_ else self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message, when=when)
        return self.git("rev-parse", "HEAD")

    def _run(self, command: list[str], more: Mapping[str, str], check: bool) -> str:
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment() | more,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode and check:
            said = " ".join(done.stdout.split())[-400:]
            name = "dvc" if command[0] == sys.executable else " ".join(command[:2])
            raise CommandFailed(_("{command} failed: {said}").format(command=name, said=said))
        return done.stdout.rstrip("\n")


def stamp(when: datetime) -> str:
    """A time as Git takes it; without a zone it is UTC."""
    return f"{int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())} +0000"


@dataclass(frozen=True)
class Version:
    """One commit to be made: its message, its time, and the files that it changes (None: removed)."""

    message: str
    when: datetime
    files: Mapping[str, bytes | None]
    author: tuple[str, str] = LEARNER


def lay_down(repository: Repository, versions: Iterable[Version], branch: str = "main") -> list[str]:
    """Put a row of commits into an empty branch by one `git fast-import`, check it out; returns their names, the oldest first.

    A hundred commits cost what one costs: this is how a lab gets a past.
    """
    stream = bytearray()
    count = 0
    for count, version in enumerate(versions, start=1):
        name, address = version.author
        who = f"{name} <{address}> {stamp(version.when)}".encode()
        message = version.message.encode()
        stream += b"commit refs/heads/%s\nmark :%d\n" % (branch.encode(), count)
        stream += b"author %s\ncommitter %s\ndata %d\n%s\n" % (who, who, len(message), message)
        for path, content in version.files.items():
            if content is None:
                stream += b"D %s\n" % path.encode()
            else:
                stream += b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)
    stream += b"done\n"
    done = subprocess.run(
        ["git", "fast-import", "--quiet", "--done"],
        cwd=repository.folder,
        env=repository.environment(),
        input=bytes(stream),
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise CommandFailed(
            _("{command} failed: {said}").format(command="git fast-import", said=done.stderr.decode()[-400:])
        )
    repository.git("checkout", "--quiet", "--force", branch)
    return repository.git("rev-list", "--reverse", "--first-parent", branch).split()[-count:]
