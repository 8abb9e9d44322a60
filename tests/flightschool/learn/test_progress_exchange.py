"""Export and import: twice is once, two machines make one history, a bad file is one sentence and changes nothing."""

import json
from datetime import UTC, datetime

import pytest
import typer
from typer.testing import CliRunner

from flightschool import paths
from flightschool.curriculum import Outcome
from flightschool.errors import FlightSchoolError
from flightschool.learn.commands import progress as command
from flightschool.learn.exchange import export_progress, import_progress
from flightschool.learn.journal import Event, Journal, Kind


def some(count, module="01_a"):
    return [
        Event(Kind.ATTEMPT, module, "q1", outcome=Outcome.PASSED, share=1.0, points=2.0, seconds=3.5)
        for _ in range(count)
    ]


@pytest.fixture
def here(tmp_path):
    journal = Journal(tmp_path / "here" / "progress.sqlite")
    yield journal
    journal.close()


@pytest.fixture
def there(tmp_path):
    journal = Journal(tmp_path / "there" / "progress.sqlite")
    yield journal
    journal.close()


def test_an_export_comes_back_as_it_was_and_twice_is_once(here, there, tmp_path):
    here.add([*some(3), Event(Kind.PAGED, "01_a", run="r"), Event(Kind.HINT, "01_a", "q1", rung=2)])
    assert export_progress(here, tmp_path / "mine.json") == 5
    assert import_progress(there, tmp_path / "mine.json") == 5
    assert import_progress(there, tmp_path / "mine.json") == 0
    assert there.events() == here.events()


def test_two_machines_make_one_history(here, there, tmp_path):
    here.add(some(2))
    there.add(some(3))
    export_progress(here, tmp_path / "a.json")
    export_progress(there, tmp_path / "b.json")
    import_progress(here, tmp_path / "b.json")
    import_progress(there, tmp_path / "a.json")
    assert here.events() == there.events()
    assert len(here.events()) == 5


def test_an_export_names_nobody_and_no_place(here, tmp_path):
    here.add(some(1))
    export_progress(here, tmp_path / "mine.json")
    said = json.loads((tmp_path / "mine.json").read_text())
    assert set(said) == {"format", "version", "exported", "events"}
    assert str(tmp_path) not in json.dumps(said)


def test_an_export_overwrites_nothing_and_says_where_it_can_not_go(here, tmp_path):
    (tmp_path / "work.ipynb").write_text("mine")
    with pytest.raises(FlightSchoolError, match="exists already"):
        export_progress(here, tmp_path / "work.ipynb")
    assert (tmp_path / "work.ipynb").read_text() == "mine"
    with pytest.raises(FlightSchoolError, match="can't be written"):
        export_progress(here, tmp_path / "nowhere" / "x.json")


def whole(**changes):
    event = {"kind": "hint", "module": "01_a", "exercise": "q1", "rung": 1, "id": "0" * 32}
    event |= {"at": "2013-02-08T12:00:00Z"}
    return {
        "format": "flightschool-progress",
        "version": 1,
        "exported": "2013-02-08T12:00:00Z",
        "events": [{**event, "id": "1" * 32}, event | changes],
    }


BAD = {
    "empty": b"",
    "no JSON": b"{",
    "no UTF-8": b"\xff\xfe\x00",
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "another JSON": b'{"cells": []}',
    "no events": b'{"format": "flightschool-progress", "version": 1}',
    "kind": whole(kind="won"),
    "share": whole(kind="attempt", outcome="passed", share=2.0, points=1.0),
    "not a number": whole(kind="attempt", outcome="passed", share=float("nan"), points=1.0),
    "infinite": whole(seconds=float("inf")),
    "no outcome": whole(kind="attempt", share=1.0, points=1.0),
    "time": whole(at="yesterday"),
    "no zone": whole(at="2013-02-08T12:00:00"),
    "year 1": whole(at="0001-01-01T00:00:00+14:00"),
    "huge number": whole(rung=10**30),
    "long id": whole(id="x" * 1000),
    "surrogate": json.dumps(whole(module="\ud800")).encode(),
    "newer": {**whole(), "version": 2, "events": "in another way"},
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD.keys())
def test_a_bad_file_is_one_sentence_and_changes_nothing(here, tmp_path, content):
    here.add(some(1))
    bad = tmp_path / "bad.json"
    bad.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    with pytest.raises(FlightSchoolError) as caught:
        import_progress(here, bad)
    said = str(caught.value)
    assert said.startswith(str(bad))
    assert "\n" not in said
    assert len(said) < 600
    assert len(here.events()) == 1


def test_a_file_that_is_not_there_is_one_sentence(here, tmp_path):
    with pytest.raises(FlightSchoolError, match="can't be read"):
        import_progress(here, tmp_path / "absent.json")
    with pytest.raises(FlightSchoolError, match="can't be read"):
        import_progress(here, tmp_path)


@pytest.fixture
def flightschool(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "STATE", tmp_path / "state")
    app = typer.Typer()
    app.command()(command)
    return lambda *words: CliRunner().invoke(app, list(map(str, words)))


def test_the_command_shows_exports_and_imports(flightschool, tmp_path, here):
    shown = flightschool()
    assert shown.exit_code == 0
    assert "Next: q1" in shown.stdout
    here.add(some(2))
    export_progress(here, tmp_path / "mine.json")
    assert flightschool("--import", tmp_path / "mine.json").stdout.startswith("2 events added")
    assert flightschool("--import", tmp_path / "mine.json").stdout.startswith("0 events added")
    assert flightschool("--export", tmp_path / "again.json").stdout.startswith("2 events written")
    both = flightschool("--export", tmp_path / "c.json", "--import", tmp_path / "mine.json")
    assert isinstance(both.exception, FlightSchoolError)


def test_events_are_in_utc(here):
    here.add([Event(Kind.OPENED, "01_a", at=datetime.fromisoformat("2013-02-08T01:00:00+02:00"))])
    (event,) = here.events()
    assert event.at == datetime(2013, 2, 7, 23, tzinfo=UTC)
