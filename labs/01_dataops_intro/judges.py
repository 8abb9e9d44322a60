"""The judges of module 01, with the reference answers. Never in reach of a graded learner's process."""

import io
import itertools
from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

import pandas as pd

from flightschool.curriculum import Verdict, judge
from flightschool.data import World
from flightschool.data import day as flights_of
from flightschool.i18n import translations
from flightschool.learn import compare
from flightschool.learn.evidence import table

from . import delivery_logs, desk, oncall
from .departures import departure_report
from .exercises import LOGS, PAGES, publishing_days, reports_asked

_ = translations("01_dataops_intro")


# ---------------------------------------------------------------------------------------------------------- q1


def _report(flights: pd.DataFrame, by: str) -> pd.DataFrame:
    cancelled = flights.dep_time.isna()
    kinds = pd.DataFrame(
        {
            by: flights[by],
            "scheduled": 1,
            "cancelled": cancelled,
            "diverted": ~cancelled & flights.arr_delay.isna(),
            "on_time": flights.arr_delay < 15,
        }
    )
    report = kinds.groupby(by).sum().astype(int)
    report["on_time_share"] = report.on_time / report.scheduled
    return report.reset_index()


@lru_cache(maxsize=64)
def _right_report(day: date, by: str) -> dict[str, Any]:
    return table(_report(flights_of(day), by))


@judge("q1")
def on_time_report(evidence: Any, world: World) -> Verdict:
    expected = _(
        "For each carrier or airport: scheduled, cancelled, diverted, on_time (flights) and on_time_share (0 to 1 of scheduled)."
    )
    given = {
        (item.get("day"), item.get("by")): item.get("table")
        for item in (evidence if isinstance(evidence, list) else [])
        if isinstance(item, dict)
    }
    for day, by in reports_asked(world):
        right = _right_report(day, by)
        found = given.get((str(day), by))
        if difference := compare.tables(found, right, key=[by], absolute=1e-3):
            return Verdict.failed(
                expected=expected,
                found=_("{day}, by {by}: {sentence}").format(day=day, by=by, sentence=difference.sentence),
                try_next=_why_report(difference, found, right, by),
            )
    return Verdict.passed(
        _(
            "Every scheduled flight is accounted for, on rough days and quiet ones. A professional would keep the rule (15 minutes, what counts as diverted) in one documented place, under version control, so that no two reports differ in it."
        )
    )


def _why_report(difference: compare.Difference, found: Any, right: Any, by: str) -> str:
    """The likeliest reason for a difference, put as something to look at."""
    dropped = _(
        "Were cancelled flights dropped on the way? They have no dep_time, and passengers had tickets for them: they stay in the report."
    )
    if difference.kind in ("no table", "columns"):
        return _("Return one data frame whose columns are {by} and the five named in the task.").format(by=by)
    if difference.kind in ("missing rows", "empty"):
        return _("Is every {by} of the input in the table? ").format(by=by) + dropped
    if difference.kind in ("duplicate keys", "extra rows"):
        return _("Group by the column that the argument by names, and by nothing else.")
    reasons = {
        ("scheduled", False): dropped,
        ("scheduled", True): _("Each row of the input is one scheduled flight: count each once."),
        ("cancelled", True): _(
            "A diverted flight left the gate: it has a dep_time and no arr_delay. Is it among your cancelled ones?"
        ),
        ("cancelled", False): dropped,
        ("diverted", True): _(
            "Flights that never left have no arr_delay either. Are cancelled flights among your diverted ones?"
        ),
        ("diverted", False): _(
            "A diverted flight has a dep_time and no arr_delay; it may have an arr_time, hours later. Which column do you test?"
        ),
        ("on_time", True): _(
            "Look at the flights that arrived exactly 15 minutes after schedule, and at missing delays: is a flight without an arrival on time?"
        ),
        ("on_time", False): _("Less than 15 minutes late is on time, and so is every early arrival."),
    }
    if difference.column == "on_time_share":
        return _why_share(found, right)
    return reasons.get(
        (difference.column or "", bool(difference.too_high)),
        _("Take the rows of that group alone, and count them by hand."),
    )


