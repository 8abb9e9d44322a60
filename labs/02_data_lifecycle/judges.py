"""The judges of module 02, with their reference answers. Never in reach of a graded learner's process."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from flightschool.curriculum import Verdict, judge
from flightschool.i18n import translations
from flightschool.learn import compare
from flightschool.learn.compare import Difference, is_table
from flightschool.learn.evidence import table
from flightschool.learn.quizzes import letters

from . import deliveries, green_week

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from flightschool.data import World

_ = translations("02_data_lifecycle")


def part(evidence: Any, *names: str) -> Any:
    """A part of evidence that may have any form; None when it is not there."""
    for name in names:
        evidence = evidence.get(name) if isinstance(evidence, dict) else None
    return evidence


def tables(found: Any, expected: dict[str, Any], *, key: list[str]) -> Difference | None:
    """`compare.tables`, where a cell that holds an object counts as its text: an object can't name a row."""
    if is_table(found):
        rows = [
            [str(cell) if isinstance(cell, (dict, list)) else cell for cell in row] for row in found["rows"]
        ]
        found = {"columns": found["columns"], "rows": rows}
    return compare.tables(found, expected, key=key)


def problem(evidence: Any) -> str:
    """The problem that a probe noted instead of a table; empty when there is none."""
    noted = part(evidence, "problem")
    return noted if isinstance(noted, str) else ""


def fingerprint(frames: Sequence[pd.DataFrame]) -> dict[str, Any]:
    """What `exercises.in_warehouse` finds when the table holds just these days."""
    import pandas as pd

    rows = []
    for frame in frames:
        first = frame.iloc[0]
        rows.append(
            {
                "flight_date": date(int(first.year), int(first.month), int(first.day)),
                "flights": len(frame),
                "different": len(frame),
                "cancelled": int(frame.dep_time.isna().sum()),
            }
            | {
                name: frame[name].sum() if frame[name].notna().any() else None
                for name in ("dep_delay", "arr_delay", "air_time", "distance")
            }
        )
    return table(pd.DataFrame(rows))


def days_and_sum(found: Any, column: str) -> dict[str, float]:
    """A column of a fingerprint by day; empty when the evidence has no such thing."""
    if not is_table(found) or not {"flight_date", column} <= set(found["columns"]):
        return {}
    at, what = found["columns"].index("flight_date"), found["columns"].index(column)
    return {str(row[at]): row[what] for row in found["rows"] if isinstance(row[what], (int, float))}


# q1 ----------------------------------------------------------------------------------------------------------------


@judge("q1")
def idempotent_ingestion(evidence: Any, world: World) -> Verdict:
    """Three states of the warehouse: after a run, after a rerun, after a night with a correction."""
    one, two, three = deliveries.look_alikes(world)
    both = fingerprint([world.flights(one), world.flights(two)])
    mended = deliveries.corrected(world.flights(one), world.rng("q1"))
    all_three = fingerprint([mended, world.flights(two), world.flights(three)])
    once, twice, after = (part(evidence, step) for step in ("once", "twice", "corrected"))
    if difference := in_table(once, both):
        return Verdict.failed(
            expected=_(
                "After one run the table flights holds every row of both files, with numbers as numbers."
            ),
            found=_("After the first run: {difference}").format(difference=difference),
            try_next=_(
                "Which columns does the file have, how does it write a missing value, and what does DESCRIBE flights say?"
            ),
        )
    if in_table(twice, both):
        more = sum(days_and_sum(twice, "flights").values()) > sum(days_and_sum(both, "flights").values())
        found = (
            _("The second run on the same two files added rows.")
            if more
            else _("The second run on the same two files changed the table.")
        )
        return Verdict.failed(
            expected=_("A second run leaves the table as it was: the files say nothing new."),
            found=found,
            try_next=_("What does your INSERT do when the day is in the table already?"),
        )
    if in_table(after, all_three):
        return Verdict.failed(
            expected=_(
                "After the third run: day one as its corrected file has it, day two as before, day three as new."
            ),
            found=third_run(after, both, all_three, one, two),
            try_next=_("What should a file replace: one row, its day, or the table?"),
        )
    return Verdict.passed(
        _(
            "A rerun, a correction and an archived file leave exactly the source's rows: your ingestion is idempotent. "
            "A professional would also keep the raw file and its checksum, so that a load can be replayed and proved."
        )
    )


