"""The light course as an otter-grader assignment, and `otter run` on its submissions, one after the other.

`otter grade` would put each into a Docker container; `otter run` does the same without.
"""

import json
import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

import nbformat

from flightschool.engine.runner import kernel_environment
from others import light
from others.environments import activated, environment
from others.measured import Marks, Measured, Ran, run
from others.nbgrader_course import Failed

TESTS = light.SOURCE / "otter" / "tests"
EXERCISE = re.compile(r"^(q\d+)\b")


def translated(notebook: bytes) -> bytes:
    """A submission of the light course as one of otter's: its `Notebook` stands for our lab, its checks for ours."""
    page = nbformat.reads(notebook.decode(), as_version=4)  # type: ignore[no-untyped-call]
    for cell in page.cells:
        if cell.cell_type == "code":
            text = cell.source.replace("from flightschool.learn import Lab", "import otter")
            text = re.sub(r"^lab = Lab\(.*\)$", "grader = otter.Notebook()", text, flags=re.MULTILINE)
            cell.source = re.sub(
                r"^lab\.(q\d+)\.check\(\w+\)$", r'grader.check("\1")', text, flags=re.MULTILINE
            )
    return str(nbformat.writes(page)).encode()  # type: ignore[no-untyped-call]


def autograder(path: Path) -> Path:
    """Write the archive that otter grades by: configuration, tests, and the lab's file."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("otter_config.json", json.dumps({"logo": False, "print_summary": False}))
        archive.write(light.SOURCE / "labs" / light.ID / "turnarounds.py", "files/turnarounds.py")
        for test in sorted(TESTS.glob("*.py")):
            archive.write(test, f"tests/{test.name}")
    return path


class Otter:
    """`otter run` in `folder`, with kernels of its own Python, for it is imported into them. Raises Unavailable."""

    def __init__(self, folder: Path) -> None:
        tool = environment("otter")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._otter = folder, str(tool / "bin" / "otter")
        kernel = kernel_environment(folder)
        kernels = os.pathsep.join([str(tool / "share" / "jupyter"), kernel["JUPYTER_PATH"]])
        self.environment = {**kernel, "PATH": activated(tool)["PATH"], "JUPYTER_PATH": kernels}
        self.environment.pop("PYTHONPATH", None)
        self.archive = autograder(folder / "autograder.zip")

    def hand_in(self, learner: str, notebook: bytes) -> Path:
        """Put a notebook, already translated, beside the others; its path."""
        path = self.folder / "submissions" / learner / f"{light.ID}.ipynb"
        path.parent.mkdir(parents=True)
        path.write_bytes(notebook)
        return path

    def grade(self, learner: str, deadline: float = 600) -> Ran:
        """Grade what a learner has handed in."""
        results = self.folder / "results" / learner
        results.mkdir(parents=True)
        handed = self.folder / "submissions" / learner / f"{light.ID}.ipynb"
        words = ["run", "-a", str(self.archive), "-o", str(results), "--no-logo", str(handed)]
        return run([self._otter, *words], self.folder, self.environment, deadline)

    def marks(self) -> Marks:
        """What otter wrote down."""
        found: Marks = {}
        for path in sorted((self.folder / "results").glob("*/results.json")):
            marks = found.setdefault(path.parent.name, {})
            for test in json.loads(path.read_text(encoding="utf-8"))["tests"]:
                if named := EXERCISE.match(test["name"]):
                    marks[named[1]] = marks.get(named[1], 0.0) + test.get("score", 0.0)
        return found


def otter_run(folder: Path, notebooks: Mapping[str, bytes]) -> Measured:
    """Grade notebooks of the light course, by learner, with `otter run`; the sum over its runs is measured.

    Raises:
        Unavailable: otter-grader can't be had.
        Failed: otter has not graded one of them.
    """
    otter = Otter(folder)
    wall = cpu = 0.0
    for learner, notebook in notebooks.items():
        otter.hand_in(learner, translated(notebook))
        done = otter.grade(learner)
        if done.status:
            raise Failed(done.said[-4000:])
        wall, cpu = wall + done.wall, cpu + done.cpu
    return Measured(wall, cpu, len(notebooks), otter.marks())