def _why_share(found: Any, right: Any) -> str:
    names = [str(name).lower() for name in found["columns"]]
    shares = [row[names.index("on_time_share")] for row in found["rows"]]
    if any(isinstance(share, int | float) and share > 1.01 for share in shares):
        return _("The unit is a share from 0 to 1, not per cent.")
    return _(
        "Divide by all scheduled flights. Cancelled and diverted flights were scheduled and did not arrive on time: they belong into the denominator."
    )


# ---------------------------------------------------------------------------------------------------------- q2


def _stream(events: pd.DataFrame) -> dict[str, Any]:
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


@lru_cache(maxsize=64)
def _right_stream(world: World, log: int) -> Mapping[str, Any]:
    return _stream(delivery_logs.value_stream(world, log))


@judge("q2")
def value_stream(evidence: Any, world: World) -> Verdict:
    expected = _(
        "A dict with lead_hours and process_hours (means over the reports), complete_accurate (0 to 1, of the whole chain) and bottleneck (a step)."
    )
    runs = evidence if isinstance(evidence, list) else []
    for log, answer in itertools.zip_longest(LOGS, runs[: len(LOGS)]):
        right = _right_stream(world, log)
        if fault := _wrong_keys(answer, right):
            return Verdict.failed(
                expected=expected, found=fault, try_next=_("Return one dict with these four keys.")
            )
        for key, value in right.items():
            if _close(answer[key], value):
                continue
            return Verdict.failed(
                expected=expected,
                found=_("Event log {log}: {key} is {value}, which the log does not bear out.").format(
                    log=log, key=key, value=_short(answer[key])
                ),
                try_next=_why_stream(key, answer[key], value, delivery_logs.value_stream(world, log)),
            )
    return Verdict.passed(
        _(
            "The map holds on three logs: most of the lead time is waiting, the longest of it in one queue. A professional would draw it with those who do the work, mend that one queue, and measure again, since the bottleneck moves."
        )
    )


def _why_stream(key: str, found: Any, right: Any, events: pd.DataFrame) -> str:
    hour = pd.Timedelta(hours=1)
    if key == "bottleneck":
        work = (events.finished_at - events.started_at).groupby(events.step).sum()
        if found == work.idxmax():
            return _(
                "That step has the most work. The bottleneck is where a report is held longest, waiting included."
            )
        waited = (events.started_at - events.queued_at).groupby(events.step).sum()
        if found == waited.idxmax():
            return _(
                "That step has the longest queue. A report is held there while it waits and while somebody works on it."
            )
        rejected = events.groupby("step").accepted.mean()
        if found == rejected.idxmin():
            return _(
                "That step is sent back most often, which costs quality. The bottleneck is where a report is held longest, waiting included."
            )
        return _(
            "Sum, for each step, the time from queued_at to finished_at, and answer with the step's name."
        )
    if not _is_number(found):
        return _("Return a number, not {kind}: divide a duration by pd.Timedelta(hours=1).").format(
            kind=type(found).__name__
        )
    if _close(found, right * 60):
        return _("The unit is hours, not minutes.")
    if key == "lead_hours":
        reports = events.groupby("report")
        if _close(found, ((reports.finished_at.max() - reports.started_at.min()) / hour).mean()):
            return _(
                "The clock starts when the report's data lie ready (queued_at), not when somebody starts to work."
            )
        return _(
            "A report's lead time runs from its first queued_at to its last finished_at, pauses included; then take the mean over the reports, not over the rows."
        )
    if key == "process_hours":
        if _close(found, ((events.finished_at - events.started_at) / hour).mean()):
            return _(
                "That is the mean over the rows. A report has several rows, and more when it is done again: sum by report first."
            )
        return _(
            "Process time is hands-on time: started_at to finished_at, every attempt of it, summed by report."
        )
    if _close(found, right * 100):
        return _("The unit is a share from 0 to 1, not per cent.")
    if _close(found, events.accepted.mean()) or _close(found, events.groupby("step").accepted.mean().mean()):
        return _(
            "That is an average. A report must come through every step unscathed: the shares of the chain's steps multiply."
        )
    return _(
        "For each step: accepted hand-overs over all its hand-overs. Then roll the steps up: their shares multiply."
    )


