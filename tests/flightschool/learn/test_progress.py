"""Progress: what counts, what is next, what is not recorded, and a file that several processes write."""

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flightschool import paths
from flightschool.curriculum import Exercise, Outcome, Verdict, modules
from flightschool.learn import journal, progress
from flightschool.learn.journal import MIGRATIONS, Event, Journal, Kind
from flightschool.learn.outline import outline

NOON = datetime(2013, 2, 8, 12, tzinfo=UTC)
FAILED = Verdict.failed(expected="a", found="b", try_next="c")
LAB = """
from flightschool.curriculum import exercise
@exercise("{id}", title="Title of {id}", points={points}, hints=("a", "b"))
def probe_{id}(answer, world): ...
"""


def exercise(id, points=2.0):
    return Exercise(id, "", points, ("a", "b"), lambda answer, world: answer)


@pytest.fixture
def state(tmp_path, monkeypatch):
    """A progress file of its own, with recording on."""
    monkeypatch.setenv(progress.SWITCH, "on")
    monkeypatch.setattr(paths, "STATE", tmp_path / "state")
    monkeypatch.setattr(progress, "_told", set())
    monkeypatch.setattr(progress, "_since", {})
    yield tmp_path / "state"
    progress.journal().close()


@pytest.fixture
def course(tmp_path):
    """Two modules, `01_a` with q1 and q2, `02_b` with q1, and `03_c`, which has no lab yet."""
    for name, asked in {"01_a": {"q1": 2, "q2": 3}, "02_b": {"q1": 4}, "03_c": {}}.items():
        source = tmp_path / "solutions" / f"{name}.py"
        source.parent.mkdir(exist_ok=True)
        source.write_text(f"# %% [markdown]\n# # {name[:2]} · Topic {name[3:]}\n")
        if asked:
            lab = tmp_path / "labs" / name
            lab.mkdir(parents=True)
            lab.joinpath("exercises.py").write_text(
                "".join(LAB.format(id=id, points=points) for id, points in asked.items())
            )
            lab.joinpath("judges.py").write_text("")
    return modules(tmp_path / "solutions", tmp_path / "labs")


def at(minutes, kind=Kind.ATTEMPT, module="01_a", exercise="q1", outcome=Outcome.FAILED, share=0.0, **more):
    if kind is Kind.ATTEMPT:
        more |= {"outcome": outcome, "share": share, "points": 2.0}
    else:
        exercise = None
    return Event(kind, module, exercise, at=NOON + timedelta(minutes=minutes), **more)


# ── what counts


def test_the_best_attempt_counts_with_todays_points(state, course):
    first = course[0]
    progress.opened(first)
    progress.record(first, exercise("q1", 10), Verdict.passed("yes"))
    progress.record(first, exercise("q1", 10), FAILED)
    progress.record(first, exercise("q2"), Verdict.partly(0.5, expected="", found="", try_next=""))
    progress.record(first, exercise("gone", 100), Verdict.passed("yes"))
    progress.hint(first, exercise("q2"), 1)
    one, two, three = progress.summary(course).modules
    assert (one.done, one.exercises, one.points, one.total) == (1, 2, 2 + 1.5, 5)
    assert one.state is progress.State.BEGUN
    assert (two.state, two.points, two.total) == (progress.State.NOT_BEGUN, 0, 4)
    assert three.state is progress.State.IN_PREPARATION
    assert one.name == "01 · Topic a"
    kept = progress.journal().events()
    assert [event.exercise for event in kept] == [None, "q1", "q1", "q2", "gone", "q2"]
    assert all(event.source and len(event.source) == 16 for event in kept)
    assert [event.seconds is not None for event in kept] == [False, True, True, True, True, False]


def test_next_stays_with_the_module_last_worked_on_then_goes_on(state, course):
    def following(*events):
        found = progress.summarise(course, events).next
        return found and (found.module, found.exercise, found.title)

    def passed(minutes, module, exercise):
        return at(minutes, module=module, exercise=exercise, outcome=Outcome.PASSED, share=1.0)

    assert following() == ("01_a", "q1", "Title of q1")
    assert following(passed(1, "01_a", "q1")) == ("01_a", "q2", "Title of q2")
    assert following(at(1, module="01_a"), at(2, Kind.OPENED, module="02_b")) == (
        "02_b",
        "q1",
        "Title of q1",
    )
    assert following(passed(1, "02_b", "q1")) == ("01_a", "q1", "Title of q1")
    assert following(passed(1, "02_b", "q1"), at(2, module="99_gone")) == ("01_a", "q1", "Title of q1")
    assert following(*(passed(1, m, e) for m, e in [("01_a", "q1"), ("01_a", "q2"), ("02_b", "q1")])) is None


def test_minutes_leave_pauses_out_and_go_to_the_module_worked_on():
    events = [
        at(0, Kind.OPENED),
        at(4),
        at(14),  # ten minutes still count
        at(25),  # eleven do not
        at(26, module="02_b"),
        at(29, Kind.OPENED),  # what led to it was 02_b
    ]
    assert progress.minutes_spent(events) == {"01_a": 14, "02_b": 4}


