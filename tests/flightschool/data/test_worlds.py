"""Worlds and faults: same seed same bytes, clean worlds clean, a fault absent before planting and present after."""

import hashlib
import os
import subprocess
import sys
from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightschool import data
from flightschool.data import World, faults, raw
from flightschool.errors import FlightSchoolError

DAY = date(2013, 5, 1)
SEEDS = st.integers(-(2**70), 2**70)
AnyFault = faults.TableFault | faults.FileFault
ELSEWHERE: list[AnyFault] = [
    faults.DuplicateKeys(table="weather"),
    faults.DuplicateKeys(table="passengers"),
    faults.NullBurst("temp", table="weather"),
    faults.NullBurst("consent_marketing", table="passengers"),
    faults.OutOfRange("humid", table="weather"),
    faults.OutOfRange("precip", table="weather"),
    faults.RetypedColumn("temp", table="weather"),
    faults.TimeZoneShift(table="weather"),
    faults.OrphanKeys("carrier"),
    faults.OrphanKeys("tailnum"),
    faults.OrphanKeys("home_airport", table="passengers"),
    faults.LeakedPersonalData("phone"),
    faults.LeakedPersonalData("name"),
    faults.LeakedPersonalData("name", table="passengers"),
    faults.CovariateDrift("LGA"),
    faults.Encoding("cp1252", table="passengers"),
    faults.Encoding("mojibake", table="passengers"),
    faults.TruncatedFile(table="passengers"),
    faults.LatePartition(table="weather"),
]
"""Faults beyond the defaults: other columns, other tables."""
ALL = [*faults.every(), *ELSEWHERE]
TABLE_FAULTS = [f for f in ALL if isinstance(f, faults.TableFault)]
FAULTS = st.sampled_from(ALL)
RATES = st.floats(0.001, 1)
FEW = settings(max_examples=12, deadline=None)


def present(fault: AnyFault, world: World, d: date, days: list[date]) -> bool:
    """Whether a fault is in what arrives for one day."""
    if isinstance(fault, faults.TableFault):
        return fault.present(world.batch(d, days, fault.table))
    return fault.present(tuple(file for file in world.files(days, fault.table) if file.day == d))


def as_they_arise(several: list[AnyFault]) -> list[AnyFault]:
    """Drift, then values, then columns, then files; what contradicts one before it is left out."""
    schema = (faults.RenamedColumn, faults.AddedColumn, faults.RetypedColumn)
    kept: list[AnyFault] = []
    for fault in sorted(
        several,
        key=lambda f: (
            isinstance(f, faults.FileFault),
            isinstance(f, schema),
            not isinstance(f, faults.Drift),
        ),
    ):
        if not any(faults.contradict(other, fault) for other in kept):
            kept.append(fault)
    return kept


def whole_year(table: str) -> pd.DataFrame:
    return World(0).passengers(73_000) if table == "passengers" else data.frame(table)


def test_the_choice_of_seed_0_does_not_move() -> None:
    world = World(0)
    assert world.days(3) == [date(2013, 2, 16), date(2013, 6, 4), date(2013, 10, 19)]
    assert world.carriers(4) == ["B6", "DL", "UA", "VX"]
    assert world.airports == ["JFK", "EWR", "LGA"]
    assert world.rng("x").random() == World(0).rng("x").random()
    assert world.rng("x").random() != world.rng("y").random()
    assert world.rng("x").random() != World(1).rng("x").random()


@given(SEEDS, st.integers(0, 364))
def test_days_are_distinct_ordered_and_nested(seed: int, n: int) -> None:
    days = World(seed).days(n)
    assert len(set(days)) == n
    assert days == sorted(days)
    assert set(days) <= set(World(seed).days(n + 1)) <= set(data.DAYS)


