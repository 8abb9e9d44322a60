"""What runs behind the walls in an attack on another grader: it grades the batch, then looks what became of the neighbours.

Beside each neighbour's notebook lies a private.txt, which no grader has a reason to open.

    python -m others.inside TOOL ARENA HANDED TOKEN

The last line of output is JSON: marks, read, changed, ending.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from flightschool.engine import sandbox
from others import light
from others.attack import AFTER, BEFORE, CELL, WALL
from others.measured import Marks
from others.nbgrader_course import Failed, NbgraderCourse
from others.otter_run import Otter

HOME = Path(sandbox.HOME)
WRITABLE = (HOME, Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))
LARGEST = 2**26
"""Bytes; larger files are not searched for the token."""


def main(tool: str, arena: Path, handed: Path, token: str) -> None:
    """Grade, look, tell."""
    submissions = {path.stem: path.read_bytes() for path in sorted(handed.glob("*.ipynb"))}
    for learner in (BEFORE, AFTER):
        if learner in submissions:
            submissions[learner] = marked(submissions[learner], token)
    batch = NbgraderBatch(arena) if tool == "nbgrader" else OtterBatch()
    for learner, notebook in submissions.items():
        batch.hand_in(learner, notebook)
    private = [folder / "private.txt" for folder in batch.places() if folder.is_dir()]
    for path in private:
        path.write_text(token)
    before = digest(batch.places())
    for path in private:
        os.utime(path, (0, path.stat().st_mtime))
    ending = batch.grade()
    read = any(path.exists() and path.stat().st_atime for path in private)
    changed = digest(batch.places()) != before
    read = read or (bool(token) and any(seen(token, WRITABLE, batch.own())))
    print(json.dumps({"changed": changed, "read": read, "marks": batch.marks(), "ending": ending}))


class NbgraderBatch:
    """Submissions to an nbgrader course of which the arena holds all but these."""

    def __init__(self, arena: Path) -> None:
        shutil.copytree(arena / "course", HOME / "course")
        self._course = NbgraderCourse(HOME / "course")

    def hand_in(self, learner: str, notebook: bytes) -> None:
        """Put a submission where nbgrader looks for it."""
        self._course.submit(learner, light.ID, notebook)

    def grade(self) -> str:
        """Grade all; how that ended."""
        done = self._course.nbgrader("autograde", light.ID, deadline=WALL * 0.8)
        return f"exit status {done.status}"

    def marks(self) -> Marks:
        """What the gradebook says, if it can still be read."""
        try:
            return self._course.marks(light.ID)
        except Failed:
            return {}

    def places(self) -> list[Path]:
        """The neighbours' own folders."""
        return [HOME / "course" / "submitted" / learner for learner in (BEFORE, AFTER)]

    def own(self) -> list[Path]:
        """Where a neighbour's files are meant to be."""
        return [
            HOME / "course" / room / name for room in ("submitted", "autograded") for name in (BEFORE, AFTER)
        ]


class OtterBatch:
    """Submissions that `otter run` grades one after the other."""

    def __init__(self) -> None:
        self._otter = Otter(HOME / "otter")
        self._learners: list[str] = []

    def hand_in(self, learner: str, notebook: bytes) -> None:
        """Put a submission beside the others."""
        self._learners.append(learner)
        self._otter.hand_in(learner, notebook)

    def grade(self) -> str:
        """Grade all; how the last one ended."""
        return ", ".join(
            f"exit status {self._otter.grade(learner, deadline=3 * CELL).status}"
            for learner in self._learners
        )

    def marks(self) -> Marks:
        """What otter wrote down."""
        return self._otter.marks()

    def places(self) -> list[Path]:
        """The neighbours' own folders."""
        return [HOME / "otter" / "submissions" / learner for learner in (BEFORE, AFTER)]

    def own(self) -> list[Path]:
        """Where a neighbour's files are meant to be."""
        return self.places()


def marked(notebook: bytes, token: str) -> bytes:
    """A notebook with a text cell that nobody else's has."""
    page = json.loads(notebook)
    page["cells"].append({"cell_type": "markdown", "id": "private", "metadata": {}, "source": token})
    return json.dumps(page).encode()


def digest(places: Iterable[Path]) -> str:
    """Of all that lies there, names and contents."""
    found = hashlib.sha256()
    for place in places:
        for path in sorted(place.rglob("*")):
            found.update(str(path).encode() + b"\0" + (path.read_bytes() if path.is_file() else b"") + b"\0")
    return found.hexdigest()


def seen(token: str, places: Iterable[Path], own: Iterable[Path]) -> Iterator[bool]:
    """For each file outside of the neighbours' own folders, whether it holds the token."""
    for place in places:
        for path in place.rglob("*"):
            if any(path.is_relative_to(folder) for folder in own) or path.is_symlink() or not path.is_file():
                continue
            yield path.stat().st_size <= LARGEST and token.encode() in path.read_bytes()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
