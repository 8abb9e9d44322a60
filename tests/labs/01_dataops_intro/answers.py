"""Answers to the exercises of module 01: right ones in two styles, and the mistakes that people make."""

import atexit
import csv
import datetime as dt
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
from labs.kit import failing, passing, untouched

from flightschool.curriculum import load_lab_file
from flightschool.paths import LABS

LAB = LABS / "01_dataops_intro"
departures = load_lab_file(LAB, "departures")
desk = load_lab_file(LAB, "desk")
HOUR = pd.Timedelta(hours=1)

MUTATION = {"drill": {"most": 40, "worlds": 2}}
"""Where a mutant takes seconds a world, `make judge` tries fewer."""


def _scratch() -> Path:  # pragma: no mutate
    """A folder that outlives the answer, for the probe reads it, and is removed when the interpreter ends."""
    folder = Path(tempfile.mkdtemp(prefix="flightschool-test-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


# ---------------------------------------------------------------------------------------------------------- q1


@passing("q1")
def in_pandas(world):
    def on_time_report(flights, by):
        kinds = flights.assign(
            cancelled=flights.dep_time.isna(),
            diverted=flights.dep_time.notna() & flights.arr_delay.isna(),
            on_time=flights.arr_delay < 15,
        )
        groups = kinds.groupby(by)
        report = groups[["cancelled", "diverted", "on_time"]].sum()
        report["scheduled"] = groups.size()
        report["on_time_share"] = report.on_time / report.scheduled
        return report  # `by` is the index

    return on_time_report


@passing("q1")
def in_sql(world):
    def on_time_report(flights, by):
        with duckdb.connect() as connection:
            connection.register("flights", flights)
            return connection.sql(
                f"""select {by}, count(*) scheduled,
                           count(*) filter (dep_time is null) cancelled,
                           count(*) filter (dep_time is not null and arr_delay is null) diverted,
                           count(*) filter (arr_delay < 15) on_time,
                           round(on_time / scheduled, 4) on_time_share
                    from flights group by {by} order by scheduled desc"""
            ).df()

    return on_time_report


@passing("q1")
def in_polars(world):
    def on_time_report(flights, by):
        frame = pl.from_pandas(flights[[by, "dep_time", "arr_delay"]], nan_to_null=True)
        return frame.group_by(by).agg(
            on_time_share=(pl.col("arr_delay") < 15).sum() / pl.len(),
            on_time=(pl.col("arr_delay") < 15).sum(),
            diverted=(pl.col("dep_time").is_not_null() & pl.col("arr_delay").is_null()).sum(),
            cancelled=pl.col("dep_time").is_null().sum(),
            scheduled=pl.len(),
        )

    return on_time_report


@passing("q1")
def in_plain_python(world):
    def on_time_report(flights, by):
        report = {}
        for name, left, delay in zip(flights[by], flights.dep_time, flights.arr_delay, strict=True):
            row = report.setdefault(
                name, {by: name, "scheduled": 0, "cancelled": 0, "diverted": 0, "on_time": 0}
            )
            row["scheduled"] += 1
            if left != left:
                row["cancelled"] += 1
            elif delay != delay:
                row["diverted"] += 1
            elif delay < 15:
                row["on_time"] += 1
        return [row | {"on_time_share": row["on_time"] / row["scheduled"]} for row in report.values()]

    return on_time_report


def _report(
    change: Callable[[pd.DataFrame], Any], *, limit: float = 15, share_of: str = "scheduled", times: float = 1
):
    def on_time_report(flights, by):
        flights = change(flights)
        report = (
            flights.assign(
                scheduled=1,
                cancelled=flights.dep_time.isna(),
                diverted=flights.dep_time.notna() & flights.arr_delay.isna(),
                on_time=flights.arr_delay < limit,
                arrived=flights.arr_delay.notna(),
            )
            .groupby(by)[["scheduled", "cancelled", "diverted", "on_time", "arrived"]]
            .sum()
        )
        report["on_time_share"] = times * report.on_time / report[share_of]
        return report.reset_index()

    return on_time_report


@failing("q1", because="cancelled flights dropped")
def without_cancelled(world):
    return _report(lambda flights: flights.dropna(subset=["dep_time"]))


@failing("q1", because="cancelled flights dropped")
def without_any_gap(world):
    return _report(lambda flights: flights.dropna())


@failing("q1", because="exactly 15 minutes")
def fifteen_is_late(world):
    return _report(lambda flights: flights, limit=15.5)


@failing("q1", because="denominator")
def of_those_that_arrived(world):
    return _report(lambda flights: flights, share_of="arrived")


@failing("q1", because="per cent")
def in_per_cent(world):
    return _report(lambda flights: flights, times=100)


@failing("q1", because="cancelled flights among your diverted")
def diverted_is_no_arrival(world):
    def on_time_report(flights, by):
        report = _report(lambda flights: flights)(flights, by).set_index(by)
        report["diverted"] = flights.arr_delay.isna().groupby(flights[by]).sum()
        return report

    return on_time_report


@failing("q1", because="by carrier")
def always_by_airport(world):
    return lambda flights, by: _report(lambda flights: flights)(flights, "origin")


@failing("q1", because="data frame")
def one_number(world):
    return lambda flights, by: float((flights.arr_delay < 15).mean())


@untouched("q1")
def report_stub(world):
    def on_time_report(flights, by):
        """One row a carrier or airport."""

    return on_time_report


# ---------------------------------------------------------------------------------------------------------- q2


def _stream(
    events, *, start="queued_at", mean_of="report", roll=True, unit=HOUR, slowest="held"
):  # pragma: no mutate
    reports = events.groupby("report")
    work = (events.finished_at - events.started_at) / unit
    good = events.groupby("step").accepted.mean()
    held = {
        "held": (events.finished_at - events.queued_at).groupby(events.step).sum(),
        "work": (events.finished_at - events.started_at).groupby(events.step).sum(),
        "rejected": 1 - good,
    }[slowest]
    return {
        "lead_hours": ((reports.finished_at.max() - reports[start].min()) / unit).mean(),
        "process_hours": work.groupby(events.report).sum().mean() if mean_of == "report" else work.mean(),
        "complete_accurate": good.prod() if roll else good.mean(),
        "bottleneck": held.idxmax(),
    }


@passing("q2")
def stream_in_pandas(world):
    return lambda events: _stream(events)


@passing("q2")
def stream_step_by_step(world):
    def value_stream(events):
        hour = pd.Timedelta(hours=1)
        reports = events.groupby("report")
        lead = (reports.finished_at.max() - reports.queued_at.min()) / hour
        work = (events.finished_at - events.started_at).groupby(events.report).sum() / hour
        held = (events.finished_at - events.queued_at).groupby(events.step).sum()
        return {
            "lead_hours": lead.mean(),
            "process_hours": work.mean(),
            "complete_accurate": events.groupby("step").accepted.mean().prod(),
            "bottleneck": held.idxmax(),
        }

    return value_stream


@passing("q2")
def stream_in_plain_python(world):
    def value_stream(events):
        first, last, work, held, good, handed = {}, {}, Counter(), Counter(), Counter(), Counter()
        for row in events.to_dict("records"):
            report, step = row["report"], row["step"]
            first[report] = min(first.get(report, row["queued_at"]), row["queued_at"])
            last[report] = max(last.get(report, row["finished_at"]), row["finished_at"])
            work[report] += (row["finished_at"] - row["started_at"]).total_seconds()
            held[step] += (row["finished_at"] - row["queued_at"]).total_seconds()
            good[step] += row["accepted"]
            handed[step] += 1
        usable = 1.0
        for step in handed:
            usable *= good[step] / handed[step]
        return {
            "bottleneck": held.most_common(1)[0][0],
            "complete_accurate": usable,
            "process_hours": sum(work.values()) / len(work) / 3600,
            "lead_hours": sum((last[report] - first[report]).total_seconds() for report in first)
            / len(first)
            / 3600,
        }

    return value_stream


@passing("q2")
def stream_in_sql(world):
    def value_stream(events):
        with duckdb.connect() as connection:
            connection.register("events", events)
            lead, work = connection.sql(
                """select avg(lead), avg(work) from (
                       select epoch(max(finished_at) - min(queued_at)) / 3600 as lead,
                              sum(epoch(finished_at - started_at)) / 3600 as work
                       from events group by report)"""
            ).fetchall()[0]
            steps = connection.sql(
                """select step, avg(accepted::int), sum(epoch(finished_at - queued_at)) from events group by step order by 3"""
            ).fetchall()
        return {
            "lead_hours": round(lead, 2),
            "process_hours": round(work, 2),
            "complete_accurate": float(np.prod([good for _step, good, _held in steps])),
            "bottleneck": steps[-1][0],
        }

    return value_stream


@failing("q2", because="not when somebody starts")
def from_started(world):
    return lambda events: _stream(events, start="started_at")


@failing("q2", because="mean over the rows")
def work_by_row(world):
    return lambda events: _stream(events, mean_of="row")


@failing("q2", because="multiply")
def quality_averaged(world):
    return lambda events: _stream(events, roll=False)


@failing("q2", because="most work")
def busiest_is_not_slowest(world):
    return lambda events: _stream(events, slowest="work")


@failing("q2", because="longest queue")
def longest_queue_is_not_slowest(world):
    """Waiting without the work: right where one queue dwarfs all else, as in the first log."""

    def value_stream(events):
        waited = (events.started_at - events.queued_at).groupby(events.step).sum()
        return _stream(events) | {"bottleneck": waited.idxmax()}

    return value_stream


@failing("q2", because="Sum, for each step")
def slowest_once_is_not_slowest(world):
    def value_stream(events):
        longest = (events.finished_at - events.queued_at).groupby(events.step).max()
        return _stream(events) | {"bottleneck": longest.idxmax()}

    return value_stream


@failing("q2", because="hours, not minutes")
def in_minutes(world):
    return lambda events: _stream(events, unit=pd.Timedelta(minutes=1))


@failing("q2", because="lacks")
def only_lead(world):
    return lambda events: {"lead_hours": _stream(events)["lead_hours"]}


@failing("q2", because="not a dict")
def a_tuple(world):
    return lambda events: tuple(_stream(events).values())


@untouched("q2")
def stream_stub(world):
    def value_stream(events): ...

    return value_stream


# ---------------------------------------------------------------------------------------------------------- q3


def _covered(incidents, begin="began_at"):
    total, end = pd.Timedelta(0), pd.Timestamp.min
    for began, restored in sorted(zip(incidents[begin], incidents.restored_at, strict=True)):
        if restored > end:
            total += restored - max(began, end)
            end = restored
    return total / HOUR


def _metrics(**changed):
    """The right answer, with some of its entries made otherwise: functions of (live, all changes, ours, all incidents)."""

    def delivery_metrics(deployments, incidents):
        live = deployments[deployments.environment == "production"]
        ours = incidents[incidents.caused_by.notna()]
        right = {
            "deployments_per_week": live.deployment.nunique() / 4,
            "lead_time_hours": ((live.deployed_at - live.committed_at) / HOUR).median(),
            "change_failure_rate": ours.caused_by.nunique() / live.deployment.nunique(),
            "time_to_restore_hours": ((ours.restored_at - ours.began_at) / HOUR).median(),
            "data_downtime_hours": _covered(incidents[incidents.kind == "data"]),
        }
        return right | {key: make(live, deployments, ours, incidents) for key, make in changed.items()}

    return delivery_metrics


@passing("q3")
def metrics_in_sql(world):
    def delivery_metrics(deployments, incidents):
        with duckdb.connect() as connection:
            connection.register("deployments", deployments)
            connection.register("incidents", incidents)
            released, lead = connection.sql(
                """select count(distinct deployment), median(epoch(deployed_at - committed_at)) / 3600
                   from deployments where environment = 'production'"""
            ).fetchall()[0]
            failed, restored = connection.sql(
                """select count(distinct caused_by), median(epoch(restored_at - began_at)) / 3600
                   from incidents where caused_by is not null"""
            ).fetchall()[0]
            down = connection.sql(
                """with data as (
                       select began_at, restored_at, max(restored_at) over (
                           order by began_at, restored_at rows between unbounded preceding and 1 preceding) as covered
                       from incidents where kind = 'data'
                   )
                   select sum(greatest(0, epoch(restored_at - greatest(began_at, coalesce(covered, began_at))))) / 3600 from data"""
            ).fetchall()[0][0]
        return {
            "data_downtime_hours": down,
            "time_to_restore_hours": restored,
            "change_failure_rate": failed / released,
            "lead_time_hours": lead,
            "deployments_per_week": released / 4,
        }

    return delivery_metrics


@passing("q3")
def metrics_in_pandas(world):
    return _metrics()


@passing("q3")
def downtime_by_the_minute(world):
    """Another style: a row of minutes, each up or down; the rest rounded as a person would."""

    def delivery_metrics(deployments, incidents):
        data = incidents[incidents.kind == "data"]
        minutes = set()
        for row in data.itertuples():
            minutes |= set(pd.date_range(row.began_at, row.restored_at, freq="min", inclusive="left"))
        right = _metrics()(deployments, incidents)
        return {key: np.float64(round(value, 2)) for key, value in right.items()} | {
            "data_downtime_hours": len(minutes) / 60
        }

    return delivery_metrics


@failing("q3", because="several")
def counts_changes(world):
    return _metrics(deployments_per_week=lambda live, *_: len(live) / 4)


@failing("q3", because="staging")
def counts_staging(world):
    return _metrics(deployments_per_week=lambda _live, deployments, *_: deployments.deployment.nunique() / 4)


@failing("q3", because="count it once")
def incidents_over_deployments(world):
    return _metrics(
        change_failure_rate=lambda live, _all, ours, _incidents: len(ours) / live.deployment.nunique()
    )


@failing("q3", because="from began_at")
def from_detection(world):
    return _metrics(
        time_to_restore_hours=lambda _l, _d, ours, _i: ((ours.restored_at - ours.detected_at) / HOUR).median()
    )


@failing("q3", because="overlap")
def downtime_summed(world):
    def total(_live, _all, _ours, incidents):
        data = incidents[incidents.kind == "data"]
        return ((data.restored_at - data.began_at) / HOUR).sum()

    return _metrics(data_downtime_hours=total)


@failing("q3", because="overlap")
def downtime_in_the_order_of_the_log(world):
    """Right while the log happens to be sorted."""

    def covered(_live, _all, _ours, incidents):
        total, end = pd.Timedelta(0), pd.Timestamp.min
        for row in incidents[incidents.kind == "data"].itertuples():
            total += max(pd.Timedelta(0), row.restored_at - max(row.began_at, end))
            end = max(end, row.restored_at)
        return total / HOUR

    return _metrics(data_downtime_hours=covered)


@failing("q3", because="look at kind")
def downtime_of_services_too(world):
    return _metrics(data_downtime_hours=lambda _live, _all, _ours, incidents: _covered(incidents))


@failing("q3", because="median")
def mean_lead(world):
    return _metrics(lead_time_hours=lambda live, *_: ((live.deployed_at - live.committed_at) / HOUR).mean())


@failing("q3", because="divide a duration")
def a_duration_as_text(world):
    return _metrics(lead_time_hours=lambda live, *_: str((live.deployed_at - live.committed_at).median()))


@untouched("q3")
def metrics_stub(world):
    def delivery_metrics(deployments, incidents):
        """Five figures."""

    return delivery_metrics


# ---------------------------------------------------------------------------------------------------------- q4


@passing("q4")
def ladder(world):
    def who(page):
        if page["machine"] != "ok":
            return "ops"
        if page["input"] != "ok":
            return "data_engineer"
        if page["job"] != "ok":
            return "dev" if page["released"] == "yes" else "data_engineer"
        if page["model_error"] == "rising":
            return "scientist"
        return "analyst" if page["definition"] == "disputed" else "nobody"

    return who


@passing("q4")
def by_matching(world):
    def who(page):
        match page:
            case {"machine": machine} if machine != "ok":
                return "ops"
            case {"input": came} if came != "ok":
                return "data_engineer"
            case {"job": "ok", "model_error": "rising"}:
                return "scientist"
            case {"job": "ok", "definition": "disputed"}:
                return "analyst"
            case {"job": "ok"}:
                return "nobody"
            case {"released": "yes"}:
                return "dev"
        return "data_engineer"

    return who


@passing("q4")
def table_of_rungs(world):
    rungs = [
        ("machine", "ok", lambda page: "ops"),
        ("input", "ok", lambda page: "data_engineer"),
        ("job", "ok", lambda page: {"yes": "dev", "no": "data_engineer"}[page["released"]]),
        ("model_error", "normal", lambda page: "scientist"),
        ("definition", "agreed", lambda page: "analyst"),
    ]
    return lambda page: next((who(page) for what, fine, who in rungs if page[what] != fine), "nobody")


@failing("q4", because="went to somebody else")
def by_where_it_was_seen(world):
    owners = {
        "dashboard": "analyst",
        "report": "analyst",
        "model": "scientist",
        "pipeline": "data_engineer",
        "reader": "ops",
    }
    return lambda page: owners[page["seen_in"]]


@failing("q4", because="went to somebody else")
def always_the_last_release(world):
    right = ladder.answer(None)
    return lambda page: "dev" if page["released"] == "yes" else right(page)


@failing("q4", because="went to somebody else")
def from_the_top_down(world):
    def who(page):
        if page["definition"] == "disputed":
            return "analyst"
        if page["model_error"] == "rising":
            return "scientist"
        return ladder.answer(None)(page)

    return who


@failing("q4", because="not one of the six")
def silent_on_quiet_pages(world):
    right = ladder.answer(None)
    return lambda page: None if right(page) == "nobody" else right(page)


@failing("q4", because="not one of the six")
def in_another_spelling(world):
    right = ladder.answer(None)
    return lambda page: right(page).replace("_", " ").title()


@untouched("q4")
def ladder_stub(world):
    def who_is_paged(page): ...

    return who_is_paged


# ---------------------------------------------------------------------------------------------------------- q5

KEY = ["carrier", "flight", "origin", "sched_dep_time"]


def _publisher(
    *,
    key=KEY,
    only_first=False,
    order=True,
    stamp=False,
    mode="w",
    limit=15,
    where=None,
    name="on-time-{day}.csv",
    keep=None,
):
    def publish_report(inbox, day, outbox):
        files = sorted(inbox.glob(f"flights-{day}*.csv"))
        flights = pd.concat([pd.read_csv(path) for path in (files[:1] if only_first else files)])
        if key:
            flights = flights.drop_duplicates(key)
        report = flights.groupby("carrier", sort=order).agg(
            scheduled=("flight", "size"), on_time=("arr_delay", lambda s: (s < limit).sum())
        )
        if stamp:
            report["made_at"] = dt.datetime.now(dt.UTC).isoformat()
        path = (where or outbox) / name.format(day=day)
        report.to_csv(path, mode=mode, lineterminator="\n")
        if keep:
            flights.to_csv(outbox / keep, index=False)
        return path

    return publish_report


@passing("q5")
def same_bytes_in_pandas(world):
    return _publisher()


@passing("q5")
def same_bytes_in_plain_python(world):
    def publish_report(inbox, day, outbox):
        flights = {}
        for path in inbox.glob(f"flights-{day}*.csv"):
            with path.open(newline="") as file:
                for row in csv.DictReader(file):
                    flights[row["carrier"], row["flight"], row["origin"]] = row
        counts = Counter(row["carrier"] for row in flights.values())
        early = Counter(
            row["carrier"]
            for row in flights.values()
            if row["arr_delay"] != "NA" and float(row["arr_delay"]) < 15
        )
        part = outbox / "report.part"
        with part.open("w", newline="") as file:
            report = csv.writer(file)
            report.writerow(["on_time", "carrier", "scheduled"])
            report.writerows([early[carrier], carrier, counts[carrier]] for carrier in sorted(counts))
        part.replace(outbox / f"on-time-{day}.csv")

    return publish_report


@passing("q5")
def same_bytes_in_polars(world):
    def publish_report(inbox, day, outbox):
        (
            pl.scan_csv(inbox / f"flights-{day}*.csv", null_values="NA")
            .unique(["carrier", "flight", "origin", "sched_dep_time"])
            .group_by("carrier")
            .agg(scheduled=pl.len(), cancelled=pl.col("dep_time").is_null().sum())
            .sort("carrier")
            .collect()
            .write_csv(outbox / f"on-time-{day}.csv")
        )

    return publish_report


@passing("q5")
def same_bytes_in_sql(world):
    def publish_report(inbox, day, outbox):
        with duckdb.connect() as connection:
            connection.execute(
                f"""copy (select carrier, count(*) scheduled, count(*) filter (try_cast(arr_delay as int) < 15) on_time
                          from (select distinct * from read_csv('{inbox}/flights-{day}*.csv', all_varchar = true))
                          group by carrier order by carrier)
                    to '{outbox}/on-time-{day}.csv' (header)"""
            )

    return publish_report


@failing("q5", because="sent the day twice")
def counts_resent_flights(world):
    return _publisher(key=None)


@failing("q5", because="overlapping parts")
def reads_the_first_file(world):
    return _publisher(only_first=True)


@failing("q5", because="second run")
def with_the_time_of_making(world):
    return _publisher(stamp=True)


@failing("q5", because="second run")
def appends(world):
    return _publisher(mode="a")


@failing("q5", because="another order")
def in_order_of_arrival(world):
    return _publisher(order=False)


@failing("q5", because="what names a flight")
def carrier_and_origin_are_not_a_flight(world):
    return _publisher(key=["carrier", "origin", "sched_dep_time"])


@failing("q5", because="what names a flight")
def number_alone_is_not_a_flight(world):
    return _publisher(key=["carrier", "flight"])


@failing("q5", because="what names a flight")
def two_carriers_share_a_number(world):
    return _publisher(key=["flight", "origin", "sched_dep_time"])


@failing("q5", because="differ in on_time")
def carries_a_wrong_column(world):
    return _publisher(limit=16)


@failing("q5", because="argument day")
def always_the_same_day(world):
    days = []

    def publish_report(inbox, day, outbox):
        days.append(day)
        _publisher(name=f"on-time-{days[0]}.csv")(inbox, day, outbox)

    return publish_report


@failing("q5", because="left-over")
def leaves_a_copy(world):
    return _publisher(keep="clean.csv")


@failing("q5", because="outbox holds nothing")
def writes_elsewhere(world):
    return _publisher(where=_scratch())


@failing("q5", because="outbox holds")
def named_otherwise(world):
    return _publisher(name="report.csv")


@untouched("q5")
def publisher_stub(world):
    def publish_report(inbox, day, outbox):
        """Write on-time-<day>.csv into the outbox."""

    return publish_report


# -------------------------------------------------------------------------------------------------------- quiz


@passing("quiz")
def numbers(world):
    return {"a": 2, "b": 3, "c": 1, "d": 2, "e": 3}


@passing("quiz")
def numbers_as_text(world):
    return {"a": "2", "b": " 3", "c": "1", "d": "2", "e": "3"}


@failing("quiz", because="first is c")
def downtime_from_the_page(world):
    return {"a": 2, "b": 3, "c": 2, "d": 2, "e": 3}


@failing("quiz", because="not every question")
def half_done(world):
    return {"a": 2, "b": 3, "c": ..., "d": ..., "e": ...}


@failing("quiz", because="not every question")
def a_list(world):
    return [2, 3, 1, 2, 3]


@failing("quiz", because="5 of 5")
def all_wrong(world):
    return {"a": 1, "b": 1, "c": 2, "d": 1, "e": 1}


@untouched("quiz")
def quiz_stub(world):
    return {"a": ..., "b": ..., "c": ..., "d": ..., "e": ...}


# ------------------------------------------------------------------------------------------------------- drill


def _minutes(raw):
    """What the clock times say the delay is: minutes, from half a day early to half a day late and beyond midnight."""
    left = raw.dep_time // 100 * 60 + raw.dep_time % 100
    due = raw.sched_dep_time // 100 * 60 + raw.sched_dep_time % 100
    return (left - due + 240) % 1440 - 240


def _recover(world, *, since=None, name=lambda days: days, mend=None, again=lambda days: days):
    """Find, mend and publish as a learner would, from the files alone; each step can be made otherwise."""
    folder = _scratch()
    desk.lay_out(world, folder)
    raws = {path.stem[8:]: pd.read_csv(path) for path in sorted((folder / "inbox").glob("*.csv"))}
    off = {
        day: raw[(raw.dep_delay - _minutes(raw)).abs() > 1] for day, raw in raws.items() if day != max(raws)
    }
    bad = [day for day, rows in off.items() if len(rows)]
    (carrier,) = {carrier for day in bad for carrier in off[day].carrier}
    version = raws[bad[0]].query("carrier == @carrier").feed_version.iloc[0]

    def repair(raw):
        raw = raw.copy()
        theirs = (raw.carrier == carrier) & (raw.feed_version == version)
        raw.loc[theirs, "dep_delay"] = (raw.dep_delay[theirs] * 60).round()
        return raw

    mended = mend(repair, carrier, bad) if mend else repair
    for day in again(bad):
        departures.publish(
            departures.departure_report(mended(raws[day])), dt.date.fromisoformat(day), folder / "outbox"
        )
    return {
        "since": since(bad, folder) if since else bad[0],
        "affected": name(bad),
        "repair": mended,
        "desk": folder,
    }


@passing("drill")
def found_mended_published(world):
    return _recover(world)


@passing("drill")
def by_the_clock_times(world):
    """Another repair: never mind the unit, the clock times say it; and another way to name the reports."""

    def by_clock(_repair, carrier, _bad):
        def repair(raw):
            off = (raw.dep_delay - _minutes(raw)).abs() > 1
            return raw.assign(dep_delay=raw.dep_delay.mask(off, _minutes(raw)))

        return repair

    return _recover(
        world,
        since=lambda bad, _folder: dt.date.fromisoformat(bad[0]),
        name=lambda days: {f"departures-{day}.csv" for day in days},
        mend=by_clock,
    )


@failing("drill", because="suspect, not a culprit")
def blames_the_release(world):
    def released(_bad, folder):
        code = pd.read_json(folder / "logs" / "runs.jsonl", lines=True).query("code == '1.8.0'")
        return re.search(r"\d{4}-\d\d-\d\d", code.file.iloc[0])[0]

    return _recover(world, since=released)


@failing("drill", because="bad news, not bad data", slow=True)
def blames_the_storm(world):
    def lowest(bad, folder):
        shares = {
            path.stem[11:]: pd.read_csv(path).left_on_time_share.mean()
            for path in (folder / "outbox").glob("*.csv")
            if path.stem[11:] < bad[0]
        }
        return min(shares, key=shares.get)

    return _recover(world, since=lowest)


@failing("drill", because="without a break")
def everything_since(world):
    def every_day(bad):
        return [str(day.date()) for day in pd.date_range(bad[0], bad[-1])]

    return _recover(world, name=every_day)


@failing("drill", because="may the repair touch", slow=True)
def mends_all_of_the_carrier(world):
    def whole_carrier(_repair, carrier, _bad):
        def repair(raw):
            return raw.assign(dep_delay=raw.dep_delay.mask(raw.carrier == carrier, raw.dep_delay * 60))

        return repair

    return _recover(world, mend=whole_carrier)


@failing("drill", because="how are they told apart", slow=True)
def mends_by_the_number_alone(world):
    def every_such_version(_repair, carrier, bad):
        def repair(raw):
            raw = raw.copy()
            theirs = raw.feed_version == raw.feed_version[raw.carrier == carrier].max()
            raw.loc[theirs, "dep_delay"] = (raw.dep_delay[theirs] * 60).round()
            return raw

        return repair

    return _recover(world, mend=every_such_version)


@failing("drill", because="mend the rule", slow=True)
def mends_the_known_days(world):
    def known_days(repair, _carrier, bad):
        return lambda raw: repair(raw) if f"{raw.year[0]}-{raw.month[0]:02}-{raw.day[0]:02}" in bad else raw

    return _recover(world, mend=known_days)


@failing("drill", because="still wrong", slow=True)
def publishes_nothing(world):
    return _recover(world, again=lambda bad: [])


@failing("drill", because="not mended", slow=True)
def names_without_mending(world):
    return _recover(world) | {"repair": ...}


@untouched("drill")
def drill_stub(world):
    def repair(raw): ...

    return {"since": ..., "affected": ..., "repair": repair, "desk": Path("desk")}


@untouched("drill")
def drill_stub_of_names(world):
    return {"since": ..., "affected": ..., "repair": ..., "desk": Path("desk")}
