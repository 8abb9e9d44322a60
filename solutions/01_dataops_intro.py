# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 01 · Why DataOps
#
# You join the data team that serves New York's three airports: Newark (EWR), Kennedy (JFK) and LaGuardia (LGA). The flights
# are real: all 336,776 that left them in 2013. At the end you will be able to
#
# - **make** the daily on-time report for any day, and **say** what its denominator holds;
# - **map** how a report travels from data to readers, and **point** to the step that holds it up;
# - **compute** the four delivery metrics and data downtime from logs;
# - **decide** who is paged for which failure;
# - **publish** a report that a rerun leaves the same, byte for byte, and **find** all that went out wrong when a source changed.
#
# **Time** about 45 minutes to section 8, and 15 for the drill. All cells together run in 13 seconds, with 300 MB of memory and 6 MB of disk (measured on 2 cores). **Natural stops:** after section 4 (20 minutes), after section 8 (45). **Short of time?** Leave q3 and q4 out; nothing later
# depends on them. You need some Python and pandas; no server, no account.

# %% tags=["parameters"]
seed = 0

# %%
from datetime import date

import pandas as pd

from flightschool.data import day as flights_of
from flightschool.data import frame, raw_day
from flightschool.learn import Lab

lab = Lab("01_dataops_intro", seed=seed)
lab

# %% [markdown]
# ## 1 · Saturday, 06:40
#
# A blizzard closed in on New York on Friday, 8 February 2013. At 07:00 the director of the airports reads one page: the on-time report of
# the day before. Sam makes it by hand each morning. Sam is ill, and today it is you.
#
# Here are three of Friday's flights. What became of each?

# %%
yesterday = date(2013, 2, 8)
friday = flights_of(yesterday)
facts = ["carrier", "flight", "origin", "dest", "sched_dep_time", "dep_time", "dep_delay", "arr_delay"]
friday.loc[[0, 129, 458], facts]

# %% [markdown]
# The times are clock times (458 is 04:58), the delays minutes after schedule; NaN means *not recorded*. The first flight arrived 13 minutes late. The
# second left, and no arrival delay was recorded: it was **diverted** to another airport, or its record was lost. The third has no departure: it was **cancelled**.
#
# The rule of the US Department of Transportation (14 CFR 234.2): a flight is [**on time**](glossary.ipynb#on-time) if it reaches the gate *less than 15 minutes* after its scheduled
# arrival. Cancelled and diverted flights were sold and did not arrive as promised, so this report counts them as scheduled and not on time, and lists each kind by itself.

# %% [markdown]
# ## 2 · By hand, with its mistakes
#
# This is Sam's notebook, as Sam left it. Each morning Sam copies a line, edits it, and runs it.
#
# **Before you run it:** 930 flights were scheduled on Friday. To how many will Sam's three lines add up?

# %% tags=["demo"]
february = frame("flights", 2)
the_day = february[february.time_hour.dt.date == yesterday]
ewr = the_day[the_day.origin == "EWR"].dropna()
jfk = the_day[the_day.origin == "JFK"].dropna()
lga = the_day[the_day.origin == "JFK"].dropna()
for name, flights in (("EWR", ewr), ("JFK", jfk), ("LGA", lga)):
    print(f"{name}: {(flights.arr_delay <= 15).mean():.0%} on time, {len(flights)} flights")

# %% [markdown]
# Two thirds on time, on the day of a blizzard, and two airports with the same figures. A report can be wrong and look finished: nothing raised an error.
#
# Count what went in and what came out. Accountants call this a [**control total**](glossary.ipynb#control-total). Try to name the mistake behind each line before you read on.

# %% tags=["demo"]
print("scheduled on Friday:        ", len(friday))
print("in Sam's three lines:       ", len(ewr) + len(jfk) + len(lga))
print("rows with a gap, dropped:   ", len(the_day) - len(the_day.dropna()))
print("rows by day of departure:   ", the_day.day.value_counts().sort_index().to_dict())
print("airports in the line 'LGA': ", lga.origin.unique().tolist())

