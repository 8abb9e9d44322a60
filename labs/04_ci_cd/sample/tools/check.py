"""Checks of data, SQL and test reports: exit status 0, or 1 with a line that says what is wrong."""

import argparse
import csv
import json
import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

KINDS = {"integer": r"-?\d+", "date": r"\d{4}-\d\d-\d\d", "text": r".*"}


def rows(path: Path) -> list[dict[str, str]]:
    """The file's rows; an empty field is a value that is missing."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def schema(file: Path, contract: Path) -> list[str]:
    """Columns that are missing or unknown, and values that are not of their type."""
    columns: dict[str, str] = json.loads(contract.read_text())["columns"]
    found = rows(file)
    names = list(found[0]) if found else []
    wrong = [f"no column {name}" for name in columns if name not in names]
    wrong += [f"a column that the contract does not have: {name}" for name in names if name not in columns]
    for name, kind in columns.items():
        bad = [row[name] for row in found if row.get(name) and not re.fullmatch(KINDS[kind], row[name])]
        if bad:
            wrong.append(f"{name}: {bad[0]!r} is no {kind}")
    return wrong


def absent(found: list[dict[str, str]], columns: list[str]) -> list[str]:
    """The columns that the file does not have."""
    return [f"no column {name}" for name in columns if found and name not in found[0]]


def unique(file: Path, columns: list[str]) -> list[str]:
    """Rows that agree in all of these columns."""
    found = rows(file)
    if wrong := absent(found, columns):
        return wrong
    keys = Counter(tuple(row[name] for name in columns) for row in found)
    return [f"{' '.join(key)} is there {count} times" for key, count in keys.items() if count > 1]


def filled(file: Path, columns: list[str]) -> list[str]:
    """Columns with a value that is missing."""
    found = rows(file)
    if wrong := absent(found, columns):
        return wrong
    empty = Counter(name for row in found for name in columns if not row[name])
    return [f"{name} is missing in {count} of {len(found)} rows" for name, count in empty.items()]


def sql(models: Path, data: Path) -> list[str]:
    """Models that do not execute on the data, each after those that it refers to."""
    import duckdb

    texts = {path.stem: path.read_text() for path in models.glob("*.sql")}
    ref = re.compile(r"\{\{\s*ref\('(\w+)'\)\s*\}\}")
    source = re.compile(r"\{\{\s*source\('\w+',\s*'(\w+)'\)\s*\}\}")
    order = TopologicalSorter({name: ref.findall(text) for name, text in texts.items()})
    with duckdb.connect(config={"threads": 1}) as warehouse:
        warehouse.execute("create table flights as from read_csv(?)", [str(data)])
        for name in order.static_order():
            if name not in texts:
                return [f"a model refers to {name}, which there is not"]
            text = source.sub(r"\1", ref.sub(r"\1", texts[name]))
            try:
                warehouse.execute(f"create table {name} as {text}")
            except duckdb.Error as error:
                return [f"{name}.sql: {str(error).splitlines()[0]}"]
    return []


def skipped(report: Path) -> list[str]:
    """Tests of a JUnit report that were not run, whatever the reason."""
    cases = ET.parse(report).getroot().iter("testcase")
    return [f"{case.get('name')} was skipped" for case in cases if case.find("skipped") is not None]


def main() -> int:
    """Run one check."""
    parser = argparse.ArgumentParser(prog="python -m tools.check", description=__doc__)
    checks = parser.add_subparsers(dest="check", required=True)
    for name, function, places in (
        ("schema", schema, ("file", "contract")),
        ("unique", unique, ("file",)),
        ("filled", filled, ("file",)),
        ("sql", sql, ("models", "data")),
        ("skipped", skipped, ("report",)),
    ):
        one = checks.add_parser(name, help=function.__doc__)
        for place in places:
            one.add_argument(place, type=Path)
        if function in (unique, filled):
            one.add_argument("columns", nargs="+")
        one.set_defaults(function=function)
    given = vars(parser.parse_args())
    name, function = given.pop("check"), given.pop("function")
    try:
        wrong = function(**given)
    except OSError as error:
        wrong = [f"{error.filename}: {error.strerror}"]
    print(*(f"{name}: {line}" for line in wrong or ["nothing wrong"]), sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
