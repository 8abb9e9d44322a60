"""Planted faults: what goes wrong with data, one class each, named as the field names it.

A fault is planted in the batch of one day: a table fault in a frame of its table, a file fault in the files in which
the day arrives. To add one, write a class with a name, `plant` and `present`, and say which columns it reads and
writes; `every` finds it, and the tests hold it to the promises: it is absent from clean data, present once planted,
and still present beside all others that `contradict` lets stand.

Plant them as they arise at a source: drift, then values, then columns, then files.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from flightschool.data.faults.base import TABLES, Fault, FileFault, Files, RawFile, TableFault, due
from flightschool.data.faults.drift import CovariateDrift, Drift, LabelDrift
from flightschool.data.faults.files import DuplicateFile, EmptyFile, Encoding, LatePartition, TruncatedFile
from flightschool.data.faults.personal import LeakedPersonalData
from flightschool.data.faults.rows import (
    DuplicateKeys,
    FahrenheitToCelsius,
    MinutesToHours,
    NullBurst,
    OrphanKeys,
    OutOfRange,
    TimeZoneShift,
)
from flightschool.data.faults.schema import AddedColumn, RenamedColumn, RetypedColumn

__all__ = [
    "TABLES",
    "AddedColumn",
    "CovariateDrift",
    "Drift",
    "DuplicateFile",
    "DuplicateKeys",
    "EmptyFile",
    "Encoding",
    "FahrenheitToCelsius",
    "Fault",
    "FileFault",
    "Files",
    "LabelDrift",
    "LatePartition",
    "LeakedPersonalData",
    "MinutesToHours",
    "NullBurst",
    "OrphanKeys",
    "OutOfRange",
    "RawFile",
    "RenamedColumn",
    "RetypedColumn",
    "TableFault",
    "TimeZoneShift",
    "TruncatedFile",
    "contradict",
    "due",
    "every",
]


def every() -> list[TableFault | FileFault]:
    """One of each fault, with its defaults, by name."""
    kinds = [*_leaves(TableFault), *_leaves(FileFault)]
    return sorted((kind() for kind in kinds), key=lambda fault: (fault.name, type(fault).__name__))


def contradict(first: TableFault | FileFault, then: TableFault | FileFault) -> bool:
    """Whether one fault may undo the other or keep it from being planted, where `then` comes on top of `first`.

    Table faults do where one changes a column that the other changes too or is told by, or where `then` takes rows
    away. Of files, an empty one can be late and nothing else, one has a single encoding, and a truncated one may have
    lost the characters by which cp1252 and mojibake are told. Table faults and file faults are told in different
    places, the frame and the files, and leave each other alone.
    """
    if first.table != then.table:
        return False
    if isinstance(first, TableFault) and isinstance(then, TableFault):
        shared = first.writes & (then.reads | then.writes) or then.writes & first.reads
        return bool(shared) or not then.keeps_rows
    if isinstance(first, FileFault) and isinstance(then, FileFault):
        kinds = {type(first), type(then)}
        if EmptyFile in kinds:
            return not kinds <= {EmptyFile, LatePartition}
        saved = [fault.saved for fault in (first, then) if isinstance(fault, Encoding)]
        return len(saved) == 2 or (bool(saved) and saved != ["utf-8-sig"] and TruncatedFile in kinds)
    return False


def _leaves(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        if inspect.isabstract(child):
            yield from _leaves(child)
        else:
            yield child
