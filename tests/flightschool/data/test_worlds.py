"""Worlds and faults: same seed same bytes, clean worlds clean, a fault absent before planting and present after."""

import hashlib
from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightschool import data
from flightschool.data import World, faults, raw
from flightschool.errors import FlightSchoolError

SEEDS = st.integers(-(2**70), 2**70)
FAULTS = st.sampled_from(faults.every())
RATES = st.floats(0.001, 1)
FEW = settings(max_examples=12, deadline=None)


def present(fault: faults.TableFault | faults.FileFault, world: World, d: date, days: list[date]) -> bool:
    """Whether a fault is in what arrives for one day."""
    if isinstance(fault, faults.TableFault):
        return fault.present(world.batch(d, days))
    return fault.present(tuple(file for file in world.files(days) if file.day == d))


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
    assert not [f.name for f in faults.every() for d in days if present(f, world, d, days)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault", [f for f in faults.every() if isinstance(f, faults.TableFault)], ids=lambda f: f.name
)
def test_no_fault_is_seen_in_any_day_of_the_real_data(fault: faults.TableFault) -> None:
    assert not [d for d in data.DAYS if fault.present(data.day(d))]


@FEW
@given(SEEDS, FAULTS, RATES)
def test_a_fault_is_present_where_it_was_planted_and_nowhere_else(
    seed: int, fault: faults.TableFault | faults.FileFault, rate: float
) -> None:
    clean = World(seed)
    days = clean.days(3)
    world = clean.plant(fault, rate)
    (hit,) = world.hit(days)
    assert world.hit(days) == {hit: [fault.name]}
    assert not present(fault, clean, hit, days)
    assert [d for d in days if present(fault, world, d, days)] == [hit]


@FEW
@given(SEEDS, st.lists(FAULTS, max_size=4, unique=True), RATES)
def test_faults_compose_and_the_same_seed_gives_the_same_bytes(
    seed: int, several: list[faults.TableFault | faults.FileFault], rate: float
) -> None:
    def world() -> World:
        result = World(seed)
        # A renamed column comes last: the others need it under its name.
        for fault in sorted(several, key=lambda f: f.name == "renamed column"):
            result = result.plant(fault, rate, 2)
        return result

    days = World(seed).days(2)
    first = world().files(days)
    assert first == world().files(days)


def test_planting_leaves_the_batch_it_was_given_alone() -> None:
    for fault in faults.every():
        if isinstance(fault, faults.TableFault):
            before = data.day(data.DAYS[40])
            fault.plant(before, World(0).rng("x"), 0.5)
            assert before.equals(data.day(data.DAYS[40])), fault.name


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


def test_rates_mean_what_the_classes_say() -> None:
    clean, rng = data.day(date(2013, 5, 1)), World(0).rng("x")
    assert len(faults.DuplicateKeys().plant(clean, rng, 0.1)) == len(clean) + round(len(clean) / 10)
    changed = faults.MinutesToHours().plant(clean, rng, 0.1)["air_time"]
    assert (changed.dropna() != clean["air_time"].dropna()).sum() == round(clean["air_time"].count() / 10)
    (file,) = World(0).plant(faults.TruncatedFile(), 0.25).files([date(2013, 5, 1)])
    assert len(file.content) == pytest.approx(0.75 * len(raw.render(clean)), abs=2)


def test_present_survives_the_way_through_a_file() -> None:
    for fault in faults.every():
        if isinstance(fault, faults.TableFault):
            (file,) = World(4).plant(fault, 0.1).files([date(2013, 5, 1)])
            assert fault.present(raw.parse(file.content)), fault.name


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


def test_the_bytes_of_a_faulted_week_do_not_move(tmp_path: Path) -> None:
    world = World(0)
    for fault in sorted(faults.every(), key=lambda f: (f.name == "renamed column", f.name)):
        world = world.plant(fault, 0.1, 2)
    digest = hashlib.sha256()
    for path in world.write_raw(tmp_path):
        digest.update(path.name.encode() + path.read_bytes())
    assert digest.hexdigest() == "5ef15bc7c6d4433b4feba1a06d7232152a41211c58c01ca567a23fa4762e20bc"