def test_seeds_choose_all_days_alike() -> None:
    counts = dict.fromkeys(data.DAYS, 0)
    for seed in range(1000):
        for d in World(seed).days(7):
            counts[d] += 1
    # 7,000 choices of 365 days: 19.2 expected, the standard deviation is 4.3.
    assert min(counts.values()) >= 4
    assert max(counts.values()) <= 40
    assert {World(seed).airports[0] for seed in range(20)} == {"EWR", "JFK", "LGA"}
    assert all(World(seed).carriers(3) for seed in range(3))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: World("7"), "not a whole number"),
        (lambda: World(True), "not a whole number"),
        (lambda: World(0).days(366), "there are 365"),
        (lambda: World(0).carriers(17), "there are 12"),
        (lambda: World(0).plant(faults.EmptyFile(), rate=0), "above 0"),
        (lambda: World(0).plant(faults.EmptyFile(), rate=1.1), "above 0"),
        (lambda: World(0).plant(faults.EmptyFile(), days=0), "at least 1"),
        (lambda: World(0).plant(faults.EmptyFile(), days=[date(2014, 1, 1)]), "2013-01-01 to"),
        (lambda: World(0).write_raw(Path(), until=datetime(2013, 5, 1)), "has no zone"),
        (lambda: faults.NullBurst("arr_time"), "can't be told"),
        (lambda: faults.NullBurst("pressure", table="weather"), "can't be told"),
        (lambda: faults.NullBurst("altitude"), "has no column altitude"),
        (lambda: faults.EmptyFile(table="bookings"), "choose one of flights, weather, passengers"),
        (lambda: faults.OutOfRange("dep_delay"), "no bounds"),
        (lambda: faults.RetypedColumn("carrier"), "is not a number"),
        (lambda: faults.OrphanKeys("distance"), "refers to no other table"),
        (lambda: faults.LeakedPersonalData("blood group"), "choose one of email, phone, name"),
        (lambda: faults.Encoding("utf-7"), "choose one of utf-8-sig"),
        (lambda: World(0).plant(faults.Encoding("cp1252")).files(data.DAYS[:1]), "plain ASCII"),
        (lambda: World(0).plant(faults.LabelDrift(), 0.1), "give at least 0.3"),
        (lambda: faults.LabelDrift().present(data.day(DAY), data.day(DAY)), "at least 7"),
        (lambda: World(0).plant(faults.FahrenheitToCelsius(), days=[data.DAYS[-1]]), "no weather on"),
        (lambda: World(0).batch(DAY, [DAY], "planes"), "choose one of flights"),
        (lambda: faults.TimeZoneShift().plant(data.day(DAY)[:0], World(0).rng("x"), 1), "no row to hit"),
        (
            lambda: faults.AddedColumn("dest").plant(data.day(DAY), World(0).rng("x"), 1),
            "is there already",
        ),
        (
            lambda: (
                World(0)
                .plant(faults.RenamedColumn())
                .plant(faults.NullBurst())
                .plant(faults.EmptyFile())
                .files([data.DAYS[0]])
            ),
            "null burst needs the column tailnum",
        ),
    ],
)
def test_bad_input_is_one_sentence(call, says: str) -> None:
    with pytest.raises(FlightSchoolError, match=says):
        call()


def test_a_world_is_frozen_and_planting_makes_another() -> None:
    world = World(0)
    with pytest.raises(FrozenInstanceError):
        world.seed = 1  # type: ignore[misc]
    planted = world.plant(faults.EmptyFile())
    assert not world.faults
    assert planted.seed == world.seed
    assert planted != world
    assert planted.flights(data.DAYS[0]).equals(world.flights(data.DAYS[0]))


@FEW
@given(SEEDS)
def test_a_clean_world_is_clean(seed: int) -> None:
    world = World(seed)
    days = world.days(1)
    assert world.hit(days) == {}
    for file in world.files(days):
        assert file.content == raw.render(data.day(file.day))
    assert not [f for f in ALL for d in days if present(f, world, d, days)]


@pytest.mark.parametrize("table", faults.TABLES)
def test_no_fault_is_seen_in_any_clean_day(table: str) -> None:
    """All 365 days at once: a fault of a row or a column in any of them is one in the year."""
    year = whole_year(table)
    about = [f for f in TABLE_FAULTS if f.table == table]
    assert not [f for f in about if not isinstance(f, faults.Drift) and f.present(year)]
    for fault in about:
        if isinstance(fault, faults.Drift):
            assert not [day for day, flights in year.groupby(["month", "day"]) if fault.present(flights)]


@pytest.mark.slow
@pytest.mark.parametrize("fault", [f for f in TABLE_FAULTS if isinstance(f, faults.Drift)], ids=repr)
def test_drift_is_told_on_every_day_from_the_least_rate_on(fault: faults.Drift) -> None:
    rng = World(0).rng("x")
    for day, flights in data.frame("flights").groupby(["month", "day"]):
        assert fault.present(fault.plant(flights.reset_index(drop=True), rng, fault.least)), day