# ---------------------------------------------------------------------------------------------------------- q3


def _metrics(logs: delivery_logs.DeliveryLogs) -> dict[str, Any]:
    hour = pd.Timedelta(hours=1)
    changes, incidents = logs.deployments, logs.incidents
    live = changes[changes.environment == "production"]
    names = set(live.deployment)
    ours = incidents[incidents.caused_by.isin(names)]
    return {
        "deployments_per_week": len(names) / delivery_logs.WEEKS,
        "lead_time_hours": ((live.deployed_at - live.committed_at) / hour).median(),
        "change_failure_rate": ours.caused_by.nunique() / len(names),
        "time_to_restore_hours": ((ours.restored_at - ours.began_at) / hour).median(),
        "data_downtime_hours": _covered(incidents[incidents.kind == "data"], "began_at") / hour,
    }


def _covered(incidents: pd.DataFrame, begin: str) -> pd.Timedelta:
    """The time in which at least one of the incidents lasted."""
    total, end = pd.Timedelta(0), None
    for row in incidents.sort_values(begin).to_dict("records"):
        since = row[begin] if end is None else max(row[begin], end)
        total += max(pd.Timedelta(0), row["restored_at"] - since)
        end = row["restored_at"] if end is None else max(end, row["restored_at"])
    return total


@lru_cache(maxsize=64)
def _right_metrics(world: World, log: int) -> Mapping[str, Any]:
    return _metrics(delivery_logs.delivery(world, log))


@judge("q3")
def delivery_metrics(evidence: Any, world: World) -> Verdict:
    expected = _(
        "A dict with deployments_per_week, lead_time_hours (median over changes), change_failure_rate (0 to 1), time_to_restore_hours (median over incidents that a deployment caused) and data_downtime_hours."
    )
    runs = evidence if isinstance(evidence, list) else []
    wrong: dict[str, tuple[int, Any, str]] = {}
    keys: list[str] = []
    for log, answer in itertools.zip_longest(LOGS, runs[: len(LOGS)]):
        right = _right_metrics(world, log)
        keys = list(right)
        if fault := _wrong_keys(answer, right):
            return Verdict.failed(
                expected=expected, found=fault, try_next=_("Return one dict with these five keys.")
            )
        for key, value in right.items():
            if not _close(answer[key], value) and key not in wrong:
                wrong[key] = (
                    log,
                    answer[key],
                    _why_metric(key, answer[key], value, delivery_logs.delivery(world, log)),
                )
    if not wrong:
        return Verdict.passed(
            _(
                "All five hold on three teams' logs. A professional would let the deployment tool and the incident tool record these by themselves, look at the trend of one team over months, and never rank teams by them."
            )
        )
    key = next(key for key in keys if key in wrong)
    log, value, why = wrong[key]
    said: dict[str, str] = {
        "expected": expected,
        "found": _(
            "Log {log}: {key} is {value}, which the log does not bear out; {right} of {total} metrics agree."
        ).format(log=log, key=key, value=_short(value), right=len(keys) - len(wrong), total=len(keys)),
        "try_next": why,
    }
    right_share = 1 - len(wrong) / len(keys)
    return Verdict.partly(right_share, **said) if right_share >= 0.5 else Verdict.failed(**said)


