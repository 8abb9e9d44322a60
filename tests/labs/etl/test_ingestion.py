"""What the ETL takes in, what it refuses, and that nothing is lost."""

import json
from datetime import date
from pathlib import Path

import pytest
from etl import EtlError, ingest
from etl.contract import file_name, raw_key
from etl.errors import (
    EmptyFile,
    MalformedFile,
    MissingFile,
    RefusedFile,
    StoreUnavailable,
    TruncatedFile,
    WrongColumns,
    WrongDay,
    WrongEncoding,
)
from etl.store import Store

DAY = date(2013, 2, 8)


def edit(old, new):
    return lambda text: text.replace(old, new, 1)


def line(number, change):
    """Changes one line of a file; the header is line 1."""

    def changed(text):
        lines = text.split(b"\n")
        lines[number - 1] = change(lines[number - 1])
        return b"\n".join(lines)

    return changed


REFUSED = {
    "empty": (lambda text: b"", EmptyFile, "is empty"),
    "blank": (lambda text: b"\n \n", EmptyFile, "is empty"),
    "only a header": (lambda text: text.split(b"\n")[0] + b"\n", EmptyFile, "no flight"),
    "renamed": (edit(b"dep_delay", b"delay"), WrongColumns, "column dep_delay is now called delay"),
    "missing": (
        lambda text: b"\n".join(row.rpartition(b",")[0] for row in text.split(b"\n")),
        WrongColumns,
        "column time_hour is missing",
    ),
    "extra": (edit(b"time_hour", b"time_hour,gate"), WrongColumns, "'gate' is not in the contract"),
    "twice": (edit(b"sched_dep_time", b"dep_time"), WrongColumns, "column dep_time occurs twice"),
    "reordered": (edit(b"year,month", b"month,year"), WrongColumns, "another order"),
    "other delimiter": (lambda text: text.replace(b",", b";"), WrongColumns, "column year is missing"),
    "cut in a field": (lambda text: text[:-5], TruncatedFile, "breaks off in line 61"),
    "cut in a row": (lambda text: text[:-40], TruncatedFile, "breaks off in line 61"),
    "cut in the first row": (lambda text: text[:200], TruncatedFile, "breaks off in line 2"),
    "cut in the header": (lambda text: text[:50], WrongColumns, "column time_hour is missing"),
    "short row": (line(7, lambda row: row.rpartition(b",")[0]), MalformedFile, "line 7 has 18 fields"),
    "long row": (line(7, lambda row: row + b",1"), MalformedFile, "line 7 has 20 fields"),
    "long last row": (line(61, lambda row: row + b",1"), MalformedFile, "line 61 has 20 fields"),
    "open quote": (line(7, lambda row: b'"' + row), MalformedFile, "is not CSV"),
    "another day": (line(9, edit(b"2013,2,8", b"2013,2,9")), WrongDay, "line 9 holds a flight of 2013-2-9"),
    "no day": (line(9, edit(b"2013,2,8", b"2013,NA,8")), WrongDay, "line 9 holds a flight of 2013-NA-8"),
    "latin-1": (line(9, edit(b"N737MQ", b"N737\xe9")), WrongEncoding, "line 9 is not UTF-8"),
    "binary": (lambda text: b"PK\x03\x04\xff\xfe", WrongEncoding, "not UTF-8"),
    "byte order mark": (lambda text: b"\xef\xbb\xbf" + text, WrongEncoding, "byte order mark"),
}


def test_lands_the_file_unchanged(lake, source, deliver, flights):
    path = deliver(flights(60))
    result = ingest(DAY, source, lake)
    assert (result.stage, result.day) == ("ingest", DAY)
    assert (result.rows_in, result.rows_out, result.rejected) == (60, 60, 0)
    assert Store(lake).read(raw_key(DAY)) == path.read_bytes()