# %% [markdown]
# - `dropna()` threw the cancelled flights away, and with them the storm.
# - `time_hour` is in UTC: five hours ahead of New York. The filter lost Friday's evening and took in 140 flights of Thursday's. The row count (929) looked right.
# - The third line was copied and not edited. And `<= 15` takes flights for on time that are not.
#
# Now you, more carefully. Run the next cell: it starts **your own clock**. Then make the report: edit `airport` and run, three times, and write the nine
# numbers into `by_hand`. (You may skip this. Then there is no time of yours to compare with, and the notebook will say so.)

# %% tags=["demo"]
from stopwatch import Stopwatch

clock = Stopwatch()

# %%
airport = "EWR"  # then "JFK", then "LGA"
here = friday[friday.origin == airport]
cancelled, on_time = here.dep_time.isna().sum(), (here.arr_delay < 15).sum()
print(f"{airport}: {len(here)} scheduled, {cancelled} cancelled, {on_time} on time")

# %%
# scheduled, cancelled, on time
by_hand = {"EWR": (..., ..., ...), "JFK": (..., ..., ...), "LGA": (..., ..., ...)}

# %% tags=["demo"]
written = all(isinstance(number, int) for numbers in by_hand.values() for number in numbers)
clock.stop(done=written)
print("By hand:", clock)
if written:
    print("Accounted for:", sum(numbers[0] for numbers in by_hand.values()), "of", len(friday), "flights")

# %% [markdown]
# ## 3 · The report as a function
#
# Work that is done by hand each day is done wrong some day. So write it once, as a function, for any day and for airports as well as carriers.
#
# **q1 · 2 points.** Write `on_time_report(flights, by)`. It returns a data frame with one row a value of the column `by` (`"origin"` or `"carrier"`) and the
# columns `scheduled`, `cancelled`, `diverted`, `on_time` (numbers of flights) and `on_time_share` (0 to 1, of scheduled). Stuck? `lab.q1.hint()`.


# %% exercise="q1"
def on_time_report(flights, by):
    """The on-time report of some flights: one row a value of `by`; on_time_share is from 0 to 1."""
    ### BEGIN SOLUTION
    kinds = flights.assign(
        cancelled=flights.dep_time.isna(),
        diverted=flights.dep_time.notna() & flights.arr_delay.isna(),
        on_time=flights.arr_delay < 15,
    )
    groups = kinds.groupby(by)
    report = groups[["cancelled", "diverted", "on_time"]].sum()
    report.insert(0, "scheduled", groups.size())
    report["on_time_share"] = report.on_time / report.scheduled
    return report.reset_index()
    ### END SOLUTION


on_time_report(friday, "origin")

# %% check="q1"
lab.q1.check(on_time_report)

# %% [markdown]
# ## 4 · The same work on a line
#
# A function still waits for somebody to run it. A [**pipeline**](glossary.ipynb#pipeline) takes a day from the raw file to the checked report: *ingest → transform → deliver*, with
# a check after each. The lab's `ontime_line.py` is a small one, and your function is its *transform*. (While q1 is a stub, the line makes the team's departure report.)

# %%
import ontime_line
from departures import departure_report

report = on_time_report if on_time_report(friday, "origin") is not None else departure_report
inbox = lab.workdir / "inbox"
days = [date(2013, 2, number) for number in range(1, 29)]
for day in days:
    raw_day(day, inbox)  # the file as the source sends it each night

# %% [markdown]
# **Before you run it:** guess the seconds that the line needs for all 28 days of February.

# %% tags=["demo"]
import time

started = time.perf_counter()
runs = [ontime_line.run(day, inbox, report) for day in days]
seconds = time.perf_counter() - started
print(f"by the line: {len(runs)} days in {seconds:.1f} s;  by hand, one day: {clock}")
if clock.seconds:
    print(f"one day: the line {seconds / len(runs):.3f} s, you {clock.seconds:.0f} s")

# %% [markdown]
# Speed is the smaller gain. The line did the twenty-eighth day as carefully as the first, and it can do all of them again tomorrow. Where did its time go, and **which day of
# February was the worst**?

# %% tags=["demo"]
from ontime_charts import report_timeline, share_by_day