def _why_metric(key: str, found: Any, right: Any, logs: delivery_logs.DeliveryLogs) -> str:
    hour = pd.Timedelta(hours=1)
    changes, incidents = logs.deployments, logs.incidents
    live = changes[changes.environment == "production"]
    ours = incidents[incidents.caused_by.isin(set(live.deployment))]
    if not _is_number(found):
        return _("Return a number, not {kind}: divide a duration by pd.Timedelta(hours=1).").format(
            kind=type(found).__name__
        )
    if key.endswith("hours") and (_close(found, right * 60) or _close(found, right * 3600)):
        return _("The unit is hours.")
    likely: list[tuple[float, str]] = []
    if key == "deployments_per_week":
        staging = _(
            "Staging is a rehearsal. Only production is what readers see: filter on environment first."
        )
        likely = [
            (
                len(live) / delivery_logs.WEEKS,
                _("That counts changes. One deployment can carry several: count distinct deployments."),
            ),
            (len(changes) / delivery_logs.WEEKS, staging),
            (changes.deployment.nunique() / delivery_logs.WEEKS, staging),
            (
                right * delivery_logs.WEEKS,
                _("That is the number in all four weeks; the unit is deployments a week."),
            ),
        ]
        general = _("Distinct deployments to production, divided by the four weeks of the log.")
    elif key == "lead_time_hours":
        lead = (live.deployed_at - live.committed_at) / hour
        both = (changes.deployed_at - changes.committed_at) / hour
        likely = [
            (
                both.median(),
                _(
                    "Staging is a rehearsal. A change has arrived when it runs in production: filter on environment first."
                ),
            ),
            (
                lead.mean(),
                _("That is the mean, which a few slow changes pull up. The task asks for the median."),
            ),
        ]
        general = _(
            "For each change that reached production: from committed_at to deployed_at; then the median over changes."
        )
    elif key == "change_failure_rate":
        names = live.deployment.nunique()
        likely = [
            (
                len(ours) / names,
                _(
                    "One deployment can cause two incidents and is still one failed deployment: count it once."
                ),
            ),
            (
                len(incidents) / names,
                _(
                    "Not every incident comes from a deployment: caused_by is missing where the trouble came from upstream."
                ),
            ),
            (
                ours.caused_by.nunique() / len(live),
                _("The denominator is deployments, and you have changes."),
            ),
            (right * 100, _("The unit is a share from 0 to 1, not per cent.")),
        ]
        general = _(
            "Of the production deployments, the share that stands in caused_by of at least one incident."
        )
    elif key == "time_to_restore_hours":
        likely = [
            (
                ((ours.restored_at - ours.detected_at) / hour).median(),
                _("The clock runs for the users from began_at, before anybody noticed."),
            ),
            (
                ((incidents.restored_at - incidents.began_at) / hour).median(),
                _(
                    "The metric is about failed deployments: leave incidents out that none of them caused (caused_by is missing)."
                ),
            ),
            (
                ((ours.restored_at - ours.began_at) / hour).mean(),
                _("That is the mean; the task asks for the median."),
            ),
        ]
        general = _(
            "For each incident that a production deployment caused: began_at to restored_at; then the median."
        )
    else:
        data = incidents[incidents.kind == "data"]
        likely = [
            (
                (data.restored_at - data.began_at).sum() / hour,
                _(
                    "Some incidents overlap. An hour in which two tables are wrong is one hour of downtime: count the time covered, not the sum."
                ),
            ),
            (
                _covered(data, "detected_at") / hour,
                _("Data are down from began_at. Before somebody noticed they were read, and believed."),
            ),
            (
                _covered(incidents, "began_at") / hour,
                _("A service incident is not data downtime: look at kind."),
            ),
        ]
        general = _(
            "The hours in which at least one data incident lasted, from began_at to restored_at, overlaps counted once."
        )
    agreeing = dict.fromkeys(why for value, why in likely if _close(found, value))
    return " ".join(agreeing) or general


# ---------------------------------------------------------------------------------------------------------- q4

Rule = tuple[Callable[[Mapping[str, str]], bool], str, str]


