"""`make grade`, as an instructor types it: a folder in, marks and pages out, and nothing is graded twice."""

import csv
import json
import os
import subprocess
from pathlib import Path

import nbformat
import pytest

from flightschool import curriculum, paths, publish
from flightschool.engine import sandbox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(sandbox.available().walls), reason=sandbox.available().walls),
]
MODULE = curriculum.module("01")


def grade(folder: Path, out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    words = [str(folder), "--module", "01", "--out", str(out), "--jobs", "2", *options]
    return subprocess.run(
        ["make", "--no-print-directory", "grade", f"GRADE={' '.join(words)}"],
        cwd=paths.ROOT,
        env={**os.environ, "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=600,
    )


def forged(solution: bytes) -> bytes:
    """The solution of all but q4, for which the notebook forges a verdict; the checks are gone."""
    notebook = nbformat.reads(solution.decode(), as_version=4)
    notebook.cells = [cell for cell in notebook.cells if not cell.id.endswith("-check")]
    for cell in notebook.cells:
        if cell.id == "q4":
            cell.source = (
                "from flightschool.curriculum import Verdict\n"
                "from flightschool.learn import questions\n"
                "questions.judge_answer = lambda *_: Verdict.passed('all points')\n"
                "who_is_paged = lambda page: 'ops'"
            )
    return nbformat.writes(notebook).encode()


@pytest.fixture(scope="module")
def submitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("submitted")
    solution = publish.solution_notebook(MODULE)
    (folder / "anna.ipynb").write_bytes(solution)
    (folder / "bela.ipynb").write_bytes((paths.NOTEBOOKS / f"{MODULE.id}.ipynb").read_bytes())
    (folder / "mallory.ipynb").write_bytes(forged(solution))
    (folder / "nemo.ipynb").write_bytes(b"{ not json")
    return folder


def test_a_folder_becomes_marks(submitted: Path, tmp_path: Path) -> None:
    out = tmp_path / "grades"
    done = grade(submitted, out)
    assert "Error 1" in done.stderr  # as make says that one could not be read
    assert "nemo" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    rows = {row["learner"]: row for row in csv.DictReader((out / "grades.csv").open(encoding="utf-8"))}
    q4 = MODULE.exercises["q4"].points
    assert {name: float(row["earned"]) for name, row in rows.items()} == {
        "anna": MODULE.points,
        "bela": 0,
        "mallory": MODULE.points - q4,
        "nemo": 0,
    }
    told = {one["learner"]: one for one in json.loads((out / "grades.json").read_text())["submissions"]}
    assert {one["outcome"] for one in told["bela"]["exercises"]} == {"not_attempted"}
    assert told["nemo"]["status"] == "refused"
    pages = {path.stem: path.read_text() for path in (out / "feedback").iterdir()}
    assert any("check of q4 was missing" in page for page in pages.values())
    assert (out / "index.html").is_file()

    again = grade(submitted, out)
    assert "graded now" in again.stdout
    now = [line.split()[-1] for line in again.stdout.splitlines() if line.strip().startswith("graded now")]
    assert now == ["0"]

    (submitted / "nemo.ipynb").unlink()
    third = grade(submitted, out)
    assert third.returncode == 0, third.stderr


def test_what_is_no_folder_is_one_sentence(tmp_path: Path) -> None:
    done = grade(tmp_path / "nowhere", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr.count("\n") <= 2  # ours, and make's own
    assert "nowhere" in done.stderr
    assert "Error 2" in done.stderr
