"""A zip that somebody handed in: listed and read within bounds, in memory, and never extracted.

Python's `zipfile` does the parsing. What it would do without bounds is asked of it only after a look: the size of the central directory,
overlapping entries, sizes and ratios, and compression methods whose decompression can't be limited.
"""

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

CENTRAL_LIMIT = 4 * 2**20
"""Bytes of the list of entries: 30,000 honest ones; a class of 500 that hands in whole folders needs half. At 46 bytes an entry, the least there
is, it takes 60 MB of memory."""
RATIO = 250
"""A notebook's JSON shrinks to a tenth, endless equal lines of output to a hundredth; deflate ends at 1,032."""
SMALL = 2**20
"""Bytes up to which the ratio does not matter."""
LONGEST_NAME = 1_000
"""Characters of a path; Windows has 260, Linux 4,096."""

_BROKEN = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError, RuntimeError, OSError,
    EOFError, ValueError, OverflowError, MemoryError, struct.error,
)  # fmt: skip
"""What zipfile raises for damaged input."""


class Refused(FlightSchoolError):
    """An archive, or an entry of one, that is not opened: the reason as a part of a sentence."""


@dataclass(frozen=True)
class Entry:
    """A file in an archive: path as written, its parts, bytes, and when it was changed by somebody's clock, of which the zone is unknown."""

    name: str
    parts: tuple[str, ...]
    size: int
    changed: datetime | None
    refused: str = ""
    """Why it can't be read."""


class _Guarded:
    """The file under a zip, which until the zip is open does not hand out more at once than CENTRAL_LIMIT."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.most: int | None = CENTRAL_LIMIT
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        if self.most is not None and size > self.most:
            raise Refused(_("it has too many entries"))
        return self._file.read(size)


class Archive:
    """An open zip. Raises Refused when it is damaged, too large, or made to deceive."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            guarded = _Guarded(file)
            self._zip = zipfile.ZipFile(guarded)
            guarded.most = None
            self._no_overlap()
        except _BROKEN as error:
            raise Refused(_("it is damaged or no zip")) from error
        self._entries: dict[str, zipfile.ZipInfo] = {}
        for info in self._zip.infolist():
            self._entries[info.filename] = info  # of two with one name the last, as everywhere

    def entries(self, wanted: re.Pattern[str]) -> Iterator[Entry]:
        """The files whose path fits, in their order."""
        for name, info in self._entries.items():
            if not info.is_dir() and wanted.search(name[-LONGEST_NAME:]):
                parts = tuple(part for part in re.split(r"[/\\]", name) if part not in ("", "."))
                yield Entry(name, parts, info.file_size, _changed(info), _reason(info, parts))

    def read(self, name: str, limit: int) -> bytes:
        """The bytes of an entry, at most `limit`. Raises Refused when there is none of that name, or it is damaged or larger."""
        info = self._entries.get(name)
        if info is None:
            raise Refused(_("the archive has changed"))
        if reason := _reason(info, tuple(re.split(r"[/\\]", name))):
            raise Refused(reason)
        if info.file_size > limit:
            raise Refused(too_large(limit))
        try:
            with self._zip.open(info) as file:
                return file.read(info.file_size)
        except _BROKEN as error:
            raise Refused(_("it is damaged")) from error

    def _no_overlap(self) -> None:
        """Entries that share bytes are how a small zip becomes a large one."""
        end = 0
        for info in sorted(self._zip.infolist(), key=lambda one: one.header_offset):
            if info.header_offset < end:
                raise Refused(_("its entries overlap"))
            end = info.header_offset + 30 + info.compress_size
        if end > self._zip.start_dir:
            raise Refused(_("its entries overlap"))


def too_large(limit: int) -> str:
    """Why a file of more than `limit` bytes is refused."""
    return _("it is larger than {most} MiB").format(most=limit // 2**20)


def _reason(info: zipfile.ZipInfo, parts: tuple[str, ...]) -> str:
    """Why an entry can't be read; empty when it can."""
    if len(info.filename) > LONGEST_NAME:
        return _("its path is too long")
    if ".." in parts or info.filename.startswith(("/", "\\")):
        return _("its path leads out of the archive")
    if info.flag_bits & 0x1:
        return _("it is encrypted")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        return _("it is a link or a device")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return _("it is compressed in an unusual way")
    if info.file_size > SMALL and info.file_size > RATIO * info.compress_size:
        return _("it is compressed far more than a notebook can be")
    return ""


def _changed(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time)
    except ValueError:
        return None