def _handbook() -> list[Rule]:
    """The rungs from the ground up: does it decide, who is paged, and why."""
    return [
        (
            lambda page: page["machine"] != "ok",
            "ops",
            _("the machine is not in order ({machine}), and until it is, nothing above it can be judged"),
        ),
        (
            lambda page: page["input"] != "ok",
            "data_engineer",
            _("the input is not in order ({input}), so whatever was made from it only suffers"),
        ),
        (
            lambda page: page["job"] != "ok" and page["released"] == "yes",
            "dev",
            _(
                "machine and input are in order, the job is not ({job}), and new code went live in the last day"
            ),
        ),
        (
            lambda page: page["job"] != "ok",
            "data_engineer",
            _(
                "machine and input are in order, the job is not ({job}), and no new code went live: it is the owner of the run who knows"
            ),
        ),
        (
            lambda page: page["model_error"] != "normal",
            "scientist",
            _("everything below the model is in order, and its error is {model_error}"),
        ),
        (
            lambda page: page["definition"] != "agreed",
            "analyst",
            _("every figure was made as intended, and people read it differently (definition {definition})"),
        ),
        (
            lambda page: True,
            "nobody",
            _("everything is in order; only the day is unusual, and nobody can repair weather at night"),
        ),
    ]


def _first_rung(page: Mapping[str, str]) -> tuple[str, str]:
    return next((role, why.format(**page)) for decides, role, why in _handbook() if decides(page))


@judge("q4")
def who_is_paged(evidence: Any, world: World) -> Verdict:
    expected = _("For each page one of {roles}, as the handbook says.").format(roles=", ".join(oncall.ROLES))
    answers = {
        item.get("page"): item.get("role")
        for item in (evidence if isinstance(evidence, list) else [])
        if isinstance(item, dict) and isinstance(item.get("page"), str)
    }
    wrong = []
    for page in oncall.pages(world, PAGES, night=1):
        role, why = _first_rung(page)
        said = answers.get(page["id"])
        if not isinstance(said, str) or said not in oncall.ROLES:
            return Verdict.failed(
                expected=expected,
                found=_("For page {id} your function gave {said}, which is not one of the six.").format(
                    id=page["id"], said=_short(said)
                ),
                try_next=_(
                    "Return one of the six words for every page, also for the quiet ones: end with a return without an if."
                ),
            )
        if said != role:
            wrong.append((page, said, why))
    if not wrong:
        return Verdict.passed(
            _(
                "A hundred pages reached the one who can repair the cause, and quiet nights stayed quiet. A professional would keep such rules in the alert router, next to the alerts, and review after each month whom they woke for nothing."
            )
        )
    page, said, why = wrong[0]
    found = _(
        "{wrong} of {total} pages went to somebody else. First {id} ({summary}; {findings}): you paged {said}."
    ).format(
        wrong=len(wrong),
        total=PAGES,
        id=page["id"],
        summary=page["summary"],
        findings=", ".join(f"{key} {page[key]}" for key in oncall.FINDINGS),
        said=said,
    )
    try_next = _("Climb the ladder from the ground: {why}.").format(why=why)
    if len(wrong) <= PAGES // 5:
        return Verdict.partly(0.5, expected=expected, found=found, try_next=try_next)
    return Verdict.failed(expected=expected, found=found, try_next=try_next)


# ---------------------------------------------------------------------------------------------------------- q5


