"""What a build makes, and that it makes it again."""

import json
from pathlib import Path

import nbformat
import pytest

from flightschool.errors import FlightSchoolError
from flightschool.publish import House, SourceError, State, build, check, solution_notebook


def cells(path: Path) -> dict[str, nbformat.NotebookNode]:
    return {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}


def snapshot(house: House) -> dict[str, bytes]:
    return {
        str(path.relative_to(house.root)): path.read_bytes()
        for path in house.root.rglob("*")
        if path.is_file()
    }


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_build_makes_the_four_kinds_of_files(house: House) -> None:
    built = build(house=house)
    assert {house.shown(path) for path in built.written} == {
        "notebooks/01_sample.ipynb",
        "build/solutions/01_sample.ipynb",
        "solutions/locale/01_sample.pot",
        "solutions/locale/flightschool.pot",
    }
    assert built.lines == []


def test_solutions_become_stubs_that_run(house: House) -> None:
    build(house=house)
    learner = cells(house.notebook("01_sample"))
    assert learner["q1"].source == (
        "# The flights that arrived more than 15 minutes late: a list of minutes.\nlate = ...\n# Your code here"
    )
    assert learner["q2"].source == (
        'def worst(minutes: list[int]) -> int:\n    """The longest delay, in minutes."""\n    ...  # Your code here'
    )
    namespace: dict[str, object] = {}
    for cell in learner.values():
        if cell.cell_type == "code":
            exec(cell.source, namespace)
    assert namespace["late"] is ...

    solved = cells(house.build / "solutions" / "01_sample.ipynb")
    assert "max(minutes)" in solved["q2"].source
    assert list(solved) == list(learner)


def test_nbgrader_metadata_is_schema_3(house: House) -> None:
    build(house=house)
    learner = cells(house.notebook("01_sample"))
    common = {"schema_version": 3, "task": False}
    assert learner["q1"].metadata == {
        "nbgrader": common | {"grade_id": "q1", "grade": False, "solution": True, "locked": False}
    }
    assert learner["q1-check"].metadata == {
        "nbgrader": common
        | {"grade_id": "q1-check", "grade": True, "solution": False, "locked": True, "points": 2},
        "deletable": False,
        "editable": False,
    }
    # The rules of nbgrader's own validator (nbgraderformat/v3.py), which is not installed here.
    seen = set()
    for cell in learner.values():
        if (meta := cell.metadata.get("nbgrader")) is None:
            continue
        assert set(meta) <= {
            "schema_version",
            "grade",
            "solution",
            "locked",
            "task",
            "grade_id",
            "points",
            "cell_type",
        }
        assert meta["grade_id"]
        assert meta["grade_id"] not in seen
        seen.add(meta["grade_id"])
        assert not meta["grade"] or isinstance(meta["points"], int | float)
        assert cell.cell_type == "code" or meta["grade"] == meta["solution"]


def test_the_notebook_is_valid_and_says_nothing_of_the_machine(house: House) -> None:
    build(house=house)
    for path in (house.notebook("01_sample"), house.build / "solutions" / "01_sample.ipynb"):
        text = path.read_text(encoding="utf-8")
        raw = json.loads(text)
        nbformat.validate(raw, relax_add_props=False)
        assert (raw["nbformat"], raw["nbformat_minor"]) == (4, 5)
        assert raw["metadata"]["kernelspec"]["name"] == "python3"
        assert "version" not in raw["metadata"]["language_info"]
        assert "jupytext" not in raw["metadata"]
        assert str(house.root) not in text
        assert text.endswith("}\n")
        assert all(cell["execution_count"] is None for cell in raw["cells"] if cell["cell_type"] == "code")
    assert cells(house.notebook("01_sample"))["code-" + _hash("seed = 0")].metadata == {
        "tags": ["parameters"]
    }


