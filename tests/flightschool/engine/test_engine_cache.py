"""The cache of executed notebooks: what goes in comes out, or nothing does."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flightschool.engine.cache import LEFTOVER, Cache, Cost

COST = Cost(12.5, 2**30)


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def put(cache: Cache, name: str = "01_one", key: str = "k", text: str = "text", cost: Cost = COST) -> Path:
    """An entry, and where it is."""
    notebook, page = cache.folder.parent / "in.ipynb", cache.folder.parent / "in.html"
    notebook.write_text(text)
    page.write_text(f"<p>{text}")
    cache.put(name, key, notebook, page, cost)
    return cache.folder / name / key


def take(cache: Cache, name: str = "01_one", key: str = "k") -> tuple[Cost | None, list[str]]:
    """What comes out: cost, and the files."""
    out = [cache.folder.parent / "out.ipynb", cache.folder.parent / "out.html"]
    for path in out:
        path.unlink(missing_ok=True)
    cost = cache.take(name, key, *out)
    return cost, [path.read_text() for path in out if path.exists()]


def test_what_goes_in_comes_out(cache: Cache) -> None:
    assert take(cache) == (None, [])
    put(cache)
    assert take(cache) == (COST, ["text", "<p>text"])
    assert take(cache, key="other") == (None, [])
    assert take(cache, name="02_two") == (None, [])
    put(cache, text="newer")
    assert take(cache) == (COST, ["newer", "<p>newer"])


HEAD = b'{"seconds": 1, "memory": 1, "notebook": 4, "sha256": "0"}\n'


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", b"{}", b"[]\n", b"null\n", b"\xff\n", b'{"seconds": []}\n', HEAD, HEAD + b"text<p>text"],
)
def test_a_damaged_entry_is_none(cache: Cache, data: bytes) -> None:
    entry = put(cache)
    entry.write_bytes(data)
    assert take(cache) == (None, [])
    assert not entry.exists()
    put(cache)
    assert take(cache)[0] == COST


def test_an_entry_that_lost_a_bit_or_its_end_is_none(cache: Cache) -> None:
    entry = put(cache)
    whole = entry.read_bytes()
    entry.write_bytes(whole[:-1])
    assert take(cache) == (None, [])
    entry.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert take(cache) == (None, [])
    entry.write_bytes(whole)
    assert take(cache)[0] == COST


def test_an_entry_that_was_never_finished_is_none(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    def disk_full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", disk_full)
    with pytest.raises(OSError, match="No space"):
        put(cache)
    assert take(cache) == (None, [])
    assert list(cache.folder.glob(".*")) == []


def test_it_remembers_what_the_last_execution_took(cache: Cache) -> None:
    assert cache.cost("01_one") is None
    entries = [put(cache, key=f"k{number}", cost=Cost(number, number)) for number in range(3)]
    take(cache, key="k0")  # to be asked for is not to be executed
    assert cache.cost("01_one") == Cost(2, 2)
    entries[2].write_text("{")
    assert cache.cost("01_one") == Cost(1, 1)


def test_those_not_asked_for_the_longest_go_first(cache: Cache) -> None:
    entries = {number: put(cache, key=f"k{number}", text="x" * 1000) for number in range(4)}
    for number, entry in entries.items():
        os.utime(entry, (number + 1, number + 1))
    assert take(cache, key="k0")[0] is not None
    cache.limit = 5000
    cache.prune()
    assert [number for number, entry in entries.items() if entry.exists()] == [0, 3]
    cache.limit = 100
    put(cache, key="new", text="x" * 1000)
    assert list((cache.folder / "01_one").glob("*")) == []


def test_what_a_killed_run_left_is_swept_later(cache: Cache) -> None:
    old, young = cache.folder / ".new-old", cache.folder / ".new-young"
    cache.folder.mkdir(parents=True)
    old.touch()
    young.touch()
    past = time.time() - LEFTOVER - 10
    os.utime(old, (past, past))
    put(cache)
    assert (old.exists(), young.exists()) == (False, True)


def test_several_runs_share_a_cache(cache: Cache, tmp_path: Path) -> None:
    def put_often(number: int) -> None:
        other, notebook = Cache(cache.folder), tmp_path / str(number)
        for turn in range(100):
            notebook.write_text(f"{number} {turn}" * 1000)
            other.put("01_one", "k", notebook, notebook, COST)

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(put_often, number) for number in range(2)]
        while not all(writer.done() for writer in writers):
            cost, files = take(cache)
            assert (cost, len(set(files))) in {(None, 0), (COST, 1)}
    for writer in writers:
        writer.result()
    assert take(cache)[0] == COST
