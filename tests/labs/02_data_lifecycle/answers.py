"""Answers to the exercises of module 02: right ones, mistakes that people make, untouched stubs."""

import datetime as dt
import tempfile
import textwrap
from collections import Counter
from pathlib import Path

import duckdb
import fsspec
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
from labs.kit import failing, passing, untouched

from flightschool.curriculum import load_lab_file
from flightschool.paths import LABS

LAB = LABS / "02_data_lifecycle"
ROOM = tempfile.TemporaryDirectory(prefix="flightschool-answers-")

MUTATION = {
    "q4": {"most": 40, "worlds": 2, "jobs": 1},
    "q6": {"most": 40, "worlds": 2},
    "drill": {"most": 24, "worlds": 2},
}
"""Where a mutant takes a second or more a world, `make judge` tries fewer; one Spark session at a time."""

# q1 ----------------------------------------------------------------------------------------------------------------

READ = "read_csv(?, nullstr='NA')"


@passing("q1")
def replaces_the_day(world):
    def ingest(folder: Path, database: Path) -> None:
        with duckdb.connect(str(database)) as warehouse:
            for file in sorted(folder.glob("*.csv")):
                warehouse.execute(f"create table if not exists flights as from {READ} limit 0", [str(file)])
                warehouse.begin()
                same_day = f"(year, month, day) in (select (year, month, day) from {READ})"
                warehouse.execute(f"delete from flights where {same_day}", [str(file)])
                warehouse.execute(f"insert into flights by name from {READ}", [str(file)])
                warehouse.commit()

    return ingest


@passing("q1")
def keeps_the_other_days_with_pandas(world):
    def ingest(folder, database):
        new = pd.concat(pd.read_csv(file) for file in folder.glob("*.csv"))
        with duckdb.connect(str(database)) as warehouse:
            names = {row[0] for row in warehouse.sql("show tables").fetchall()}
            if "flights" in names:
                old = warehouse.table("flights").df()
                keys = set(zip(new.month, new.day, strict=True))
                keep = [key not in keys for key in zip(old.month, old.day, strict=True)]
                new = pd.concat([old[keep], new])
            warehouse.execute("create or replace table flights as from new")

    return ingest


@passing("q1")
def stages_in_polars(world):
    def ingest(folder, database):
        frames = [
            pl.read_csv(file, null_values="NA", infer_schema_length=None) for file in folder.glob("*.csv")
        ]
        staged = pl.concat(frames, how="diagonal_relaxed").to_arrow()
        with duckdb.connect(str(database)) as warehouse:
            warehouse.execute("create table if not exists flights as select * from staged where false")
            warehouse.begin()
            warehouse.execute(
                """delete from flights where exists (
                       select 1 from staged
                       where staged.year = flights.year and staged.month = flights.month and staged.day = flights.day)"""
            )
            warehouse.execute("insert into flights by name select * from staged")
            warehouse.commit()
        del staged

    return ingest


@failing("q1", because="added rows")
def appends(world):
    def ingest(folder, database):
        with duckdb.connect(str(database)) as warehouse:
            for file in sorted(folder.glob("*.csv")):
                warehouse.execute(f"create table if not exists flights as from {READ} limit 0", [str(file)])
                warehouse.execute(f"insert into flights by name from {READ}", [str(file)])

    return ingest


@failing("q1", because="archived")
def reloads_the_folder(world):
    def ingest(folder, database):
        with duckdb.connect(str(database)) as warehouse:
            warehouse.execute(f"create or replace table flights as from {READ}", [str(folder / "*.csv")])

    return ingest


@failing("q1", because="withdrawn")
def merges_on_the_key(world):
    def ingest(folder, database):
        with duckdb.connect(str(database)) as warehouse:
            for file in sorted(folder.glob("*.csv")):
                warehouse.execute(f"create table if not exists flights as from {READ} limit 0", [str(file)])
                key = "(year, month, day, carrier, flight, origin)"
                warehouse.execute(
                    f"delete from flights where {key} in (select {key} from {READ})", [str(file)]
                )
                warehouse.execute(f"insert into flights by name from {READ}", [str(file)])

    return ingest