def test_drift_is_told_against_a_reference_that_is_passed() -> None:
    summer, winter = data.frame("flights", 7), data.frame("flights", 1)
    fault = faults.LabelDrift()
    assert not fault.present(data.day(DAY), summer)
    quiet = summer[summer["arr_delay"] < 15]
    stormy = data.day(date(2013, 3, 8))
    assert not fault.present(stormy)
    assert fault.present(stormy, quiet)
    assert not fault.present(pd.concat([winter, summer]))


@settings(max_examples=40, deadline=None)
@given(SEEDS, FAULTS, RATES)
def test_a_fault_is_present_where_it_was_planted_and_nowhere_else(
    seed: int, fault: AnyFault, rate: float
) -> None:
    clean = World(seed)
    days = [d for d in clean.days(4) if d != data.DAYS[-1]][:3]
    world = clean.plant(fault, max(rate, fault.least))
    (hit,) = world.hit(days)
    assert world.hit(days) == {hit: [fault.name]}
    assert not present(fault, clean, hit, days)
    assert [d for d in days if present(fault, world, d, days)] == [hit]


@FEW
@given(SEEDS, st.lists(FAULTS, max_size=6, unique=True), RATES)
def test_faults_compose_and_the_same_seed_gives_the_same_bytes(
    seed: int, several: list[AnyFault], rate: float
) -> None:
    days = [d for d in World(seed).days(3) if d != data.DAYS[-1]][:2]
    planted = as_they_arise(several)

    def world() -> World:
        result = World(seed)
        for fault in planted:
            result = result.plant(fault, max(rate, fault.least), 2)
        return result

    for table in faults.TABLES:
        first = world().files(days, table)
        assert first == world().files(days, table)
    assert [f for f in planted for d in days if not present(f, world(), d, days)] == []


@pytest.mark.slow
@pytest.mark.parametrize("table", faults.TABLES)
@pytest.mark.parametrize("rate", [0.001, 0.5])
def test_each_pair_of_table_faults_that_does_not_contradict_is_seen_in_either_order(
    table: str, rate: float
) -> None:
    clean = World(0).batch(DAY, [DAY], table)
    about = [f for f in TABLE_FAULTS if f.table == table]
    lost = []
    for first, then in permutations(about, 2):
        if not faults.contradict(first, then):
            batch = clean
            for n, fault in enumerate((first, then)):
                batch = fault.plant(batch, World(0).rng(f"{n}"), max(rate, fault.least))
            lost += [(first, then)] if not (first.present(batch) and then.present(batch)) else []
    assert lost == []


@pytest.mark.parametrize("table", ["flights", "passengers"])
def test_each_pair_of_file_faults_that_does_not_contradict_is_seen_in_either_order(table: str) -> None:
    clean = World(0).files([DAY], table)
    about = [
        faults.LatePartition(table=table),
        faults.DuplicateFile(table=table),
        faults.TruncatedFile(table=table),
        faults.EmptyFile(table=table),
        faults.Encoding("utf-8-sig" if table == "flights" else "mojibake", table=table),
    ]
    for first, then in permutations(about, 2):
        files = clean
        for fault in (first, then):
            if not (isinstance(fault, faults.Encoding) and not files[0].content):
                files = fault.plant(files, World(0).rng("x"), 0.05)
        both = first.present(files) and then.present(files)
        assert both or faults.contradict(first, then), (first, then)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (faults.NullBurst(), faults.RenamedColumn()),
        (faults.OrphanKeys("tailnum"), faults.NullBurst()),
        (faults.OutOfRange("distance"), faults.MinutesToHours()),
        (faults.DuplicateKeys(), faults.CovariateDrift()),
        (faults.DuplicateKeys(), faults.OrphanKeys("carrier")),
        (faults.FahrenheitToCelsius(), faults.RetypedColumn("temp", table="weather")),
        (faults.DuplicateFile(), faults.EmptyFile()),
        (faults.Encoding(), faults.Encoding()),
        (faults.TruncatedFile(table="passengers"), faults.Encoding("mojibake", table="passengers")),
    ],
)
def test_what_contradicts(first: AnyFault, then: AnyFault) -> None:
    assert faults.contradict(first, then)


