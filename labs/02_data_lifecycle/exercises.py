"""The exercises of module 02: what is asked, the hints, and the probes that turn answers into evidence."""

from __future__ import annotations

import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightschool.curriculum import NotAttempted, exercise
from flightschool.data import raw
from flightschool.errors import FlightSchoolError
from flightschool.i18n import translations
from flightschool.learn.evidence import plain, table
from flightschool.learn.stubs import untouched

from . import deliveries
from .green_week import days as drill_days
from .green_week import deliver, plant_night, sent_again

if TYPE_CHECKING:
    from flightschool.data import World

_ = translations("02_data_lifecycle")

# The lab's files import each other by name, as a notebook imports them.
if (here := str(Path(__file__).parent)) not in sys.path:
    sys.path.insert(0, here)

FINGERPRINT = """
    select make_date(year, month, day) as flight_date, count(*) as flights, count(distinct (carrier, flight, origin)) as different,
           count(*) - count(dep_time) as cancelled, sum(dep_delay) as dep_delay, sum(arr_delay) as arr_delay,
           sum(air_time) as air_time, sum(distance) as distance
    from flights group by all order by all
"""
"""One row a day of the warehouse table `flights`: enough to notice a row too many, one too few, one changed."""


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for the length of a probe."""
    with tempfile.TemporaryDirectory(prefix="flightschool-") as name:
        yield Path(name)


def in_warehouse(database: Path) -> Any:
    """The fingerprint of the table `flights`; {"problem": one line} when it can't be read."""
    import duckdb

    if not database.is_file():
        return {"problem": _("there is no database file")}
    try:
        # Not read-only: a connection that the answer left open would then refuse ours.
        with duckdb.connect(str(database)) as warehouse:
            return table(warehouse.sql(FINGERPRINT))
    except duckdb.Error as error:
        return {"problem": str(error).splitlines()[0]}


@exercise(
    "q1",
    title=_("Ingest files so that a rerun changes nothing"),
    points=3,
    hints=(
        _(
            "Run your function twice on the same folder and count the rows of one day before and after. Which statement adds?"
        ),
        _(
            "A file is the whole truth about its day: what the table holds of that day has to make room for what the file says now."
        ),
        _(
            "A DELETE for the day and an INSERT of its file, inside one transaction, give the same rows however often they run."
        ),
        _(
            "for file in …: read it with read_csv(…, nullstr='NA'); BEGIN; DELETE … WHERE (year, month, day) is the file's; INSERT …; COMMIT."
        ),
    ),
)
def idempotent_ingestion(answer: Any, world: World) -> Any:
    """The warehouse after one run, a second, and one with a corrected, a new and an archived file."""
    one, two, three = deliveries.look_alikes(world)
    with folder() as place:
        inbox, database = place / "inbox", place / "warehouse.duckdb"
        deliveries.write(world.flights(one), inbox, raw.file_name(one))
        archived = deliveries.write(world.flights(two), inbox, raw.file_name(two))
        answer(inbox, database)
        once = in_warehouse(database)
        answer(inbox, database)
        twice = in_warehouse(database)
        deliveries.write(deliveries.corrected(world.flights(one), world.rng("q1")), inbox, raw.file_name(one))
        deliveries.write(world.flights(three), inbox, raw.file_name(three))
        archived.unlink()
        answer(inbox, database)
        return {"once": once, "twice": twice, "corrected": in_warehouse(database)}


@exercise(
    "q2",
    title=_("Count a stream by window of event time"),
    points=3,
    hints=(
        _(
            "Print ten events. Two of their times differ; look at JFK, LGA and EWR in the middle of the day, and at event_id."
        ),
        _(
            "A window is chosen by when a thing happened, not by when you heard of it. And a sender that is not sure sends again."
        ),
        _(
            "Keep the event_ids that you have seen in a set; cut `at` down to the half hour with pd.Timestamp(…).floor('30min')."
        ),
        _(
            "counts[event['airport'], window start of event[…]] += 1, unless event['event_id'] … ; then a frame with three columns."
        ),
    ),
)
def windows_of_event_time(answer: Any, world: World) -> Any:
    """The learner's count of two days of gate events, read from a topic with three partitions."""
    from flightschool import services

    from .pushbacks import publish

    broker = services.kafka()
    topic = f"pushbacks-{uuid.uuid4().hex}"
    broker.create_topic(topic, partitions=3)
    for day in deliveries.three_days(world)[:2]:
        publish(deliveries.gate_events(world.flights(day), world.rng(f"q2 {day}")), broker.endpoint, topic)
    return table(answer(broker.endpoint, topic))


