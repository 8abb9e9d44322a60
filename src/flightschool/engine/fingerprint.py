"""Fingerprints: whether anything changed that an execution or a mark depends on.

They are made from names and bytes alone. Times of files are not looked at, so an edit within a tick of the clock is seen, and
two checkouts of one commit have the same fingerprint.
"""

import hashlib
import os
import platform
import stat
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import flightschool
from flightschool import paths
from flightschool.curriculum import Module
from flightschool.errors import FlightSchoolError
from flightschool.i18n import TOOLING, _

LEFT_BEHIND = frozenset(
    {
        "__pycache__", ".DS_Store", ".git", ".hypothesis", ".ipynb_checkpoints", ".mypy_cache", ".pytest_cache",
        ".ruff_cache", ".terraform", ".user.yml", ".venv",
    }
)  # fmt: skip
"""What tools leave in a folder and nothing depends on."""
DBT = frozenset({"logs", "target"})
"""What dbt leaves beside its `dbt_project.yml`."""


def of_files(roots: Iterable[Path], *, salt: str = "") -> str:
    """SHA-256, in hexadecimal, of the names and bytes of these files and of all files in these folders.

    A name counts from the checkout, or, for what lies elsewhere, from the folder that holds the root. The order of the
    roots does not matter; a root that is absent counts as an empty folder. Left out: what tools leave behind, names
    that end in `~` or `.swp`.

    Args:
        roots: files and folders.
        salt: whatever else the fingerprint is to depend on.

    Raises:
        FlightSchoolError: a file can't be read.
    """
    found: set[tuple[str, str]] = set()
    for root in roots:
        base = paths.ROOT if root.is_relative_to(paths.ROOT) else root.parent
        found |= {(path.relative_to(base).as_posix(), _content(path)) for path in _files(root)}
    total = hashlib.sha256()
    for part in (salt, *(part for entry in sorted(found) for part in entry)):
        data = part.encode("utf-8", "surrogateescape")
        total.update(b"%d:%b" % (len(data), data))
    return total.hexdigest()


def course(module: Module) -> str:
    """Of all that an execution or a mark of this module depends on, beside what a notebook itself says.

    That is its source, its lab and the shared ETL, their translations, the data, our own code, the environment (the lock, the
    servers' configuration, what is really installed) and Python. Raises as `of_files`.
    """
    locale = module.solutions / "locale"
    environment = "\n".join(
        [
            flightschool.__version__,
            platform.python_implementation(),
            platform.python_version(),
            sysconfig.get_platform(),
            *_installed(),
        ]
    )
    return of_files(
        [
            module.source,
            module.lab,
            module.labs / "etl",
            *locale.glob(f"*/{module.id}.po"),
            *locale.glob(f"*/{TOOLING}.po"),
            paths.DATASETS,
            paths.ROOT / "environment",
            *paths.PACKAGE.rglob("*.py"),
        ],
        salt=environment,
    )


def _installed() -> list[str]:
    """Names and versions of the installed packages, as their folders have them."""
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return sorted(path.name for one in folders for path in Path(one).glob("*.dist-info"))


def _files(root: Path) -> Iterator[Path]:
    if not root.is_dir():
        if root.exists():
            yield root
        return
    for folder, folders, files in os.walk(root, onerror=_unreadable):
        left = LEFT_BEHIND | DBT if "dbt_project.yml" in files else LEFT_BEHIND
        here = Path(folder)
        # A link to a folder is not followed, it might lead round in a circle: it counts as what it says.
        files += [name for name in folders if (here / name).is_symlink()]
        folders[:] = [name for name in folders if name not in left]
        for name in files:
            if name not in left and not name.endswith(("~", ".swp")):
                yield here / name


def _content(path: Path) -> str:
    """The hash of a file's bytes, or of what stands in its place."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISREG(mode):
            return hashlib.sha256(path.read_bytes()).hexdigest()
        return str(path.readlink()) if path.is_symlink() else stat.filemode(mode)
    except FileNotFoundError:  # removed since we saw it, or a link that leads nowhere
        return str(path.readlink()) if path.is_symlink() else ""
    except OSError as error:
        _unreadable(error)


def _unreadable(error: OSError) -> NoReturn:
    raise FlightSchoolError(
        _("{path} can't be read ({reason}): look at its permissions.").format(
            path=error.filename, reason=error.strerror
        )
    ) from error
