"""The lab of module 01: the line stops for bad input, the logs can be asked what is asked, the desk has its fault."""

import json
import subprocess
import sys
from datetime import date, timedelta

import pandas as pd
import pytest

from flightschool.curriculum import load_lab_file
from flightschool.data import World, raw_day
from flightschool.data import day as flights_of
from flightschool.learn import Lab, Page
from flightschool.paths import LABS

LAB = LABS / "01_dataops_intro"
BLIZZARD = date(2013, 2, 8)
SEEDS = (0, 1, 42, 20130208, 99991)

charts = load_lab_file(LAB, "ontime_charts")
delivery_logs = load_lab_file(LAB, "delivery_logs")
departures = load_lab_file(LAB, "departures")
desk = load_lab_file(LAB, "desk")
drill = load_lab_file(LAB, "drill")
line = load_lab_file(LAB, "ontime_line")
oncall = load_lab_file(LAB, "oncall")
stopwatch = load_lab_file(LAB, "stopwatch")


# --- the line


def test_the_line_accounts_for_every_flight(tmp_path):
    raw_day(BLIZZARD, tmp_path)
    run = line.run(BLIZZARD, tmp_path, departures.departure_report)
    assert run.table.scheduled.sum() == len(flights_of(BLIZZARD)) == 930
    assert list(run.seconds) == ["ingest", "check", "transform", "reconcile"]
    assert all(seconds >= 0 for seconds in run.seconds.values())


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda flights: flights.rename(columns={"arr_delay": "delay"}), "no column arr_delay"),
        (lambda flights: flights.iloc[:0], "no rows"),
        (lambda flights: flights.assign(day=9), "930 rows belong to another day"),
        (lambda flights: pd.concat([flights, flights.head(5)]), "5 flights stand in the file twice"),
    ],
)
def test_the_line_stops_for_a_damaged_file(tmp_path, damage, word):
    path = raw_day(BLIZZARD, tmp_path)
    damage(pd.read_csv(path)).to_csv(path, index=False)
    with pytest.raises(line.LineStopped, match=word):
        line.run(BLIZZARD, tmp_path, departures.departure_report)


def test_the_line_stops_when_nothing_arrived(tmp_path):
    with pytest.raises(line.LineStopped, match="did not arrive"):
        line.run(BLIZZARD, tmp_path, departures.departure_report)


def test_a_report_that_drops_flights_is_not_released(tmp_path):
    days = [BLIZZARD, BLIZZARD + timedelta(days=1)]
    for day in days:
        raw_day(day, tmp_path)
    assert "2 past days" in line.release(departures.departure_report, days, tmp_path)
    with pytest.raises(line.LineStopped, match="of 930 flights"):
        line.release(lambda flights, by: departures.departure_report(flights.dropna(), by), days, tmp_path)
    with pytest.raises(line.LineStopped, match="no column scheduled"):
        line.release(lambda flights, by: flights[[by]], days, tmp_path)


def test_from_a_terminal(tmp_path):
    command = [sys.executable, str(LAB / "ontime_line.py")]
    good = subprocess.run([*command, "2013-02-08"], capture_output=True, text=True, cwd=tmp_path)
    assert good.returncode == 0
    assert "EWR" in good.stdout
    for arguments, word in (
        (["2013-02-30"], "not a date"),
        (["2013-02-08", "--inbox", str(tmp_path)], "did not arrive"),
    ):
        bad = subprocess.run([*command, *arguments], capture_output=True, text=True, cwd=tmp_path)
        assert bad.returncode == 2
        assert word in bad.stderr
        assert "Traceback" not in bad.stderr


# --- the departure report


def test_cancelled_flights_stay_in_the_denominator():
    flights = pd.DataFrame(
        {
            "origin": ["EWR"] * 4,
            "dep_time": [600.0, 700.0, 800.0, None],
            "dep_delay": [-3.0, 14.0, 15.0, None],
        }
    )
    (row,) = departures.departure_report(flights).to_dict("records")
    assert row == {
        "origin": "EWR",
        "scheduled": 4,
        "cancelled": 1,
        "left_on_time": 2,
        "left_on_time_share": 0.5,
    }


