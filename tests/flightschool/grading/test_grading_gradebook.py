"""The gradebook: what is in it stays, one process has it, and nothing that is not ours is touched."""

import os
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flightschool.curriculum import Outcome
from flightschool.errors import FlightSchoolError
from flightschool.grading.gradebook import NAME, Gradebook
from flightschool.grading.model import Limits, Mark, Result

WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def result(learner: str = "ada", fingerprint: str = "f1", share: float = 1.0, **fields: object) -> Result:
    mark = Mark(exercise="q1", title="One", points=4, outcome=Outcome.PASSED, share=share)
    return Result.model_validate(
        {
            "learner": learner,
            "file": f"{learner}.ipynb",
            "fingerprint": fingerprint,
            "marks": (mark,),
            **fields,
        }
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out" / NAME


def test_results_are_there_after_closing(path: Path) -> None:
    with Gradebook(path) as book:
        book.put("01", result(), WHEN)
        secret = book.seed("01")
    with Gradebook(path) as book:
        assert book.get("01", "ada") == result()
        assert book.get("01", "bob") is None
        assert book.get("02", "ada") is None
        assert book.finished("01") == {"ada": "f1"}
        assert book.learners("01") == {"ada"}
        assert book.graded_at("01") == WHEN
        assert book.graded_at("02") is None
        assert book.seed("01") == secret


def test_it_is_there_after_a_kill(path: Path) -> None:
    code = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from test_grading_gradebook import WHEN, Gradebook, result
book = Gradebook(Path(sys.argv[1]))
for number in range(50):
    book.put("01", result(f"learner {number}"), WHEN)
os.kill(os.getpid(), signal.SIGKILL)
"""
    command = [sys.executable, "-c", code, str(path), str(Path(__file__).parent)]
    assert subprocess.run(command, check=False, timeout=60).returncode == -9
    with Gradebook(path) as book:
        assert len(book.finished("01")) == 50


def test_the_seed_is_secret_and_of_the_module(path: Path, tmp_path: Path) -> None:
    with Gradebook(path) as book, Gradebook(tmp_path / "other.sqlite") as other:
        seeds = {book.seed("01"), book.seed("02"), other.seed("01"), other.seed("02")}
        assert len(seeds) == 4
        assert all(0 <= seed < 2**63 for seed in seeds)


def test_only_the_owner_reads_it(path: Path) -> None:
    before = os.umask(0)
    try:
        with Gradebook(path) as book:
            book.put("01", result(), WHEN)
            for file in path.parent.iterdir():
                assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    finally:
        os.umask(before)


def test_the_fingerprint_is_of_all_that_counts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Gradebook(path) as book:
        first = book.fingerprint("course", b"notebook", 7, Limits())
        assert first == book.fingerprint("course", b"notebook", 7, Limits())
        others = {
            book.fingerprint("another", b"notebook", 7, Limits()),
            book.fingerprint("course", b"another", 7, Limits()),
            book.fingerprint("course", b"notebook", 8, Limits()),
            book.fingerprint("course", b"notebook", 7, Limits(cell=1)),
            book.fingerprint("course", b"notebook", 7, Limits(walls=False)),
        }
        monkeypatch.setenv("FLIGHTSCHOOL_LANG", "fr")
        others.add(book.fingerprint("course", b"notebook", 7, Limits()))
        assert len(others - {first}) == 6
    with Gradebook(path.with_name("other")) as other:
        assert other.fingerprint("course", b"notebook", 7, Limits()) != first


def test_what_a_result_replaces_is_kept_for_appeal(path: Path) -> None:
    with Gradebook(path) as book:
        book.put("01", result(share=0.25), WHEN)
        book.put("01", result(fingerprint="f2", share=0.5), WHEN + timedelta(days=1))
        book.put("01", result(fingerprint="f3"), WHEN + timedelta(days=2))
        assert book.get("01", "ada") == result(fingerprint="f3")
        first, second = book.history("01", "ada")
        assert (first.fingerprint, first.earned, first.points, first.graded_at) == ("f1", 1, 4, WHEN)
        assert (second.fingerprint, second.earned, second.result.marks[0].share) == ("f2", 2, 0.5)
        assert book.history("01", "bob") == ()


def test_a_failure_is_not_finished(path: Path) -> None:
    with Gradebook(path) as book:
        book.put("01", result(failure="The process died."), WHEN)
        assert book.finished("01") == {}
        assert book.learners("01") == {"ada"}
        book.put("01", result(), WHEN)
        assert book.finished("01") == {"ada": "f1"}
        assert book.history("01", "ada") == ()


def test_half_a_character_does_no_harm(path: Path) -> None:
    with Gradebook(path) as book:
        book.put("01", result(notices=("half \ud800 a character \x00 and nothing",)), WHEN)
        kept = book.get("01", "ada")
        assert kept is not None
        assert kept.notices == ("half ? a character \x00 and nothing",)


def test_a_second_process_is_refused(path: Path) -> None:
    code = """
import sys
from pathlib import Path
from flightschool.grading.gradebook import Gradebook
book = Gradebook(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(FlightSchoolError, match=r"Another program holds .*gradebook\.sqlite"):
            Gradebook(path)
    finally:
        holder.kill()
        holder.communicate()
    Gradebook(path).close()


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE photos (name TEXT)")
    connection.close()


def later(path: Path) -> None:
    Gradebook(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()


def noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 64)


def half(path: Path) -> None:
    full(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def holed(path: Path) -> None:
    full(path)
    data = bytearray(path.read_bytes())
    data[8192 : 8192 * 3] = b"\xa5" * (8192 * 2)
    path.write_bytes(data)


def full(path: Path) -> None:
    with Gradebook(path) as book:
        for number in range(60):
            book.put("01", result(f"learner {number}", notices=("long " * 200,)), WHEN)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (foreign, "another program"),
        (later, "version 99"),
        (noise, "damaged or no gradebook"),
        (half, "damaged or no gradebook"),
        (holed, "damaged or no gradebook"),
    ],
)
def test_what_is_no_gradebook_is_left_alone(path: Path, make: object, says: str) -> None:
    path.parent.mkdir()
    make(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(FlightSchoolError, match=says) as raised:
        Gradebook(path)
    assert "\n" not in str(raised.value)
    assert path.read_bytes() == before


def test_an_empty_file_that_a_kill_left_is_a_new_gradebook(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o600)
    with Gradebook(path) as book:
        book.put("01", result(), WHEN)
        assert book.finished("01")


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FlightSchoolError, match="can't be written"):
        Gradebook(tmp_path / "file" / NAME)


def test_a_full_disk_is_said_and_what_was_kept_stays(path: Path) -> None:
    with Gradebook(path) as book:
        book.put("01", result(), WHEN)
        (pages,) = book._connection.execute("PRAGMA page_count").fetchone()
        book._connection.execute(f"PRAGMA max_page_count={pages}")
        large = result("bob", notices=("long " * 100_000,))
        with pytest.raises(FlightSchoolError, match=r"can't be written .*full"):
            book.put("01", large, WHEN)
    with Gradebook(path) as book:
        assert book.get("01", "ada") == result()
