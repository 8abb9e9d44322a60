"""Grades in a container, from processes in which no walls can be built: a user without namespaces, and root without them."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from engine import Engine, TrialError, run

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("FLIGHTSCHOOL_VENV") or ROOT / ".venv") / "bin"
MODULE = "01"
SEED = "20130101"
NOBODY = 61234
"""A user and group that nobody has, for the socket of the engine is lent to it."""
SUBMIT = """
import sys
from pathlib import Path
from flightschool import curriculum, paths, publish
module = curriculum.module(sys.argv[2])
Path(sys.argv[1], "ada.ipynb").write_bytes(publish.solution_notebook(module))
Path(sys.argv[1], "bob.ipynb").write_bytes((paths.NOTEBOOKS / f"{module.id}.ipynb").read_bytes())
"""
NO_NAMESPACES = 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"'
"""In a user namespace of its own, so that the rest of the machine keeps its own."""
SHOWN = (
    'mount --bind "$1" /mnt && mount -t tmpfs -o mode=755 none "$2" && mkdir -p "$1" && mount --move /mnt "$1"'
    ' && shift 2 && exec "$@"'
)
"""In a mount namespace of its own: $2 is covered, and of all below it $1 alone is seen again."""


def grade(engine: Engine) -> str:
    """What came of it, in a line.

    Raises:
        TrialError: it did not work, or gave other marks than on this machine's own walls.
    """
    if not (BIN / "flightschool").exists():
        raise TrialError(
            f"grading in a container is started by {BIN / 'flightschool'}, which is not there: run environment/setup."
        )
    with tempfile.TemporaryDirectory(prefix="flightschool-grading-") as place:
        folder = Path(place)
        submissions = folder / "in"
        submissions.mkdir()
        _run([BIN / "python", "-c", SUBMIT, submissions, MODULE], folder)
        _run(_command(submissions, folder / "walls"), folder)
        wanted = _marks(folder / "walls")
        if not {0, 1} <= {share for share, _why in wanted.values()}:
            raise TrialError(f"the submissions to compare by are no good: {wanted}")
        socket = {"DOCKER_HOST": f"unix://{engine.socket}", "DOCKER_CONFIG": str(engine.config)}
        said = []
        for name, prefix in _without_walls(engine, folder).items():
            out = folder / name
            out.mkdir()
            shutil.chown(out, *((NOBODY, NOBODY) if name == "user" else (0, 0)))
            _run([*prefix, *_command(submissions, out)], folder, **socket)
            found = _marks(out)
            both = wanted.keys() | found.keys()
            if other := {
                mark: (found.get(mark), wanted.get(mark))
                for mark in sorted(both)
                if found.get(mark, ())[:1] != wanted.get(mark, ())[:1]
            }:
                raise TrialError(
                    f"as {name}, in a container, marks are others than behind this machine's walls: {other}"
                )
            owners = {path.stat().st_uid for path in out.rglob("*")}
            if owners != {out.stat().st_uid}:
                raise TrialError(f"as {name}, what came out belongs to {owners}")
            said.append(name)
        line = f"{len(wanted)} marks the same as behind this machine's own walls, graded without them as {' and '.join(said)}"
        unread = f"; not as an ordinary user, who can't read {ROOT} and {BIN.parent}"
        return line + ("" if "user" in said else unread)


def _command(submissions: Path, out: Path) -> list[str | Path]:
    return [BIN / "flightschool", "grade", submissions, "--module", MODULE, "--out", out, "--seed", SEED]


def _without_walls(engine: Engine, folder: Path) -> dict[str, list[str]]:
    """Prefixes of a command: who runs it, where no user namespace can be made. An ordinary user only where one can read the course."""
    bare = ["sh", "-c", NO_NAMESPACES, "sh"]
    engine.socket.parent.chmod(0o711)
    os.chown(engine.socket, NOBODY, 0)  # and by its group to root
    user = [
        *_shown_python(folder),
        *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    ]
    ways = {"root": ["unshare", "--user", "--map-root-user", *bare]}
    readable = [*user, str(BIN / "python"), "-c", "import flightschool"]
    if subprocess.run(readable, capture_output=True, check=False, cwd="/").returncode == 0:
        ways["user"] = [
            *user,
            *("unshare", "--user", "--map-current-user", "--keep-caps"),
            *bare,
            *("setpriv", "--inh-caps=-all", "--ambient-caps=-all"),
        ]
    return ways


def _shown_python(folder: Path) -> list[str]:
    """A prefix with which everybody can read the Python of the environment, were it in a home that is closed to others.

    In a mount namespace of its own, an empty folder lies over that home, with this Python in it.
    """
    home = Path(_run([BIN / "python", "-c", "import sys; print(sys.base_prefix)"], folder).strip())
    closed = [folder for folder in reversed(home.parents) if not folder.stat().st_mode & stat.S_IXOTH]
    return ["unshare", "--mount", "sh", "-c", SHOWN, "sh", str(home), str(closed[0])] if closed else []


def _run(command: Sequence[str | Path], folder: Path, **variables: str) -> str:
    """Standard output of a command that finds its home in `folder`. Raises TrialError."""
    home = folder / "state"
    home.mkdir(exist_ok=True, mode=0o777)
    home.chmod(0o777)
    folder.chmod(0o755)
    return run(
        *command,
        cwd=folder,
        env={**os.environ, **variables, "FLIGHTSCHOOL_STATE": str(home), "HOME": str(home)},
    )


def _marks(out: Path) -> dict[str, tuple[float, str]]:
    """Share of its points and what was said of it, by learner and exercise."""
    graded: Any = json.loads((out / "grades.json").read_text())
    return {
        f"{learner['learner']} {one['exercise']}": (
            one["share"],
            f"{one['outcome']}: {one['message']} {one['found']}",
        )
        for learner in graded["submissions"]
        for one in learner["exercises"]
    }