def test_publishing_again_gives_the_same_bytes(tmp_path):
    report = departures.departure_report(flights_of(BLIZZARD))
    first = departures.publish(report, BLIZZARD, tmp_path).read_bytes()
    assert departures.publish(report, BLIZZARD, tmp_path).read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == ["departures-2013-02-08.csv"]


# --- the stopwatch


def test_no_time_without_a_person(monkeypatch):
    now = iter([100.0, 100.4, 200.0, 290.0, 300.0, 390.0])
    monkeypatch.setattr(stopwatch.time, "monotonic", lambda: next(now))
    machine = stopwatch.Stopwatch()
    assert machine.stop() is None
    person = stopwatch.Stopwatch()
    assert person.stop() == 90
    assert "1.5 minutes" in str(person)
    idle = stopwatch.Stopwatch()
    assert idle.stop(done=False) is None
    assert "nobody" in str(idle)


# --- the logs


@pytest.mark.parametrize("seed", SEEDS)
def test_logs_are_the_same_for_the_same_seed(seed):
    first, second = World(seed), World(seed)
    assert delivery_logs.value_stream(first, 1).equals(delivery_logs.value_stream(second, 1))
    assert delivery_logs.delivery(first).incidents.equals(delivery_logs.delivery(second).incidents)
    assert oncall.pages(first, 9) == oncall.pages(second, 9)
    assert not delivery_logs.value_stream(first, 0).equals(delivery_logs.value_stream(first, 1))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("log", [0, 1, 2])
def test_the_event_log_has_one_clear_bottleneck(seed, log):
    events = delivery_logs.value_stream(World(seed), log)
    held = (events.finished_at - events.queued_at).groupby(events.step).sum().sort_values()
    assert held.iloc[-1] > 1.2 * held.iloc[-2]
    assert (events.queued_at < events.started_at).all()
    assert (events.started_at < events.finished_at).all()
    assert events.groupby(["report", "step"]).accepted.last().all()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_delivery_logs_hold_what_makes_counting_hard(seed):
    logs = delivery_logs.delivery(World(seed))
    changes, incidents = logs.deployments, logs.incidents
    assert (changes.committed_at < changes.deployed_at).all()
    assert (incidents.began_at <= incidents.detected_at).all()
    assert (incidents.detected_at <= incidents.restored_at).all()
    live = set(changes.deployment[changes.environment == "production"])
    assert set(incidents.caused_by.dropna()) <= live
    assert incidents.caused_by.dropna().duplicated().any(), "one deployment has two incidents"
    assert incidents.caused_by.isna().any(), "some trouble comes on its own"
    assert changes.deployment.duplicated().any(), "a deployment carries several changes"
    data = incidents[incidents.kind == "data"].sort_values("began_at")
    assert (data.began_at.shift(-1) < data.restored_at).any(), "data incidents overlap"


@pytest.mark.parametrize("seed", SEEDS)
def test_every_role_is_paged_some_time(seed):
    judges = load_lab_file(LAB, "judges")
    pages = oncall.pages(World(seed), load_lab_file(LAB, "exercises").PAGES, night=1)
    assert {judges._first_rung(page)[0] for page in pages} == set(oncall.ROLES)


# --- the desk and the drill


@pytest.mark.parametrize("seed", SEEDS)
def test_the_desk_has_a_fault_that_can_be_undone(seed, tmp_path):
    world = World(seed)
    this = desk.lay_out(world, tmp_path)
    assert len(this.days) == 31
    assert this.days[0].year == this.days[-1].year == 2013
    assert 9 <= this.days.index(this.fault[0]) <= 13
    assert this.days[-1] in this
    assert this.released > this.fault[0], "the innocent release comes after the fault"
    first, last = this.fault[0], this.fault[-1]
    assert (last - first).days + 1 == len(this.fault) + 2, "two days in between were spared"
    for day in this.days[:-1]:
        raw = pd.read_csv(tmp_path / "inbox" / f"flights-{day}.csv")
        theirs = (raw.carrier == this.carrier) & (raw.feed_version == this.version + 1)
        assert theirs.any() == (day in this)
        published = pd.read_csv(tmp_path / "outbox" / f"departures-{day}.csv")
        true = departures.departure_report(flights_of(day))
        assert published.equals(true) == (day not in this)
        raw.loc[theirs, "dep_delay"] = (raw.dep_delay[theirs] * 60).round()
        assert (raw.dep_delay.fillna(-999) == flights_of(day).dep_delay.fillna(-999)).all(), (
            "hours keep the minutes"
        )