@judge("q5")
def same_bytes(evidence: Any, world: World) -> Verdict:
    day, other = publishing_days(world)
    name = f"on-time-{day}.csv"
    expected = _(
        "One file {name} in the outbox, with the same bytes whenever it is made from the same flights."
    ).format(name=name)

    def failed(found: str, try_next: str) -> Verdict:
        return Verdict.failed(expected=expected, found=found, try_next=try_next)

    runs = evidence.get("runs") if isinstance(evidence, dict) else None
    runs = runs if isinstance(runs, dict) else {}
    first = runs.get("first") or []
    names = [item.get("name") for item in first if isinstance(item, dict)]
    if name not in names:
        return failed(
            _("After the first run the outbox holds {names}.").format(
                names=", ".join(map(str, names)) or _("nothing")
            ),
            _("Write {name} into the folder that outbox names, not into the current one.").format(name=name),
        )
    if len(names) > 1:
        return failed(
            _("The outbox holds more than the report: {names}.").format(names=", ".join(map(str, names))),
            _("Leave nothing beside it: a reader would take a left-over for a report."),
        )
    text = first[0]["text"]
    if fault := _wrong_content(text, day):
        return failed(*fault)
    reasons = {
        "again": (
            _("A second run into the same outbox changed the file."),
            _(
                "Does the file hold a time of its making, or does the second run append? Write it anew, from the flights alone."
            ),
        ),
        "shuffled": (
            _("The same flights in another order gave another file."),
            _("Sort the report before it is written, and let no figure depend on the order of rows."),
        ),
        "twice": (
            _("The source sent the day twice, in two files, and the report changed."),
            _(
                "Read every file of the day, and count a flight once, however often it was sent: what names a flight?"
            ),
        ),
        "overlap": (
            _("The source sent the day in two overlapping parts, and the report changed."),
            _("Read every file of the day, not only the first, and count a flight once."),
        ),
        "doubled": (
            _("Half of the rows stood in the file twice, and the report changed."),
            _("Count a flight once, however often it was sent: what names a flight?"),
        ),
    }
    for run, (found, try_next) in reasons.items():
        files = [item for item in runs.get(run) or [] if isinstance(item, dict)]
        if [item.get("name") for item in files] != [name]:
            return failed(
                _("{found} The outbox then held: {names}.").format(
                    found=found, names=", ".join(str(item.get("name")) for item in files) or _("nothing")
                ),
                try_next,
            )
        if files[0].get("sha256") != first[0].get("sha256"):
            return failed(
                _("{found} {difference}").format(found=found, difference=_first_line(text, files[0])),
                try_next,
            )
    texts = [
        item.get("text")
        for item in evidence.get("other") or []
        if isinstance(item, dict) and item.get("name") == f"on-time-{other}.csv"
    ]
    if not texts:
        return failed(
            _("For {day} no report came out.").format(day=other),
            _(
                "Take the day from the argument day, for the files that you read and for the one that you write."
            ),
        )
    if fault := _wrong_content(str(texts[0]), other):
        return failed(f"{other}: {fault[0]}", fault[1])
    return Verdict.passed(
        _(
            "Six deliveries of one day, one and the same file: your report is idempotent, so it can be rerun without a thought. A professional would also write to a temporary name and rename it, so that a reader never meets half a file."
        )
    )


@lru_cache(maxsize=64)
def _full_report(day: date) -> pd.DataFrame:
    """All columns that a report by carrier may have in this module."""
    flights = flights_of(day)
    return _report(flights, "carrier").merge(departure_report(flights, "carrier"))


def _wrong_content(text: str, day: date) -> tuple[str, str] | None:
    """What is wrong with the report itself: every carrier and every flight of the day must be in it."""
    try:
        # index_col: else a head with a name too few would pass the first column off as row labels.
        report = pd.read_csv(io.StringIO(text), index_col=False)
    except ValueError:
        return _("The file can't be read as CSV."), _("Write it with to_csv(…, index=False).")
    if not {"carrier", "scheduled"} <= set(report.columns):
        return (
            _("The report has the columns {columns}.").format(columns=", ".join(map(str, report.columns))),
            _("Make the report by carrier; it needs at least the columns carrier and scheduled."),
        )
    told = report.groupby("carrier").scheduled.sum()
    full = _full_report(day)
    true = full.set_index("carrier").scheduled
    wrong = [carrier for carrier in true.index if told.get(carrier) != true[carrier]]
    if wrong:
        return (
            _("The first run's report does not account for all flights of {carrier}.").format(
                carrier=wrong[0]
            ),
            _(
                "Compare the rows of the raw file with the column scheduled, carrier by carrier. What names a flight, so that no two are taken for one?"
            ),
        )
    # More columns than asked for are welcome, and will be read: those with a known name must be right, too.
    right = table(full[full.columns.intersection(report.columns)])
    if difference := compare.tables(table(report), right, key=["carrier"], absolute=1e-3):
        return (
            _("The first run's report is not what the flights bear out. {sentence}").format(
                sentence=difference.sentence
            ),
            _(
                "A column that stands in the report is read: make it as in q1 or as departure_report does, or leave it out."
            ),
        )
    return None


