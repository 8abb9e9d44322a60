"""What a hostile notebook does to another grader, which runs it between two honest ones.

The grader has no walls of its own, so all of it runs behind ours, as nobody, in a home in memory that is gone afterwards.
"""

import hashlib
import json
import secrets
import sys
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flightschool.engine import sandbox
from others import light
from others.environments import HERE, ROOT, environment
from others.nbgrader_course import NbgraderCourse
from others.otter_run import translated

WALL = 240.0
"""Seconds for a batch of three; endless cells are ended before by the grader (nbgrader) or by us (otter has no deadline)."""
CELL = 20
BEFORE, HOSTILE, AFTER = "a-neighbour", "m-hostile", "z-neighbour"
"""The learners, in the order in which they are graded."""
CONFIG = f"c = get_config()\nc.Execute.timeout = {CELL}\n"


@dataclass(frozen=True)
class Outcome:
    """What came of a batch.

    `mark` is the hostile notebook's sum of points, None when it got none; `honest` that of its twin, graded where nobody attacks.
    `read`: a neighbour's private file was opened, or what only a neighbour's files hold was found, in clear, elsewhere.
    `changed`: a neighbour's files or marks are other than before. `finished`: who came after it was graded. `ending` says how the grader ended.
    """

    mark: float | None
    honest: float
    read: bool
    changed: bool
    finished: bool
    ending: str
    seconds: float

    @property
    def mark_changed(self) -> bool:
        """Whether it has another mark than its twin."""
        return self.mark != self.honest

    @property
    def held(self) -> bool:
        """Whether nothing came of it."""
        return self.finished and not (self.mark_changed or self.read or self.changed)


class Arena:
    """A grader (`nbgrader` or `otter`) with the light course, to be attacked again and again; `folder` is empty.

    Raises:
        Unavailable: the grader can't be had.
        NoSandbox: there are no walls here, so nothing hostile may be run.
    """

    def __init__(self, tool: str, folder: Path) -> None:
        sandbox.available().require()
        self.tool, self._folder = tool, folder
        folder.chmod(0o755)  # behind the walls is another user
        self._course = light.course(folder / "light")
        self._honest: dict[str, float] = {}
        needed = [ROOT / "src", HERE, light.SOURCE, folder, environment(tool)]
        if tool == "nbgrader":
            (folder / "course").mkdir()
            (folder / "course" / "nbgrader_config.py").write_text(CONFIG)
            made = NbgraderCourse(folder / "course", self._course.environment)
            made.add(light.ID, self._course.solution)
            made.generate(light.ID)
        variables = {
            **self._course.environment,
            "FLIGHTSCHOOL_STATE": f"{sandbox.HOME}/.flightschool",
            "PYTHONPATH": str(HERE.parent),
        }
        self._policy = sandbox.Policy(
            readable=(*sandbox.environment(), *needed),
            memory=2**31,
            cpu=int(WALL),
            wall=WALL,
            processes=256,
            environment=tuple(variables.items()),
        )

    @property
    def release(self) -> bytes:
        """The notebook that hostile ones and their twins are made from."""
        return self._course.release

    def attack(self, notebook: bytes, twin: bytes) -> Outcome:
        """Let a hostile notebook of the light course be graded between two copies of its honest twin."""
        honest = self._mark_of(twin)
        token = secrets.token_hex(16)
        found = self._graded({BEFORE: twin, HOSTILE: notebook, AFTER: twin}, token)
        marks: Mapping[str, Mapping[str, float]] = found.get("marks", {})
        mark = sum(marks[HOSTILE].values()) if marks.get(HOSTILE) else None
        neighbours = [sum(marks[name].values()) for name in (BEFORE, AFTER) if name in marks]
        return Outcome(
            mark=mark,
            honest=honest,
            read=bool(found.get("read")),
            changed=bool(found.get("changed")) or any(other != honest for other in neighbours),
            finished=AFTER in marks,
            ending=found["ending"],
            seconds=found["seconds"],
        )

    def _mark_of(self, twin: bytes) -> float:
        digest = hashlib.sha256(twin).hexdigest()
        if digest not in self._honest:
            found = self._graded({BEFORE: twin}, "")
            if not found.get("marks", {}).get(BEFORE):
                raise ValueError(f"{self.tool} did not grade the honest twin: {found}")
            self._honest[digest] = sum(found["marks"][BEFORE].values())
        return self._honest[digest]

    def _graded(self, notebooks: Mapping[str, bytes], token: str) -> dict[str, Any]:
        """What `inside` says of a batch, and how it ended."""
        with tempfile.TemporaryDirectory(dir=self._folder) as handed:
            for learner, notebook in notebooks.items():
                path = Path(handed) / f"{learner}.ipynb"
                path.write_bytes(_for(self.tool, notebook))
                path.chmod(0o644)
            Path(handed).chmod(0o755)
            command = [sys.executable, "-m", "others.inside", self.tool, str(self._folder), handed, token]
            ended = sandbox.run(command, self._policy)
        last = ended.stdout.decode(errors="replace").strip().rpartition("\n")[2]
        try:
            found: dict[str, Any] = json.loads(last)
        except ValueError:  # the hostile notebook ended whoever was to say it
            found = {
                "ending": f"{ended.ending} ({ended.status}) {ended.stderr[-300:].decode(errors='replace')}"
            }
        return {**found, "seconds": ended.seconds}


def _for(tool: str, notebook: bytes) -> bytes:
    if tool == "otter":
        with suppress(Exception):  # it is no notebook: as it is, then
            return translated(notebook)
    return notebook


def table(
    corpus: Iterable[tuple[str, bytes, bytes]], folder: Path, tools: Iterable[str] = ("nbgrader", "otter")
) -> dict[str, dict[str, Outcome]]:
    """By name and tool, the outcome of each attack of a corpus: (name, hostile notebook, its honest twin)."""
    arenas = {}
    for tool in tools:
        (folder / tool).mkdir(parents=True)
        arenas[tool] = Arena(tool, folder / tool)
    return {
        name: {tool: arena.attack(notebook, twin) for tool, arena in arenas.items()}
        for name, notebook, twin in corpus
    }