stages = pd.DataFrame([run.seconds for run in runs]).mean() * 1000
print("Milliseconds a day:", stages.round(1).to_dict())
counted = "on_time" if "on_time" in runs[0].table else "left_on_time"
shares = {run.day: run.table[counted].sum() / run.table.scheduled.sum() for run in runs}
print(share_by_day(shares, counted.replace("_", " ")))

# %% [markdown]
# Now the quality is automated as well. Last night's file arrives damaged, as files do: a column renamed, or the day sent twice over.
#
# **Before you run it:** what would Sam's notebook have made of the second file?

# %%
from ontime_line import LineStopped

damaged = lab.workdir / "damaged"
good = pd.read_csv(inbox / f"flights-{yesterday}.csv")
for bad in (good.rename(columns={"arr_delay": "arrival_delay"}), pd.concat([good, good])):
    damaged.mkdir(exist_ok=True)
    bad.to_csv(damaged / f"flights-{yesterday}.csv", index=False)
    try:
        ontime_line.run(yesterday, damaged, report)
    except LineStopped as stopped:
        print("Stopped.", stopped)

# %% [markdown]
# And the deployment. A colleague offers a new version of the report: "simpler, I dropped the rows with gaps". Before a release the line tries it on past days.


# %% tags=["demo"]
def simpler_report(flights, by):
    return departure_report(flights.dropna(), by)


for candidate in (report, simpler_report):
    try:
        print(candidate.__name__, "·", ontime_line.release(candidate, days[:10], inbox))
    except LineStopped as stopped:
        print(candidate.__name__, "· not released.", stopped)

# %% [markdown]
# That is Sam's first mistake, stopped by a rule and not by somebody's attention. Developers (**Dev**) want to change things, operators (**Ops**) want things to keep running. [**DevOps**](glossary.ipynb#DevOps) joins
# the two: small changes, tested and deployed by machine, run by those who wrote them. [**DataOps**](glossary.ipynb#DataOps) carries it to the life of data. What must be right is not only the code but what came in last night, and more
# people touch it: engineers, analysts, scientists, operators. The aim is the same: the way from *ingestion* through *transformation* to *delivery* gets shorter, and quality and deployment don't depend on a good morning.
#
# *A natural stop: about 20 minutes.*

# %% [markdown]
# ## 5 · Where do the hours go?
#
# Before the line, five people made the daily forecast page by hand: each worked, then handed on. A log of hand-overs exists. One row is one hand-over: its input lay ready (`queued_at`), somebody began
# (`started_at`) and ended (`finished_at`), and the next one could use it as it was (`accepted`), or it had to be done again.

# %%
import delivery_logs

events = delivery_logs.value_stream(lab.world)
events.head(6)

# %% [markdown]
# **Where does one page spend its day?** Guess before you run it: how much of the time does somebody work on it?

# %% tags=["demo"]
page = events.groupby("report").attempt.sum().idxmax()  # the one that was done again most often
print(report_timeline(events, page))

# %% [markdown]
# This is a [**value-stream map**](glossary.ipynb#value-stream-map) of one page. Lean calls the whole way its [**lead time**](glossary.ipynb#lead-time), the dark parts its [**process time**](glossary.ipynb#process-time), and the share of hand-overs that the next one could use as they were [**percent complete and accurate**](glossary.ipynb#percent-complete-and-accurate).
# Rolled up over the chain, the steps' shares multiply. The [**bottleneck**](glossary.ipynb#bottleneck) is the step that holds pages longest, waiting included. To speed up any other step changes little.
#
# **q2 · 3 points.** Write `value_stream(events)`. It returns a dict: `lead_hours` and `process_hours` (each a mean over the reports), `complete_accurate` (0 to 1, accepted hand-overs of
# all hand-overs of a step, multiplied over the steps) and `bottleneck` (the step's name).