def test_what_does_not_contradict() -> None:
    assert not faults.contradict(faults.CovariateDrift(), faults.DuplicateKeys())
    assert not faults.contradict(faults.EmptyFile(), faults.LatePartition())
    assert not faults.contradict(faults.TruncatedFile(), faults.Encoding())
    assert not faults.contradict(faults.RetypedColumn("temp", table="weather"), faults.RetypedColumn())
    # An empty file and a renamed tailnum apart, the default faults all stand side by side.
    assert len(as_they_arise(faults.every())) == len(faults.every()) - 2


def test_planting_leaves_the_batch_it_was_given_alone() -> None:
    for fault in TABLE_FAULTS:
        before = World(0).batch(DAY, [DAY], fault.table)
        fault.plant(before, World(0).rng("x"), 0.5)
        assert before.equals(World(0).batch(DAY, [DAY], fault.table)), fault


PRINT_DIGEST = """
import hashlib, sys
from flightschool.data import World, faults
world = World(int(sys.argv[1]))
days = world.days(2)
for fault in sorted(faults.every(), key=lambda f: isinstance(f, faults.RenamedColumn)):
    if not isinstance(fault, faults.EmptyFile):
        world = world.plant(fault, max(0.1, fault.least), 2)
digest = hashlib.sha256()
for table in faults.TABLES:
    for file in world.files(days, table):
        digest.update(file.name.encode() + file.content)
print(digest.hexdigest())
"""


@pytest.mark.slow
@settings(max_examples=2, deadline=None)
@given(SEEDS)
def test_the_same_seed_gives_the_same_bytes_in_another_process(seed: int) -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", PRINT_DIGEST, str(seed)],
            env=os.environ | {"PYTHONHASHSEED": salt},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for salt in ("0", "4294967295")
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    "column", ["tailnum", "arr_delay", "air_time", "dep_time", "dest", "distance", "time_hour"]
)
def test_a_null_burst_hits_the_column_at_its_rate(column: str) -> None:
    clean = data.day(date(2013, 2, 8))
    fault = faults.NullBurst(column)
    planted = fault.plant(clean, World(0).rng("x"), 0.5)
    lost = planted[column].isna().sum() - clean[column].isna().sum()
    assert lost == pytest.approx(fault._expected(clean).sum() / 2, abs=1)
    assert not fault.present(clean)
    assert fault.present(planted)
    assert raw.parse(raw.render(planted))[column].isna().sum() == planted[column].isna().sum()


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(TABLE_FAULTS), RATES)
def test_rates_are_honoured_to_the_row(fault: faults.TableFault, rate: float) -> None:
    clean = World(0).batch(DAY, [DAY], fault.table)
    planted = fault.plant(clean, World(0).rng("x"), rate)
    if isinstance(fault, faults.DuplicateKeys | faults.CovariateDrift):
        eligible = (
            (clean["origin"] == fault.origin).sum()
            if isinstance(fault, faults.CovariateDrift)
            else len(clean)
        )
        changed = abs(len(planted) - len(clean))
    elif isinstance(fault, faults.RenamedColumn | faults.AddedColumn | faults.RetypedColumn):
        return
    elif isinstance(fault, faults.LeakedPersonalData):
        eligible, changed = len(clean), planted[fault.column].notna().sum()
    else:
        told = clean[sorted(fault.writes | (fault.reads & set(clean)))]
        eligible = told.notna().all(axis=1).sum()
        (column, *_rest) = sorted(fault.writes)
        was, became = clean[column].astype("object"), planted[column].astype("object")
        changed = ((was != became) & ~(was.isna() & became.isna())).sum()
    assert changed == max(round(eligible * rate), 1)


def test_rates_mean_what_the_classes_say() -> None:
    clean, rng = data.day(date(2013, 5, 1)), World(0).rng("x")
    assert len(faults.DuplicateKeys().plant(clean, rng, 0.1)) == len(clean) + round(len(clean) / 10)
    changed = faults.MinutesToHours().plant(clean, rng, 0.1)["air_time"]
    assert (changed.dropna() != clean["air_time"].dropna()).sum() == round(clean["air_time"].count() / 10)
    (file,) = World(0).plant(faults.TruncatedFile(), 0.25).files([date(2013, 5, 1)])
    assert len(file.content) == pytest.approx(0.75 * len(raw.render(clean)), abs=2)


