# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 02 · The eight stages on one day of flights
#
# One day of flights goes from the airport's computer to a planner's dashboard, and you go with it. At the end you will be able to
#
# - **ingest** files and events so that doubles, corrections and late arrivals leave the right rows;
# - **lay out** a data lake by day, and **say** which files a question opens;
# - **build** one table outside the warehouse (ETL) and inside it (ELT), and **prove** them equal;
# - **write** a query that four warehouses understand, and **serve** its table to programs and to people;
# - **find** why a dashboard is wrong although every run was green.
#
# **Time** about 90 minutes, and 20 for the drill. The machine needs 2½ minutes of that, 2.4 GB of memory and 20 MB of disk, measured on 2 cores.
# **Natural stops:** after section 2 (20 minutes), after section 4 (45), after section 8 (90). **Short of time?** Leave q3 and q5 out; nothing
# later depends on them. You need Python, pandas and a little SQL; no account, no Docker.

# %% tags=["parameters"]
seed = 0

# %%
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pandas as pd

from flightschool.data import day as flights_of
from flightschool.data import raw_day
from flightschool.learn import Lab

lab = Lab("02_data_lifecycle", seed=seed)
lab

# %% [markdown]
# ## The way of a day
#
# Data have a life like a product's: they come in, are kept, worked on, checked, released, run on a timetable, watched and used. These are the eight stages
# of this notebook. Each runs a real tool, and one table comes through all of them.
#
# ```mermaid
# flowchart TB
#   subgraph make [" "]
#     direction LR
#     I["1 Ingestion<br/>dlt, Kafka"] --> S["2 Storage<br/>S3, DuckDB"] --> T["3 Transformation<br/>Spark, dbt"] --> Q["4 Quality<br/>Great Expectations"]
#   end
#   subgraph run [" "]
#     direction LR
#     D["5 Deployment"] --> O["6 Orchestration<br/>Airflow"] --> M["7 Monitoring"] --> C["8 Consumption<br/>API, model, extracts"]
#   end
#   make --> run
# ```
#
# *The drawing in words:* two rows of four boxes; ingestion, storage, transformation and quality lead to deployment, orchestration, monitoring and consumption.

# %% [markdown]
# ## 1 · Ingestion: the same file twice
#
# Friday, 8 February 2013. A blizzard closes in on New York. At night the airport's computer leaves a file for us. This is how it begins.

# %%
friday, saturday = date(2013, 2, 8), date(2013, 2, 9)
inbox, warehouse, metrics = (lab.workdir / name for name in ("inbox", "warehouse.duckdb", "metrics.duckdb"))
inbox.mkdir(exist_ok=True)
file = raw_day(friday, inbox)
print(*file.read_text().splitlines()[:3], sep="\n")

# %% [markdown]
# `NA` is how this source writes *missing*. We load the file into the table `raw.flights` of **DuckDB**, our [**warehouse**](glossary.ipynb#warehouse) (a database for questions), with **dlt**,
# an open loader. It stands where the course outline names Fivetran† († marks what has no free server): Fivetran is a paid service that
# no notebook can start, and dlt does the same work.
#
# `stage(…)` around it takes the time; section 7 will want it.

# %% tags=["demo"]
from ingestion import ingest_api, ingest_files
from monitoring import freshness, stage, stage_runs

with stage("ingestion", metrics) as run:
    (first,) = ingest_files([file], warehouse, lab.workdir)
    run.rows = first.added
print(f"{first.table}: read {first.read} rows, added {first.added}")

# %% [markdown]
# **Before you run it:** the network hiccups and the job starts again with the same file. How many rows will the second run add?

# %% tags=["demo"]
(second,) = ingest_files([file], warehouse, lab.workdir)
print(f"{second.table}: read {second.read} rows, added {second.added}")

# %% [markdown]
# None. dlt was told a key (scheduled hour, carrier, flight number) and **merged**: a row with a known key replaces the old one. A job that may run twice and
# leaves what one run leaves is called **idempotent**. Plain `INSERT` is not.
#
# Saturday's rows don't come as a file: the airport has an [**API**](glossary.ipynb#API), a web address that answers with data, a page at a time. We start it, and fetch.

# %% tags=["demo"]
api = lab.services.web("source_api:app", lab.path, ready="/health", name="airport")
for loaded in ingest_api(api.url, [saturday], warehouse, lab.workdir):
    print(f"{loaded.table}: read {loaded.read} rows, added {loaded.added}")