@exercise(
    "q3",
    title=_("Partition the lake by day"),
    points=3,
    hints=(
        _(
            "List the files that you wrote, fs.find(url). Which folder holds the flights that were scheduled to leave at 21:00?"
        ),
        _(
            "The day of a flight is a day in New York: year, month and day have it. time_hour is UTC, and there the evening is tomorrow."
        ),
        _(
            "pyarrow.dataset.write_dataset takes partitioning=…, filesystem=… and existing_data_behavior=…; one of its values replaces just what you bring."
        ),
        _(
            "Add a column departure_day (a date), then write_dataset(table, path, filesystem=fs, format='parquet', partitioning=…['departure_day'] flavor 'hive', existing_data_behavior='…')."
        ),
    ),
)
def partitioned_lake(answer: Any, world: World) -> Any:
    """The lake's files and rows after two days were written, and after one of them was written again."""
    import pandas as pd

    from flightschool import services

    s3 = services.s3()
    bucket = f"lake-{uuid.uuid4().hex}"
    s3.client().create_bucket(Bucket=bucket)
    url, options = f"s3://{bucket}/flights", s3.storage_options
    one, two, _three = deliveries.three_days(world)
    frames = {day: world.flights(day) for day in (one, two)}
    answer(pd.concat(frames.values(), ignore_index=True), url, options)
    written = in_lake(url, options, one)
    answer(deliveries.corrected(frames[one], world.rng("q3")), url, options)
    return {"written": written, "rewritten": in_lake(url, options, one)}


def in_lake(url: str, options: dict[str, Any], day: Any) -> Any:
    """Files of the lake with their rows and columns, rows by partition, and what reading one day touches."""
    import fsspec
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    fs, root = fsspec.core.url_to_fs(url, **options)
    fs.invalidate_cache()
    paths = sorted(path for path in fs.find(root) if path.endswith(".parquet"))
    files = []
    rows: list[dict[str, Any]] = []
    for path in paths:
        name = path.removeprefix(root).strip("/")
        with fs.open(path, "rb") as file:
            content = pq.ParquetFile(file).read()
        files.append({"path": name, "rows": content.num_rows, "columns": content.column_names})
        label = name.split("/")[0] if "/" in name else ""
        deeper = dict(level.split("=", 1) for level in name.split("/")[1:-1] if "=" in level)
        wanted = [
            key
            for key in ("origin", "carrier", "flight", "arr_delay", "distance")
            if key in content.column_names
        ]
        rows += [{"folder": label} | deeper | row for row in content.select(wanted).to_pylist()]
    problem, touched = "", []
    try:
        dataset = ds.dataset(
            root,
            filesystem=fs,
            format="parquet",
            partitioning=ds.partitioning(pa.schema({"departure_day": pa.date32()}), flavor="hive"),
        )
        touched = [
            f.path.removeprefix(root).strip("/")
            for f in dataset.get_fragments(ds.field("departure_day") == day)
        ]
    except (pa.ArrowException, OSError) as error:
        problem = str(error).splitlines()[0]
    return {"files": files, "rows": rows, "touched": touched, "problem": problem}


@exercise(
    "q4",
    title=_("One table by ETL and by ELT, equal row by row"),
    points=4,
    hints=(
        _(
            "Run both halves on one day, sort both by flight_date, origin, hour, and look at the first row that differs."
        ),
        _(
            "Three things to agree on: which day a flight belongs to, what counts as late, and what the share is a share of."
        ),
        _(
            "Spark: F.make_date, F.count, F.sum(F.when(…, 1).otherwise(0)), F.try_divide. SQL: make_date, count(dep_time), sum(case when … end), nullif."
        ),
        _(
            "late_share = late / departed, where departed = count of dep_time, not of rows; a null when nothing departed; group by the date, origin, hour."
        ),
    ),
)
def etl_and_elt(answer: Any, world: World) -> Any:
    """The table by both ways on two days; a half whose code fails is told apart from the other."""
    import duckdb
    import pandas as pd

    if not isinstance(answer, dict) or not {"etl", "elt"} <= answer.keys():
        raise FlightSchoolError(_("Give both halves: {'etl': your function, 'elt': your SQL}."))
    flights = pd.concat(
        [world.flights(day) for day in deliveries.rough_and_ordinary(world)], ignore_index=True
    )
    elt: Any = None
    if isinstance(answer["elt"], str):
        with duckdb.connect() as warehouse:
            warehouse.register("raw_flights", flights.convert_dtypes())
            elt = table(warehouse.sql(answer["elt"].strip().rstrip(";")))
    etl: Any = None
    if callable(answer["etl"]):
        etl = table(answer["etl"](spark().createDataFrame(spark_rows(flights))))
    return {"etl": etl, "elt": elt}


