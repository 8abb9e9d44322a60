"""A run after a run: what is executed again, what is not, and who goes first."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from rich.console import Console

from flightschool import paths
from flightschool.engine import fingerprint, machine
from flightschool.engine.cache import Cache, Cost
from flightschool.engine.pieces import from_folder
from flightschool.engine.results import Ending, Result
from flightschool.engine.runner import run_all
from flightschool.engine.schedule import UNKNOWN, Run, in_order

MIB = 2**20


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with room for notebooks, state and output, and a list of what was executed."""
    monkeypatch.setattr(paths, "STATE", tmp_path / "state")
    monkeypatch.setattr(fingerprint, "course", lambda module: module.id)  # as if nobody edited meanwhile
    (tmp_path / "solutions").mkdir()
    (tmp_path / "executed").touch()
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Callable[..., Path]:
    """Write a notebook that notes its execution, then does this."""

    def make(name: str, *cells: str) -> Path:
        note = f"with open({str(folder / 'executed')!r}, 'a') as file: print({name!r}, file=file)"
        made = [nbformat.v4.new_code_cell(cell) for cell in (note, *cells)]
        path = folder / "solutions" / f"{name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=made), path)
        return path

    return make


@pytest.fixture
def run(folder: Path) -> Callable[..., tuple[list[str], list[Result]]]:
    """Run all; what was executed, in that order, and the results."""

    def call(jobs: int = 1, **options: Any) -> tuple[list[str], list[Result]]:
        (folder / "executed").write_text("")
        options.setdefault("console", Console(file=io.StringIO(), width=200))
        results = run_all(None, jobs, folder / "out", source=folder / "solutions", **options)
        return (folder / "executed").read_text().split(), results

    return call


@pytest.mark.slow
def test_only_what_changed_is_executed(write: Callable[..., Path], run: Any, folder: Path) -> None:
    for name in ("01_one", "02_two", "03_three"):
        write(name, "import time; time.sleep(0.6)")
    executed, first = run()
    assert sorted(executed) == ["01_one", "02_two", "03_three"]
    assert not any(result.cached for result in first)

    write("02_two", "'another cell'")
    text = io.StringIO()
    executed, second = run(console=Console(file=text, width=200))
    assert executed == ["02_two"]
    assert [result.cached for result in second] == [True, False, True]
    assert [result.ending for result in second] == [Ending.OK] * 3
    assert (second[0].minutes, second[0].memory) == (first[0].minutes, first[0].memory)
    assert second[0].memory > 20 * MIB
    assert text.getvalue().count("cached") == 4  # a line and a row, twice

    kept = {path.name: path.read_bytes() for path in (folder / "out").glob("*.*")}
    for path in (folder / "out").glob("*.*"):
        path.write_text("spoilt, or of another run")
    executed, third = run()
    assert executed == []
    for result in third:
        for path in (result.notebook, result.html):
            assert path is not None
            assert path.read_bytes() == kept[path.name]

    executed, _results = run(fresh=True)
    assert len(executed) == 3


@pytest.mark.slow
def test_a_failed_run_and_one_of_a_damaged_entry_are_executed_again(
    write: Callable[..., Path], run: Any, folder: Path
) -> None:
    write("01_well")
    write("02_raising", "1 / 0")
    write("03_late", "import time; time.sleep(60)")
    executed, results = run(deadline=2)
    assert len(executed) == 3
    assert [one.ending for one in results] == [Ending.OK, Ending.FAILED, Ending.TIMED_OUT]
    (entry,) = (folder / "state" / "runs").glob("*/*")
    assert entry.parent.name == "01_well"
    entry.write_bytes(entry.read_bytes()[:-1])
    executed, again = run(deadline=2)
    assert len(executed) == 3
    assert [one.ending for one in again] == [one.ending for one in results]


@pytest.mark.slow
def test_a_check_that_did_not_pass_and_an_edit_meanwhile_are_not_kept(
    write: Callable[..., Path], run: Any, folder: Path
) -> None:
    silent = nbformat.v4.new_code_cell("pass")
    silent.metadata["nbgrader"] = {"grade": True, "solution": False, "grade_id": "q1-check"}
    path = write("01_unpassed")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(silent)
    nbformat.write(notebook, path)
    path = folder / "solutions" / "02_edited.ipynb"
    write("02_edited", f"with open({str(path)!r}, 'a') as file: print(file=file)")
    _executed, results = run()
    assert [one.ending for one in results] == [Ending.CHECKS, Ending.OK]
    assert list((folder / "state" / "runs").glob("*/*")) == []


@pytest.mark.slow
def test_a_cache_that_cannot_be_written_is_no_failure(
    write: Callable[..., Path], run: Any, folder: Path
) -> None:
    write("01_well")
    (folder / "state").mkdir()
    (folder / "state" / "runs").touch()
    text = io.StringIO()
    _executed, (result,) = run(console=Console(file=text, width=200))
    assert result.ending is Ending.OK
    assert "01_well is not kept for the next run: " in text.getvalue()


@pytest.mark.slow
def test_a_page_that_cannot_be_made_is_a_failure_that_says_why(
    write: Callable[..., Path], run: Any, folder: Path
) -> None:
    write("01_odd", f"import os; os.mkdir({str(folder / 'out' / '01_odd.html')!r})")
    _executed, (result,) = run()
    assert result.ending is Ending.FAILED
    assert result.reason.startswith("no HTML could be made of it: IsADirectoryError")


MEET = """
import time
from pathlib import Path
here = Path({folder!r})
(here / "{name}.came").touch()
end = time.monotonic() + {patience}
while len(list(here.glob("*.came"))) < 2 and time.monotonic() < end:
    time.sleep(0.05)
print(len(list(here.glob("*.came"))), file=(here / "{name}.seen").open("w"))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("free", "patience", "seen"), [(8 * UNKNOWN, 60, [2, 2]), (UNKNOWN, 4, [1, 2])])
def test_as_many_at_once_as_memory_allows(
    write: Callable[..., Path],
    run: Any,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    free: int,
    patience: float,
    seen: list[int],
) -> None:
    monkeypatch.setattr(machine, "free_memory", lambda: free)
    monkeypatch.setattr(machine, "cores", lambda: 2)
    for name in ("01_one", "02_two"):
        write(name, MEET.format(folder=str(folder), name=name, patience=patience))
    _executed, results = run(jobs=0)
    assert [one.ending for one in results] == [Ending.OK, Ending.OK]
    assert sorted(int(path.read_text()) for path in folder.glob("*.seen")) == seen


def test_the_unknown_first_then_the_most_expensive(write: Callable[..., Path], folder: Path) -> None:
    cache = Cache(folder / "state" / "runs")
    seconds = {"01_short": 5.0, "02_long": 70.0, "03_middle": 30.0, "04_new": None, "05_longer_new": None}
    for name, known in seconds.items():
        path = write(name, "# long" * 100 if name == "05_longer_new" else "x = 1")
        if known is not None:
            cache.put(name, "key", path, path, Cost(known, int(known) * MIB))
    runs = [Run(piece, folder / "out") for piece in from_folder(folder / "solutions", None)]
    ordered = in_order(runs, cache)
    assert [one.name for one in ordered] == ["05_longer_new", "04_new", "02_long", "03_middle", "01_short"]
    assert [one.expected for one in ordered] == [UNKNOWN, UNKNOWN, 70 * MIB, 30 * MIB, 5 * MIB]
