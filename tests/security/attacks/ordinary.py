"""Becoming an ordinary user: nobody, who owns nothing and can read what everybody can, and the Python of the course.

    python -m security.attacks.ordinary PROGRAM [ARGUMENT]...

Where the course's Python lies in a closed folder (root's home), its folders are shown in a mount namespace of this process only.
"""

import os
import sys
import tempfile
from pathlib import Path

from flightschool.engine import sandbox
from flightschool.engine.sandbox import kernel

NOBODY = 65534


def obstacle() -> str:
    """Why this process can't become one; empty when it can."""
    if os.geteuid() != 0:
        return "this is an ordinary user already"
    if closed := _closed(Path(__file__)):
        return f"an ordinary user can't read this checkout: {closed} is closed to others"
    return ""


def _closed(path: Path) -> Path | None:
    """The first folder on the way that others can't go through."""
    return next((one for one in reversed(path.parents) if not one.stat().st_mode & 0o001), None)


def become() -> None:
    """Be nobody from now on, in a mount namespace of its own.

    Raises:
        OSError: this process may not.
    """
    prefixes = [path.resolve() for path in sandbox.environment()]
    closed = {path: folder for path in prefixes if (folder := _closed(path / "bin")) is not None}
    if closed:
        kernel.unshare(kernel.CLONE_NEWNS)
        kernel.mount("", "/", kernel.MS_REC | kernel.MS_PRIVATE)
    for folder in sorted(set(closed.values())):
        inside = [path for path, one in closed.items() if one == folder]
        held = tempfile.mkdtemp()
        kernel.mount("tmpfs", held, 0, "mode=0755,size=1m")
        for number, path in enumerate(inside):
            Path(held, str(number)).mkdir()
            kernel.bind(os.fspath(path), f"{held}/{number}", kernel.ATTR_RDONLY)
        kernel.mount("tmpfs", os.fspath(folder), kernel.MS_NOSUID | kernel.MS_NODEV, "mode=0755,size=1m")
        for number, path in enumerate(inside):
            path.mkdir(parents=True)
            kernel.bind(f"{held}/{number}", os.fspath(path), kernel.ATTR_RDONLY)
        kernel.unmount(held)
        Path(held).rmdir()
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def main(command: list[str]) -> None:
    """Run a program as nobody, with a home that is its own."""
    os.umask(0o022)
    home = tempfile.mkdtemp(prefix="flightschool-nobody-")
    os.chown(home, NOBODY, NOBODY)
    become()
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
    os.execvpe(command[0], command, {**kept, "HOME": home, "TMPDIR": home, "PYTHONDONTWRITEBYTECODE": "1"})


if __name__ == "__main__":
    main(sys.argv[1:])