def spark() -> Any:
    """The Spark session of this process; one is started where there is none."""
    from etl import spark_session

    return spark_session()


def spark_rows(flights: Any) -> Any:
    """The frame as Arrow, so that Spark sees whole numbers and nulls as such."""
    import pyarrow as pa

    return pa.Table.from_pandas(flights.convert_dtypes(), preserve_index=False)


@exercise(
    "q5",
    title=_("One query for four warehouses"),
    points=3,
    hints=(
        _(
            "Print portable.examine(query, table)['dialects']['redshift']: the text, and what Redshift does not know in it."
        ),
        _(
            "What is handy in one warehouse (FILTER, arg_max, median, list …) is often missing in another. The oldest SQL is the most portable."
        ),
        _(
            "A share of a whole period is a sum divided by a sum. Count with sum(case when … then 1 else 0 end); number with row_number() over (…)."
        ),
        _(
            "select … from (select origin, carrier, sum(…) …, row_number() over (partition by … order by sum(flights) desc, carrier) as place … group by origin, carrier) where place <= …"
        ),
    ),
)
def portable_query(answer: Any, world: World) -> Any:
    """The query's rows on DuckDB and, transpiled, in the other dialects; with what these do not know."""
    from portable import examine

    if not isinstance(answer, str):
        raise FlightSchoolError(_("Give the query as text (str)."))
    daily = deliveries.on_time_by_carrier([world.flights(day) for day in world.days(9)])
    found = examine(answer.strip().rstrip(";"), deliveries.with_a_tie(daily, world.rng("q5")))
    for part in (found, *found["dialects"].values()):
        part.pop("sql", None)  # shown in the notebook; rows and problems are what is judged
        part["rows"] = None if part["rows"] is None else table(part["rows"])
    return found


@exercise(
    "q6",
    title=_("Serve it: an API and an extract"),
    points=4,
    hints=(
        _(
            "Call your app for a day that the table does not have, for a day that is no day, and again after the table has changed."
        ),
        _(
            "A path parameter with a type is checked by FastAPI before your function runs. What is read at start-up is old by tomorrow."
        ),
        _(
            "day: date in the signature; HTTPException(404, …); duckdb.connect(…, read_only=True) inside the function; ? instead of an f-string. pantab.frame_to_hyper."
        ),
        _(
            "@app.get('/airports/{origin}/days/{day}') def …(origin: str, day: date): … 'select sum(flights) … where origin = ? and flight_date = ?' … if nothing: raise …"
        ),
    ),
)
def api_and_extract(answer: Any, world: World) -> Any:
    """What the app answers, before and after a night's load, and the two files as their readers see them."""
    import pandas as pd

    from .asgi import get

    if not isinstance(answer, dict) or not {"app", "extract"} <= answer.keys():
        raise FlightSchoolError(_("Give both halves: {'app': make_app, 'extract': write_extract}."))
    one, two, three = deliveries.three_days(world)
    airport = world.airports[0]
    old = deliveries.on_time_by_carrier([world.flights(one), world.flights(two)])
    new = deliveries.on_time_by_carrier([world.flights(day) for day in (one, two, three)])
    calls = {
        "known": f"/airports/{airport}/days/{one}",
        "not loaded": f"/airports/{airport}/days/{three}",
        "unknown airport": f"/airports/XXX/days/{one}",
        "no day": f"/airports/{airport}/days/2013-02-30",
        "injection": f"/airports/{airport}' or 'a'='a/days/{one}",
    }
    with folder() as place:
        database = place / "warehouse.duckdb"
        replace_table(database, old)
        app = answer["app"](database)
        replies = {
            name: reply(response)
            for name, response in zip(calls, get(app, list(calls.values())), strict=True)
        }
        replace_table(database, new)
        (after,) = get(app, [calls["not loaded"]])
        replies["after the load"] = reply(after)
        extracts = {}
        for suffix in (".hyper", ".parquet"):
            path = place / f"daily_on_time{suffix}"
            answer["extract"](database, path)
            # A second time: extracts are refreshed every morning.
            answer["extract"](database, path)
            extracts[suffix] = read_extract(path)
    return {"replies": replies, "extracts": extracts, "source": table(pd.DataFrame(new))}


def replace_table(database: Path, frame: Any) -> None:
    """A database that holds `daily_on_time`, put in the old one's place as a night's load does."""
    import duckdb

    part = database.with_suffix(".part")
    with duckdb.connect(str(part)) as warehouse:
        warehouse.register("frame", frame)
        warehouse.execute("create table daily_on_time as from frame")
    part.replace(database)