def test_the_fastest_restored_drill_is_told(state, course):
    events = [
        at(0, Kind.PAGED, run="slow"),
        at(9, Kind.RESTORED, run="slow"),
        at(10, Kind.PAGED, run="quick"),
        at(11, Kind.DETECTED, run="quick"),
        at(14, Kind.RESTORED, run="quick"),
        at(20, Kind.PAGED, run="given up"),
        at(21, Kind.ABANDONED, run="given up"),
    ]
    assert progress.summarise(course, events).modules[0].restored == 4


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.id)
def test_the_outline_says_what_the_lab_says(module):
    assert [(one.id, one.title, one.points) for one in outline(module)] == [
        (one.id, one.title, one.points) for one in module.exercises.values()
    ]


def test_what_is_not_written_out_is_taken_from_the_lab(course):
    (course[0].lab / "exercises.py").write_text(
        LAB.format(id="q1", points="1 + 1") + LAB.format(id="q2", points=3)
    )
    assert [(one.id, one.points) for one in outline(course[0])] == [("q1", 2), ("q2", 3)]


def test_a_lab_that_can_not_be_read_does_not_take_the_others_along(state, course):
    (course[0].lab / "exercises.py").write_text("def broken(:\n")
    shown = progress.summary(course).modules
    assert [one.state for one in shown][:2] == [
        progress.State.IN_PREPARATION,
        progress.State.NOT_BEGUN,
    ]


# ── what is not recorded


def test_nothing_is_recorded_in_another_world_or_switched_off(state, course, monkeypatch):
    def act(**options):
        progress.opened(course[0], **options)
        progress.record(course[0], exercise("q1"), FAILED, **options)
        progress.hint(course[0], exercise("q1"), 1, **options)
        progress.drill(course[0], "run", Kind.PAGED, **options)

    act(seed=7)
    monkeypatch.setenv(progress.SWITCH, "off")
    act()
    assert not state.exists()
    assert progress.summary(course).done == 0
    assert not state.exists()  # looking makes nothing either
    monkeypatch.setenv(progress.SWITCH, "on")
    act()
    assert len(progress.journal().events()) == 4


# ── a file that can't be used


def trouble(capsys):
    return capsys.readouterr().out


def test_an_unwritable_file_is_one_sentence_once_and_what_waited_is_written_later(state, course, capsys):
    (state / "progress.sqlite").mkdir(parents=True)
    progress.record(course[0], exercise("q1"), Verdict.passed("yes"))
    progress.record(course[0], exercise("q2"), FAILED)
    said = trouble(capsys)
    assert said.count("Progress is not being kept") == 1
    assert "Traceback" not in said
    assert "can't be written" in progress.summary(course).trouble
    (state / "progress.sqlite").rmdir()
    progress.record(course[0], exercise("q2"), FAILED)
    assert trouble(capsys) == ""
    assert [event.exercise for event in Journal(state / "progress.sqlite").events()] == ["q1", "q2", "q2"]


def test_a_state_folder_that_can_not_be_made_is_one_sentence(state, course, capsys):
    state.write_text("a file where the folder should be")
    progress.record(course[0], exercise("q1"), FAILED)
    assert "Progress is not being kept" in trouble(capsys)


READ_ONLY = """
import os, sys
from pathlib import Path
from flightschool.learn.journal import Event, Journal, Kind
if os.geteuid() == 0:  # root writes where it likes
    os.setgroups([])
    os.setuid(65534)
journal = Journal(Path(sys.argv[1]))
print(journal.note(Event(Kind.OPENED, "01_a")))
print(len(journal.events()), "events")
"""