def _hash(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest()[:8]


def test_two_builds_give_the_same_bytes_and_the_second_writes_nothing(house: House) -> None:
    build(house=house)
    first = snapshot(house)
    again = build(house=house)
    assert snapshot(house) == first
    assert again.written == again.removed == again.kept == []
    assert again.unchanged == 4
    assert check(house=house) == []


def test_a_build_from_nothing_gives_the_same_bytes(house: House) -> None:
    build(house=house)
    first = snapshot(house)
    for path in (house.notebook("01_sample"), *house.locale.glob("*.pot")):
        path.unlink()
    build(house=house)
    assert snapshot(house) == first


def test_ids_stay_when_other_cells_change(house: House) -> None:
    build(house=house)
    before = list(cells(house.notebook("01_sample")))
    source = house.solutions / "01_sample.py"
    rewrite(
        source, "# %% [markdown]\n# Well flown.", "# %% [markdown]\n# New.\n\n# %% [markdown]\n# Well flown."
    )
    rewrite(source, "return max(minutes)", "return sorted(minutes)[-1]")
    build(house=house)
    after = list(cells(house.notebook("01_sample")))
    assert set(before) < set(after)
    assert len(after) == len(before) + 1


def test_equal_cells_get_ids_of_their_own(house: House) -> None:
    with (house.solutions / "01_sample.py").open("a") as file:
        file.write("\n# %%\nflights\n\n# %%\nflights\n")
    build(house=house)
    ids = [cell.id for cell in nbformat.read(house.notebook("01_sample"), as_version=4).cells]
    assert len(set(ids)) == len(ids)
    assert f"code-{_hash('flights')}-2" in ids


def test_a_file_written_by_a_magic_is_an_exercise_too(house: House) -> None:
    source = house.solutions / "01_sample.py"
    rewrite(
        source,
        '# %% exercise="q1"\n# The flights that arrived more than 15 minutes late: a list of minutes.\nlate = ...\n'
        "### BEGIN SOLUTION\nlate = [minutes for minutes in flights if minutes > 15]\n### END SOLUTION\n",
        '# %% exercise="q1" language="writefile" magic_args="job.yml"\n# on: push\n# ### BEGIN SOLUTION\n'
        "# jobs: {}\n# ### END SOLUTION\n",
    )
    build(house=house)
    assert (
        cells(house.notebook("01_sample"))["q1"].source == "%%writefile job.yml\non: push\n# Your code here"
    )
    assert "jobs: {}" in cells(house.build / "solutions" / "01_sample.ipynb")["q1"].source


def test_one_solution_notebook_is_the_one_that_is_built(house: House) -> None:
    build(house=house)
    (module,) = house.modules()
    before = snapshot(house)
    assert (
        solution_notebook(module, house=house) == (house.build / "solutions" / "01_sample.ipynb").read_bytes()
    )
    assert snapshot(house) == before
    rewrite(module.source, "### END SOLUTION", "")
    with pytest.raises(SourceError):
        solution_notebook(module, house=house)


def test_check_lists_what_differs_and_changes_nothing(house: House) -> None:
    build(house=house)
    rewrite(house.solutions / "01_sample.py", "Well flown", "Nicely flown")
    (house.locale / "flightschool.pot").unlink()
    (house.notebooks / "02_gone.ipynb").write_text("{}")
    (house.notebooks / "scratch.ipynb").write_text("mine")
    before = snapshot(house)
    found = {house.shown(one.path): (one.state, one.sentence) for one in check(house=house)}
    assert snapshot(house) == before
    assert {path: state for path, (state, _) in found.items()} == {
        "notebooks/01_sample.ipynb": State.STALE,
        "notebooks/02_gone.ipynb": State.EXTRA,
        "solutions/locale/01_sample.pot": State.STALE,
        "solutions/locale/flightschool.pot": State.MISSING,
    }
    assert (
        found["notebooks/01_sample.ipynb"][1]
        == "notebooks/01_sample.ipynb is older than its source: run `make build`."
    )


def test_a_changed_byte_is_found(house: House) -> None:
    build(house=house)
    notebook = house.notebook("01_sample")
    good = notebook.read_bytes()
    for position in range(0, len(good), 97):
        notebook.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        (found,) = check(house=house)
        assert found.path == notebook
        assert found.state is State.EDITED
        assert "edit the source and run `make build`" in found.sentence
        assert ".flightschool/edited/01_sample-" in found.sentence


def test_a_module_that_is_gone_takes_its_untouched_notebook_along(house: House) -> None:
    build(house=house)
    (house.solutions / "01_sample.py").rename(house.solutions / "02_sample.py")
    (house.labs / "01_sample").rename(house.labs / "02_sample")
    built = build(house=house)
    assert {house.shown(path) for path in built.removed} == {
        "notebooks/01_sample.ipynb",
        "build/solutions/01_sample.ipynb",
        "solutions/locale/01_sample.pot",
    }
    assert check(house=house) == []


def test_a_broken_source_leaves_everything_as_it_was(house: House) -> None:
    build(house=house)
    rewrite(house.solutions / "01_sample.py", "### END SOLUTION", "")
    before = snapshot(house)
    for attempt in (build, check):
        with pytest.raises(SourceError):
            attempt(house=house)
    assert snapshot(house) == before


def test_a_checkout_without_sources_loses_no_notebook(house: House) -> None:
    build(house=house)
    (house.solutions / "01_sample.py").unlink()
    before = snapshot(house)
    with pytest.raises(FlightSchoolError, match="There is no source in solutions"):
        build(house=house)
    assert snapshot(house) == before


def test_an_interrupted_write_leaves_the_old_notebook(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    build(house=house)
    before = snapshot(house)
    rewrite(house.solutions / "01_sample.py", "Well flown", "Nicely flown")

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        build(house=house)
    after = snapshot(house)
    del before["solutions/01_sample.py"], after["solutions/01_sample.py"]
    assert after == before