# %% [markdown]
# **q1 · 3 points.** Write `ingest(folder, database)`. It loads every `flights-….csv` of a folder into the table `flights` of a DuckDB file: the columns of the
# file, numbers as numbers. Three things will happen to it: it runs again; a day comes again, corrected, under the same name, and flights that the correction
# leaves out were never meant; a file is archived, that is, gone from the folder, and its day must stay.
#
# `duckdb.connect(str(database))`, `read_csv('…', nullstr='NA')` and your SQL are enough. Stuck? `lab.q1.hint()`.


# %% exercise="q1"
def ingest(folder: Path, database: Path) -> None:
    """Load every flights-*.csv of the folder into the table `flights`; the newest file of a day is that day."""
    ### BEGIN SOLUTION
    read = "read_csv(?, nullstr='NA')"
    with duckdb.connect(str(database)) as connection:
        for csv in sorted(folder.glob("flights-*.csv")):
            name = [str(csv)]
            connection.execute(f"create table if not exists flights as from {read} limit 0", name)
            connection.begin()
            same_day = f"(year, month, day) in (select (year, month, day) from {read})"
            connection.execute(f"delete from flights where {same_day}", name)
            connection.execute(f"insert into flights by name from {read}", name)
            connection.commit()
    ### END SOLUTION


# %% check="q1"
lab.q1.check(ingest)

# %% [markdown]
# Notice the difference to dlt's merge above: a merge on a key mends rows and adds rows, and a withdrawn flight stays for ever. Which of the two is right depends on
# what the source promises. Ask it.

# %% [markdown]
# ## 2 · Ingestion: a stream
#
# A file tells yesterday. The operations desk wants to know now. So each gate sends an [**event**](glossary.ipynb#event) when an aircraft leaves, to a [**topic**](glossary.ipynb#topic) of **Kafka**: a log to which
# many append and from which many read, each at their own pace.
#
# This broker is librdkafka's own *mock broker*. It speaks Kafka's protocol over the network and keeps nothing on disk; replication and retention are not to be seen here.

# %%
from streaming import TumblingWindows, consume, departures, held_back, produce

broker = lab.services.kafka()
broker.create_topic("departures", partitions=3, exist_ok=True)
events = departures(flights_of(friday))
delivery = produce(events, broker.endpoint, "departures")
print(
    f"{delivery.delivered} events sent to {broker.label}; the first:", events[0].to_json().decode(), sep="\n"
)

# %% [markdown]
# A stream has no end, so it is counted in [**windows**](glossary.ipynb#window), here of one hour. Question for the chart: *when did the blizzard stop the airports?*

# %% tags=["demo"]
hours = TumblingWindows(timedelta(hours=1))
for batch in consume(broker.endpoint, "departures", group="operations"):
    for event in batch:
        hours.add(event)
counts = hours.counts()
print(f"{counts.departures.sum()} departures in {len(counts)} windows, {len(hours.late)} events too late")

# %% tags=["demo"]
import matplotlib.pyplot as plt

by_airport = counts.pivot(index="window_start", columns="airport", values="departures")
by_airport.index = by_airport.index.tz_convert("America/New_York").hour
axes = (
    by_airport.reindex(range(4, 24))
    .fillna(0)
    .plot(
        style=["o-", "s--", "^:"],
        color=["#0072B2", "#D55E00", "#555555"],
        figsize=(8, 3),
        xticks=range(4, 24, 2),
    )
)
axes.set(
    xlabel="hour of departure on 8 February, New York",
    ylabel="departures an hour",
    title="Half the pace from ten, nothing after five",
)
plt.show()

# %% [markdown]
# *The chart in words:* at eight in the morning 18 to 30 aircraft leave each airport in an hour, from ten on about ten; LaGuardia's and Newark's last ones leave before 17:00, Kennedy's before 18:00.
#
# Now JFK's line is down from 12:00 to 14:00 UTC, and its events of these hours come at the end. **Predict:** the windows are closed as time goes on; how many events will be
# too late for theirs?

# %% tags=["demo"]
broken = held_back(events, "JFK", datetime(2013, 2, 8, 12, tzinfo=UTC), datetime(2013, 2, 8, 14, tzinfo=UTC))
for lateness in (timedelta(0), timedelta(hours=24)):
    windows = TumblingWindows(timedelta(hours=1), lateness)
    for event in broken:
        windows.add(event)
    hours_open = lateness / timedelta(hours=1)
    print(
        f"waiting {hours_open:.0f} hours: {windows.counts().departures.sum()} counted, {len(windows.late)} too late"
    )

# %% [markdown]
# An event has two times: when it happened ([**event time**](glossary.ipynb#event-time)) and when we heard of it ([**processing time**](glossary.ipynb#processing-time)). The [**watermark**](glossary.ipynb#watermark) is our guess of how far event time has come: behind
# it a window is closed. Wait longer, and you lose less and answer later.
#
# **q2 · 3 points.** The gate events of q2 have an `event_id`, an `airport`, the time `at` which the aircraft left and the time `received_at`. Senders repeat what was
# not confirmed. Look at three of them.

