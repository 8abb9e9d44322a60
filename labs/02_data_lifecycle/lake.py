"""The data lake: Parquet files in folders by day and origin, on S3, on HDFS or on a local disk by the same code.

`lake/flight_date=2013-02-08/origin=JFK/part-0.parquet`: the folder names hold the values (hive style), so a reader that wants one
airport opens one file. A day of ours is small; in life aim at files of 100 MB and more, and partition no finer than that.
"""

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import fsspec
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

PARTITIONS = pa.schema({"flight_date": pa.date32(), "origin": pa.string()})


@dataclass(frozen=True)
class Scan:
    """What a reading touches: files, and the bytes of the columns read, beside what the lake holds."""

    files: int
    files_in_lake: int
    bytes: int
    bytes_in_lake: int


@dataclass(frozen=True)
class Lake:
    """A lake below a URL: `s3://bucket/lake`, `webhdfs://host:9870/lake` (HDFS over HTTP), or a local path.

    `options` are the file system's, such as `services.s3().storage_options`.
    """

    url: str
    options: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def _place(self) -> tuple[fsspec.AbstractFileSystem, str]:
        fs, root = fsspec.core.url_to_fs(self.url, **self.options)
        return fs, root.rstrip("/")

    def write_day(self, day: date, flights: pd.DataFrame) -> list[str]:
        """Replace one day; returns the paths written.

        Each file is replaced whole, and files of origins that the day no longer has are removed last. Readers that
        need all files of a day to change at once want a table format (Iceberg, Delta) on top.
        """
        fs, root = self._place
        before = set(fs.find(f"{root}/flight_date={day}"))
        table = pa.Table.from_pandas(flights.assign(flight_date=day), preserve_index=False)
        written: list[str] = []
        ds.write_dataset(
            table,
            root,
            filesystem=fs,
            format="parquet",
            partitioning=ds.partitioning(PARTITIONS, flavor="hive"),
            basename_template="part-{i}.parquet",
            existing_data_behavior="overwrite_or_ignore",
            file_visitor=lambda file: written.append(file.path),
        )
        for path in before - set(written):
            fs.rm_file(path)
        fs.invalidate_cache()
        return sorted(written)

    def partitions(self) -> list[str]:
        """`flight_date=…/origin=…` of every partition, sorted."""
        fs, root = self._place
        return sorted({path.removeprefix(f"{root}/").rpartition("/")[0] for path in fs.find(root)})

    def read(
        self, day: date | None = None, origin: str | None = None, columns: list[str] | None = None
    ) -> pa.Table:
        """The rows of that day and origin (of all, where None), and only these columns."""
        return self._dataset().to_table(filter=where(day, origin), columns=columns)

    def scan(
        self, day: date | None = None, origin: str | None = None, columns: list[str] | None = None
    ) -> Scan:
        """What `read` with the same arguments touches, from the files' own metadata."""
        dataset = self._dataset()
        everything = list(dataset.get_fragments())
        touched = list(dataset.get_fragments(filter=where(day, origin)))
        return Scan(
            len(touched),
            len(everything),
            sum(stored(fragment.metadata, columns) for fragment in touched),
            sum(stored(fragment.metadata) for fragment in everything),
        )

    def _dataset(self) -> ds.Dataset:
        fs, root = self._place
        return ds.dataset(
            root, filesystem=fs, format="parquet", partitioning=ds.partitioning(PARTITIONS, flavor="hive")
        )


def where(day: date | None, origin: str | None) -> ds.Expression | None:
    """The filter on the partition columns, None for everything."""
    wanted = {"flight_date": day, "origin": origin}
    expression = None
    for name, value in wanted.items():
        if value is not None:
            term = ds.field(name) == value
            expression = term if expression is None else expression & term
    return expression


def stored(metadata: pq.FileMetaData, columns: list[str] | None = None) -> int:
    """Compressed bytes of these columns (of all, where None) in a Parquet file."""
    return sum(
        chunk.total_compressed_size
        for group in range(metadata.num_row_groups)
        for chunk in map(metadata.row_group(group).column, range(metadata.num_columns))
        if columns is None or chunk.path_in_schema in columns
    )