def _first_line(text: str, other: Mapping[str, Any]) -> str:
    pairs = itertools.zip_longest(text.splitlines(), str(other.get("text", "")).splitlines())
    for number, (mine, theirs) in enumerate(pairs, 1):
        if mine != theirs:
            return _("Line {number} was “{mine}” and is “{theirs}”.").format(
                number=number, mine=_short(mine), theirs=_short(theirs)
            )
    return _("The difference is in the line ends or after the last line.")


# -------------------------------------------------------------------------------------------------------- quiz

_KEY = {"a": "2", "b": "3", "c": "1", "d": "2", "e": "3"}


@judge("quiz")
def quiz(evidence: Any, world: World) -> Verdict:
    about = {
        "a": _("what a rerun may change"),
        "b": _("where a day's lead time goes"),
        "c": _("when data downtime begins"),
        "d": _("who is paged"),
        "e": _("what the denominator holds"),
    }
    expected = _("A dict with a number from 1 to 3 for each of the questions a to e.")
    if not isinstance(evidence, dict) or any(evidence.get(key) is None for key in _KEY):
        return Verdict.failed(
            expected=expected,
            found=_("Not every question has an answer."),
            try_next=_("Replace each … by 1, 2 or 3."),
        )
    wrong = [key for key in _KEY if str(evidence[key]).strip() != _KEY[key]]
    if not wrong:
        return Verdict.passed(
            _(
                "All five agree with what you measured above. Come back in a week and answer them again: that is what keeps them."
            )
        )
    said = {
        "expected": expected,
        "found": _(
            "{wrong} of 5 answers do not agree with what the notebook showed; the first is {key}: {about}."
        ).format(wrong=len(wrong), key=wrong[0], about=about[wrong[0]]),
        "try_next": _("Go back to the cell that showed it, and look at its figures once more."),
    }
    return Verdict.failed(**said) if len(wrong) > 2 else Verdict.partly(1 - len(wrong) / 5, **said)


# ------------------------------------------------------------------------------------------------------- drill


@judge("drill")
def blast_radius(evidence: Any, world: World) -> Verdict:
    this = desk.month(world)
    true = {day: table(departure_report(flights_of(day))) for day in this.days}
    affected = [
        day
        for day in this.days[:-1]
        if compare.tables(table(_as_published(world, this, day)), true[day], key=["origin"], absolute=1e-3)
    ]
    expected = _("The first wrong report, all wrong reports, the cause mended, and the outbox right again.")
    done = 0

    def not_yet(found: str, try_next: str) -> Verdict:
        said = {"expected": expected, "found": found, "try_next": try_next}
        return Verdict.partly(done / 4, **said) if done else Verdict.failed(**said)

    if not isinstance(evidence, dict):
        return not_yet(
            _("There is no answer to look at."), _("Pass a dict with since, affected, repair and desk.")
        )
    since = str(evidence.get("since") or "")[:10]
    if since != str(affected[0]):
        return not_yet(*_why_since(since, this, affected))
    done += 1
    named = evidence.get("affected")
    named = {str(day) for day in named} if isinstance(named, list) else set()
    wanted = {str(day) for day in affected}
    if named != wanted:
        return not_yet(
            _(
                "Of the reports that you name, {extra} are right as published; {missing} wrong ones are not named."
            ).format(extra=len(named - wanted), missing=len(wanted - named)),
            _(
                "Compare, day by day, what was published with what the mended raw file gives. Did the fault last without a break?"
            ),
        )
    done += 1
    if fault := _wrong_repair(evidence.get("mended"), true, this):
        return not_yet(*fault)
    done += 1
    if fault := _wrong_outbox(evidence.get("published"), true, this, wanted):
        return not_yet(*fault)
    return Verdict.passed(
        _(
            "All thirty reports are right, the untouched ones among them, and today's will be: the unit is mended where it comes in. A professional would now tell every reader which days were wrong, agree the unit in a data contract, and add a check that compares dep_delay with the clock times."
        )
    )


def _as_published(world: World, this: desk.Month, day: Any) -> pd.DataFrame:
    sent = desk.delivered(world, this, day)
    sent["dep_delay"] = pd.to_numeric(sent.dep_delay)
    return departure_report(sent)


