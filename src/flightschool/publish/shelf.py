"""Files on the shelf: written whole or not at all, and never over something that a person changed.

A generated notebook carries the SHA-256 of its own bytes. One whose bytes no longer give it was changed by a person (or
by Jupyter, on their behalf); its bytes are kept aside before anything else is put in its place.
"""

import hashlib
import os
import re
from pathlib import Path
from typing import Any

import nbformat

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

DIGEST = "sha256"
UNSIGNED = "0" * 64
# Unescaped, so it can't occur in the text of a cell; the last one is the notebook's own ("metadata" sorts after "cells").
_SIGNATURE = re.compile(rb'(?<=\n   "sha256": ")[0-9a-f]{64}(?=")')


def serialise(notebook: Any) -> bytes:
    """A notebook's bytes as Jupyter writes them: sorted keys, one space of indent, a newline at the end."""
    text: str = nbformat.writes(notebook, version=nbformat.NO_CONVERT)  # type: ignore[no-untyped-call]
    return text.rstrip("\n").encode() + b"\n"


def sign(data: bytes) -> bytes:
    """The same notebook with the hash of its bytes (counted with 64 zeros in the hash's place) in its metadata."""
    return _with(data, hashlib.sha256(_with(data, UNSIGNED.encode())).hexdigest().encode())


def pristine(data: bytes) -> bool:
    """Whether these bytes are just as they were generated, now or by an earlier version of the source."""
    return _SIGNATURE.search(data) is not None and sign(data) == data


def _with(data: bytes, digest: bytes) -> bytes:
    *_earlier, last = _SIGNATURE.finditer(data)
    return data[: last.start()] + digest + data[last.end() :]


def write(path: Path, data: bytes) -> bool:
    """Write a file atomically, unless it holds these bytes already; says whether it wrote.

    Raises:
        FlightSchoolError: the file system refuses; the old file is as it was.
    """
    if path.is_file() and path.read_bytes() == data:
        return False
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        sentence = _(
            "{path} can't be written ({why}): look at its permissions and at the free space on its disk."
        )
        raise FlightSchoolError(sentence.format(path=path, why=error.strerror)) from error
    return True


def copy_of(notebook: Path, data: bytes, folder: Path) -> Path:
    """Where the edited bytes of a notebook are kept: named by their content, so that keeping twice keeps once."""
    return folder / f"{notebook.stem}-{hashlib.sha256(data).hexdigest()[:12]}{notebook.suffix}"


def keep(notebook: Path, folder: Path) -> Path | None:
    """Keep a copy of a notebook that a person changed; None when it is as generated, and needs none."""
    data = notebook.read_bytes()
    if pristine(data):
        return None
    copy = copy_of(notebook, data, folder)
    if not write(copy, data):
        copy.touch()  # the newest copy is the one that is brought back
    return copy
