"""The environments of other graders: made once by uv from a hashed list of requirements, never mixed with the course's."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
TOOLS = ROOT / ".tools"
STAMP = "whole"
"""Written into an environment last: one without it was interrupted."""


class Unavailable(Exception):
    """A grader can't be installed here; the message says why."""


def environment(tool: str) -> Path:
    """The folder of a grader's environment (`nbgrader` or `otter`), made now if it is not there.

    It is named by its requirements and by this Python, so that a change of either makes a new one.

    Raises:
        Unavailable: no uv, no registry in reach, or no leave to write in .tools.
    """
    requirements = HERE / f"{tool}.txt"
    digest = hashlib.sha256(f"{ROOT}\n{sys.version}\n".encode() + requirements.read_bytes()).hexdigest()
    folder = TOOLS / "others" / f"{tool}-{digest[:12]}"
    if (folder / STAMP).is_file():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _alone(folder.parent / "lock"):
            if not (folder / STAMP).is_file():
                _make(folder, requirements)
    except OSError as error:
        raise Unavailable(f"{tool} can't be installed: {error}") from error
    return folder


def activated(folder: Path) -> dict[str, str]:
    """This environment with a grader's programs first on PATH, as `activate` does (nbgrader calls alembic by its name)."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    return {**kept, "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(folder: Path, requirements: Path) -> None:
    uv = TOOLS / "bin" / "uv"
    found = str(uv) if uv.is_file() else shutil.which("uv")
    if found is None:
        raise Unavailable(
            f"{requirements.stem} can't be installed: there is no uv; environment/setup brings one"
        )
    _run([found, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], requirements)
    checked = ("--require-hashes", "--only-binary", ":all:", "--compile-bytecode")
    _run(
        [
            found,
            "pip",
            "sync",
            "--quiet",
            "--python",
            str(folder / "bin/python"),
            *checked,
            str(requirements),
        ],
        requirements,
    )
    (folder / STAMP).touch()


def _run(command: list[str], requirements: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[-400:]
        raise Unavailable(f"{requirements.stem} can't be installed: {said}")