def test_the_logs_of_the_desk_can_be_read(tmp_path):
    this = desk.lay_out(World(0), tmp_path)
    runs = [json.loads(text) for text in (tmp_path / "logs" / "runs.jsonl").read_text().splitlines()]
    assert [run["step"] for run in runs].count("ingest") == 31
    assert [run["step"] for run in runs].count("publish") == 30
    versions = [run["feeds"][this.carrier] for run in runs if run["step"] == "ingest"]
    assert set(versions) == {this.version, this.version + 1}


@pytest.fixture
def lab(tmp_path, monkeypatch):
    one = Lab.__new__(Lab)
    one.__dict__.update(seed=3, world=World(3), workdir=tmp_path, path=LAB)
    return one


def test_the_page_tells_the_symptom_and_not_the_cause(lab):
    page = drill.plant(lab)
    this = desk.month(lab.world)
    assert isinstance(page, Page)
    said = " ".join([page.title, page.symptom, *page.look, page.runbook])
    assert this.carrier not in said
    assert str(this.fault[0]) not in said
    assert "feed" not in said


def test_abandoning_puts_the_clean_state_back(lab):
    drill.plant(lab)
    drill.restore(lab)
    for day in desk.month(lab.world).days[:-1]:
        published = pd.read_csv(lab.workdir / "desk" / "outbox" / f"departures-{day}.csv")
        assert published.equals(departures.departure_report(flights_of(day)))


# --- judges and evidence that a learner could have bent


@pytest.mark.parametrize("name", ["q1", "q2", "q3", "q4", "q5", "quiz", "drill"])
@pytest.mark.parametrize(
    "evidence",
    [
        None,
        "text",
        7,
        [],
        [None],
        [[1]],
        {},
        {"runs": 3},
        {"runs": {"first": [{}]}},
        {"since": 3, "affected": 4},
    ],
)
def test_bent_evidence_gets_a_verdict(name, evidence):
    judges = load_lab_file(LAB, "judges")
    by_id = {item.exercise: item for item in vars(judges).values() if hasattr(item, "exercise")}
    verdict = by_id[name](evidence, World(1))
    assert str(verdict.outcome) in ("failed", "partly")
    assert verdict.found
    assert verdict.expected
    assert verdict.try_next


# --- the charts


def test_every_chart_says_its_message_in_words(monkeypatch):
    import matplotlib as mpl

    mpl.use("agg")
    monkeypatch.setattr(charts.plt, "show", lambda: charts.plt.close("all"))
    world = World(2)
    events = delivery_logs.value_stream(world)
    logs = delivery_logs.delivery(world)
    days = [BLIZZARD + timedelta(days=i) for i in range(3)]
    reports = {day: departures.departure_report(flights_of(day)) for day in days}
    other = reports | {BLIZZARD: reports[BLIZZARD].assign(left_on_time_share=0.0)}
    assert "2013-02-09" in charts.share_by_day(dict(zip(days, (0.5, 0.1, 0.9), strict=True)), "on time")
    assert "hours from data to readers" in charts.report_timeline(events, events.report.iloc[0])
    assert "production deployments" in charts.delivery_timeline(logs.deployments, logs.incidents)
    assert "over all airports" in charts.shares_by_airport(reports)
    assert "1 of 3 reports changed" in charts.shares_by_airport(reports, other)
    assert "no report has changed" in charts.shares_by_airport(reports, reports)
