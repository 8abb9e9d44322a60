"""Ingest: check a delivered file against the contract and land it in the raw zone, byte for byte.

No Spark here: a day is 100 kB, and what is checked is the file as a file. Types are `transform`'s concern.
What can't be noticed: a file cut exactly between two rows. Only a row count sent by the source would tell.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter

from etl.contract import COLUMNS, file_name, quarantine_key, raw_key
from etl.errors import (
    EmptyFile,
    MalformedFile,
    MissingFile,
    RefusedFile,
    TruncatedFile,
    WrongColumns,
    WrongDay,
    WrongEncoding,
)
from etl.results import StageResult
from etl.store import Store


def ingest(day: date, source: str | Path, lake: str | Path) -> StageResult:
    """Land the day's file from ``source`` in the lake's raw zone.

    ``source`` is the folder or bucket prefix in which the file of the day lies, or the ``.csv`` file itself.
    The same file twice changes nothing; a corrected file replaces the day. A file that breaks the contract
    is moved to the lake's quarantine, beside ``reason.json``, and the raw zone stays as it was.

    Raises MissingFile, RefusedFile (one subclass a reason), StoreUnavailable.
    """
    start = perf_counter()
    folder, name = _locate(day, source)
    deliveries, store = Store(folder), Store(lake)
    try:
        data = deliveries.read(name)
    except FileNotFoundError:
        raise MissingFile(
            f"{name} is not in {folder}: check the day and the source, or wait for the delivery."
        ) from None
    try:
        rows = check(data, day)
    except RefusedFile as refusal:
        kept = _quarantine(data, day, name, deliveries, store, refusal)
        raise type(refusal)(
            f"{name} was refused: {refusal}; it is kept with the reason in {kept}, "
            "have the source send the day again."
        ) from None
    if not _holds(store, raw_key(day), data):
        store.write(raw_key(day), data)
    return StageResult("ingest", day, rows, rows, 0, 0, perf_counter() - start)


def check(data: bytes, day: date) -> int:
    """The number of flights in a delivered file; raises the RefusedFile that says what is wrong with it."""
    if not data.strip():
        raise EmptyFile("the file is empty")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise WrongEncoding(f"line {line} is not UTF-8 text") from None
    if text.startswith("\ufeff"):
        raise WrongEncoding("the file starts with a byte order mark")
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        _check_header(next(lines))
        rows = _check_rows(lines, day, complete=text.endswith("\n"))
    except csv.Error as error:
        raise MalformedFile(f"line {lines.line_num} is not CSV ({error})") from None
    if rows == 0:
        raise EmptyFile("the file has a header and no flight")
    return rows


def _check_header(header: list[str]) -> None:
    if tuple(header) == COLUMNS:
        return
    missing = [column for column in COLUMNS if column not in header]
    extra = [column for column in header if column not in COLUMNS]
    renamed = []
    if len(header) == len(COLUMNS):
        renamed = [
            (old, new)
            for old, new in zip(COLUMNS, header, strict=True)
            if old in missing and new in extra and header.count(new) == 1
        ]
    olds, news = {old for old, _ in renamed}, {new for _, new in renamed}
    findings = [f"column {old} is now called {new}" for old, new in renamed]
    findings += [f"column {column} is missing" for column in missing if column not in olds]
    findings += [f"column {column!r} is not in the contract" for column in extra if column not in news]
    findings += [f"column {column} occurs twice" for column in COLUMNS if header.count(column) > 1]
    raise WrongColumns(", ".join(findings) or "the columns are in another order than in the contract")


def _check_rows(rows_read: Iterator[list[str]], day: date, *, complete: bool) -> int:
    short: tuple[int, int] | None = None
    rows, line = 0, 1
    for line, row in enumerate(rows_read, start=2):
        if short:
            raise MalformedFile(f"line {short[0]} has {short[1]} fields instead of {len(COLUMNS)}")
        rows += 1
        if len(row) != len(COLUMNS):
            # Broken in the middle or cut at the end? The next row, if there is one, tells.
            short = (line, len(row))
        elif _day_of(row) != day:
            found = "-".join(row[:3])
            raise WrongDay(f"line {line} holds a flight of {found}, not of {day}")
    if short and short[1] > len(COLUMNS):
        raise MalformedFile(f"line {short[0]} has {short[1]} fields instead of {len(COLUMNS)}")
    if short or not complete:
        raise TruncatedFile(f"the file breaks off in line {line}")
    return rows


def _day_of(row: list[str]) -> date | None:
    try:
        return date(int(row[0]), int(row[1]), int(row[2]))
    except ValueError:
        return None


def _locate(day: date, source: str | Path) -> tuple[str, str]:
    text = str(source)
    if text.endswith(".csv"):
        folder, _, name = text.rpartition("/")
        return folder or ("/" if text.startswith("/") else "."), name
    return text, file_name(day)


def _holds(store: Store, key: str, data: bytes) -> bool:
    try:
        return store.read(key) == data
    except FileNotFoundError:
        return False


def _quarantine(
    data: bytes, day: date, name: str, deliveries: Store, store: Store, refusal: RefusedFile
) -> str:
    digest = hashlib.sha256(data).hexdigest()
    folder = quarantine_key(day, digest)
    reason = {
        "file": name,
        "source": deliveries.root,
        "day": str(day),
        "error": type(refusal).__name__,
        "reason": str(refusal),
        "sha256": digest,
        "bytes": len(data),
        "refused_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    store.write(f"{folder}/{name}", data)
    store.write(f"{folder}/reason.json", json.dumps(reason, indent=2).encode() + b"\n")
    # Only now, and only this file: a corrected one may have come in meanwhile.
    if _holds(deliveries, name, data):
        deliveries.remove(name)
    return store.url(folder)