# %% tags=["nbval-ignore-output"]
from deliveries import gate_events
from pushbacks import publish, read_all

broker.create_topic("pushbacks", partitions=3, exist_ok=True)
today = lab.world.days(1)[0]
sent = publish(gate_events(lab.world.flights(today), lab.world.rng("sample")), broker.endpoint, "pushbacks")
sample = list(read_all(broker.endpoint, "pushbacks"))
print(f"{sent} sent, {len(sample)} read")
pd.DataFrame(sample).iloc[[0, len(sample) // 2, -1]]

# %% [markdown]
# Write `count_by_window(bootstrap, topic)`. It returns a data frame with one row an airport and half hour: `airport`, `window_start` (UTC), `pushbacks`
# (how many aircraft left in these 30 minutes). `read_all(bootstrap, topic)` gives you all events of a topic. Windows without a departure have no row.


# %% exercise="q2"
def count_by_window(bootstrap: str, topic: str) -> pd.DataFrame:
    """airport, window_start (UTC, each half hour), pushbacks: each aircraft once, when it left its gate."""
    ### BEGIN SOLUTION
    events = pd.DataFrame(read_all(bootstrap, topic)).drop_duplicates("event_id")
    events["window_start"] = pd.to_datetime(events["at"]).dt.floor("30min")
    return events.groupby(["airport", "window_start"], as_index=False).agg(pushbacks=("event_id", "size"))
    ### END SOLUTION


# %% check="q2"
lab.q2.check(count_by_window)

# %% [markdown]
# *A natural stop: about 20 minutes.*
#
# ## 3 · Storage: a lake and a warehouse
#
# A [**data lake**](glossary.ipynb#data-lake) keeps files as they are, cheaply, for whoever comes. Ours is a bucket of S3, Amazon's object store, served by **moto**: an [**emulator**](glossary.ipynb#emulator) that
# answers S3's API from memory. It shows layout and requests, not durability, speed or price.

# %% tags=["demo"]
from lake import Lake

s3 = lab.services.s3()
s3.client().create_bucket(Bucket="flights")
lake = Lake("s3://flights/lake", s3.storage_options)
with stage("storage", metrics) as run:
    for day in (friday - timedelta(days=1), friday, saturday):
        written = lake.write_day(day, flights_of(day))
    run.rows = lake.read().num_rows
print(*lake.partitions()[:4], sep="\n")

# %% [markdown]
# The values stand in the folders' names: `flight_date=2013-02-08/origin=JFK`. That is a [**partition**](glossary.ipynb#partition). The files are [**Parquet**](glossary.ipynb#Parquet): columns stored apart, with their types.
#
# **Predict:** nine files lie in the lake. How many does the question "JFK's departure delays on Friday" open, and which part of the bytes?

# %% tags=["demo"]
scan = lake.scan(friday, "JFK", ["dep_delay"])
print(f"{scan.files} of {scan.files_in_lake} files, {scan.bytes:,} of {scan.bytes_in_lake:,} bytes")

# %% [markdown]
# One, and next to nothing. In the cloud you pay by what is read.
#
# Before object stores, lakes lay on **HDFS**, Hadoop's file system: files cut into blocks and kept on several machines, with a name node that knows where. It has no embedded server,
# so this cell runs when docker compose is up and says so when it is not. The code is the same, only the address differs.

# %% tags=["demo"]
from flightschool.services import Unavailable

try:
    hdfs = lab.services.hdfs()
    hadoop = Lake(f"webhdfs://{hdfs.host}:{hdfs.port}/lake")
    print(hdfs.label, len(hadoop.write_day(friday, flights_of(friday))), "files written")
except Unavailable as skipped:
    print("Skipped:", skipped)

# %% [markdown]
# **q3 · 3 points.** Write `land(flights, url, options)`. It writes flights of one or more days to a lake with **one folder a day** by the day of the schedule in
# New York: `url/departure_day=2013-02-08/….parquet`, one or two files each. The day is said by the folder alone, not by a column in the file. A day that is
# written again is replaced; other days stay. `options` are fsspec's, as above: `fs, path = fsspec.core.url_to_fs(url, **options)`.


# %% exercise="q3"
def land(flights: pd.DataFrame, url: str, options: dict) -> None:
    """Write raw flights (columns as in the source) into the lake, one folder a day, replacing just these days."""
    ### BEGIN SOLUTION
    import fsspec
    import pyarrow as pa
    import pyarrow.dataset as ds

    fs, path = fsspec.core.url_to_fs(url, **options)
    fs.invalidate_cache()
    local_day = pd.to_datetime(flights[["year", "month", "day"]]).dt.date
    table = pa.Table.from_pandas(flights.assign(departure_day=local_day), preserve_index=False)
    layout = {"partitioning": ["departure_day"], "partitioning_flavor": "hive", "format": "parquet"}
    ds.write_dataset(table, path, filesystem=fs, existing_data_behavior="delete_matching", **layout)
    ### END SOLUTION


# %% check="q3"
lab.q3.check(land)

# %% [markdown]
# ## 4 · Transformation: before the warehouse or in it
#
# Planners don't want raw flights. They want one row a day, airport and carrier: flights, cancelled, on time. There are two places to compute it.
#
# [**ETL**](glossary.ipynb#ETL): extract, *transform*, load. An engine outside does the work and the warehouse gets the result. Ours is **Spark**, which spreads work over many machines; here over two cores.

# %% tags=["demo"]
import etl_spark
from etl import spark_session

with stage("transformation, Spark", metrics) as run:
    spark = spark_session()
    by_etl = etl_spark.from_lake(spark, lake, [friday, saturday]).toPandas()
    run.rows = len(by_etl)
by_etl.sort_values(["flight_date", "origin", "carrier"]).head(3)

# %% [markdown]
# [**ELT**](glossary.ipynb#ELT): extract, load, *transform*. The raw rows are in the warehouse already, and the warehouse does the work, in SQL. **dbt** keeps these SQL files
# in order: which needs which, what is tested, what it means. The model is short; read it.

# %% tags=["demo", "changes:warehouse"]
import elt_dbt

print((elt_dbt.PROJECT / "models/marts/daily_on_time.sql").read_text())
with stage("transformation, dbt", metrics) as run:
    build = elt_dbt.build(warehouse, lab.workdir)
    run.rows = len(build.nodes)
print(f"{len(build.nodes)} nodes in {build.seconds:.1f} s, passed: {build.passed}")

# %% [markdown]
# **Predict:** equal, nearly equal, or different? Two engines, two languages, two places, and floating-point means.

# %% tags=["demo"]
with duckdb.connect(str(warehouse), read_only=True) as connection:
    by_elt = connection.table("daily_on_time").df()
key = ["flight_date", "origin", "carrier"]
tables = [
    t.assign(flight_date=pd.to_datetime(t.flight_date)).sort_values(key, ignore_index=True)
    for t in (by_etl, by_elt)
]
pd.testing.assert_frame_equal(*tables, check_dtype=False, check_like=True)
print(len(by_etl), "rows, equal")

# %% [markdown]
# Which one, then? A third kind, the **recipe-style** tool, draws each step as a box on a canvas; the outline's example is Dataiku†. It is compared only: there is no free server to run.
#
# | | ETL (Spark) | ELT (dbt) | recipes (Dataiku†, compared only) |
# |---|---|---|---|
# | where the work happens | a cluster beside the warehouse | in the warehouse | wherever each recipe sends it |
# | written in | Python, Scala, SQL | SQL and YAML | boxes, with code where boxes end |
# | who can review a change | whoever reads code, in Git | whoever reads SQL, in Git | whoever opens the canvas; exports to Git |
# | raw data stay queryable | only if you keep them | yes, they are loaded first | as datasets of the project |
# | personal data | can be removed before loading | are in the warehouse already | depends on where the first recipe runs |
# | what you pay for | machines while they run | warehouse seconds | licences by seat |

# %% [markdown]
# **q4 · 4 points.** Compute a table both ways. One row a scheduled **hour**: `flight_date` (New York's), `origin`, `hour` → `flights`, `cancelled` (no `dep_time`), `departed`,
# `late` (`dep_delay` of 15 minutes or more), `late_share` (late / departed, 0 to 1, null if nothing departed), `mean_dep_delay` (minutes).
#
# `etl(flights)` gets a Spark DataFrame with the source's columns and returns a data frame. `elt` is SQL over the table `raw_flights` with the same columns, in DuckDB.


# %% exercise="q4"
def etl(flights):
    """Punctuality by flight_date, origin and hour, from a Spark DataFrame of raw flights."""
    ### BEGIN SOLUTION
    from pyspark.sql import functions as sf

    late, departed = sf.sum(sf.when(sf.col("dep_delay") >= 15, 1).otherwise(0)), sf.count("dep_time")
    return flights.groupBy(sf.make_date("year", "month", "day").alias("flight_date"), "origin", "hour").agg(
        sf.count("*").alias("flights"),
        (sf.count("*") - departed).alias("cancelled"),
        departed.alias("departed"),
        late.alias("late"),
        sf.try_divide(late, departed).alias("late_share"),
        sf.mean("dep_delay").alias("mean_dep_delay"),
    )
    ### END SOLUTION


elt = ...
### BEGIN SOLUTION
elt = """
    select make_date(year, month, day) as flight_date, origin, hour,
           count(*) as flights, count(*) - count(dep_time) as cancelled, count(dep_time) as departed,
           sum(case when dep_delay >= 15 then 1 else 0 end) as late,
           sum(case when dep_delay >= 15 then 1 else 0 end) / nullif(count(dep_time), 0) as late_share,
           avg(dep_delay) as mean_dep_delay
    from raw_flights
    group by all
"""
### END SOLUTION

# %% check="q4"
lab.q4.check({"etl": etl, "elt": elt})

# %% [markdown]
# ### One query, four warehouses
#
# Our warehouse is DuckDB. Other teams have Snowflake, BigQuery (Google) or Redshift (Amazon). All speak SQL, each with an accent. **sqlglot** translates. *Days with cancellations*, for four of them:

# %%
import portable
from dialects import DIALECTS, transpile

handy = "select origin, count(*) filter (where cancelled > 0) as bad_days from daily_on_time group by origin"
for dialect in DIALECTS:
    text = transpile(handy, dialect)
    unknown = ", ".join(portable.unknown(text, dialect)) or "nothing"
    print(f"{dialect}: {' '.join(text.split())}", f"   not known there: {unknown}", sep="\n")

# %% [markdown]
# Redshift's text parses and is wrong: Redshift has no FILTER. A translation is not a proof. So each text gets the best proof that can be had here: Snowflake's is *executed* by **fakesnow**, an emulator on
# DuckDB; for BigQuery and Redshift no emulator exists here, so theirs is parsed, its functions are looked up, and it is read back and run on DuckDB.
#
# **Predict:** which of the four begins the week on another day?

# %% tags=["demo"]
for dialect in ("duckdb", *DIALECTS):
    print(
        f"{dialect:10}",
        " ".join(
            transpile("select date_trunc('week', flight_date) as week from daily_on_time", dialect).split()
        ),
    )
print(
    "BigQuery's, read back:",
    " ".join(portable.read_back("select date_trunc(date '2013-02-08', week) as week", "bigquery").split()),
)

# %% [markdown]
# BigQuery's `WEEK` begins on Sunday, the others' on Monday (Snowflake: unless a parameter says otherwise). The last line shows it: a day is added, cut to Monday, and taken away. Same word, other rows, no error: that is
# the expensive kind.
#
# **q5 · 3 points.** Write one `query`, in DuckDB's SQL, over `daily_on_time`. For each airport the **three carriers with most flights** over all days: `origin`, `carrier`, `place` (1 to 3; equal ones by carrier code), `flights`,
# `on_time_share` (flights on time of all flights, 0 to 1, over the whole period), `days_with_cancellations`. It must survive the journey to the other three. Try it with `portable.examine(query, by_elt)`.

# %% exercise="q5"
query = ...
### BEGIN SOLUTION
query = """
select origin, carrier, place, flights, on_time_share, days_with_cancellations
from (
    select origin, carrier, sum(flights) as flights, sum(on_time) / sum(flights) as on_time_share,
           sum(case when cancelled > 0 then 1 else 0 end) as days_with_cancellations,
           row_number() over (partition by origin order by sum(flights) desc, carrier) as place
    from daily_on_time
    group by origin, carrier
) as ranked
where place <= 3
"""
### END SOLUTION

# %% check="q5"
lab.q5.check(query)

# %% [markdown]
# *A natural stop: about 45 minutes.*
#
# ## 5 · Quality: a gate
#
# Suppose the source changes its units one night and sends air time in hours. Nothing crashes; the model learns nonsense. A [**gate**](glossary.ipynb#gate) stops a day that breaks an expectation. Ours is **Great Expectations**.
#
# **Before you run it:** which of our expectations could notice hours in place of minutes? No single value is absurd.

# %% tags=["demo"]
from quality import gate

good = flights_of(friday)
bad = good.assign(air_time=good.air_time / 60)
with stage("quality", metrics) as run:
    verdicts = {"as sent": gate(good, friday), "in hours": gate(bad, friday)}
    run.rows = len(good)
for name, verdict in verdicts.items():
    why = "; ".join(f"{f.expectation} {f.column}: {f.found}" for f in verdict.failures)
    print(f"{name}: {verdict.checked} checked, {'open' if verdict.passed else 'CLOSED, ' + why}")

# %% [markdown]
# The median gave it away: expectations on a whole column see what expectations on a row can't. `require()` turns the verdict into an error, so that the next stage does not start. Module 07 is about this.

# %% [markdown]
# ## 6 · Deployment and orchestration
#
# [**Deployment**](glossary.ipynb#deployment) puts a version to work. A small one: each version in a folder of its own, a smoke test, and a pointer that moves in one step. So going back is moving it back.

# %% tags=["demo"]
import shutil

from deploy import DeploymentError, deploy, releases, rollback

source, site = lab.workdir / "service", lab.workdir / "site"
source.mkdir()
shutil.copy(lab.path / "serving.py", source)
smoke = [sys.executable, "-c", "import serving"]
with stage("deployment", metrics):
    deploy(source, "1.0.0", site, smoke)
    (source / "NEWS.txt").write_text("Limits the length of answers\n")
    deploy(source, "1.1.0", site, smoke)
(source / "serving.py").write_text("def create_app(:\n")
try:
    deploy(source, "1.2.0", site, smoke)
except DeploymentError as stopped:
    print("Stopped:", stopped)

# %% tags=["demo"]
rollback(site)
pd.DataFrame([{"version": r.version, "current": r.current} for r in releases(site)])

# %% [markdown]
# The broken version never went live, and the rollback took no rebuild.
#
# [**Orchestration**](glossary.ipynb#orchestration) says what runs when, after what, and what happens if it fails. **Airflow** calls such a plan a [**DAG**](glossary.ipynb#DAG): jobs and arrows, no circles. Ours has three tasks and runs at 06:00.
#
# ```mermaid
# flowchart LR
#   ingest --> transform --> load --> asset[(flights_warehouse)]
# ```
#
# *In words:* ingest, then transform, then load, which refreshes the asset `flights_warehouse`. `dag.test()` runs it at once, in one process, without a scheduler.

# %% tags=["demo", "nbval-ignore-output"]
from airflow_run import DAGS, run_dag

print(*(line.strip() for line in (DAGS / "flights_daily.py").open() if ">>" in line))
with stage("orchestration", metrics) as run:
    dag_run = run_dag(friday, inbox, lab.workdir / "dag-lake", lab.workdir)
    run.rows = len(dag_run.tasks)
print(f"{dag_run.state} in {dag_run.seconds:.0f} s")
pd.DataFrame(
    [
        {"task": t.task_id, "state": t.state, "seconds": round(t.seconds, 1), "try": t.try_number}
        for t in dag_run.tasks
    ]
)

# %% [markdown]
# ## 7 · Monitoring: performance, quality, freshness
#
# Every stage above left a line in `metrics`. Question for the chart: *where did the time go?*

# %% tags=["demo"]
runs = stage_runs(metrics)
spent = runs.groupby("stage", sort=False).seconds.sum()[::-1]
axes = spent.plot.barh(
    color="#0072B2", figsize=(8, 3), title="Most of the time is engines starting, not rows moving"
)
axes.set(xlabel="seconds, wall clock", ylabel="")
axes.bar_label(axes.containers[0], fmt="%.1f", padding=3)
axes.margins(x=0.1)
plt.show()

# %% [markdown]
# *The chart in words:* orchestration, Spark and dbt take most seconds; the lake and the deployment take few. A day of about 900 rows is nothing to any of them: what you see is start-up.
#
# Performance is one of three things to watch. Quality was the gate. The third is [**freshness**](glossary.ipynb#freshness): how old is the newest row? **Predict** what the alert says on Sunday at noon and on Monday at noon.

# %% tags=["demo"]
for now in (datetime(2013, 2, 10, 12, tzinfo=UTC), datetime(2013, 2, 11, 12, tzinfo=UTC)):
    print(f"{now:%a %H:%M}:", freshness(warehouse, now).sentence)

# %% [markdown]
# All runs so far were green. A run that did nothing is green as well: freshness looks at the data, not at the job. Keep that for the drill.

# %% [markdown]
# ## 8 · Consumption: programs, models, people
#
# Programs ask an API. Ours reads the warehouse at each request. (`asgi.get` calls it in this process, without a port.)

# %% tags=["demo"]
import textwrap

from asgi import get
from serving import create_app

app = create_app(warehouse)
for reply in get(
    app, [f"/on-time/{friday}/JFK/B6", "/on-time/2013-02-30/JFK/B6", "/on-time/2013-07-01/JFK/B6"]
):
    print(reply.status_code, textwrap.shorten(reply.text.replace(",", ", "), 120, placeholder=" …"))

# %% [markdown]
# 200 is an answer, 422 a question that makes no sense (there is no 30 February), 404 one about something that we don't have.
#
# A [**model**](glossary.ipynb#model) consumes data, too: how likely is a flight to be late, from what is known the day before? It learns on six weeks and is tested on the two after.

# %% tags=["demo"]
from model import train

from flightschool.data import frame

with stage("consumption, model", metrics) as run:
    past = pd.concat([frame("flights", 1), frame("flights", 2)])
    trained = train(past, split=date(2013, 2, 15))
    run.rows = len(past)
score = trained.evaluation
print(f"tested on {score.test_flights} flights; skill against the plain average {score.skill:.1%}")
print(f"it ranks a late one above a punctual one in {score.roc_auc:.0%} of pairs")

# %% [markdown]
# Better than a coin, and not by much: the weather is not among its inputs. Say such things when you hand a model over.
#
# People open [**extracts**](glossary.ipynb#extract): Tableau a `.hyper` file, Power BI a Parquet file. Both keep their types, so that a date sorts as a date.

# %% tags=["demo"]
from extracts import power_bi, read_tableau, tableau

for extract in (
    tableau(by_elt, lab.workdir / "on_time.hyper"),
    power_bi(by_elt, lab.workdir / "on_time.parquet"),
):
    print(f"{extract.path.name}: {extract.rows} rows, {extract.bytes:,} bytes")
first_row = read_tableau(lab.workdir / "on_time.hyper").iloc[0]
print("flight_date, read back from Tableau's file:", repr(first_row.flight_date))

# %% [markdown]
# **q6 · 4 points.** Serve `daily_on_time` of a DuckDB file. `make_app(database)` returns a FastAPI application that answers `GET /airports/{origin}/days/{day}` with
# `{"origin", "day", "flights", "cancelled", "on_time"}`: the airport's day, all carriers together. No row: 404. No day: 422. Each night the file is replaced by a newer one while the app runs.
#
# `write_extract(database, path)` writes the whole table to `path`, as `.hyper` or as `.parquet`, by the suffix; a file that is there is replaced.


# %% exercise="q6"
def make_app(database: Path):
    """A FastAPI application over daily_on_time."""
    ### BEGIN SOLUTION
    from fastapi import FastAPI, HTTPException

    application = FastAPI()
    sums = "select sum(flights), sum(cancelled), sum(on_time) from daily_on_time where origin = ? and flight_date = ?"

    @application.get("/airports/{origin}/days/{day}")
    def airport_day(origin: str, day: date) -> dict:
        with duckdb.connect(str(database), read_only=True) as connection:
            flights, cancelled, on_time = connection.execute(sums, [origin, day]).fetchone()
        if flights is None:
            raise HTTPException(404, f"Nothing is known of {origin} on {day}.")
        return {"origin": origin, "day": day, "flights": flights, "cancelled": cancelled, "on_time": on_time}

    return application
    ### END SOLUTION


def write_extract(database: Path, path: Path) -> None:
    """The table daily_on_time as a .hyper or .parquet file, types kept."""
    ### BEGIN SOLUTION
    import pantab
    import pyarrow.parquet as pq

    with duckdb.connect(str(database), read_only=True) as connection:
        table = connection.table("daily_on_time").to_arrow_table()
    if path.suffix == ".hyper":
        pantab.frame_to_hyper(table, path, table="daily_on_time")
    else:
        pq.write_table(table, path)
    ### END SOLUTION


# %% check="q6"
lab.q6.check({"app": make_app, "extract": write_extract})

# %% [markdown]
# *A natural stop: about 90 minutes.*
#
# ## Drill: a green week
#
# Another table, another team, an older night run. The next cell pages you. The clock runs until the check passes.

# %%
incident = lab.drill()
incident

# %%
night = lab.workdir / "night"
print((night / "nightly.log").read_text())
pd.read_csv(night / "inbox" / "deliveries.csv")

# %% [markdown]
# This is the picture that the planner saw. Which bar would *you* have called wrong first, and why?

# %% tags=["demo"]
with duckdb.connect(str(night / "warehouse.duckdb"), read_only=True) as connection:
    shown = connection.sql(
        "select make_date(year, month, day) as day, count(*) as flights from flights group by all order by all"
    ).df()
week = pd.date_range(shown.day.min(), shown.day.max())
bars = shown.set_index("day").flights.reindex(week, fill_value=0)
axes = bars.rename(lambda day: f"{day:%d %b}").plot.bar(
    color="#0072B2", figsize=(8, 2.5), rot=0, title="Flights per day"
)
axes.set(xlabel="scheduled day", ylabel="flights")
axes.bar_label(axes.containers[0])
axes.margins(y=0.15)
plt.show()

# %% [markdown]
# *The chart in words:* five days; the second has no flights, the fourth about twice as many as its neighbours.
#
# The job itself is `nightly.py`: read it before you touch the data.

# %%
from inspect import getsource

import nightly

print(getsource(nightly.run))

# %% [markdown]
# **Repair it · 4 points.** Write `run_night(inbox, database)`, the night run that replaces `nightly.run`: after it the table `flights` (columns as in the files) has every delivered day as its *last* delivery says, once. It must repair
# what is broken now, change nothing when it runs again, and bear whatever the next night brings. Then run it on the night folder. `inbox` holds the files and `deliveries.csv`.
#
# As soon as you know what is wrong, note it: `incident.detected("…")` stops the clock of detection. Hints: `incident.hint()`.


# %% exercise="drill"
def run_night(inbox: Path, database: Path) -> None:
    """Every delivered day in the table `flights` as its last delivery has it."""
    ### BEGIN SOLUTION
    deliveries = pd.read_csv(inbox / "deliveries.csv").sort_values("received_at")
    last = deliveries.groupby("flight_date", as_index=False).last()
    with duckdb.connect(str(database)) as connection:
        for day, name in last[["flight_date", "file"]].itertuples(index=False):
            connection.begin()
            connection.execute("delete from flights where make_date(year, month, day) = ?", [day])
            connection.execute(
                "insert into flights by name from read_csv(?, nullstr='NA')", [str(inbox / name)]
            )
            connection.commit()
    ### END SOLUTION


run_night(night / "inbox", night / "warehouse.duckdb")

# %% check="drill"
incident.check({"night": night, "run": run_night})

# %% [markdown]
# The form for the postmortem, with your times in it:

# %% tags=["demo"]
incident.postmortem()

# %% [markdown]
# <details><summary>What had happened (open it when your check has passed)</summary>
#
# **Timeline.** Night 3, 06:31: the second day's file arrives, hours after a newer day was loaded. Night 4, 01:52: the source sends its day again, under a new name. Night 4, 02:00: the run takes the new name for new data and appends; it takes the
# late day for old news and skips it. All green. Three days later, 08:05: a person notices.
#
# **What went well:** the source keeps a log, and nothing had been deleted. **What was luck:** somebody looked. **Wrong first guess:** `SELECT DISTINCT`. It mends the sum almost, keeps both versions of the corrected flights, and waits for the next double.
# **One change to the system:** an alert on rows loaded against rows delivered, for each day. A job's colour says that it ended, not that it was right.
#
# </details>

# %% [markdown]
# ## What stays
#
# One letter each:
#
# - **rerun** · What makes a rerun of an ingestion safe? **a** remembering the names of loaded files · **b** replacing what a delivery speaks about, in one transaction · **c** running it at night
# - **clock** · A window of a stream should go by **a** the time at which a thing happened · **b** the time at which we received it · **c** the order in the topic
# - **partition** · A lake by day and origin, a question about one carrier on all days: which files are opened? **a** one · **b** that carrier's · **c** all
# - **elt** · In ELT the transformation happens **a** in a cluster before loading · **b** in the warehouse, on raw rows that were loaded first · **c** in the dashboard
# - **green** · All runs are green. What does that say about the data? **a** they are complete · **b** they are fresh · **c** nothing by itself

# %% exercise="quiz"
answers = {"rerun": ..., "clock": ..., "partition": ..., "elt": ..., "green": ...}
### BEGIN SOLUTION
answers = {"rerun": "b", "clock": "a", "partition": "c", "elt": "b", "green": "c"}
### END SOLUTION

# %% check="quiz"
lab.quiz.check(answers)

# %% [markdown]
# You can now
#
# - ingest files and events so that doubles, corrections and late arrivals leave the right rows (q1, q2);
# - lay out a lake by day and say which files a question opens (q3);
# - build one table by ETL and by ELT and prove them equal (q4);
# - write a query for four warehouses, and serve its table (q5, q6);
# - find why a dashboard is wrong although every run was green (drill).
#
# The exercise in brackets shows it; the page `index.ipynb` keeps the list of those that passed.
#
# **To talk about.** Your source can send a correction a year later: how long do you keep raw files, and who pays? Two teams compute *on time* differently, both with reason: who decides, and where is it written?
#
# **Read on** in the tools' own manuals: [dlt](https://dlthub.com/docs), [Apache Kafka](https://kafka.apache.org/documentation/), [Apache Arrow, datasets](https://arrow.apache.org/docs/python/dataset.html), [dbt](https://docs.getdbt.com),
# [Spark SQL](https://spark.apache.org/sql/), [sqlglot](https://sqlglot.com), [Great Expectations](https://docs.greatexpectations.io), [Airflow](https://airflow.apache.org/docs/).
#
# **What a professional does next:** names an owner for each of the eight stages of one table, and puts the freshness alert before the dashboard. Next: module 03 keeps every version of all this.

# %% tags=["demo"]
spark.stop()
