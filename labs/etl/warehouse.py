"""The warehouse zone: one version of a day at a time, switched by one small object.

    warehouse/day=2013-02-08/current.json                          which version counts, with digests
    warehouse/day=2013-02-08/versions/<id>/flights.parquet …       never changed once written

A folder can't be replaced in one step, on S3 not even renamed, but one object can. So a load writes a version
that nobody looks at yet, then switches ``current.json`` to it: killed before, the day is the old one; after, the
new one. Table formats (Iceberg, Delta Lake) commit the same way. Always read through `read_day` or `read_table`:
a glob over the Parquet files would see several versions of a day.

Two loads of one day at the same time are safe for readers, the last one to switch wins; that they run one after
the other is the scheduler's part.
"""

import hashlib
import json
import logging
import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from etl.errors import DamagedLake, MissingDay, StoreUnavailable
from etl.store import Store
from etl.transformation import as_parquet

KEEP = timedelta(hours=1)
"""How long a version that is not in use is left alone: another load may be about to switch to it."""
_ZONE = "warehouse"
_STAMP = "%Y%m%dT%H%M%S%fZ"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """One table of a version: its row count, and the SHA-256 of its Parquet file."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Content of ``current.json``: the version that counts, the one before it, and the tables in it."""

    version: str
    previous: str | None
    tables: Mapping[str, Part]

    @classmethod
    def from_json(cls, data: bytes) -> "Manifest":
        """Raises ValueError, TypeError, KeyError or AttributeError on anything but a manifest."""
        content = json.loads(data)
        tables = {name: Part(**part) for name, part in content["tables"].items()}
        return cls(str(content["version"]), content["previous"], tables)

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), indent=2).encode() + b"\n"


def publish(
    day: date, tables: Mapping[str, pa.Table], lake: str | Path, *, keep: timedelta = KEEP
) -> Manifest:
    """Make these tables the day, all at once; the same tables again change nothing.

    Old versions are removed afterwards, except the one just replaced (somebody may be reading it) and those
    younger than ``keep``. Raises StoreUnavailable.
    """
    store = Store(lake)
    files = {name: as_parquet(table) for name, table in tables.items()}
    parts = {
        name: Part(tables[name].num_rows, hashlib.sha256(data).hexdigest()) for name, data in files.items()
    }
    before = _manifest_to_replace(day, store)
    if before and before.tables == parts and _intact(day, before, store):
        after = before
    else:
        version = f"{datetime.now(UTC):{_STAMP}}-{uuid.uuid4().hex[:8]}"
        for name, data in files.items():
            store.write(_file(day, version, name), data)
        after = Manifest(version, before.version if before else None, parts)
        store.write(_pointer(day), after.to_json())
    _clean_up(day, after, store, keep)
    return after


def current(day: date, lake: str | Path) -> Manifest:
    """Which version of the day counts. Raises MissingDay, DamagedLake, StoreUnavailable."""
    store = Store(lake)
    try:
        return Manifest.from_json(store.read(_pointer(day)))
    except FileNotFoundError:
        raise MissingDay(f"{day} is not in the warehouse of {store.root}: run load for it first.") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise DamagedLake(f"{store.url(_pointer(day))} is damaged: run load for {day} again.") from None


def read_day(day: date, lake: str | Path, table: str = "flights") -> pa.Table:
    """One table (``flights`` or ``on_time``) of one day, from the version that counts.

    Raises MissingDay, DamagedLake, StoreUnavailable; KeyError for a table that does not exist.
    """
    store = Store(lake)
    manifest = current(day, lake)
    while True:
        part, file = manifest.tables[table], _file(day, manifest.version, table)
        try:
            data = store.read(file)
        except FileNotFoundError:
            # Replaced and cleaned up while we were on our way: follow the pointer again.
            seen, manifest = manifest, current(day, lake)
            if manifest.version != seen.version:
                continue
            raise DamagedLake(f"{store.url(file)} is missing: run load for {day} again.") from None
        if hashlib.sha256(data).hexdigest() != part.sha256:
            raise DamagedLake(f"{store.url(file)} is damaged: run load for {day} again.")
        return pq.read_table(pa.BufferReader(data))


def read_table(lake: str | Path, table: str = "flights") -> pa.Table:
    """All days of a table, one after the other. Raises MissingDay when there is none."""
    present = days(lake)
    if not present:
        raise MissingDay(f"The warehouse of {lake} is empty: run load for a day first.")
    return pa.concat_tables([read_day(day, lake, table) for day in present])


def days(lake: str | Path) -> list[date]:
    """The days that the warehouse holds, in order."""
    store = Store(lake)
    found = []
    for name in store.names(_ZONE):
        match = re.fullmatch(r"day=(\d{4}-\d{2}-\d{2})", name)
        if match and "current.json" in store.names(f"{_ZONE}/{name}"):
            found.append(date.fromisoformat(match[1]))
    return found


def _manifest_to_replace(day: date, store: Store) -> Manifest | None:
    try:
        return current(day, store.root)
    except (MissingDay, DamagedLake):
        return None


def _intact(day: date, manifest: Manifest, store: Store) -> bool:
    try:
        return all(
            hashlib.sha256(store.read(_file(day, manifest.version, name))).hexdigest() == part.sha256
            for name, part in manifest.tables.items()
        )
    except FileNotFoundError:
        return False


def _clean_up(day: date, manifest: Manifest, store: Store, keep: timedelta) -> None:
    """The day is committed: what can't be removed now is removed next time, and fails nothing."""
    limit = datetime.now(UTC) - keep
    try:
        for version in store.names(_versions(day)):
            written = _written_at(version)
            if version not in (manifest.version, manifest.previous) and written and written < limit:
                store.remove(f"{_versions(day)}/{version}")
        store.sweep()
    except (StoreUnavailable, OSError) as error:
        _log.warning("%s is loaded, but old versions could not be removed: %s", day, error)


def _written_at(version: str) -> datetime | None:
    try:
        return datetime.strptime(version.partition("-")[0], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _pointer(day: date) -> str:
    return f"{_ZONE}/day={day}/current.json"


def _versions(day: date) -> str:
    return f"{_ZONE}/day={day}/versions"


def _file(day: date, version: str, table: str) -> str:
    return f"{_versions(day)}/{version}/{table}.parquet"