def in_table(found: Any, expected: dict[str, Any]) -> str:
    """The first useful difference between two fingerprints, as a sentence; empty when there is none."""
    if said := problem(found):
        return said
    difference = tables(found, expected, key=["flight_date"])
    return difference.sentence if difference else ""


def third_run(found: Any, before: dict[str, Any], expected: dict[str, Any], one: date, two: date) -> str:
    """What went wrong with the corrected, the archived or the new day; `before` is what the second run should have left."""
    rows, wanted = days_and_sum(found, "flights"), days_and_sum(expected, "flights")
    delays = days_and_sum(found, "arr_delay")
    if not rows:
        return problem(found) or _("The table flights can't be read any more.")
    if str(two) not in rows:
        return _(
            "{day} is gone: its file was archived, so a reload of the whole folder loses it, and so does a DELETE that hits more than its own day."
        ).format(day=two)
    if all(
        days_and_sum(found, name).get(str(one)) == days_and_sum(before, name)[str(one)]
        for name in ("flights", "arr_delay")
    ):
        return _("{day} still holds the rows of the first file: the corrected file was not loaded.").format(
            day=one
        )
    if rows.get(str(one), 0) > wanted[str(one)]:
        return _(
            "{day} was sent again with some flights withdrawn, and the table holds {more} rows too many: what the corrected file no "
            "longer has is still there."
        ).format(day=one, more=int(rows[str(one)] - wanted[str(one)]))
    if delays.get(str(one)) != days_and_sum(expected, "arr_delay")[str(one)]:
        return _("{day} does not have the arrivals of its corrected file.").format(day=one)
    return in_table(found, expected)


# q2 ----------------------------------------------------------------------------------------------------------------


@judge("q2")
def windows_of_event_time(evidence: Any, world: World) -> Verdict:
    """Counts by airport and half hour, each event once, by the time at which it happened."""
    events = [
        event
        for day in deliveries.three_days(world)[:2]
        for event in deliveries.gate_events(world.flights(day), world.rng(f"q2 {day}"))
    ]
    # The first copy of an event is the one that a reader who skips known ids keeps.
    once = {event["event_id"]: event for event in reversed(events)}.values()
    expected = windows(once, "at")
    found = normal_windows(evidence)
    wanted = _(
        "One row an airport and half hour: airport, window_start (UTC), pushbacks; each aircraft once, when it left its gate."
    )
    difference = tables(found, expected, key=["airport", "window_start"])
    if difference is None:
        return Verdict.passed(
            _(
                "Late events are in the window in which they happened and doubles are counted once: the count does not depend on the network. "
                "A professional would bound the memory of event_ids by a watermark, and say how late is too late."
            )
        )
    causes = (
        (
            windows(once, "received_at"),
            _("These are counts by arrival (received_at, processing time), with each event once."),
        ),
        (
            windows(events, "received_at"),
            _("These are counts by arrival (received_at, processing time), and duplicates are counted."),
        ),
        (
            windows(events, "at"),
            _(
                "Windows are right, yet {n} duplicates are counted: some event_ids came more than once."
            ).format(n=len(events) - len(once)),
        ),
        (windows(in_time(events), "at"), _("Events that came late are dropped: their windows are too low.")),
    )
    for table_of_cause, sentence in causes:
        if tables(found, table_of_cause, key=["airport", "window_start"]) is None:
            return Verdict.failed(
                expected=wanted,
                found=sentence,
                try_next=_("Which field says when it happened, and which says that it is the same event?"),
            )
    sums = column_sum(found, "pushbacks")
    total = (
        ""
        if sums is None
        else _(" In all you count {yours:g} of {events} messages in the topic.").format(
            yours=sums, events=len(events)
        )
    )
    return Verdict.failed(
        expected=wanted,
        found=difference.sentence + total,
        try_next=_(
            "Follow one airport and one half hour by hand: print its events in the order in which they came."
        ),
    )