# %% exercise="q2"
def value_stream(events):
    """lead_hours, process_hours (means over reports), complete_accurate (0 to 1), bottleneck (a step), as a dict."""
    ### BEGIN SOLUTION
    hour = pd.Timedelta(hours=1)
    reports = events.groupby("report")
    lead = (reports.finished_at.max() - reports.queued_at.min()) / hour
    work = (events.finished_at - events.started_at).groupby(events.report).sum() / hour
    held = (events.finished_at - events.queued_at).groupby(events.step).sum()
    return {
        "lead_hours": float(lead.mean()),
        "process_hours": float(work.mean()),
        "complete_accurate": float(events.groupby("step").accepted.mean().prod()),
        "bottleneck": held.idxmax(),
    }
    ### END SOLUTION


value_stream(events)

# %% check="q2"
lab.q2.check(value_stream)

# %% [markdown]
# Look at your figures: a few hours of work, most of a day under way. Nobody was slow; the work waited between people. That is why DataOps begins with the hand-overs, not with faster code.

# %% [markdown]
# ## 6 · Is the team getting better?
#
# Four measures answer that for software; they come from the research programme DORA. [**Deployment frequency**](glossary.ipynb#deployment-frequency) and **lead time for changes** say how fast a team delivers, [**change-failure rate**](glossary.ipynb#change-failure-rate) and
# [**time to restore**](glossary.ipynb#time-to-restore) (DORA now says *failed deployment recovery time*) how safely. Data add a fifth: [**data downtime**](glossary.ipynb#data-downtime), the time in which published data were wrong, late or missing. Here are four weeks of one team.

# %%
from ontime_charts import delivery_timeline

logs = delivery_logs.delivery(lab.world)
display(logs.deployments.head(4), logs.incidents.head(4))
print(delivery_timeline(logs.deployments, logs.incidents))

# %% [markdown]
# **q3 · 3 points.** Write `delivery_metrics(deployments, incidents)` for logs of four weeks. In `deployments` a row is one change; in `incidents`, `caused_by` names a production deployment, or is missing. It returns a dict:
#
# - `deployments_per_week`: deployments to production; `lead_time_hours`: median over the changes that reached production, from commit to deployment;
# - `change_failure_rate`: share (0 to 1) of the production deployments that caused an incident; `time_to_restore_hours`: median over those incidents, from begin to restored;
# - `data_downtime_hours`: hours in which at least one incident of kind `data` lasted, from begin to restored.


# %% exercise="q3"
def delivery_metrics(deployments, incidents):
    """The four delivery metrics and data downtime of four weeks, as a dict of five numbers."""
    ### BEGIN SOLUTION
    hour = pd.Timedelta(hours=1)
    live = deployments[deployments.environment == "production"]
    ours = incidents[incidents.caused_by.isin(live.deployment)]
    data = incidents[incidents.kind == "data"].sort_values("began_at")
    downtime, end = pd.Timedelta(0), data.began_at.min()
    for began, restored in zip(data.began_at, data.restored_at, strict=True):
        downtime += max(pd.Timedelta(0), restored - max(began, end))
        end = max(end, restored)
    return {
        "deployments_per_week": live.deployment.nunique() / 4,
        "lead_time_hours": float(((live.deployed_at - live.committed_at) / hour).median()),
        "change_failure_rate": ours.caused_by.nunique() / live.deployment.nunique(),
        "time_to_restore_hours": float(((ours.restored_at - ours.began_at) / hour).median()),
        "data_downtime_hours": downtime / hour,
    }
    ### END SOLUTION


delivery_metrics(logs.deployments, logs.incidents)

# %% check="q3"
lab.q3.check(delivery_metrics)

# %% [markdown]
# Compare the two kinds of incident in the chart. Much of the data downtime has no deployment behind it: nobody changed any code, and the data went wrong all the same. Watching deployments is not enough; somebody must watch the data.

# %% [markdown]
# ## 7 · Who is woken up?
#
# Pages of one night. `summary` says what was *seen*, the other columns what a first look found. Before you go on: whom would you wake for each of the six?

# %%
import oncall

pd.set_option("display.max_colwidth", None)  # show long text whole
pd.DataFrame(oncall.pages(lab.world, 6)).set_index("id").T