def replaces_by(key):
    def ingest(folder, database):
        with duckdb.connect(str(database)) as warehouse:
            for file in sorted(folder.glob("*.csv")):
                warehouse.execute(f"create table if not exists flights as from {READ} limit 0", [str(file)])
                warehouse.execute(
                    f"delete from flights where {key} in (select {key} from {READ})", [str(file)]
                )
                warehouse.execute(f"insert into flights by name from {READ}", [str(file)])

    return ingest


@failing("q1", because="rows are missing")
def replaces_the_whole_month(world):
    return replaces_by("month")


@failing("q1", because="more than its own day")
def replaces_the_day_of_every_month(world):
    return replaces_by("day")


@failing("q1", because="corrected file was not loaded")
def skips_known_files(world):
    def ingest(folder, database):
        with duckdb.connect(str(database)) as warehouse:
            warehouse.execute("create table if not exists files (name varchar)")
            for file in sorted(folder.glob("*.csv")):
                if warehouse.execute("from files where name = ?", [file.name]).fetchall():
                    continue
                warehouse.execute(f"create table if not exists flights as from {READ} limit 0", [str(file)])
                warehouse.execute(f"insert into flights by name from {READ}", [str(file)])
                warehouse.execute("insert into files values (?)", [file.name])

    return ingest


@failing("q1", because="after the first run")
def loads_the_last_file_only(world):
    def ingest(folder, database):
        with duckdb.connect(str(database)) as warehouse:
            for file in sorted(folder.glob("*.csv")):
                warehouse.execute(f"create or replace table flights as from {READ}", [str(file)])

    return ingest


@untouched("q1")
def nothing_ingested(world):
    def ingest(folder: Path, database: Path) -> None:
        """Load every file of the folder."""
        ...

    return ingest


# q2 ----------------------------------------------------------------------------------------------------------------


def read_all(bootstrap, topic):
    return load_lab_file(LAB, "pushbacks").read_all(bootstrap, topic)


@passing("q2")
def counts_by_event_time(world):
    def count_by_window(bootstrap: str, topic: str) -> pd.DataFrame:
        counts, seen = Counter(), set()
        for event in read_all(bootstrap, topic):
            if event["event_id"] in seen:
                continue
            seen.add(event["event_id"])
            counts[event["airport"], pd.Timestamp(event["at"]).floor("30min")] += 1
        rows = [(airport, start, n) for (airport, start), n in counts.items()]
        return pd.DataFrame(rows, columns=["airport", "window_start", "pushbacks"])

    return count_by_window


@passing("q2")
def counts_in_duckdb(world):
    def count_by_window(bootstrap, topic):
        warehouse = duckdb.connect()
        warehouse.register("events", pd.DataFrame(read_all(bootstrap, topic)))
        return warehouse.sql(
            """
            select airport, time_bucket(interval 30 minutes, cast("at".replace('Z', '') as timestamp)) as window_start,
                   count(distinct event_id) as pushbacks
            from events group by all
            """
        ).df()

    return count_by_window


@passing("q2")
def counts_in_polars(world):
    def count_by_window(bootstrap, topic):
        events = pl.DataFrame(list(read_all(bootstrap, topic)))
        return (
            events.unique("event_id", keep="any")
            .with_columns(window_start=pl.col("at").str.to_datetime(time_zone="UTC").dt.truncate("30m"))
            .group_by("window_start", "airport")
            .agg(pushbacks=pl.len())
        )

    return count_by_window


