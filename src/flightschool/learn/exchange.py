"""Progress as one JSON file, to take from one machine to another. It holds no name and no path."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.learn.journal import BadEvent, Event, Journal

FORMAT: Literal["flightschool-progress"] = "flightschool-progress"
VERSION: Literal[1] = 1
LARGEST = 64 * 2**20
"""Bytes; some 200,000 events, far beyond what a learner makes."""


class BadExport(FlightSchoolError):
    """A file that is no export of progress, or can't be written as one."""


@dataclass(frozen=True)
class _Head:
    """What says whether the rest can be read."""

    format: Literal["flightschool-progress"]
    version: int


@dataclass(frozen=True)
class _Export:
    format: Literal["flightschool-progress"]
    version: Literal[1]
    exported: datetime
    events: list[Event]


def export_progress(journal: Journal, target: Path) -> int:
    """Write all events to a new file; return how many.

    Raises:
        BadExport: the file exists, or can't be written.
        Unwritable, Newer: the progress file can't be read.
    """
    from pydantic import TypeAdapter

    if target.exists():
        raise BadExport(
            _("{file} exists already: choose another name, or remove it first.").format(file=target)
        )
    events = journal.events()
    data = TypeAdapter(_Export).dump_json(_Export(FORMAT, VERSION, datetime.now(UTC), events), indent=1)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        try:
            part.write_bytes(data + b"\n")
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        sentence = _("{file} can't be written ({why}): choose another place.")
        raise BadExport(sentence.format(file=target, why=error.strerror)) from None
    return len(events)


def import_progress(journal: Journal, source: Path) -> int:
    """Add the events of an export that the journal lacks, all or none; return how many were new.

    Raises:
        BadExport: what is wrong with the file; nothing was imported.
        Unwritable, Newer: the progress file can't be written.
    """
    events = _read(source)
    try:
        return journal.add(events, patience=10)
    except BadEvent as error:
        raise _refused(source, str(error)) from None


def _read(source: Path) -> list[Event]:
    from pydantic import TypeAdapter, ValidationError

    try:
        if source.stat().st_size > LARGEST:
            raise _refused(source, _("it is too large to be one"))
        data = source.read_bytes()
    except OSError as error:
        sentence = _("{file} can't be read: {why}.")
        raise BadExport(sentence.format(file=source, why=error.strerror)) from None
    try:
        head = TypeAdapter(_Head).validate_json(data)
        if head.version > VERSION:
            sentence = _(
                "{file} was exported by a newer version of Flight School (its format is {theirs}, this one knows {ours}): "
                "update this checkout."
            )
            raise BadExport(sentence.format(file=source, theirs=head.version, ours=VERSION))
        export = TypeAdapter(_Export).validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise _refused(source, f"{where}: {first['msg']}" if where else first["msg"]) from None
    for number, event in enumerate(export.events):
        if event.at.tzinfo is None:
            raise _refused(source, _("the time of event {number} has no time zone").format(number=number))
    return export.events


def _refused(source: Path, why: str) -> BadExport:
    return BadExport(
        _(
            "{file} is no export of `flightschool progress --export` ({why}); nothing was imported: export it anew."
        ).format(file=source, why=json.dumps(why, ensure_ascii=False)[1:-1])
    )