def test_present_survives_the_way_through_a_file() -> None:
    for fault in TABLE_FAULTS:
        world = World(4).plant(fault)
        (file,) = world.files([DAY], fault.table)
        assert file.name == f"{fault.table}-2013-05-01.csv"
        assert fault.present(raw.parse(file.content, World(4).batch(DAY, [DAY], fault.table))), fault


@pytest.mark.parametrize("table", faults.TABLES)
def test_a_clean_batch_survives_the_way_through_a_file(table: str) -> None:
    (file,) = World(4).files([DAY], table)
    batch = World(4).batch(DAY, [DAY], table)
    pd.testing.assert_frame_equal(raw.parse(file.content, batch), batch)


def test_passengers_arrive_day_by_day_and_weather_has_no_last_day() -> None:
    world = World(0)
    two = pd.concat([world.batch(d, [d], "passengers") for d in data.DAYS[:2]], ignore_index=True)
    pd.testing.assert_frame_equal(two, world.passengers(len(two)))
    assert len(world.weather(DAY)) == 72
    assert world.batch(DAY, [DAY], "weather").equals(world.weather(DAY))
    stormy = world.plant(faults.FahrenheitToCelsius(), days=2)
    assert list(stormy.hit(data.DAYS[-2:])) == [data.DAYS[-2]]
    assert stormy.batch(DAY, [DAY]).equals(data.day(DAY))
    assert len(stormy.batch(data.DAYS[-1], data.DAYS[-2:], "weather")) == 0


def test_planting_takes_the_usual_rate_of_the_fault() -> None:
    rates = [p.rate for p in World(0).plant(faults.NullBurst()).plant(faults.CovariateDrift()).faults]
    assert rates == [0.05, 0.8]


def test_write_raw_writes_what_arrives_when_it_has_arrived(tmp_path: Path) -> None:
    days = [date(2013, 3, n) for n in (1, 2, 3)]
    world = (
        World(0).plant(faults.LatePartition(2), days=[days[0]]).plant(faults.DuplicateFile(), days=[days[1]])
    )
    soon = world.write_raw(tmp_path, days, until=datetime(2013, 3, 4, 12, tzinfo=UTC))
    assert [p.name for p in soon] == [
        "flights-2013-03-01.csv",
        "flights-2013-03-02.csv",
        "flights-2013-03-02-1.csv",
        "flights-2013-03-03.csv",
    ]
    on_the_day = world.write_raw(tmp_path / "early", days, until=datetime(2013, 3, 3, 23, tzinfo=UTC))
    assert [p.name for p in on_the_day] == ["flights-2013-03-02.csv", "flights-2013-03-02-1.csv"]
    late = tmp_path / "flights-2013-03-01.csv"
    assert datetime.fromtimestamp(late.stat().st_mtime, UTC) == faults.due(days[0]) + timedelta(days=2)
    assert late.read_bytes() == data.raw_day(days[0], tmp_path / "raw").read_bytes()


FIRST = [
    faults.DuplicateFile(),
    faults.DuplicateKeys(),
    faults.EmptyFile(),
    faults.LatePartition(),
    faults.NullBurst(),
    faults.TruncatedFile(),
    faults.MinutesToHours(),
    faults.RenamedColumn(),
]
LATER = [
    faults.CovariateDrift(),
    faults.LabelDrift(),
    faults.LeakedPersonalData(),
    faults.OrphanKeys(),
    faults.OutOfRange(),
    faults.TimeZoneShift(),
    faults.AddedColumn(),
    faults.RetypedColumn(),
    faults.Encoding(),
]


@pytest.mark.parametrize(
    ("several", "digest"),
    [
        (FIRST, "5ef15bc7c6d4433b4feba1a06d7232152a41211c58c01ca567a23fa4762e20bc"),
        (LATER, "83a2557a40f0698991801b427e1b6f9a8f1393cb8654a1415f672759aef62799"),
    ],
)
def test_the_bytes_of_a_faulted_week_do_not_move(
    several: list[AnyFault], digest: str, tmp_path: Path
) -> None:
    world = World(0)
    for fault in several:
        world = world.plant(fault, max(0.1, fault.least), 2)
    found = hashlib.sha256()
    for path in world.write_raw(tmp_path):
        found.update(path.name.encode() + path.read_bytes())
    assert found.hexdigest() == digest