@passing("q2")
def counts_with_a_dict(world):
    def count_by_window(bootstrap, topic):
        left = {event["event_id"]: event for event in read_all(bootstrap, topic)}
        counts = {}
        for event in left.values():
            at = dt.datetime.fromisoformat(event["at"])
            key = event["airport"], at.replace(minute=at.minute // 30 * 30, second=0)
            counts[key] = counts.get(key, 0) + 1
        return [
            {"pushbacks": n, "window_start": start, "airport": airport}
            for (airport, start), n in counts.items()
        ]

    return count_by_window


def pandas_windows(bootstrap, topic, by, once=True, keep=None):
    events = pd.DataFrame(read_all(bootstrap, topic))
    if once:
        events = events.drop_duplicates("event_id", keep="first")
    events["window_start"] = pd.to_datetime(events[by]).dt.floor("30min")
    return events.groupby(["airport", "window_start"], as_index=False).agg(pushbacks=("event_id", "size"))


@failing("q2", because="processing time")
def counts_by_arrival(world):
    return lambda bootstrap, topic: pandas_windows(bootstrap, topic, "received_at")


@failing("q2", because="duplicates")
def counts_duplicates(world):
    return lambda bootstrap, topic: pandas_windows(bootstrap, topic, "at", once=False)


@failing("q2", because="late")
def drops_late_events(world):
    def count_by_window(bootstrap, topic):
        newest, seen, counts = {}, set(), Counter()
        for event in read_all(bootstrap, topic):
            start = pd.Timestamp(event["at"]).floor("30min")
            if start < newest.get(event["airport"], start) or event["event_id"] in seen:
                continue
            seen.add(event["event_id"])
            newest[event["airport"]] = start
            counts[event["airport"], start] += 1
        return pd.DataFrame(
            [(a, s, n) for (a, s), n in counts.items()], columns=["airport", "window_start", "pushbacks"]
        )

    return count_by_window


@failing("q2", because="missing")
def takes_hours_for_half_hours(world):
    def count_by_window(bootstrap, topic):
        events = pd.DataFrame(read_all(bootstrap, topic)).drop_duplicates("event_id")
        events["window_start"] = pd.to_datetime(events["at"]).dt.floor("60min")
        return events.groupby(["airport", "window_start"], as_index=False).agg(pushbacks=("event_id", "size"))

    return count_by_window


@untouched("q2")
def nothing_counted(world):
    def count_by_window(bootstrap: str, topic: str) -> pd.DataFrame: ...

    return count_by_window


# q3 ----------------------------------------------------------------------------------------------------------------


def write_dataset(flights, url, options, dates, behaviour="delete_matching", columns=("departure_day",)):
    fs, path = fsspec.core.url_to_fs(url, **options)
    fs.invalidate_cache()
    table = pa.Table.from_pandas(flights.assign(departure_day=dates), preserve_index=False)
    ds.write_dataset(
        table,
        path,
        filesystem=fs,
        format="parquet",
        partitioning=list(columns),
        partitioning_flavor="hive",
        existing_data_behavior=behaviour,
    )


def new_york(flights):
    return pd.to_datetime(flights[["year", "month", "day"]]).dt.date


@passing("q3")
def deletes_the_matching_partition(world):
    return lambda flights, url, options: write_dataset(flights, url, options, new_york(flights))


@passing("q3")
def writes_a_file_a_day(world):
    def land(flights, url, options):
        for day, part in flights.groupby(new_york(flights)):
            path = f"{url}/departure_day={day}/flights.parquet"
            part.to_parquet(path, index=False, storage_options=options)

    return land


@passing("q3")
def copies_with_polars(world):
    def land(flights, url, options):
        fs, root = fsspec.core.url_to_fs(url, **options)
        frame = pl.from_pandas(flights).with_columns(departure_day=pl.date("year", "month", "day"))
        for (day,), part in frame.partition_by("departure_day", as_dict=True, include_key=False).items():
            folder = f"{root}/departure_day={day}"
            if fs.exists(folder):
                fs.rm(folder, recursive=True)
            with fs.open(f"{folder}/part-0.parquet", "wb") as file:
                part.write_parquet(file)

    return land


@failing("q3", because="UTC")
def takes_the_day_from_utc(world):
    return lambda flights, url, options: write_dataset(flights, url, options, flights.time_hour.dt.date)


@failing("q3", because="partition column")
def keeps_the_partition_column(world):
    def land(flights, url, options):
        for day, part in flights.groupby(new_york(flights)):
            path = f"{url}/departure_day={day}/flights.parquet"
            part.assign(departure_day=day).to_parquet(path, index=False, storage_options=options)

    return land


@failing("q3", because="row labels")
def keeps_the_row_labels(world):
    def land(flights, url, options):
        for day, part in flights.groupby(new_york(flights)):
            part.to_parquet(f"{url}/departure_day={day}/flights.parquet", storage_options=options)

    return land


@failing("q3", because="too many")
def keeps_the_old_files(world):
    def land(flights, url, options):
        for day, part in flights.groupby(new_york(flights)):
            name = f"{pd.util.hash_pandas_object(part).sum()}.parquet"
            part.to_parquet(f"{url}/departure_day={day}/{name}", index=False, storage_options=options)

    return land


@failing("q3", because="has no rows")
def empties_the_lake_first(world):
    def land(flights, url, options):
        fs, path = fsspec.core.url_to_fs(url, **options)
        if fs.exists(path):
            fs.rm(path, recursive=True)
        write_dataset(flights, url, options, new_york(flights))

    return land


@failing("q3", because="small files")
def partitions_too_finely(world):
    columns = ("departure_day", "origin", "carrier")
    return lambda flights, url, options: write_dataset(
        flights, url, options, new_york(flights), columns=columns
    )


@failing("q3", because="departure_day=")
def writes_one_file(world):
    def land(flights, url, options):
        flights.to_parquet(f"{url}/flights.parquet", index=False, storage_options=options)

    return land


@untouched("q3")
def nothing_landed(world):
    def land(flights: pd.DataFrame, url: str, options: dict) -> None:
        """Write the flights into the lake."""

    return land


# q4 ----------------------------------------------------------------------------------------------------------------

ELT = """
    select make_date(year, month, day) as flight_date, origin, hour,
           count(*) as flights, count(*) - count(dep_time) as cancelled, count(dep_time) as departed,
           sum(case when dep_delay >= 15 then 1 else 0 end) as late,
           sum(case when dep_delay >= 15 then 1 else 0 end) / nullif(count(dep_time), 0) as late_share,
           avg(dep_delay) as mean_dep_delay
    from raw_flights group by all
"""


def in_spark(flights):
    from pyspark.sql import functions as sf

    late = sf.sum(sf.when(sf.col("dep_delay") >= 15, 1).otherwise(0))
    departed = sf.count("dep_time")
    return flights.groupBy(sf.make_date("year", "month", "day").alias("flight_date"), "origin", "hour").agg(
        sf.count("*").alias("flights"),
        (sf.count("*") - departed).alias("cancelled"),
        departed.alias("departed"),
        late.alias("late"),
        sf.try_divide(late, departed).alias("late_share"),
        sf.mean("dep_delay").alias("mean_dep_delay"),
    )


@passing("q4")
def both_by_the_book(world):
    return {"etl": in_spark, "elt": ELT}


@passing("q4")
def other_styles(world):
    def by_sql(flights):
        flights.createOrReplaceTempView("raw_flights")
        return flights.sparkSession.sql(
            ELT.replace("group by all", "group by make_date(year, month, day), origin, hour")
        )

    elt = """
        with days as (select *, make_date(year, month, day) as flight_date from raw_flights)
        select hour, origin, flight_date, avg(dep_delay) mean_dep_delay, avg(case when dep_time is not null then (dep_delay >= 15)::int end) late_share,
               count(*) flights, count_if(dep_time is null) cancelled, count(dep_time) departed, count_if(coalesce(dep_delay, 0) >= 15) late
        from days group by 1, 2, 3;
    """
    return {"etl": by_sql, "elt": elt}


@passing("q4")
def step_by_step(world):
    def etl(flights):
        from pyspark.sql import functions as sf

        kinds = flights.select(
            "hour",
            "origin",
            sf.make_date("year", "month", "day").alias("flight_date"),
            "dep_delay",
            sf.col("dep_time").isNotNull().cast("int").alias("left"),
            sf.coalesce((sf.col("dep_delay") >= 15).cast("int"), sf.lit(0)).alias("slow"),
        )
        return (
            kinds.groupBy("hour", "flight_date", "origin")
            .agg(
                sf.avg("dep_delay").alias("mean_dep_delay"),
                sf.sum("slow").alias("late"),
                sf.sum("left").alias("departed"),
                sf.count("left").alias("flights"),
            )
            .withColumn("cancelled", sf.col("flights") - sf.col("departed"))
            .withColumn("late_share", sf.try_divide("late", "departed"))
        )

    elt = """
        select origin, hour, flight_date, flights, departed, flights - departed as cancelled, late,
               case when departed > 0 then late / departed end as late_share, mean_dep_delay
        from (
            select origin, hour, make_date(year, month, day) as flight_date, count(*) as flights, count(dep_time) as departed,
                   count(case when dep_delay >= 15 then 1 end) as late, avg(dep_delay) as mean_dep_delay
            from raw_flights group by origin, hour, year, month, day
        )
    """
    return {"elt": elt, "etl": etl}


@failing("q4", because="late_share")
def shares_of_all_flights(world):
    return {"etl": in_spark, "elt": ELT.replace("nullif(count(dep_time), 0)", "count(*)")}


@failing("q4", because="whole number")
def divides_whole_numbers(world):
    return {"etl": in_spark, "elt": ELT.replace("/ nullif", "// nullif")}


@failing("q4", because="UTC")
def groups_by_the_utc_day(world):
    return {
        "etl": in_spark,
        "elt": ELT.replace("make_date(year, month, day)", "cast(time_hour at time zone 'UTC' as date)"),
    }


@failing("q4", because="ETL")
def counts_cancelled_as_on_time(world):
    def etl(flights):
        return in_spark(flights.fillna(0, subset=["dep_delay", "dep_time"]))

    return {"etl": etl, "elt": ELT}


@failing("q4", because="it has a dep_time")
def departed_is_not_arrived(world):
    return {"etl": in_spark, "elt": ELT.replace("count(dep_time) as departed", "count(arr_time) as departed")}


@failing("q4", because="mean_dep_delay")
def fills_missing_delays_with_zero(world):
    return {"etl": in_spark, "elt": ELT.replace("avg(dep_delay)", "avg(coalesce(dep_delay, 0))")}


@failing("q4", because="No table")
def one_half_only(world):
    return {"etl": ..., "elt": ELT}


@untouched("q4")
def neither_half(world):
    def etl(flights): ...

    return {"etl": etl, "elt": ...}


# q5 ----------------------------------------------------------------------------------------------------------------

PORTABLE = """
    select origin, carrier, place, flights, on_time_share, days_with_cancellations
    from (
        select origin, carrier, sum(flights) as flights,
               sum(on_time) / sum(flights) as on_time_share,
               sum(case when cancelled > 0 then 1 else 0 end) as days_with_cancellations,
               row_number() over (partition by origin order by sum(flights) desc, carrier) as place
        from daily_on_time
        group by origin, carrier
    ) as ranked
    where place <= 3
    order by origin, place
"""


@passing("q5")
def old_sql(world):
    return PORTABLE


@passing("q5")
def with_a_cte(world):
    return textwrap.dedent(
        """
        with whole as (
            select origin, carrier, sum(flights) as flights, sum(on_time) as on_time,
                   count(case when cancelled >= 1 then flight_date end) as days_with_cancellations
            from daily_on_time group by origin, carrier
        ), ranked as (
            select *, rank() over (partition by origin order by flights desc, carrier) as place from whole
        )
        select place, origin, carrier, flights, cast(on_time as double) / flights as on_time_share, days_with_cancellations
        from ranked where place < 4;
        """
    )


@failing("q5", because="equal ones by carrier")
def breaks_ties_backwards(world):
    return PORTABLE.replace("desc, carrier)", "desc, carrier desc)")


@failing("q5", because="Days on which at least one")
def leaves_nulls_for_no_days(world):
    return PORTABLE.replace(" else 0 end", " end")


@failing("q5", because="FILTER")
def uses_the_filter_clause(world):
    return PORTABLE.replace(
        "sum(case when cancelled > 0 then 1 else 0 end)", "count(*) filter (where cancelled > 0)"
    )


@failing("q5", because="Redshift does not know")
def uses_a_list_function(world):
    return PORTABLE.replace(
        "sum(case when cancelled > 0 then 1 else 0 end)", "len(list_filter(list(cancelled), lambda n: n > 0))"
    )


@failing("q5", because="mean of daily shares")
def averages_daily_shares(world):
    return PORTABLE.replace("sum(on_time) / sum(flights)", "avg(on_time_share)")


@failing("q5", because="on_time_share")
def shares_of_flown_flights(world):
    return PORTABLE.replace("/ sum(flights)", "/ nullif(sum(flights) - sum(cancelled), 0)")


@failing("q5", because="on_time_share")
def divides_integers(world):
    return PORTABLE.replace("sum(on_time) /", "sum(on_time) //")


@failing("q5", because="DuckDB refuses")
def writes_another_dialect(world):
    return PORTABLE.replace(
        "sum(case when cancelled > 0 then 1 else 0 end)", "countif(cancelled > 0 ? 1 : 0)"
    )


@failing("q5", because="place counts from 1")
def ranks_over_all_airports(world):
    return PORTABLE.replace("partition by origin order by", "order by").replace(
        "where place <= 3", "qualify row_number() over (partition by origin order by place) <= 3"
    )


@untouched("q5")
def no_query(world):
    return ...


# q6 ----------------------------------------------------------------------------------------------------------------


def make_app(database: Path, where="origin = ? and flight_date = ?", start=None, missing=404):
    from fastapi import FastAPI, HTTPException

    app = FastAPI()
    query = f"select sum(flights), sum(cancelled), sum(on_time) from daily_on_time where {where}"

    @app.get("/airports/{origin}/days/{day}")
    def of_a_day(origin: str, day: dt.date) -> dict:
        with duckdb.connect(str(start or database), read_only=True) as warehouse:
            flights, cancelled, on_time = warehouse.execute(query, [origin, day]).fetchone()
        if flights is None and missing == 404:
            raise HTTPException(404, f"Nothing is known of {origin} on {day}.")
        return {"origin": origin, "day": day, "flights": flights, "cancelled": cancelled, "on_time": on_time}

    return app


def write_extract(database: Path, path: Path) -> None:
    import pantab

    with duckdb.connect(str(database), read_only=True) as warehouse:
        table = warehouse.table("daily_on_time").to_arrow_table()
    if path.suffix == ".hyper":
        pantab.frame_to_hyper(table, path, table="daily_on_time")
    else:
        pa.parquet.write_table(table, path)


@passing("q6")
def by_the_book(world):
    return {"app": make_app, "extract": write_extract}


@passing("q6")
def with_pandas(world):
    def app(database):
        from fastapi import FastAPI
        from fastapi import Path as Part
        from fastapi.responses import JSONResponse

        application = FastAPI()

        @application.get("/airports/{origin}/days/{day}")
        async def airport(day: dt.date, origin: str = Part(pattern="^[A-Z]{3}$")):
            with duckdb.connect(str(database), read_only=True) as connection:
                frame = connection.table("daily_on_time").df()
            frame = frame[(frame.origin == origin) & (pd.to_datetime(frame.flight_date).dt.date == day)]
            if frame.empty:
                return JSONResponse({"detail": "unknown"}, 404)
            sums = frame[["flights", "cancelled", "on_time"]].sum()
            return {"origin": origin, "day": str(day)} | {name: int(value) for name, value in sums.items()}

        return application

    def extract(database, path):
        import pantab

        with duckdb.connect(str(database), read_only=True) as connection:
            frame = connection.table("daily_on_time").df()
        if path.suffix == ".hyper":
            pantab.frame_to_hyper(frame, path, table="extract")
        else:
            frame.to_parquet(path)

    return {"app": app, "extract": extract}


@failing("q6", because="404")
def answers_nulls(world):
    return {"app": lambda database: make_app(database, missing=200), "extract": write_extract}


@failing("q6", because="stale")
def reads_at_start_up(world):
    def app(database):
        copy = Path(tempfile.mkdtemp(dir=ROOM.name)) / "copy.duckdb"
        copy.write_bytes(database.read_bytes())
        return make_app(database, start=copy)

    return {"app": app, "extract": write_extract}


@failing("q6", because="422")
def takes_any_text_for_a_day(world):
    def app(database):
        from fastapi import FastAPI, HTTPException

        application = FastAPI()

        @application.get("/airports/{origin}/days/{day}")
        def of_a_day(origin: str, day: str):
            query = "select sum(flights), sum(cancelled), sum(on_time) from daily_on_time where origin = ? and flight_date::varchar = ?"
            with duckdb.connect(str(database), read_only=True) as warehouse:
                flights, cancelled, on_time = warehouse.execute(query, [origin, day]).fetchone()
            if flights is None:
                raise HTTPException(404)
            return {
                "origin": origin,
                "day": day,
                "flights": flights,
                "cancelled": cancelled,
                "on_time": on_time,
            }

        return application

    return {"app": app, "extract": write_extract}


@failing("q6", because="injection")
def builds_sql_from_text(world):
    def app(database):
        from fastapi import FastAPI, HTTPException

        application = FastAPI()

        @application.get("/airports/{origin}/days/{day}")
        def of_a_day(origin: str, day: dt.date):
            query = f"select sum(flights), sum(cancelled), sum(on_time) from daily_on_time where flight_date = '{day}' and origin = '{origin}'"
            with duckdb.connect(str(database), read_only=True) as warehouse:
                flights, cancelled, on_time = warehouse.execute(query).fetchone()
            if flights is None:
                raise HTTPException(404)
            return {
                "origin": origin,
                "day": day,
                "flights": flights,
                "cancelled": cancelled,
                "on_time": on_time,
            }

        return application

    return {"app": app, "extract": write_extract}


@failing("q6", because="text")
def extracts_without_types(world):
    def extract(database, path):
        import pantab

        with duckdb.connect(str(database), read_only=True) as warehouse:
            frame = warehouse.table("daily_on_time").df().astype({"flight_date": str})
        frame["flight_date"] = frame.flight_date.str[:10]
        if path.suffix == ".hyper":
            pantab.frame_to_hyper(frame, path, table="extract")
        else:
            frame.to_parquet(path)

    return {"app": make_app, "extract": extract}


@failing("q6", because="no file")
def forgets_the_extract(world):
    return {"app": make_app, "extract": lambda database, path: print(end="")}


@untouched("q6")
def nothing_served(world):
    def app(database): ...

    def extract(database, path): ...

    return {"app": app, "extract": extract}


# quiz --------------------------------------------------------------------------------------------------------------

CHOSEN = {"rerun": "b", "clock": "a", "partition": "c", "elt": "b", "green": "c"}


@passing("quiz")
def five_letters(world):
    return CHOSEN


@failing("quiz", because="rerun")
def remembers_names_of_files(world):
    return CHOSEN | {"rerun": "a"}


@failing("quiz", because="monitoring")
def trusts_green(world):
    return CHOSEN | {"green": "a"}


@failing("quiz", because="clock")
def guesses_throughout(world):
    return dict.fromkeys(CHOSEN, "d")


@untouched("quiz")
def no_letters(world):
    return dict.fromkeys(CHOSEN, ...)


# drill -------------------------------------------------------------------------------------------------------------


def incident(world) -> Path:
    folder = Path(tempfile.mkdtemp(dir=ROOM.name))
    return load_lab_file(LAB, "green_week").plant_night(folder / "night", world)


def last_deliveries(inbox: Path) -> pd.DataFrame:
    log = pd.read_csv(inbox / "deliveries.csv").sort_values("received_at")
    return log.groupby("flight_date", as_index=False).last()


def run(inbox: Path, database: Path) -> None:
    with duckdb.connect(str(database)) as warehouse:
        for day, name in last_deliveries(inbox)[["flight_date", "file"]].itertuples(index=False):
            warehouse.begin()
            warehouse.execute("delete from flights where make_date(year, month, day) = ?", [day])
            warehouse.execute(f"insert into flights by name from {READ}", [str(inbox / name)])
            warehouse.commit()


def repaired(world, run, live=True):
    night = incident(world)
    if live:
        run(night / "inbox", night / "warehouse.duckdb")
    return {"night": night, "run": run}


@passing("drill")
def the_last_delivery_replaces_its_day(world):
    return repaired(world, run)


@passing("drill")
def rebuilds_from_the_inbox(world):
    def rebuild(inbox, database):
        files = [str(inbox / name) for name in last_deliveries(inbox).file]
        with duckdb.connect(str(database)) as warehouse:
            warehouse.execute("create or replace table flights as from read_csv(?, nullstr='NA')", [files])

    return repaired(world, rebuild)


@failing("drill", because="rows more than its last delivery", slow=True)
def distinct_rows(world):
    def deduplicate(inbox, database):
        with duckdb.connect(str(database)) as warehouse:
            files = [str(path) for path in inbox.glob("*.csv") if path.name != "deliveries.csv"]
            warehouse.execute(
                "create or replace table flights as select distinct * from read_csv(?, nullstr='NA')", [files]
            )

    return repaired(world, deduplicate)


@failing("drill", because="missing", slow=True)
def runs_the_night_again(world):
    nightly = load_lab_file(LAB, "nightly")
    return repaired(world, lambda inbox, database: nightly.run(inbox, database, lambda line: None))


@failing("drill", because="Your warehouse", slow=True)
def mends_the_job_only(world):
    return repaired(world, run, live=False)


@failing("drill", because="after the next night", slow=True)
def trusts_the_order_of_the_log(world):
    def last_line(inbox, database):
        log = pd.read_csv(inbox / "deliveries.csv").groupby("flight_date", as_index=False).last()
        with duckdb.connect(str(database)) as warehouse:
            for day, name in log[["flight_date", "file"]].itertuples(index=False):
                warehouse.execute("delete from flights where make_date(year, month, day) = ?", [day])
                warehouse.execute(f"insert into flights by name from {READ}", [str(inbox / name)])

    return repaired(world, last_line)


@failing("drill", because="after the next night", slow=True)
def mends_these_two_days_by_name(world):
    week = load_lab_file(LAB, "green_week")
    days = [str(week.days(world)[n]) for n in (week.LATE, week.TWICE)]

    def mend(inbox, database):
        log = last_deliveries(inbox)
        with duckdb.connect(str(database)) as warehouse:
            for day, name in log[log.flight_date.isin(days)][["flight_date", "file"]].itertuples(index=False):
                warehouse.execute("delete from flights where make_date(year, month, day) = ?", [day])
                warehouse.execute(f"insert into flights by name from {READ}", [str(inbox / name)])

    return repaired(world, mend)


@failing("drill", because="more than its last delivery", slow=True)
def takes_the_first_name(world):
    def first_file(inbox, database):
        with duckdb.connect(str(database)) as warehouse:
            warehouse.execute("delete from flights")
            for file in sorted(inbox.glob("flights-????-??-??.csv")):
                warehouse.execute(f"insert into flights by name from {READ}", [str(file)])

    return repaired(world, first_file)


@untouched("drill")
def not_repaired(world):
    def run(inbox, database): ...

    return {"night": ..., "run": run}