def test_the_same_file_twice_changes_nothing(tmp_path, source, deliver, flights):
    deliver(flights(60))
    ingest(DAY, source, tmp_path / "lake")
    landed = tmp_path / "lake" / raw_key(DAY)
    before = landed.stat()
    ingest(DAY, source, tmp_path / "lake")
    assert (landed.stat().st_ino, landed.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_corrected_file_replaces_the_day(lake, source, deliver, flights):
    deliver(flights(60))
    ingest(DAY, source, lake)
    corrected = deliver(flights(61, late=5))
    assert ingest(DAY, source, lake).rows_out == 61
    assert Store(lake).read(raw_key(DAY)) == corrected.read_bytes()
    assert Store(lake).names(f"raw/flights/day={DAY}") == [file_name(DAY)]


def test_windows_line_ends_are_taken_in(lake, source, deliver, flights, as_csv):
    deliver(as_csv(flights(60)).replace(b"\n", b"\r\n"))
    assert ingest(DAY, source, lake).rows_out == 60


def test_takes_the_file_by_its_name(lake, deliver, flights):
    assert ingest(DAY, deliver(flights(3)), lake).rows_out == 3


def test_takes_the_file_from_a_bucket(s3, tmp_path, as_csv, flights):
    s3.put_object(Bucket="lake", Key=f"inbox/{file_name(DAY)}", Body=as_csv(flights(3)))
    assert ingest(DAY, "s3://lake/inbox", tmp_path / "lake").rows_out == 3


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_file_is_quarantined_with_its_reason(name, tmp_path, source, deliver, flights, as_csv):
    lake = tmp_path / "lake"
    good = deliver(flights(60)).read_bytes()
    ingest(DAY, source, lake)
    spoil, error, words = REFUSED[name]
    bad = spoil(good)
    assert bad != good
    path = deliver(bad)

    with pytest.raises(RefusedFile) as caught:
        ingest(DAY, source, lake)

    assert type(caught.value) is error
    assert words in str(caught.value)
    assert str(caught.value).startswith(file_name(DAY))
    assert "\n" not in str(caught.value)
    assert not path.exists()
    (folder,) = (lake / "quarantine/flights" / f"day={DAY}").iterdir()
    assert (folder / file_name(DAY)).read_bytes() == bad
    reason = json.loads((folder / "reason.json").read_text())
    assert reason["error"] == error.__name__
    assert words in reason["reason"]
    assert (lake / raw_key(DAY)).read_bytes() == good
    deliver(flights(60))
    assert ingest(DAY, source, lake).rows_out == 60


def test_quarantine_in_a_bucket(s3):
    s3.put_object(Bucket="lake", Key=f"inbox/{file_name(DAY)}", Body=b"spoilt\n")
    with pytest.raises(WrongColumns):
        ingest(DAY, "s3://lake/inbox", "s3://lake/flights")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket="lake")["Contents"]]
    assert len(keys) == 2
    assert all(key.startswith("flights/quarantine/") for key in keys)


def test_a_file_that_came_in_meanwhile_is_not_removed(tmp_path, source, deliver, flights, monkeypatch):
    """The source corrects its file while the bad one is being put into quarantine."""
    deliver(b"spoilt\n")
    write = Store.write

    def write_and_redeliver(store, key, data):
        write(store, key, data)
        deliver(flights(60))

    monkeypatch.setattr(Store, "write", write_and_redeliver)
    with pytest.raises(RefusedFile):
        ingest(DAY, source, tmp_path / "lake")
    monkeypatch.undo()
    assert ingest(DAY, source, tmp_path / "lake").rows_out == 60


def test_two_bad_deliveries_are_both_kept(tmp_path, source, deliver):
    for content in (b"spoilt\n", b"spoilt again\n"):
        deliver(content)
        with pytest.raises(RefusedFile):
            ingest(DAY, source, tmp_path / "lake")
    assert len(list((tmp_path / "lake/quarantine/flights" / f"day={DAY}").iterdir())) == 2


@pytest.mark.parametrize("where", ["folder", "no such folder", "bucket", "no such bucket"])
def test_a_missing_file_is_named(where, tmp_path, s3):
    place = {
        "folder": str(tmp_path),
        "no such folder": str(tmp_path / "nowhere"),
        "bucket": "s3://lake/inbox",
        "no such bucket": "s3://nowhere/inbox",
    }[where]
    with pytest.raises(MissingFile, match=f"{file_name(DAY)} is not in .*{Path(place).name}"):
        ingest(DAY, place, tmp_path / "lake")


def test_a_folder_in_place_of_the_file(tmp_path, source):
    (source / file_name(DAY)).mkdir()
    with pytest.raises(StoreUnavailable, match="could not be read: Is a directory"):
        ingest(DAY, source, tmp_path / "lake")


def test_a_lake_that_cannot_be_written(tmp_path, source, deliver, flights, s3):
    path = deliver(flights(3))
    (tmp_path / "file").write_text("not a folder")
    for lake in (tmp_path / "file", "s3://nowhere/lake", "nonsense://x"):
        with pytest.raises(StoreUnavailable) as caught:
            ingest(DAY, source, lake)
        assert "\n" not in str(caught.value)
    assert path.exists()


def test_a_bucket_that_cannot_be_reached(tmp_path, source, deliver, flights, s3, monkeypatch):
    deliver(flights(3))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(EtlError, match="could not be"):
        ingest(DAY, source, "s3://lake/flights")
