"""The lab: the one object a notebook makes. It has the world, a work folder, the servers and the exercises."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import types
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from flightschool import paths
from flightschool.curriculum import load_lab_file, module
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.learn import progress
from flightschool.learn.drills import Incident
from flightschool.learn.handover import PlantedOutside, hand_over
from flightschool.learn.questions import Question

if TYPE_CHECKING:
    from flightschool.data import World


class Lab:
    """One module's lab, from a known good state.

    `lab.world` holds the data of `seed` (0 is the learner's), `lab.path` the lab's code (importable from now on), `lab.workdir`
    an empty folder of this notebook's own, `lab.services` the servers, `lab.q1`, `lab.q2` … the exercises.
    Raises FlightSchoolError when there is no such module.
    """

    def __init__(self, name: str, seed: int = 0) -> None:
        self.module = module(name)
        self._way = hand_over()
        self.seed = self._way.seed if self._way else seed
        self.path = self.module.lab
        self._questions: dict[str, Question] = {}
        if str(self.path) not in sys.path:
            sys.path.insert(0, str(self.path))
        quieten()
        progress.opened(self.module, seed=seed)

    def __repr__(self) -> str:
        return _("Lab {id} · world {seed} · exercises {names}").format(
            id=self.module.id, seed=self.seed, names=", ".join(self.module.exercises)
        )

    @cached_property
    def world(self) -> World:
        """The seeded slice of the data."""
        from flightschool.data import World

        return World(self.seed)

    @cached_property
    def workdir(self) -> Path:
        """An empty folder for this notebook, kept while its kernel lives and removed by a later start."""
        if self._way:  # the walls' own, at the place where a drill was planted
            folder = Path.home() / "work" / self.module.id
            folder.mkdir(parents=True, exist_ok=True)
            return folder
        return fresh_folder(paths.STATE / "work", self.module.id)

    @property
    def services(self) -> types.ModuleType:
        """The servers: `lab.services.s3()`, `lab.services.kafka()` …"""
        from flightschool import services

        return services

    def question(self, id: str) -> Question:
        """An exercise by its id. Raises FlightSchoolError, naming those that exist."""
        if id not in self._questions:
            exercises = self.module.exercises
            if id not in exercises:
                raise FlightSchoolError(
                    _("Module {module} has no exercise {id!r}; it has {known}.").format(
                        module=self.module.id, id=id, known=", ".join(exercises)
                    )
                )
            judge = None if self._way else self.module.judges[id]
            self._questions[id] = Question(exercises[id], judge, self.world, self.module)
        return self._questions[id]

    def __getattr__(self, name: str) -> Question:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self.question(name)
        except FlightSchoolError as error:
            raise AttributeError(str(error)) from None

    def drill(self) -> Incident:
        """Break something and page the learner."""
        if self._way:
            return Incident(self, PlantedOutside(self._way))
        return Incident(self, load_lab_file(self.path, "drill"))


def quieten() -> None:
    """Switch the telemetry of every tool off, and let PySpark find this very Python."""
    from flightschool.services.telemetry import OFF

    os.environ.update(
        OFF,
        PYSPARK_PYTHON=sys.executable,
        PYSPARK_DRIVER_PYTHON=sys.executable,
        # Where Airflow is installed dlt asks Airflow's metastore for each setting, which takes it 15 s.
        PROVIDERS__ENABLE_AIRFLOW_SECRETS="false",
    )


def fresh_folder(parent: Path, name: str) -> Path:
    """A new folder `<name>-<pid>-…` under `parent`; those whose process is gone are removed first."""
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.glob("*-*-*"):
        pid = old.name.split("-")[-2]
        if pid.isdigit() and not _alive(int(pid)):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{name}-{os.getpid()}-", dir=parent))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
