"""The exercises of module 01: what is asked, the hints, and the probes that turn an answer into evidence."""

import hashlib
import tempfile
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from flightschool.curriculum import NotAttempted, exercise
from flightschool.data import day as flights_of
from flightschool.data.raw import render
from flightschool.i18n import translations
from flightschool.learn.evidence import UnusableAnswer, table
from flightschool.learn.stubs import untouched

from . import delivery_logs, oncall
from .departures import departure_report

if TYPE_CHECKING:
    from flightschool.data import World

_ = translations("01_dataops_intro")

ROUGH_DAYS = (
    "2013-02-11",
    "2013-04-22",
    "2013-05-23",
    "2013-06-13",
    "2013-08-08",
    "2013-09-12",
    "2013-12-14",
)
"""Days on which many flights were cancelled and several diverted, so that it shows how they are counted."""

TWO_AIRPORTS = (
    "06-08", "06-15", "06-22", "06-29", "07-06", "07-13", "07-20", "07-27", "08-03", "08-10", "08-13",
    "08-14", "08-15", "08-16", "08-19", "08-20", "08-21", "08-22", "08-23", "08-26", "09-08", "09-15",
    "09-22",
)  # fmt: skip
"""Days of 2013 on which a carrier's flight number leaves from two airports: it takes the airport to name a flight."""

TWO_CARRIERS = (
    "03-02", "08-28", "09-03", "09-11", "09-18", "11-17", "11-24", "11-25", "12-03", "12-04", "12-05",
    "12-06", "12-08", "12-09", "12-10", "12-11", "12-12", "12-13", "12-15", "12-16", "12-17", "12-18",
    "12-29",
)  # fmt: skip
"""Days of 2013 on which two carriers have a flight of one number at one airport and minute: it takes the carrier, too."""

LOGS = (0, 1, 2)
"""The logs of a world that an answer is tried on; the learner sees number 0."""

PAGES = 100


def reports_asked(world: "World") -> list[tuple[date, str]]:
    """The reports that q1 is asked for, by day and column: two of a rough day, two of ordinary ones."""
    rough = date.fromisoformat(world.rng("rough day").choice(ROUGH_DAYS))
    one, other = [day for day in world.days(3) if day != rough][:2]
    return [(rough, "carrier"), (rough, "origin"), (one, "carrier"), (other, "origin")]


def publishing_days(world: "World") -> tuple[date, date]:
    """The two days that the report of q5 is about: between them they show what names a flight."""
    rng = world.rng("publishing days")
    first, second = (date.fromisoformat(f"2013-{rng.choice(days)}") for days in (TWO_AIRPORTS, TWO_CARRIERS))
    return first, second


@exercise(
    "q1",
    title=_("The on-time report for a day"),
    points=2,
    hints=(
        _(
            "Look at one cancelled flight and one diverted flight: which of dep_time and arr_delay does each lack?"
        ),
        _(
            "Decide first, for each flight, which of the kinds it is: cancelled, diverted, on time, or late. Only then count. Every flight is scheduled, whatever became of it."
        ),
        _(
            "isna() gives a column of True and False. Summed by group, such a column counts its True values. A comparison with a missing value is False."
        ),
        _(
            "kinds = flights.assign(cancelled=…, diverted=…, on_time=…); groups = kinds.groupby(by); groups.size() is one of your columns, groups[[…]].sum() gives three, and the last is a quotient of two of them."
        ),
    ),
)
def on_time_report(answer: Any, world: "World") -> Any:
    """Call the learner's function on three days, by carrier and by airport."""
    return [
        {"day": str(day), "by": by, "table": table(answer(flights_of(day), by))}
        for day, by in reports_asked(world)
    ]


@exercise(
    "q2",
    title=_("A value-stream map from an event log"),
    points=3,
    hints=(
        _("Follow one report through its rows. When did its clock begin to run, and when did it stop?"),
        _(
            "Group twice. By report: how long it was under way, and how long somebody worked on it. By step: how often a hand-over was accepted, and how long a report is held there."
        ),
        _(
            'groupby("report").agg(…) with min of queued_at and max of finished_at; a duration divided by pd.Timedelta(hours=1) is a number of hours. The usable share of the whole chain is a product: prod().'
        ),
        _(
            "held = (events.finished_at - events.queued_at).groupby(events.step).…; the bottleneck is held.idxmax(). Which column must the worked time start from instead?"
        ),
    ),
)
def value_stream(answer: Any, world: "World") -> Any:
    """Call the learner's function on three event logs."""
    return [answer(delivery_logs.value_stream(world, log)) for log in LOGS]