@pytest.fixture
def anyones():
    """A folder that another user can reach, which pytest's own is not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_read_only_folder_is_one_sentence_and_still_reads(anyones):
    folder = anyones / "state"
    before = Journal(folder / "progress.sqlite")
    before.add([at(0)])
    before.close()
    (folder / "progress.sqlite").chmod(0o444)
    folder.chmod(0o555)
    try:
        done = run(READ_ONLY, folder / "progress.sqlite")
    finally:
        folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert "can't be written" in done.stdout
    assert "2 events" in done.stdout  # the one in the file, the one that waits


def test_a_lock_that_is_held_does_not_hold_the_check_for_long(state, course, capsys):
    progress.opened(course[0])
    with sqlite3.connect(state / "progress.sqlite", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        begin = time.monotonic()
        progress.record(course[0], exercise("q1"), FAILED)
        assert time.monotonic() - begin < 5
        assert "locked" in trouble(capsys)
        other.execute("ROLLBACK")
    other.close()
    progress.record(course[0], exercise("q1"), FAILED)
    assert len(Journal(state / "progress.sqlite").events()) == 3


def overwrite(path, offset, data):
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"not a database at all, and long enough to be looked at" * 100),
        lambda path: overwrite(path, 4096, b"\xff" * 4096),
        lambda path: path.write_bytes(path.read_bytes()[:5000]),
        lambda path: sqlite3.connect(path).executescript("DROP TABLE events"),
        lambda path: (path.unlink(), sqlite3.connect(path).executescript("CREATE TABLE theirs (x)")),
    ],
    ids=["garbage", "a page overwritten", "truncated", "no table", "another database"],
)
def test_a_damaged_file_is_kept_aside_and_a_new_one_begun(state, course, capsys, damage):
    before = Journal(state / "progress.sqlite")
    before.add(at(minute) for minute in range(100))
    before.close()
    damage(state / "progress.sqlite")
    kept = (state / "progress.sqlite").read_bytes()
    progress.record(course[0], exercise("q1"), Verdict.passed("yes"))
    said = trouble(capsys)
    (aside,) = state.glob("progress.damaged-*.sqlite")
    assert f"kept as {aside}".replace("\n", "") in said.replace("\n", "")
    assert aside.read_bytes() == kept
    found = progress.summary(course)
    assert (found.done, found.trouble) == (1, "")


def test_damage_under_an_open_connection_is_survived(state, course, capsys):
    progress.opened(course[0])
    other = Journal(state / "progress.sqlite")
    other.add([at(0)])
    (state / "progress.sqlite").write_bytes(b"x" * 8192)
    for wal in state.glob("progress.sqlite-*"):
        wal.unlink()
    progress.record(course[0], exercise("q1"), Verdict.passed("yes"))
    other.add([at(1)])
    assert "damaged" in trouble(capsys)
    assert len(list(state.glob("progress.damaged-*.sqlite"))) == 1
    assert len(Journal(state / "progress.sqlite").events()) == 2


def test_a_newer_file_is_left_alone(state, course, capsys):
    progress.opened(course[0])
    progress.journal().close()
    with sqlite3.connect(state / "progress.sqlite") as file:
        file.execute("PRAGMA user_version = 99")
    file.close()
    before = (state / "progress.sqlite").read_bytes()
    progress.record(course[0], exercise("q1"), FAILED)
    progress.record(course[0], exercise("q1"), FAILED)
    assert trouble(capsys).count("written by a newer version") == 1
    assert "newer version" in progress.summary(course).trouble
    assert (state / "progress.sqlite").read_bytes() == before
    assert sorted(path.name for path in state.iterdir()) == ["progress.sqlite"]


def test_an_older_file_is_brought_up_to_date(state, course, monkeypatch):
    progress.opened(course[0])
    progress.journal().close()
    monkeypatch.setattr(journal, "MIGRATIONS", [*MIGRATIONS, ["ALTER TABLE events ADD COLUMN mood TEXT"]])
    progress.record(course[0], exercise("q1"), FAILED)
    with closing(sqlite3.connect(state / "progress.sqlite")) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS) + 1,)
        assert file.execute("SELECT count(*), count(mood) FROM events").fetchone() == (2, 0)
    assert list(state.glob("*damaged*")) == []


# ── several processes

WRITER = """
import sys
from pathlib import Path
from flightschool.curriculum import Outcome
from flightschool.learn.journal import Event, Journal, Kind
journal = Journal(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    event = Event(Kind.HINT, "01_a", "q1", rung=1)
    if journal.note(event) == "":
        print(event.id, flush=True)
journal.close()
"""


def run(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def writer(path, count):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(count)], stdout=subprocess.PIPE, text=True
    )


def test_processes_that_write_at_once_lose_nothing(tmp_path):
    path = tmp_path / "new" / "progress.sqlite"
    writers = [writer(path, 300) for _ in range(3)]
    for process in writers:
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert len({event.id for event in Journal(path).events()}) == 900
    assert [file.name for file in path.parent.glob("*damaged*")] == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_what_was_acknowledged_survives_a_kill_in_the_middle_of_writing(tmp_path):
    path = tmp_path / "progress.sqlite"
    acknowledged = set()
    for lines in (1, 7, 40):
        process = writer(path, 1_000_000)
        acknowledged |= {process.stdout.readline().strip() for _ in range(lines)}
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
        process.wait()
        # what was printed whole before the end
        acknowledged |= set(rest.split("\n")[:-1])
    after = Journal(path)
    found = {event.id for event in after.events()}
    assert len(acknowledged) >= 48
    assert acknowledged <= found
    after.add([at(0)])
    assert list(tmp_path.glob("*damaged*")) == []


def test_processes_that_find_it_damaged_at_once_move_it_once(tmp_path):
    path = tmp_path / "progress.sqlite"
    path.write_bytes(b"damaged" * 4000)
    writers = [writer(path, 50) for _ in range(3)]
    for process in writers:
        process.communicate(timeout=120)
    assert len(list(tmp_path.glob("progress.damaged-*.sqlite"))) == 1
    assert len(Journal(path).events()) == 150


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_writes_by_a_connection_of_its_own(state, course):
    progress.opened(course[0])
    child = os.fork()
    if child == 0:
        try:
            progress.opened(course[0])
            progress.journal().close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    progress.opened(course[0])
    assert len(progress.journal().events()) == 3
