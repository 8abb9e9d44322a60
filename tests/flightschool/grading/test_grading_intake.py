"""What was handed in: folders and zips as people and platforms leave them, and what is not taken."""

import io
import json
import os
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flightschool import paths
from flightschool.curriculum import module
from flightschool.errors import FlightSchoolError
from flightschool.grading import intake
from flightschool.grading.notebook import NOTEBOOK_LIMIT

MODULE = module("01")
NOTEBOOK = (paths.NOTEBOOKS / f"{MODULE.id}.ipynb").read_bytes()
OTHER = (paths.NOTEBOOKS / "02_data_lifecycle.ipynb").read_bytes()


def with_learner(name: str) -> bytes:
    notebook = json.loads(NOTEBOOK)
    notebook["metadata"]["learner"] = name
    return json.dumps(notebook).encode()


def zipped(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def lay(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def found(folder: Path) -> dict[str, bytes]:
    """What is read, by learner; nothing may be amiss."""
    came = intake.find(folder, MODULE)
    assert came.problems == ()
    return {one.learner: intake.read(one) for one in came.submissions}


def test_folders_zips_and_one_zip_of_all_give_the_same(tmp_path: Path) -> None:
    wanted = {name: with_learner(name) for name in ("anna", "ben")}
    assert found(lay(tmp_path / "flat", {f"{name}.ipynb": one for name, one in wanted.items()})) == wanted
    assert found(lay(tmp_path / "deep", {f"{name}/a/w.ipynb": one for name, one in wanted.items()})) == wanted
    each = {f"{name}.zip": zipped({"w.ipynb": one, "notes.txt": b""}) for name, one in wanted.items()}
    assert found(lay(tmp_path / "zips", each)) == wanted
    (tmp_path / "all.zip").write_bytes(zipped(each))
    assert found(tmp_path / "all.zip") == wanted
    nbgrader = {f"submitted/{name}/{MODULE.id}/w.ipynb": one for name, one in wanted.items()}
    assert found(lay(tmp_path / "nbgrader", nbgrader)) == wanted


def test_the_newest_of_a_learner_counts(tmp_path: Path) -> None:
    old, new = with_learner("old"), with_learner("new")
    folder = lay(tmp_path / "times", {"anna/a.ipynb": new, "anna/b.ipynb": old, "ben/a.ipynb": old})
    os.utime(folder / "anna" / "b.ipynb", (1, 1))
    assert found(folder) == {"anna": new, "ben": old}
    canvas = {"anna_7_10_w.ipynb": old, "anna_7_12_w-1.ipynb": new, "ben_8_11_w.ipynb": old}
    assert found(lay(tmp_path / "canvas", canvas)) == {"anna_7": new, "ben_8": old}
    assert intake.find(folder, MODULE).submissions[0].also == ("anna/b.ipynb",)


def test_when_it_came(tmp_path: Path) -> None:
    folder = lay(tmp_path / "plain", {"anna.ipynb": NOTEBOOK})
    os.utime(folder / "anna.ipynb", (1e9, 1e9))
    assert intake.find(folder, MODULE).submissions[0].received == datetime.fromtimestamp(1e9, UTC)
    stamp = {"timestamp.txt": b"2015-02-02 15:58:23.948203 UTC"}
    place = f"submitted/anna/{MODULE.id}"
    nbgrader = lay(
        tmp_path / "n",
        {f"{place}/w.ipynb": NOTEBOOK, **{f"{place}/{name}": one for name, one in stamp.items()}},
    )
    expected = datetime(2015, 2, 2, 15, 58, 23, 948203, UTC)
    assert intake.find(nbgrader, MODULE).submissions[0].received == expected
    (tmp_path / "z.zip").write_bytes(zipped({"anna.ipynb": NOTEBOOK}))
    assert intake.find(tmp_path / "z.zip", MODULE).submissions[0].received is None


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"anna.ipynb": OTHER}, "anna.ipynb is of module 02_data_lifecycle and was not graded."),
        ({"anna.rar": b""}, "anna.rar is not opened: of archives only zips are."),
        ({"anna.zip": b"no zip"}, "anna.zip was not taken:"),
        ({"anna.zip": zipped({"read me.txt": b""})}, "There is no notebook in anna.zip."),
        ({"anna/read me.txt": b"", "ben/w.ipynb": NOTEBOOK}, "There is no notebook in anna."),
        ({"anna.zip": zipped({"a.zip": zipped({"b.zip": zipped({})})})}, "it is a zip in a zip in a zip"),
        ({"anna.zip": zipped({"../w.ipynb": NOTEBOOK})}, "its path leads out of the archive"),
        ({"anna/" + "d/" * 11 + "w.ipynb": NOTEBOOK}, "it lies too deep"),
    ],
)
def test_what_is_not_taken_is_said(tmp_path: Path, files: Mapping[str, bytes], problem: str) -> None:
    came = intake.find(lay(tmp_path / "in", {"carl.ipynb": NOTEBOOK, **files}), MODULE)
    assert "carl" in [one.learner for one in came.submissions]
    assert problem in "\n".join(came.problems)


def test_no_link_is_followed(tmp_path: Path) -> None:
    folder = lay(tmp_path / "in", {"carl.ipynb": NOTEBOOK})
    (tmp_path / "secret.ipynb").write_bytes(NOTEBOOK)
    (folder / "anna.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (folder / "ben").symlink_to(tmp_path)
    came = intake.find(folder, MODULE)
    assert [one.learner for one in came.submissions] == ["carl"]
    assert len(came.problems) == 2


def test_a_notebook_that_is_too_large_has_a_row_and_is_refused(tmp_path: Path) -> None:
    folder = lay(tmp_path / "in", {"anna.ipynb": NOTEBOOK + b" " * NOTEBOOK_LIMIT})
    (one,) = intake.find(folder, MODULE).submissions
    with pytest.raises(FlightSchoolError, match="larger than 20 MiB"):
        intake.read(one)


def test_no_folder_hides_what_else_is_not_taken(tmp_path: Path) -> None:
    files = {f"anna/{number:04}.rar": b"" for number in range(1_200)}
    came = intake.find(lay(tmp_path / "in", {**files, "ben.rar": b"", "carl.ipynb": NOTEBOOK}), MODULE)
    assert "ben.rar is not opened: of archives only zips are." in came.problems


def test_hidden_files_are_nobodys(tmp_path: Path) -> None:
    files = {"anna/.ipynb_checkpoints/w.ipynb": b"", "__MACOSX/._w.ipynb": b"", "anna/w.ipynb": NOTEBOOK}
    assert list(found(lay(tmp_path / "in", files))) == ["anna"]


def test_no_such_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(FlightSchoolError, match=r"nowhere can't be read"):
        intake.find(tmp_path / "nowhere", MODULE)
