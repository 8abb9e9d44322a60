"""The changes that colleagues propose: good ones, and one of each kind that a gate must stop."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .project import Files, as_csv, files, flights

if TYPE_CHECKING:
    from flightschool.data import World

GOOD = "good"
AUTHORS = ("Ana", "Ben", "Chloe", "Dev")


@dataclass(frozen=True)
class Change:
    """One proposed commit: `kind` is `good` or what is wrong with it; `contents` are the files that it changes."""

    kind: str
    message: str
    contents: dict[str, str]


Maker = Callable[["World", Files, random.Random], Change]


def replaced(tree: Files, path: str, old: str, new: str) -> dict[str, str]:
    """The file with one piece of text in place of another, which must be there."""
    if old not in tree[path]:
        raise ValueError(f"{path} has no {old!r}")
    return {path: tree[path].replace(old, new, 1)}


def rows_and_choice(world: World, rng: random.Random) -> tuple[list[dict[str, str]], int]:
    """The rows of the data file, and the place of one that flew."""
    rows = flights(world)
    return rows, rng.choice([number for number, row in enumerate(rows) if row["arr_delay"]])


# Good ones, each of which some hasty gate would stop ---------------------------------------------------------------


def cancelled(world: World, tree: Files, rng: random.Random) -> Change:
    rows, at = rows_and_choice(world, rng)
    rows[at] = rows[at] | {"dep_time": "", "dep_delay": "", "arr_delay": ""}
    return Change(GOOD, "Correct a flight that was cancelled", {"data/flights.csv": as_csv(rows)})


def put_on_again(world: World, tree: Files, rng: random.Random) -> Change:
    rows, at = rows_and_choice(world, rng)
    later = (int(rows[at]["sched_dep_time"]) + 200) % 2400
    rows.insert(at + 1, rows[at] | {"sched_dep_time": str(later), "dep_time": str(later)})
    return Change(GOOD, "Add a flight that was put on again", {"data/flights.csv": as_csv(rows)})


def documented(world: World, tree: Files, rng: random.Random) -> Change:
    note = "\n\n# A test that can't run here is marked with pytest.mark.skip, and the gate stops it.\n"
    text = tree["tests/test_rules.py"].replace("\n\nimport pytest\n", f"{note}\nimport pytest\n", 1)
    readme = (
        tree["README.md"] + "\nTests may not be skipped: `@pytest.mark.skip` and `xfail` stop the gate.\n"
    )
    return Change(GOOD, "Say what we do with tests", {"tests/test_rules.py": text, "README.md": readme})


def new_model(world: World, tree: Files, rng: random.Random) -> Change:
    column = rng.choice(("carrier", "dest"))
    text = (
        f"select\n    {column},\n    count(*) as flights,\n    avg(cast(on_time as integer)) as on_time_share\n"
        f"from {{{{ ref('stg_flights') }}}}\ngroup by {column}\n"
    )
    return Change(GOOD, f"Report by {column}", {f"dbt/models/on_time_by_{column}.sql": text})


# Bad ones, one of each kind ----------------------------------------------------------------------------------------


def lint(world: World, tree: Files, rng: random.Random) -> Change:
    contents = rng.choice(
        (
            replaced(tree, "ontime/report.py", "import csv\n", "import csv\nimport os\n"),
            replaced(tree, "ontime/rules.py", "ON_TIME_MINUTES = 15\n", "ON_TIME_MINUTES = 15\nl = 45\n"),
            replaced(
                tree, "tools/smoke.py", 'print(f"smoke: {name}: {last}")', 'print(f"smoke"); print(name)'
            ),
        )
    )
    return Change("lint", "Tidy up", contents)


def unit(world: World, tree: Files, rng: random.Random) -> Change:
    return Change("unit", "Make the rules simpler", broken_rule(tree, rng))


def broken_rule(tree: Files, rng: random.Random) -> dict[str, str]:
    """A rule or the report, changed so that a test of it fails."""
    return rng.choice(
        (
            replaced(tree, "ontime/rules.py", "arr_delay < ON_TIME_MINUTES", "arr_delay <= ON_TIME_MINUTES"),
            replaced(tree, "ontime/rules.py", "if arr_delay < 45:", "if arr_delay <= 45:"),
            replaced(tree, "ontime/report.py", 'not flight["dep_time"]', 'not flight["arr_delay"]'),
        )
    )


def duplicate(world: World, tree: Files, rng: random.Random) -> Change:
    rows, at = rows_and_choice(world, rng)
    again = rows[at] | {"arr_delay": str(int(rows[at]["arr_delay"]) + 1)}
    rows.insert(rng.randrange(len(rows)), again)
    return Change("duplicate", "Refresh the sample", {"data/flights.csv": as_csv(rows)})


def null(world: World, tree: Files, rng: random.Random) -> Change:
    rows, at = rows_and_choice(world, rng)
    # A column of the key: no day, carrier or airport may be missing; a flight without a destination neither.
    rows[at] = rows[at] | {rng.choice(("carrier", "origin", "dest", "sched_dep_time", "flight")): ""}
    return Change("null", "Take the newest rows", {"data/flights.csv": as_csv(rows)})


def schema(world: World, tree: Files, rng: random.Random) -> Change:
    rows, _at = rows_and_choice(world, rng)
    if rng.random() < 0.5:
        rows = [{("arrival_delay" if k == "arr_delay" else k): v for k, v in row.items()} for row in rows]
    else:
        rows = [row | {"dep_delay": f"{row['dep_delay']} min" if row["dep_delay"] else ""} for row in rows]
    # The models follow the file, so that only the contract knows better.
    models = {}
    if "arrival_delay" in rows[0]:
        models = replaced(tree, "dbt/models/stg_flights.sql", "arr_delay", "arrival_delay")
    return Change(
        "schema", "Take the file as the source sends it now", {"data/flights.csv": as_csv(rows)} | models
    )


def sql(world: World, tree: Files, rng: random.Random) -> Change:
    contents = rng.choice(
        (
            replaced(tree, "dbt/models/daily_on_time.sql", "sum(cast(cancelled", "sum(cast(was_cancelled"),
            replaced(tree, "dbt/models/daily_on_time.sql", "count(*) as flights,", "count(*) as flights"),
            replaced(tree, "dbt/models/daily_on_time.sql", "group by flight_date, origin", "group by origin"),
        )
    )
    return Change("sql", "Simplify the daily model", contents)


def build(world: World, tree: Files, rng: random.Random) -> Change:
    path = "tools/build.py"
    if rng.random() < 0.5:
        text = replaced(
            tree, path, '"version": "1.4.0"}', '"version": "1.4.0", "built_at": str(time.time_ns())}'
        )
        text[path] = text[path].replace("import sys\n", "import sys\nimport time\n", 1)
    else:
        text = replaced(tree, path, '"version": "1.4.0"}', '"version": "1.4.0", "build": str(uuid.uuid4())}')
        text[path] = text[path].replace("import sys\n", "import sys\nimport uuid\n", 1)
    return Change("build", "Label the package", text)


def skipped(world: World, tree: Files, rng: random.Random) -> Change:
    contents = replaced(
        tree, "ontime/rules.py", "arr_delay < ON_TIME_MINUTES", "arr_delay <= ON_TIME_MINUTES"
    )
    mark = rng.choice(
        (
            '@pytest.mark.skip(reason="flaky")\n',
            '@pytest.mark.skipif(True, reason="only on Windows")\n',
            '@pytest.mark.xfail(reason="to be looked at")\n',
        )
    )
    tests = tree["tests/test_rules.py"]
    for name in ('@pytest.mark.parametrize(("minutes", "expected"), [(-10',):
        tests = tests.replace(name, mark + name, 1)
    tests = tests.replace("@pytest.mark.parametrize(\n", f"{mark}@pytest.mark.parametrize(\n", 1)
    return Change("skipped", "Let 15 minutes count as on time", contents | {"tests/test_rules.py": tests})


def breaks_on_site(world: World, tree: Files, rng: random.Random) -> Change:
    """Passes every test here, and fails where it is deployed: it reads a file that the package does not have."""
    contents = replaced(
        tree,
        "ontime/rules.py",
        "ON_TIME_MINUTES = 15\n",
        'from pathlib import Path\n\nON_TIME_MINUTES = int(Path("limits.txt").read_text())\n',
    )
    return Change("site", "Read the limit from a file", contents | {"limits.txt": "15\n"})


GOOD_ONES: tuple[Maker, ...] = (cancelled, put_on_again, documented, new_model)
BAD_ONES: tuple[Maker, ...] = (lint, unit, duplicate, null, schema, sql, build, skipped)


def series(world: World) -> list[Change]:
    """Four good changes and eight bad ones, in an order that says nothing."""
    rng = world.rng("series of changes")
    tree = files(world)
    made = [make(world, tree, rng) for make in (*GOOD_ONES, *BAD_ONES)]
    rng.shuffle(made)
    return made


def one(world: World, make: Maker) -> Change:
    """A single change of a kind."""
    return make(world, files(world), world.rng(f"one {make.__name__}"))