@exercise(
    "q3",
    title=_("Four delivery metrics and data downtime"),
    points=3,
    hints=(
        _(
            "How many rows has one deployment? How many environments are there, and which of them do readers use?"
        ),
        _(
            "Each metric has its own unit of counting: deployments, changes, deployments, incidents, hours. For data downtime ask of each hour: was anything wrong in it? An hour counts once."
        ),
        _(
            "nunique() counts deployments; isin() tells which of them stand in caused_by. For overlapping periods: sort them by their begin, keep the latest end so far, and add only what lies beyond it."
        ),
        _(
            "covered = zero, end = the first began_at; for each period in order: if it ends after end, add what of it lies beyond … and move end to …; a period that lies wholly before end adds nothing."
        ),
    ),
)
def delivery_metrics(answer: Any, world: "World") -> Any:
    """Call the learner's function on three pairs of logs."""
    evidence = []
    for log in LOGS:
        logs = delivery_logs.delivery(world, log)
        evidence.append(answer(logs.deployments, logs.incidents))
    return evidence


@exercise(
    "q4",
    title=_("Who is paged for which failure"),
    points=2,
    hints=(
        _("Compare two pages that were seen in the same place. Are their causes the same, too?"),
        _(
            "The handbook is a ladder: the lowest thing that is out of order decides, because all above it may only suffer from it."
        ),
        _(
            "A row of ifs that return at once, in the handbook's order, is such a ladder. seen_in and at are not on it."
        ),
        _(
            'if page["machine"] != "ok": return …; then the same for the next rung; on the third rung look at page["released"] before you choose between two roles; the last line returns without any if.'
        ),
    ),
)
def who_is_paged(answer: Any, world: "World") -> Any:
    """Route a hundred pages with the learner's function."""
    return [{"page": page["id"], "role": answer(dict(page))} for page in oncall.pages(world, PAGES, night=1)]


@exercise(
    "q5",
    title=_("A report whose rerun gives the same bytes"),
    points=3,
    hints=(
        _(
            "Run your function twice into two folders and compare the files' bytes. Then put the same raw file into the inbox twice."
        ),
        _(
            "The file may depend on the flights alone: not on the clock, the folder, the order of the rows or of the files, nor on how often a flight was sent."
        ),
        _(
            'drop_duplicates() on what names a flight; sort before you write; to_csv with index=False and a fixed line end; mode "w".'
        ),
        _(
            'files = sorted(inbox.glob(…)); flights = pd.concat(map(pd.read_csv, files)) without duplicates; report = …(flights, "carrier") sorted by …; report.to_csv(outbox / f"on-time-{day}.csv", …)'
        ),
    ),
)
def same_bytes(answer: Any, world: "World") -> Any:
    """Publish one day under conditions that should make no difference, then another; keep what came out each time."""
    day, other = publishing_days(world)
    rng = world.rng("deliveries")
    with tempfile.TemporaryDirectory(prefix="flightschool-") as folder:
        here = Path(folder)
        raw = _raw_text(day)
        head, *rows = raw.splitlines(keepends=True)
        mixed = rng.sample(rows, len(rows))
        half = len(rows) // 2
        deliveries = {
            "first": {"": [head, *rows]},
            "again": {"": [head, *rows]},
            "shuffled": {"": [head, *mixed]},
            "twice": {"": [head, *rows], ".resent": [head, *mixed]},
            "overlap": {"": [head, *rows[: half + 40]], ".resent": [head, *rows[half:]]},
            "doubled": {"": [head, *rows, *rows[:half]]},
        }
        evidence = {"day": str(day), "runs": {}}
        for name, files in deliveries.items():
            inbox = here / f"inbox of {name}"
            inbox.mkdir()
            for suffix, lines in files.items():
                (inbox / f"flights-{day}{suffix}.csv").write_text("".join(lines), encoding="utf-8")
            outbox = here / ("outbox" if name in ("first", "again") else f"outbox of {name}")
            outbox.mkdir(exist_ok=True)
            answer(inbox, day, outbox)
            evidence["runs"][name] = _files(outbox)
        inbox, outbox = here / "inbox of another day", here / "outbox of another day"
        outbox.mkdir()
        inbox.mkdir()
        (inbox / f"flights-{other}.csv").write_text(_raw_text(other), encoding="utf-8")
        answer(inbox, other, outbox)
        evidence["other"] = _files(outbox)
    return evidence