def _why_since(since: str, this: desk.Month, affected: list[Any]) -> tuple[str, str]:
    if since not in {str(day) for day in this.days[:-1]}:
        return (
            _("since is {since}, which is not a day of a published report.").format(
                since=since or _("empty")
            ),
            _('Give the day that the first wrong report is about, such as "2013-06-01".'),
        )
    if since == str(this.released):
        return (
            _(
                "On {since} the first report by the new code went out, and wrong reports are older than that."
            ).format(since=since),
            _(
                "A deployment near the first symptom is a suspect, not a culprit. Compare the day before it, raw file against report."
            ),
        )
    if since < str(affected[0]):
        return (
            _("The report of {since} is right: it agrees with the clock times in its raw file.").format(
                since=since
            ),
            _(
                "A low share after a storm is bad news, not bad data. Which column of a raw file contradicts another, and from which day on?"
            ),
        )
    return (
        _("There are wrong reports before {since}.").format(since=since),
        _(
            "Go back one day at a time: does dep_delay still agree with dep_time and sched_dep_time, for every carrier?"
        ),
    )


def _wrong_repair(mended: Any, true: Mapping[Any, Any], this: desk.Month) -> tuple[str, str] | None:
    mended = mended if isinstance(mended, dict) else {}
    if not mended:
        return (
            _("The cause is not mended: there is no repair that works on a raw file."),
            _("Write repair(raw) so that it returns the raw rows with the unit put right."),
        )
    for day in this.days:
        difference = compare.tables(mended.get(str(day)), true[day], key=["origin"], absolute=1e-3)
        if difference is None:
            continue
        place = _("Your repair of {day}'s raw file does not give the true report. {sentence}").format(
            day=day, sentence=difference.sentence
        )
        if day not in this:
            return place, _(
                "That day's file was right. Which rows may the repair touch, and how are they told apart?"
            )
        if day == this.days[-1]:
            return place, _(
                "Today's file came in with the same fault, and its report goes out at noon: mend the rule, not the days."
            )
        return place, _(
            "Are the mended delays whole minutes again, and is every row of that carrier mended? Check them against the clock times."
        )
    return None


def _wrong_outbox(
    published: Any, true: Mapping[Any, Any], this: desk.Month, affected: set[str]
) -> tuple[str, str] | None:
    published = published if isinstance(published, dict) else {}
    for day in this.days[:-1]:
        text = published.get(str(day))
        try:
            found = table(pd.read_csv(io.StringIO(text))) if isinstance(text, str) else None
        except ValueError:
            found = None
        difference = compare.tables(found, true[day], key=["origin"], absolute=1e-3)
        if difference is None:
            continue
        if str(day) in affected:
            return (
                _("The report of {day} in the outbox is still wrong. {sentence}").format(
                    day=day, sentence=difference.sentence
                ),
                _(
                    "Publish every affected day again, from its mended raw file: publish(departure_report(…), day, outbox)."
                ),
            )
        return (
            _("The report of {day} was right and is not any more. {sentence}").format(
                day=day, sentence=difference.sentence
            ),
            _("Publish only what was wrong. The raw file of that day is untouched: make its report anew."),
        )
    return None


# ------------------------------------------------------------------------------------------------------ common


def _wrong_keys(answer: Any, right: Mapping[str, Any]) -> str | None:
    if not isinstance(answer, dict):
        return _("Your function gave {kind}, not a dict.").format(
            kind=_short(answer) if answer is None else type(answer).__name__
        )
    if missing := [key for key in right if key not in answer]:
        return _("The dict lacks {missing}.").format(missing=", ".join(missing))
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _close(found: Any, right: Any) -> bool:
    """Equal; numbers within what rounding to two decimals changes."""
    if _is_number(found) and _is_number(right):
        return abs(found - right) <= max(0.0051, 1e-3 * abs(right))
    return bool(found == right)


def _short(value: Any) -> str:
    if value is None:
        return _("nothing")
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