# %% [markdown]
# The team's **on-call handbook**. *Page the one who can repair the cause, not the one in whose window it shows. Climb from the ground; the first thing that is out of order decides.*
#
# | # | out of order | page | why |
# |---|---|---|---|
# | 1 | `machine`: disk, password, network | `ops` | nothing above it can be judged |
# | 2 | `input`: late, twice, renamed, empty | `data_engineer` | all that is made from it suffers |
# | 3 | `job` failed, or its figures jumped | `dev` if new code was `released` in the last day, else `data_engineer` | who released it can take it back; else the owner of the run knows |
# | 4 | `model_error` is rising | `scientist` | its input and code are in order, so it is the model |
# | 5 | `definition` is disputed | `analyst` | the figure is as intended, and means different things to people |
# | – | nothing; the day was unusual | `nobody` | a storm can't be repaired at night; a note in the morning will do |

# %% [markdown]
# **q4 · 2 points.** Write `who_is_paged(page)`. `page` is a dict with the columns above; return one of `"ops"`, `"data_engineer"`, `"dev"`, `"scientist"`, `"analyst"`, `"nobody"`.


# %% exercise="q4"
def who_is_paged(page):
    """The role to page for one page of the night, as the handbook says."""
    ### BEGIN SOLUTION
    if page["machine"] != "ok":
        return "ops"
    if page["input"] != "ok":
        return "data_engineer"
    if page["job"] != "ok":
        return "dev" if page["released"] == "yes" else "data_engineer"
    if page["model_error"] != "normal":
        return "scientist"
    return "analyst" if page["definition"] != "agreed" else "nobody"
    ### END SOLUTION


{page["id"]: who_is_paged(page) for page in oncall.pages(lab.world, 6)}

# %% check="q4"
lab.q4.check(who_is_paged)

# %% [markdown]
# A handbook is a guess that a team agreed on before the night. Yours could differ; what matters is that there is one, and that a page which nobody could act on is struck from it. People who are woken for nothing stop looking: [**alert fatigue**](glossary.ipynb#alert-fatigue).

# %% [markdown]
# ## 8 · Run it twice
#
# At 06:10 the network failed while the report was sent. The scheduler did what schedulers do: it ran the job again. Meanwhile the source, just as unsure, had sent its file a second time.
#
# **Before you run it:** here is a publisher as one writes it at first. Will the bytes be the same in both runs? And the number of flights?

# %%
from datetime import datetime
from hashlib import sha256

outbox = lab.workdir / "outbox"
outbox.mkdir(exist_ok=True)
for number in (1, 2):
    table = departure_report(pd.concat([good] * number), "origin")  # before run 2 the file came again
    path = lab.workdir / "first-try.csv"
    path.write_text(f"# made at {datetime.now().isoformat()}\n" + table.to_csv(index=False))
    digest = sha256(path.read_bytes()).hexdigest()[:12]
    print(f"run {number}: bytes {digest}, {table.scheduled.sum()} flights")

# %% [markdown]
# Both differ: the bytes because of the time of making, and worse, the flights. A job is [**idempotent**](glossary.ipynb#idempotent) if doing it again changes nothing. Then a rerun needs no thought and no meeting at six in the morning, and two equal [**checksums**](glossary.ipynb#checksum) prove two equal reports.
#
# **q5 · 3 points.** Write `publish_report(inbox, day, outbox)`. It reads all files of the day in `inbox` (`flights-2013-02-08.csv`, and perhaps `flights-2013-02-08.resent.csv`; they may overlap, be shuffled, or hold rows twice) and writes
# the report by carrier to `outbox/on-time-2013-02-08.csv`: at least the columns `carrier` and `scheduled`, nothing else in the folder, and the same bytes for the same flights, always. `inbox` and `outbox` are `pathlib.Path`. Use your report of q1, or `departure_report(flights, "carrier")`.


# %% exercise="q5"
def publish_report(inbox, day, outbox):
    """Write on-time-<day>.csv into `outbox` from all of the day's files in `inbox`, and return its path."""
    ### BEGIN SOLUTION
    files = sorted(inbox.glob(f"flights-{day}*.csv"))
    flights = pd.concat([pd.read_csv(file) for file in files])
    flights = flights.drop_duplicates(["year", "month", "day", "carrier", "flight", "origin"])
    report = on_time_report(flights, "carrier").sort_values("carrier").round(4)
    path = outbox / f"on-time-{day}.csv"
    part = path.with_suffix(".part")
    report.to_csv(part, index=False, lineterminator="\n")
    part.replace(path)  # a reader sees the old report or the new one, never half of one
    return path
    ### END SOLUTION


