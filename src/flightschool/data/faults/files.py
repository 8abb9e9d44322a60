"""Faults of delivery: late, twice, cut off, empty, or in another encoding."""

from __future__ import annotations

import codecs
import random
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import PurePath
from typing import ClassVar

from flightschool.data.faults.base import FileFault, Files, due
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _


@dataclass(frozen=True)
class LatePartition(FileFault):
    """The day arrives `days` late. The rate has no meaning: a file is late or not."""

    name: ClassVar[str] = "late partition"
    days: int = 1

    def plant(self, batch: Files, rng: random.Random, rate: float) -> Files:
        return tuple(replace(file, arrived=file.arrived + timedelta(days=self.days)) for file in batch)

    def present(self, batch: Files) -> bool:
        return any(file.arrived > due(file.day) for file in batch)


@dataclass(frozen=True)
class DuplicateFile(FileFault):
    """The day is sent twice, under another name. The rate has no meaning."""

    name: ClassVar[str] = "duplicate file"

    def plant(self, batch: Files, rng: random.Random, rate: float) -> Files:
        again = (replace(file, name=file.name.removesuffix(".csv") + "-1.csv") for file in batch)
        return (*batch, *again)

    def present(self, batch: Files) -> bool:
        contents = [file.content for file in batch if file.content]
        return len(set(contents)) < len(contents)


@dataclass(frozen=True)
class TruncatedFile(FileFault):
    """The file ends in the middle of a line. The rate is the share of its bytes that is lost, at least one."""

    name: ClassVar[str] = "truncated file"

    def plant(self, batch: Files, rng: random.Random, rate: float) -> Files:
        return tuple(replace(file, content=self._cut(file.content, rate)) for file in batch)

    @staticmethod
    def _cut(content: bytes, rate: float) -> bytes:
        kept = content[: max(len(content) - max(int(len(content) * rate), 1), 1)]
        # Never at a line's end, where nobody could see it.
        return kept.rstrip(b"\n")

    def present(self, batch: Files) -> bool:
        return any(file.content and not file.content.endswith(b"\n") for file in batch)


@dataclass(frozen=True)
class EmptyFile(FileFault):
    """The file arrives with no bytes in it. The rate has no meaning."""

    name: ClassVar[str] = "empty file"

    def plant(self, batch: Files, rng: random.Random, rate: float) -> Files:
        return tuple(replace(file, content=b"") for file in batch)

    def present(self, batch: Files) -> bool:
        return any(not file.content for file in batch)


@dataclass(frozen=True)
class Encoding(FileFault):
    """The file is not the plain UTF-8 that was agreed. The rate has no meaning: a file has one encoding.

    `saved` is utf-8-sig (a byte order mark in front), cp1252 (as Windows saves), or mojibake (UTF-8 that was taken
    for Latin-1 and saved as UTF-8 again). The last two show in characters beyond ASCII alone: passengers have them
    in their names, flights and weather have none.
    """

    name: ClassVar[str] = "encoding"
    saved: str = "utf-8-sig"

    SAVED: ClassVar[tuple[str, ...]] = ("utf-8-sig", "cp1252", "mojibake")

    _MOJIBAKE: ClassVar[re.Pattern[str]] = re.compile("[\u00c2-\u00f4][\u0080-\u00bf]")
    """The bytes of one UTF-8 character, read as Latin-1: no language has such pairs."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.saved not in self.SAVED:
            raise FlightSchoolError(
                _("No fault saves a file as {saved!r}; choose one of {ways}.").format(
                    saved=self.saved, ways=", ".join(self.SAVED)
                )
            )

    def plant(self, batch: Files, rng: random.Random, rate: float) -> Files:
        return tuple(replace(file, content=self._resave(file.content, file.name)) for file in batch)

    def _resave(self, content: bytes, name: str) -> bytes:
        if self.saved == "utf-8-sig":
            return codecs.BOM_UTF8 + content
        if content.isascii():
            raise FlightSchoolError(
                _("{file} is plain ASCII, so {saved} would not show; save it as utf-8-sig.").format(
                    file=PurePath(name).name, saved=self.saved
                )
            )
        # A truncated file may end inside a character.
        text = content.decode(errors="ignore")
        if self.saved == "mojibake":
            return text.encode().decode("latin-1").encode()
        return text.encode("cp1252", errors="replace")

    def present(self, batch: Files) -> bool:
        return any(self._odd(file.content) for file in batch)

    def _odd(self, content: bytes) -> bool:
        # Also of a file that was cut off within its mark.
        if content and codecs.BOM_UTF8.startswith(content[:3]):
            return True
        # Incremental: a character cut off at the very end is a truncated file, not another encoding.
        try:
            text = codecs.getincrementaldecoder("utf-8")().decode(content)
        except UnicodeDecodeError:
            return True
        return bool(self._MOJIBAKE.search(text))