def reply(response: Any) -> dict[str, Any]:
    """Status and JSON of an answer; null where it is no JSON."""
    try:
        body = response.json()
    except ValueError:
        body = None
    return {"status": response.status_code, "body": body}


def read_extract(path: Path) -> Any:
    """{"kinds": {column: kind}, "table"} of a .hyper or .parquet file; {"problem": one line} when it can't be read."""
    import pantab
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        return {"problem": _("there is no file {name}").format(name=path.name)}
    try:
        if path.suffix == ".hyper":
            tables = pantab.frames_from_hyper(path, return_type="pyarrow")
            content = next(iter(tables.values())) if tables else pa.table({})
        else:
            content = pq.read_table(path)
    except (RuntimeError, OSError, pa.ArrowException) as error:
        return {"problem": f"{path.name}: {str(error).splitlines()[0]}"}
    return {"kinds": {field.name: kind(field.type) for field in content.schema}, "table": table(content)}


def kind(arrow: Any) -> str:
    """What a business tool makes of an Arrow type: date, time, number or text."""
    import pyarrow.types as t

    if t.is_date(arrow):
        return "date"
    if t.is_timestamp(arrow):
        return "time"
    return "number" if t.is_integer(arrow) or t.is_floating(arrow) or t.is_decimal(arrow) else "text"


@exercise(
    "quiz",
    title=_("What stays"),
    points=1,
    hints=(
        _("Each question belongs to one stage; go back to its first cell."),
        _("Ask of each choice: what would I have seen on the second run, or with the late event?"),
        _(
            "Ingestion: what makes a rerun safe? Streaming: whose clock? Storage: which files are opened? ELT: where does the work happen? Freshness: what does green not tell?"
        ),
    ),
)
def quiz(answer: Any, world: World) -> Any:
    """The letters chosen."""
    if not isinstance(answer, dict):
        raise FlightSchoolError(_("Give a letter for each question: {'rerun': 'b', …}."))
    return {
        str(name): str(choice).strip().lower() if isinstance(choice, str) else None
        for name, choice in answer.items()
    }


@exercise(
    "drill",
    title=_("One day twice, one day late"),
    points=4,
    hints=(
        _(
            "Put three things side by side, day by day: rows in the warehouse, rows in deliveries.csv, lines in nightly.log."
        ),
        _(
            "The night run asks two questions of each file: is its name new, and is its day new? Which delivery does each of them get wrong?"
        ),
        _(
            "Go by the day, not by the file: for each day find its last delivery by received_at in deliveries.csv, and let it replace the day."
        ),
        _(
            "read deliveries.csv; keep the last received_at of each flight_date; for each of them: in one transaction delete the day from flights, insert its file (read_csv with nullstr='NA')."
        ),
    ),
)
def one_day_twice_one_day_late(answer: Any, world: World) -> Any:
    """The learner's own warehouse, and the learner's night run on a fresh incident, run again, and on new deliveries."""
    if not isinstance(answer, dict) or not {"night", "run"} <= answer.keys():
        raise FlightSchoolError(
            _("Give both: {'night': the folder that you repaired, 'run': your night run}.")
        )
    if untouched(answer["run"]):
        raise NotAttempted
    night, run = Path(answer["night"]), answer["run"]
    evidence: dict[str, Any] = {"live": in_warehouse(night / "warehouse.duckdb")}
    with folder() as place:
        copy = plant_night(place / "night", world)
        inbox, database = copy / "inbox", copy / "warehouse.duckdb"
        before = sorted(file.name for file in inbox.iterdir())
        run(inbox, database)
        evidence["repaired"] = in_warehouse(database)
        run(inbox, database)
        evidence["again"] = in_warehouse(database)
        evidence["deleted"] = sorted(set(before) - {file.name for file in inbox.iterdir()})
        redeliver(inbox, world)
        run(inbox, database)
        evidence["next"] = in_warehouse(database)
    return plain(evidence)


def redeliver(inbox: Path, world: World) -> None:
    """The next night's deliveries: the first day again, mended, and a day before all others, late.

    The source's log is in no order: a delivery that came before the mended one is noted after it.
    """
    from datetime import timedelta

    first, *_rest, last = drill_days(world)
    morning = last + timedelta(days=2)
    deliver(inbox, first, f"flights-{first}.1.csv", f"{morning} 01:05", sent_again(world, first))
    deliver(inbox, first, f"flights-{first}.2.csv", f"{morning} 00:50", world.flights(first))
    early = first - timedelta(days=1)
    deliver(inbox, early, raw.file_name(early), f"{morning} 01:40", world.flights(early))