@lru_cache(maxsize=16)
def _raw_text(day: date) -> str:
    return render(flights_of(day)).decode()


def _files(folder: Path) -> list[dict[str, Any]]:
    """Name, checksum and first 20,000 characters of each file in a folder."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            found.append(
                {
                    "name": str(path.relative_to(folder)),
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "text": content[:20_000].decode("utf-8", "replace"),
                }
            )
    return found[:20]


@exercise(
    "quiz",
    title=_("What stays with you"),
    points=1,
    hints=(
        _("Each question has one section of this notebook behind it; its heading names the idea."),
        _("For a: what does a second run change? For c: when does the reader's trouble begin?"),
        _(
            "For b: compare the dark and the pale bars of the timeline. For d: who can mend the cause? For e: whose flights are in the denominator?"
        ),
    ),
)
def quiz(answer: Any, world: "World") -> Any:
    """The letters that were chosen."""
    if not isinstance(answer, dict):
        return answer
    return {
        str(question): None if choice is ... else str(choice).strip().lower()
        for question, choice in answer.items()
    }


@exercise(
    "drill",
    title=_("Blast radius: which reports went out wrong, since when"),
    points=4,
    hints=(
        _(
            "Take the day of the page and compare the raw rows of that day with those of a quiet day before it: by airport, by carrier, column by column."
        ),
        _(
            "dep_delay is minutes after schedule. It can be checked: dep_time and sched_dep_time (clock times, hour times 100 plus minute) say the same in another way. For whom do the two not agree?"
        ),
        _(
            "Look up that carrier in the feeds of runs.jsonl, day by day, and note every day on which its number changes: the fault need not last without a break. A deployment or a storm near the first day may be innocent: compare the days before them."
        ),
        _(
            "repair(raw) returns a copy in which dep_delay of the rows with carrier … and feed_version … is (value × …) rounded; affected are the days whose mended report differs from the published one; publish those, and no others."
        ),
    ),
)
def blast_radius(answer: Any, world: "World") -> Any:
    """What was named, what the outbox holds now, and what the mended way in makes of every raw file."""
    parts = (
        [answer.get(name, ...) for name in ("since", "affected", "repair")]
        if isinstance(answer, dict)
        else []
    )
    if not parts or untouched(parts):
        raise NotAttempted
    since, affected, repair = parts
    desk = Path(answer.get("desk", ""))
    evidence: dict[str, Any] = {"since": since, "affected": _days(affected), "published": {}, "mended": {}}
    for path in sorted((desk / "outbox").glob("departures-*.csv")):
        evidence["published"][path.stem.removeprefix("departures-")] = path.read_text(encoding="utf-8")[
            :5_000
        ]
    if callable(repair) and not untouched(repair):
        for path in sorted((desk / "inbox").glob("flights-*.csv")):
            mended = repair(pd.read_csv(path))
            if not isinstance(mended, pd.DataFrame) or not {"origin", "dep_time", "dep_delay"} <= set(
                mended.columns
            ):
                raise UnusableAnswer(
                    _(
                        "repair did not return the flights: return the data frame with all its columns, mended."
                    )
                )
            evidence["mended"][path.stem.removeprefix("flights-")] = table(departure_report(mended))
    return evidence


def _days(affected: Any) -> Any:
    """A list of days from dates, text, or names of files."""
    if affected is ... or affected is None or isinstance(affected, str | bytes):
        return affected
    return [str(item).replace("departures-", "").replace(".csv", "").split("/")[-1][:10] for item in affected]