for _again in (1, 2):
    path = publish_report(inbox, yesterday, outbox)
    print(path and sha256(path.read_bytes()).hexdigest()[:12])

# %% check="q5"
lab.q5.check(publish_report)

# %% [markdown]
# *A natural stop: about 45 minutes. The drill takes 15 more.*

# %% [markdown]
# ## 9 · Drill: the blast radius
#
# Some months later. The team's *departure report* (on time: left the gate less than 15 minutes after schedule) has gone out by itself every morning, and nobody had to look. Then the pager rings.
# From now on your clock runs.

# %%
incident = lab.drill()
incident

# %% [markdown]
# The [**blast radius**](glossary.ipynb#blast-radius) of a fault is all that it reached. First look at what was published: **is there a day from which on the reports look different?** What would be a good suspect, and what would make you sure?

# %%
from ontime_charts import shares_by_airport

desk = lab.workdir / "desk"
published = {
    date.fromisoformat(file.stem[11:]): pd.read_csv(file) for file in sorted((desk / "outbox").glob("*.csv"))
}
print(shares_by_airport(published))

# %%
runs_log = pd.read_json(desk / "logs" / "runs.jsonl", lines=True)
display(pd.read_json(desk / "logs" / "deployments.jsonl", lines=True))
display(runs_log.query("step == 'publish'").dropna(axis=1, how="all").tail(3))
ingested = runs_log.query("step == 'ingest'")
display(ingested[["at", "file", "rows", "without_departure", "feeds"]].tail(3).convert_dtypes())

# %% [markdown]
# A storm, a release, and reports in doubt, all within a few days. That they stand close together proves nothing. The raw files decide: `inbox` holds them as they came, 31 of them, since today's report is not out yet.
# Investigate in as many cells as you like; here is one to begin with.

# %%
raw = {
    date.fromisoformat(file.stem[8:]): pd.read_csv(file) for file in sorted((desk / "inbox").glob("*.csv"))
}
quiet = min(raw)
raw[quiet].groupby("carrier").dep_delay.describe().round(1)

# %% [markdown]
# **Drill · 4 points.** Name the first wrong report and all wrong reports, mend the cause where it comes in (`repair` takes the raw rows of *any* day, today's too, and returns them put right), and publish the wrong reports again, and no others, with
# `publish(departure_report(flights), day, desk / "outbox")`. As soon as you know what is wrong, note it: `incident.detected("…")` stops the clock of detection. Hints: `incident.hint()`.

# %% exercise="drill"
from departures import publish

since = ...  # the day that the first wrong report is about, such as "2013-06-01"
affected = ...  # a list of all days whose published report is wrong


def repair(flights):
    """The raw flights of one day, with whatever came in wrong put right; all columns and rows are kept."""
    ### BEGIN SOLUTION
    mended = flights.copy()
    wrong = (flights.carrier == carrier) & (flights.feed_version == version)
    mended.loc[wrong, "dep_delay"] = (60 * flights.dep_delay[wrong]).round()
    return mended
    ### END SOLUTION


### BEGIN SOLUTION
def minutes(clock_time):
    return clock_time // 100 * 60 + clock_time % 100


# The clock times say the delay a second time: where do the two disagree, beyond the turn of the day?
flights = pd.concat(raw.values())
apart = flights.dep_delay - (minutes(flights.dep_time) - minutes(flights.sched_dep_time))
suspects = flights[(apart % 1440).between(1, 1439, inclusive="neither")]
print(suspects.groupby(["carrier", "feed_version"]).dep_delay.describe().round(2))
carrier, version = suspects.groupby(["carrier", "feed_version"]).size().idxmax()
incident.detected(f"{carrier}'s feed, version {version}, sends delays in hours")
truth = {day: departure_report(repair(raw[day])) for day in published}
affected = [day for day in published if not truth[day].equals(published[day])]
since = min(affected)
for day in affected:
    publish(truth[day], day, desk / "outbox")