def windows(events: Any, by: str) -> dict[str, Any]:
    """The reference's counts by half hour of one of the events' times."""
    import pandas as pd

    frame = pd.DataFrame(list(events))
    frame["window_start"] = pd.to_datetime(frame[by]).dt.floor("30min")
    return table(
        frame.groupby(["airport", "window_start"], as_index=False).agg(pushbacks=("event_id", "size"))
    )


def in_time(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Different events that reached us before a later window of their airport began."""
    newest: dict[str, str] = {}
    seen: dict[str, dict[str, Any]] = {}
    for event in events:
        start = event["at"][:14] + ("30" if event["at"][14:16] >= "30" else "00")
        if start >= newest.get(event["airport"], ""):
            seen.setdefault(event["event_id"], event)
            newest[event["airport"]] = start
    return list(seen.values())


def normal_windows(evidence: Any) -> Any:
    """Times of any usual spelling in one form: 2013-02-08T15:30:00Z."""
    from datetime import UTC, datetime

    if not is_table(evidence) or "window_start" not in (
        names := [str(name).lower() for name in evidence["columns"]]
    ):
        return evidence
    at = names.index("window_start")

    def normal(value: Any) -> Any:
        try:
            moment = datetime.fromisoformat(value)
        except (TypeError, ValueError):
            return value
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    return {
        "columns": names,
        "rows": [[normal(v) if i == at else v for i, v in enumerate(row)] for row in evidence["rows"]],
    }


def column_sum(found: Any, name: str) -> float | None:
    """The sum of a column of numbers; None when there is none."""
    if not is_table(found) or name not in found["columns"]:
        return None
    values = [row[found["columns"].index(name)] for row in found["rows"]]
    return sum(values) if all(isinstance(value, (int, float)) for value in values) else None


# q3 ----------------------------------------------------------------------------------------------------------------

FEW = 2
"""Files a day, at most; more and smaller ones cost a request each."""


@judge("q3")
def partitioned_lake(evidence: Any, world: World) -> Verdict:
    """The layout, the rows in each folder, what reading one day opens, and a rewrite of one day alone."""
    one, two, _three = deliveries.three_days(world)
    frames = {one: world.flights(one), two: world.flights(two)}
    mended = frames | {one: deliveries.corrected(frames[one], world.rng("q3"))}
    layout = _(
        "One folder a day, departure_day=2013-02-08, each with one or two Parquet files, at the URL given."
    )
    written, rewritten = part(evidence, "written"), part(evidence, "rewritten")
    files = lake_files(written)
    if not files:
        return Verdict.failed(
            expected=layout,
            found=_("No Parquet file was found at the URL."),
            try_next=_(
                "Does your writer get the file system (fsspec.core.url_to_fs(url, **options)) as well as the path?"
            ),
        )
    folders = {path.split("/")[0] if "/" in path else "" for path, _columns in files}
    wanted = {f"departure_day={day}" for day in frames}
    if folders != wanted:
        return Verdict.failed(
            expected=layout,
            found=other_folders(folders, wanted),
            try_next=_("Which clock tells the flight's day, and how is the folder's name made of it?"),
        )
    if kept := sorted({path for path, columns in files if "departure_day" in columns}):
        return Verdict.failed(
            expected=_("departure_day is said by the folder's name alone."),
            found=_(
                "The files hold the partition column departure_day as well, {n} of {m} of them; a reader then has two sources for one value."
            ).format(n=len(kept), m=len(files)),
            try_next=_(
                "Drop the column from what goes into the file, or let the dataset writer split it off."
            ),
        )
    if labels := sorted(
        {name for _path, columns in files for name in columns if name.startswith("__index_level_")}
    ):
        return Verdict.failed(
            expected=_("The files hold the columns of the flights and no others."),
            found=_(
                "The files hold {names} as well: row labels of pandas, which mean nothing to any reader."
            ).format(names=", ".join(labels)),
            try_next=_("index=False, or preserve_index=False, leaves the row labels behind."),
        )
    if wrong := lake_difference(written, frames):
        return Verdict.failed(
            expected=_("Each flight once, in the folder of its own day in New York."),
            found=wrong,
            try_next=_("Count the rows of one day in your frame and in its folder."),
        )
    touched = part(written, "touched")
    touched = touched if isinstance(touched, list) else []
    if (
        problem(written)
        or not touched
        or any(not str(path).startswith(f"departure_day={one}/") for path in touched)
    ):
        return Verdict.failed(
            expected=_("A reader that asks for one day opens that day's files and no other."),
            found=problem(written)
            or _("Reading {day} opens {n} of {m} files.").format(day=one, n=len(touched), m=len(files)),
            try_next=_("Look at fs.find(url): does each folder hold one day?"),
        )
    if len(touched) > FEW:
        return Verdict.failed(
            expected=layout,
            found=_("Reading {day} opens {n} small files.").format(day=one, n=len(touched)),
            try_next=_("Partition by the day alone: a file has a price of its own, whatever its size."),
        )
    if wrong := lake_difference(rewritten, mended):
        return Verdict.failed(
            expected=_("Writing a corrected {one} replaces {one} and leaves {two} as it was.").format(
                one=one, two=two
            ),
            found=_("After {one} was written again: {wrong}").format(one=one, wrong=wrong),
            try_next=_(
                "What does your writer do with files that are there already: keep, refuse, delete all, or delete the matching partition?"
            ),
        )
    return Verdict.passed(
        _(
            "A day is a folder: it can be read alone, replaced alone and dropped alone. A professional would add a table format (Iceberg, Delta) "
            "when readers must never see a half-replaced day, and would aim at files of 100 MB and more."
        )
    )


def lake_files(state: Any) -> list[tuple[str, list[str]]]:
    """Path and columns of each file of the lake."""
    files = part(state, "files")
    return [
        (str(file.get("path", "")), list(map(str, file.get("columns") or [])))
        for file in (files if isinstance(files, list) else [])
        if isinstance(file, dict)
    ]


def other_folders(folders: set[str], wanted: set[str]) -> str:
    """What is wrong with the names of the folders."""
    if not any(folder.startswith("departure_day=") for folder in folders):
        return _("The first level of the lake is {names}; no folder is called departure_day=….").format(
            names=", ".join(sorted(folders)[:3]) or _("files without a folder")
        )
    if more := sorted(folders - wanted):
        return _(
            "There is a folder {name} that no flight of these two days belongs to. Evening flights are in it: is their day taken from UTC?"
        ).format(name=more[0] or _("(none)"))
    return _("The folder {name} is missing.").format(name=min(wanted - folders))


def lake_difference(state: Any, frames: dict[date, pd.DataFrame]) -> str:
    """The first useful difference between the lake's rows and the frames that it should hold."""
    import pandas as pd

    rows = part(state, "rows")
    rows = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    missing = [
        name
        for name in ("origin", "carrier", "flight", "arr_delay", "distance")
        if rows and name not in rows[0]
    ]
    if missing:
        return _("the files have no column {names}.").format(names=", ".join(missing))
    sums: dict[str, dict[str, Any]] = {}
    for row in rows:
        day = sums.setdefault(
            str(row.get("folder")).removeprefix("departure_day="),
            {"flights": 0, "arr_delay": 0.0, "distance": 0.0},
        )
        day["flights"] += 1
        for name in ("arr_delay", "distance"):
            day[name] += row[name] if isinstance(row.get(name), (int, float)) else 0
    for day in sorted(frames):
        found, frame = sums.get(str(day)), frames[day]
        if found is None:
            return _("{day} has no rows.").format(day=day)
        if found["flights"] != len(frame):
            more = found["flights"] - len(frame)
            return (
                _("{day} holds {n} rows too many.") if more > 0 else _("{day} holds {n} rows too few.")
            ).format(day=day, n=abs(more))
        if (
            abs(found["arr_delay"] - float(frame.arr_delay.sum())) > 1e-6
            or abs(found["distance"] - float(frame.distance.sum())) > 1e-6
        ):
            return _("{day} has the right number of rows, but not the values that were written last.").format(
                day=day
            )
    if others := sorted(set(sums) - {str(day) for day in frames}):
        return _("there are rows of {day}, which nobody wrote.").format(day=others[0])
    # Which flight is where matters too: two days can have swapped rows of equal sums.
    for day, frame in frames.items():
        keys = {
            (r["origin"], r["carrier"], r["flight"]) for r in rows if r["folder"] == f"departure_day={day}"
        }
        if keys != set(zip(frame.origin, frame.carrier, pd.to_numeric(frame.flight), strict=True)):
            return _("{day} holds flights of another day.").format(day=day)
    return ""


# q4 ----------------------------------------------------------------------------------------------------------------

HOURLY = ["flight_date", "origin", "hour"]


@judge("q4")
def etl_and_elt(evidence: Any, world: World) -> Verdict:
    """Both halves against the reference; a point of agreement is not enough, since both may err alike."""
    expected = hourly([world.flights(day) for day in deliveries.rough_and_ordinary(world)])
    halves = {"ETL (Spark)": part(evidence, "etl"), "ELT (SQL)": part(evidence, "elt")}
    wrong = {
        name: difference
        for name, found in halves.items()
        if (difference := tables(found, expected, key=HOURLY))
    }
    if not wrong:
        return Verdict.passed(
            _(
                "Two engines, two places, one table: equal row by row. A professional would keep one of them, and run the other's "
                "comparison as a test whenever a definition (what is late, what is a share of what) changes."
            )
        )
    wanted = _(
        "flight_date, origin, hour → flights, cancelled, departed, late, late_share, mean_dep_delay, the same from both halves."
    )
    found = " ".join(f"{name}: {difference.sentence}" for name, difference in wrong.items())
    next_step = hourly_cause(next(iter(wrong.values())), expected)
    if len(wrong) == 1:
        return Verdict.partly(0.5, expected=wanted, found=found, try_next=next_step)
    return Verdict.failed(expected=wanted, found=found, try_next=next_step)


def hourly(frames: Sequence[pd.DataFrame]) -> dict[str, Any]:
    """The reference: punctuality by scheduled day, airport and hour, New York's clock."""
    import pandas as pd

    flights = pd.concat(frames, ignore_index=True)
    flights["flight_date"] = pd.to_datetime(flights[["year", "month", "day"]]).dt.date
    flights["gone"] = flights.dep_time.notna()
    flights["slow"] = flights.dep_delay >= 15
    grouped = flights.groupby(HOURLY, as_index=False).agg(
        flights=("flight", "size"),
        departed=("gone", "sum"),
        late=("slow", "sum"),
        mean_dep_delay=("dep_delay", "mean"),
    )
    grouped["cancelled"] = grouped.flights - grouped.departed
    grouped["late_share"] = grouped.late / grouped.departed.where(grouped.departed > 0)
    return table(grouped)


def hourly_cause(difference: Difference, expected: dict[str, Any]) -> str:
    """What to look at, by where the first difference lies."""
    if difference.kind in ("extra rows", "missing rows"):
        return _(
            "Which flight_date and hour has a flight of 21:00? time_hour is UTC; year, month, day and hour are New York's."
        )
    return {
        "cancelled": _("A cancelled flight has no dep_time. Count what is missing, and count nothing else."),
        "departed": _("A flight departed when it has a dep_time; count(*) counts the cancelled ones too."),
        "late": _(
            "Late means 15 minutes after schedule or more, at departure. A cancelled flight has no delay at all."
        ),
        "late_share": _(
            "late_share is late divided by departed, with decimals: is yours divided by all flights, or cut to a whole number? Nothing departed: null."
        ),
        "mean_dep_delay": _("The mean is over flights that departed: a missing delay is not a delay of 0."),
    }.get(
        difference.column or "",
        _("Compare the columns' names and the grouping: one row a flight_date, origin and hour."),
    )


# q5 ----------------------------------------------------------------------------------------------------------------

TOP = 3
NAMES = {"snowflake": "Snowflake", "bigquery": "BigQuery", "redshift": "Redshift"}


@judge("q5")
def portable_query(evidence: Any, world: World) -> Verdict:
    """Right on DuckDB first, then in each dialect: written, known, and with the same rows."""
    daily = deliveries.on_time_by_carrier([world.flights(day) for day in world.days(9)])
    expected = busiest(deliveries.with_a_tie(daily, world.rng("q5")))
    key = ["origin", "carrier"]
    wanted = _(
        "origin, carrier, place, flights, on_time_share, days_with_cancellations: the three busiest carriers of each airport."
    )
    if error := part(evidence, "error"):
        return Verdict.failed(
            expected=wanted,
            found=_("DuckDB refuses the query: {error}").format(error=error),
            try_next=_("Run it alone: portable.on_duckdb(query, table)."),
        )
    if difference := tables(part(evidence, "rows"), expected, key=key):
        return Verdict.failed(
            expected=wanted,
            found=_("On DuckDB: {difference}").format(difference=difference.sentence),
            try_next=busiest_cause(difference),
        )
    problems = []
    for dialect, name in NAMES.items():
        found = part(evidence, "dialects", dialect)
        unknown = part(found, "unknown")
        if isinstance(unknown, list) and unknown:
            problems.append(
                _("{name} does not know {what}.").format(name=name, what=", ".join(map(str, unknown)))
            )
        elif error := part(found, "error"):
            problems.append(_("{name}: {error}").format(name=name, error=error))
        elif difference := tables(part(found, "rows"), expected, key=key):
            problems.append(
                _("{name} gives other rows. {difference}").format(name=name, difference=difference.sentence)
            )
    if problems:
        return Verdict.partly(
            0.5,
            expected=_("The same rows from the same text, transpiled for Snowflake, BigQuery and Redshift."),
            found=_("DuckDB's rows are right, but not portable: ") + " ".join(problems),
            try_next=_(
                "Say the same with older SQL: sum(case when … then 1 else 0 end), row_number() over (…), a subquery."
            ),
        )
    return Verdict.passed(
        _(
            "One text, four dialects: executed on DuckDB and on Snowflake's emulator, parsed and read back for BigQuery and Redshift. "
            "A professional would run it once on each real warehouse before promising it: types, weeks and time zones differ where grammars agree."
        )
    )


def busiest(daily: pd.DataFrame) -> dict[str, Any]:
    """The reference: the busiest carriers of each airport over all days, with the share of scheduled flights on time."""
    daily = daily.assign(hit=daily.cancelled > 0)
    whole = daily.groupby(["origin", "carrier"], as_index=False).agg(
        flights=("flights", "sum"), on_time=("on_time", "sum"), days_with_cancellations=("hit", "sum")
    )
    whole = whole.sort_values(["origin", "flights", "carrier"], ascending=[True, False, True])
    whole["place"] = whole.groupby("origin").cumcount() + 1
    whole["on_time_share"] = whole.on_time / whole.flights
    return table(whole[whole.place <= TOP].drop(columns=["on_time"]))


def busiest_cause(difference: Difference) -> str:
    """What to look at, by where the first difference lies."""
    if difference.kind in ("missing rows", "extra rows", "duplicate keys"):
        return _(
            "Group by origin and carrier first, number within each origin by flights, then keep three. What breaks a tie?"
        )
    return {
        "on_time_share": _(
            "The share of the period is all flights on time over all flights scheduled, with decimals. A mean of daily shares gives a quiet day the weight of a busy one."
        ),
        "place": _("place counts from 1 within each origin, by flights, most first; equal ones by carrier."),
        "days_with_cancellations": _(
            "Days on which at least one flight was cancelled, not cancelled flights."
        ),
    }.get(difference.column or "", _("Compare the names of your columns with the task."))


# q6 ----------------------------------------------------------------------------------------------------------------


@judge("q6")
def api_and_extract(evidence: Any, world: World) -> Verdict:
    """The API's answers, then the two extracts; half the points for one of the two."""
    api, extracts = api_problem(evidence, world), extract_problem(evidence, world)
    if not api and not extracts:
        return Verdict.passed(
            _(
                "The API answers with yesterday's load, says 404 and 422 where it must, and takes no SQL from a stranger; both extracts keep their types. "
                "A professional would add a version to the path, an owner to the extract, and a date to both."
            )
        )
    wanted = _(
        "An app that answers GET /airports/{origin}/days/{day}, and an extract that a business tool opens with dates as dates."
    )
    (found, try_next) = api or extracts or ("", "")
    if bool(api) != bool(extracts):
        return Verdict.partly(0.5, expected=wanted, found=found, try_next=try_next)
    return Verdict.failed(
        expected=wanted, found=f"{found} {extracts[0] if extracts else ''}".strip(), try_next=try_next
    )


def api_problem(evidence: Any, world: World) -> tuple[str, str] | None:
    """What the API gets wrong first, and what to try."""
    one, _two, three = deliveries.three_days(world)
    airport = world.airports[0]

    def status(name: str) -> Any:
        return part(evidence, "replies", name, "status")

    def right(name: str, day: date) -> str:
        body, expected = part(evidence, "replies", name, "body"), summary(world.flights(day), airport, day)
        if status(name) != 200 or not isinstance(body, dict):
            return _("status {status} instead of 200 with an object").format(status=status(name))
        for field, value in expected.items():
            if field not in body:
                return _("no field {field}").format(field=field)
            if body[field] != value:
                return _("{field} is {found}").format(field=field, found=str(body[field])[:40])
        return ""

    if wrong := right("known", one):
        return (
            _("The API's answer for {airport} on {day}: {wrong}.").format(
                airport=airport, day=one, wrong=wrong
            ),
            _(
                "The table has one row a carrier; the answer is about the airport. Fields: origin, day, flights, cancelled, on_time, whole numbers."
            ),
        )
    for name, what in (
        ("not loaded", _("a day that is not loaded")),
        ("unknown airport", _("an unknown airport")),
    ):
        if status(name) != 404:
            return (
                _("For {what} the API answers with status {status}, not with 404.").format(
                    what=what, status=status(name)
                ),
                _(
                    "A sum over no rows is one row of nulls. When nothing is there, say so: HTTPException(404, …)."
                ),
            )
    if status("no day") != 422:
        return (
            _("For 2013-02-30, which is no day, the API answers with status {status}, not with 422.").format(
                status=status("no day")
            ),
            _("Let FastAPI check the path: which type does your parameter day have?"),
        )
    if status("injection") not in (404, 422):
        return (
            _(
                "An airport called JFK' or 'a'='a is answered with status {status}: a stranger's text became part of your SQL (injection)."
            ).format(status=status("injection")),
            _("Give values as parameters: execute('… where origin = ?', [origin])."),
        )
    if wrong := right("after the load", three):
        return (
            _(
                "After the night's load the running app does not know {day}: {wrong}. What it read at its start is stale by now."
            ).format(day=three, wrong=wrong),
            _("Open the database within the request, read_only=True, and close it again."),
        )
    return None


def summary(flights: pd.DataFrame, airport: str, day: date) -> dict[str, Any]:
    """The reference's answer for one airport and day."""
    here = flights[flights.origin == airport]
    return {
        "origin": airport,
        "day": str(day),
        "flights": len(here),
        "cancelled": int(here.dep_time.isna().sum()),
        "on_time": int((here.arr_delay < 15).sum()),
    }


def extract_problem(evidence: Any, world: World) -> tuple[str, str] | None:
    """What is wrong with the extracts first, and what to try."""
    expected = table(
        deliveries.on_time_by_carrier([world.flights(day) for day in deliveries.three_days(world)])
    )
    for suffix, reader in ((".hyper", "Tableau"), (".parquet", "Power BI")):
        found = part(evidence, "extracts", suffix)
        if said := problem(found):
            return (
                _("{reader}'s extract: {said}.").format(reader=reader, said=said),
                _("The function gets a path; its suffix says which format to write."),
            )
        if difference := tables(part(found, "table"), expected, key=["flight_date", "origin", "carrier"]):
            kinds = part(found, "kinds")
            if isinstance(kinds, dict) and kinds.get("flight_date") == "text":
                break
            return (
                _("{reader}'s extract differs from the table. {difference}").format(
                    reader=reader, difference=difference.sentence
                ),
                _("Write the whole table daily_on_time, and replace the file when it is there already."),
            )
    for suffix, reader in ((".hyper", "Tableau"), (".parquet", "Power BI")):
        kinds = part(evidence, "extracts", suffix, "kinds")
        kinds = kinds if isinstance(kinds, dict) else {}
        wanted = {
            "flight_date": ("date", "time"),
            "flights": ("number",),
            "cancelled": ("number",),
            "on_time": ("number",),
        }
        for column, allowed in wanted.items():
            if kinds.get(column) not in allowed:
                return (
                    _(
                        "In {reader}'s extract {column} has the type {kind}: nobody can sort it by time or add it up."
                    ).format(reader=reader, column=column, kind=kinds.get(column)),
                    _("Keep the types of the table on the way: DuckDB's .to_arrow_table() has them all."),
                )
    return None


# quiz --------------------------------------------------------------------------------------------------------------

RIGHT = {"rerun": "b", "clock": "a", "partition": "c", "elt": "b", "green": "c"}
STAGES = {
    "rerun": _("ingestion"),
    "clock": _("streaming"),
    "partition": _("storage"),
    "elt": _("transformation"),
    "green": _("monitoring"),
}


@judge("quiz")
def quiz(evidence: Any, world: World) -> Verdict:
    """A letter a question."""
    return letters(
        evidence,
        RIGHT,
        passed=_(
            "All five. A professional would now draw the eight stages of their own team's busiest table, with an owner at each."
        ),
        back=lambda wrong: _("Go back to {stages}.").format(stages=", ".join(STAGES[name] for name in wrong)),
    )


# drill -------------------------------------------------------------------------------------------------------------


@judge("drill")
def one_day_twice_one_day_late(evidence: Any, world: World) -> Verdict:
    """Recovered when the learner's warehouse is right, and the same cannot happen again."""
    five = green_week.days(world)
    truth = {day: world.flights(day) for day in five}
    truth[five[green_week.TWICE]] = green_week.sent_again(world, five[green_week.TWICE])
    early = five[0] - timedelta(days=1)
    next_night = {early: world.flights(early)} | truth | {five[0]: green_week.sent_again(world, five[0])}
    wanted = _(
        "Every day as its last delivery has it, once; and after a rerun and the next deliveries still so."
    )
    states = (
        (
            "live",
            truth,
            _("Your warehouse"),
            _("Reconcile day by day with deliveries.csv, then run your night run on the night folder."),
        ),
        (
            "repaired",
            truth,
            _("Your night run on a fresh copy of the incident"),
            _("It must repair by itself: the delivered files are all in the inbox."),
        ),
        (
            "again",
            truth,
            _("Your night run, run a second time"),
            _("What makes your load of a day safe to repeat?"),
        ),
        (
            "next",
            next_night,
            _("After the next night, with a day sent again and an older day late"),
            _(
                "By what does your run decide that there is something to do: a file's name, a day's place in time, or what was delivered last?"
            ),
        ),
    )
    for state, days, where, try_next in states:
        found = part(evidence, state)
        frames = [days[day] for day in sorted(days)]
        if said := in_table(found, fingerprint(frames)):
            return Verdict.failed(
                expected=wanted, found=f"{where}: {worst_day(found, days) or said}", try_next=try_next
            )
    if deleted := part(evidence, "deleted"):
        return Verdict.failed(
            expected=_("The inbox is as the source left it."),
            found=_("Your night run deletes from the inbox: {names}.").format(
                names=", ".join(map(str, deleted))
            ),
            try_next=_("The runbook says to delete nothing there: what would you replay from?"),
        )
    return Verdict.passed(
        _(
            "Every day reconciles with its last delivery, and neither a rerun nor a re-delivery nor a late day can break it again. "
            "A professional would now add the alert that was missing: rows loaded against rows delivered, for each day."
        )
    )


def worst_day(found: Any, days: dict[date, pd.DataFrame]) -> str:
    """The first day whose rows do not reconcile, in words."""
    rows = days_and_sum(found, "flights")
    if not rows:
        return ""
    for day in sorted(days):
        have, want = rows.get(str(day), 0), len(days[day])
        if not have:
            return _("{day} is missing.").format(day=day)
        if have > 1.5 * want:
            return _("{day} is there twice.").format(day=day)
        if have > want:
            return _(
                "{day} has {n} rows more than its last delivery: rows of an earlier delivery are mixed in."
            ).format(day=day, n=int(have - want))
        if have < want:
            return _("{day} has {n} rows less than its last delivery.").format(day=day, n=int(want - have))
    delays = days_and_sum(found, "arr_delay")
    for day in sorted(days):
        if delays.get(str(day), 0) != float(days[day].arr_delay.sum()):
            return _("{day} has the right number of rows, but not the arrivals of its last delivery.").format(
                day=day
            )
    return ""
