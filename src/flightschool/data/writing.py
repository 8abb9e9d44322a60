"""Atomic files: a reader sees the old file or the new one, never half of it."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _


@contextmanager
def atomic(path: Path) -> Iterator[BinaryIO]:
    """A binary file that takes the name `path` when the block ends well, and is gone when it does not.

    Missing folders are made. An error or Ctrl-C inside the block leaves what stood at `path` before.

    Raises:
        FlightSchoolError: the place cannot be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not tempfile: its files are 0600, and what we make is for others to read.
        file = part.open("xb")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        part.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> FlightSchoolError:
    return FlightSchoolError(
        _("{path} can't be written ({reason}); choose another place or make room.").format(
            path=path, reason=error.strerror or error
        )
    )