### END SOLUTION

# %% check="drill"
incident.check({"since": since, "affected": affected, "repair": repair, "desk": desk})

# %% [markdown]
# **What changed?** The reports as they were published, and as they are in the outbox now.

# %% tags=["demo"]
now = {
    date.fromisoformat(file.stem[11:]): pd.read_csv(file) for file in sorted((desk / "outbox").glob("*.csv"))
}
print(shares_by_airport(published, now))

# %% [markdown]
# A [**postmortem**](glossary.ipynb#postmortem) is written while it is fresh, and it blames nobody. Here is the form, with your times in it; it takes five lines.

# %% tags=["demo"]
incident.postmortem()

# %% [markdown]
# <details><summary>What others wrote (open it when your check has passed)</summary>
#
# - *Timeline.* First wrong report · first reader who noticed · page · cause found · reports right again. A reader ended the data downtime, not a check.
# - *What went well.* The raw files were kept, so all of it could be made again. A rerun changed nothing else.
# - *What was luck.* The airport keeps a log of its own.
# - *Why nothing stopped it.* The rows, the columns and the control total were all as promised. Only a unit had changed, and no check knew the unit.
# - *One change to the system.* For example: a check at the way in that compares `dep_delay` with the clock times.
#
# </details>

# %% [markdown]
# ## 10 · What you can do now
#
# - make the on-time report for any day, and say what its denominator holds (q1)
# - map how a report travels, and point to the step that holds it up (q2)
# - compute the four delivery metrics and data downtime (q3)
# - decide who is paged for which failure (q4)
# - publish what a rerun leaves the same, and find all that went out wrong (q5, drill)
#
# The exercise in brackets shows it; the page `index.ipynb` keeps the list of those that passed.

# %% [markdown]
# **Quiz · 1 point.** One number, 1 to 3, for each question.
#
# - **a.** The scheduler ran an idempotent publishing job again. What may differ in the file?
#   1. its line with the time of making
#   2. nothing
#   3. the number of flights, if the source sent some twice
# - **b.** The largest part of a page's lead time went into …
#   1. computing
#   2. work by people
#   3. waiting in a queue
# - **c.** Data downtime begins when …
#   1. the data went wrong
#   2. somebody noticed
#   3. the page was answered
# - **d.** A feed arrives with a renamed column; the same night the model's error rises. You page the …
#   1. scientist
#   2. data engineer
#   3. analyst
# - **e.** Of 930 scheduled flights 472 were cancelled, 3 diverted, 232 arrived on time. The on-time share is 232 of …
#   1. 455
#   2. 458
#   3. 930

# %% exercise="quiz"
answers = {"a": ..., "b": ..., "c": ..., "d": ..., "e": ...}
### BEGIN SOLUTION
answers = {"a": 2, "b": 3, "c": 1, "d": 2, "e": 3}
### END SOLUTION

# %% check="quiz"
lab.quiz.check(answers)

# %% [markdown]
# **To talk about** (no single answer is right):
#
# 1. An airline asks you to leave cancelled flights out of its share: "they weren't late". What do you answer, and who in your organisation decides it?
# 2. Your line has run by itself for a year and the team no longer looks at its reports. What has become safer, and what more dangerous?
#
# **To read on.** The definitions behind this report: [14 CFR part 234](https://www.ecfr.gov/current/title-14/chapter-II/subchapter-A/part-234) and the
# [Bureau of Transportation Statistics](https://www.bts.gov/). The delivery metrics: [dora.dev](https://dora.dev/guides/dora-metrics-four-keys/). The tools: the user guides of
# [pandas](https://pandas.pydata.org/docs/user_guide/) (*Group by*, *Missing data*) and [Matplotlib](https://matplotlib.org/stable/users/).
#
# **What a professional does next:** writes the report's definition down where its readers can see it, puts its code under version control, and adds one check for each mistake found today. The next module, *The eight stages*, follows one day of flights from the
# source to a dashboard with real tools.
