"""A learner's progress: what was tried, what is done, how long it took, and what to do next.

Kept on this machine alone, in `.flightschool/progress.sqlite`. Recorded are the learner's own checks, hints and drills in world 0;
nothing is in a graded run (any other seed), nor where `FLIGHTSCHOOL_PROGRESS=off`, as in CI, tests and `flightschool run`.

Points follow the course: an exercise is worth what it is worth today times the best share that was ever reached. One that was
taken out of the course stays in the history and leaves the totals.
"""

from __future__ import annotations

import atexit
import hashlib
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from flightschool import paths
from flightschool.curriculum import Exercise, Module, Outcome, Verdict, modules
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.learn.display import Card, show
from flightschool.learn.journal import Event, Journal, Kind
from flightschool.learn.outline import Asked, outline

SWITCH = "FLIGHTSCHOOL_PROGRESS"
PAUSE = timedelta(minutes=10)
"""A gap longer than this is a pause, and counts for nothing."""

_journals: dict[tuple[int, Path], Journal] = {}
_since: dict[str, float] = {}
_told: set[str] = set()


class State(StrEnum):
    """How far a module is."""

    DONE = "done"
    BEGUN = "begun"
    NOT_BEGUN = "not_begun"
    IN_PREPARATION = "in_preparation"


@dataclass(frozen=True)
class ModuleProgress:
    """One module: `done` of `exercises` passed, `points` of `total`, `minutes` spent (see `minutes_spent`).

    `restored` is the shortest time, in minutes, from the page of a drill to its recovery; None when there was none.
    """

    id: str
    title: str
    state: State
    done: int
    exercises: int
    points: float
    total: float
    minutes: float
    restored: float | None

    @property
    def name(self) -> str:
        """As a person reads it: `07 · Data quality`."""
        return f"{self.id[:2]} · {self.title}"


@dataclass(frozen=True)
class Next:
    """What to do next: an exercise of a module."""

    module: str
    name: str
    exercise: str
    title: str


@dataclass(frozen=True)
class Summary:
    """All modules, what to do next (None when all is done), and what is wrong with the progress file, if anything."""

    modules: tuple[ModuleProgress, ...]
    next: Next | None
    trouble: str = ""

    @property
    def done(self) -> int:
        """Exercises passed."""
        return sum(one.done for one in self.modules)

    @property
    def exercises(self) -> int:
        """Exercises that the course has today."""
        return sum(one.exercises for one in self.modules)

    @property
    def points(self) -> float:
        """Points earned."""
        return sum(one.points for one in self.modules)

    @property
    def total(self) -> float:
        """Points that can be had today."""
        return sum(one.total for one in self.modules)

    @property
    def minutes(self) -> float:
        """Minutes spent."""
        return sum(one.minutes for one in self.modules)


def recording(seed: int = 0) -> bool:
    """Whether what happens is recorded: only in world 0, and not where FLIGHTSCHOOL_PROGRESS is `off`."""
    return seed == 0 and os.environ.get(SWITCH, "on").lower() not in ("off", "0", "no", "false")


def opened(module: Module, *, seed: int = 0) -> None:
    """Record that a lab was opened. Like all that records, it never raises for the file's sake: it says what is wrong, once."""
    if recording(seed):
        _since[module.id] = time.monotonic()
        _note(Event(Kind.OPENED, module.id, source=_source(module.lab)))


def record(module: Module, exercise: Exercise, verdict: Verdict, *, seed: int = 0) -> None:
    """Record an attempt."""
    if not recording(seed):
        return
    now = time.monotonic()
    before = _since.get(module.id)
    _since[module.id] = now
    _note(
        Event(
            Kind.ATTEMPT,
            module.id,
            exercise.id,
            outcome=verdict.outcome,
            share=min(max(verdict.share, 0.0), 1.0),
            points=exercise.points,
            seconds=None if before is None else round(now - before, 3),
            source=_source(module.lab),
        )
    )


def hint(module: Module, exercise: Exercise, rung: int, *, seed: int = 0) -> None:
    """Record that a hint was taken; `rung` counts from 1."""
    if recording(seed):
        _note(Event(Kind.HINT, module.id, exercise.id, rung=rung, source=_source(module.lab)))


def drill(module: Module, run: str, stage: Kind, *, seed: int = 0) -> None:
    """Record a stage of a drill: Kind.PAGED, DETECTED, RESTORED or ABANDONED. `run` is one id for all stages of one drill."""
    if recording(seed):
        _note(Event(stage, module.id, run=run, source=_source(module.lab)))


def journal() -> Journal:
    """This process's journal of the progress file."""
    key = (os.getpid(), paths.STATE / "progress.sqlite")
    if key not in _journals:
        _journals[key] = Journal(key[1])
        atexit.register(_journals[key].close)
    return _journals[key]


def summary(course: Sequence[Module] | None = None) -> Summary:
    """Where the learner stands, in the course as it is today; what can't be read is said in `trouble`, never raised."""
    kept = journal()
    try:
        events, trouble = kept.events(), " ".join(kept.moved)
        kept.moved.clear()
    except FlightSchoolError as error:
        events, trouble = [], str(error)
    return summarise(modules() if course is None else course, events, trouble)


def summarise(course: Sequence[Module], events: Sequence[Event], trouble: str = "") -> Summary:
    """The summary of these events, which are in the order of their time."""
    best: dict[tuple[str, str], float] = {}
    passed: set[tuple[str, str]] = set()
    for event in events:
        if event.kind is Kind.ATTEMPT and event.exercise and event.share is not None:
            key = (event.module, event.exercise)
            best[key] = max(best.get(key, 0.0), event.share)
            if event.outcome is Outcome.PASSED:
                passed.add(key)
    minutes = minutes_spent(events)
    restored = _restored(events)
    begun = {event.module for event in events}
    asked = {one.id: _outline(one) for one in course}

    def one(module: Module) -> ModuleProgress:
        tasks = asked[module.id]
        done = sum((module.id, task.id) in passed for task in tasks)
        if not tasks:
            state = State.IN_PREPARATION
        elif done == len(tasks):
            state = State.DONE
        else:
            state = State.BEGUN if module.id in begun else State.NOT_BEGUN
        return ModuleProgress(
            id=module.id,
            title=module.title,
            state=state,
            done=done,
            exercises=len(tasks),
            points=sum(task.points * best.get((module.id, task.id), 0.0) for task in tasks),
            total=sum(task.points for task in tasks),
            minutes=minutes.get(module.id, 0.0),
            restored=restored.get(module.id),
        )

    shown = tuple(one(module) for module in course)
    return Summary(shown, _next(shown, asked, passed, events), trouble)


def minutes_spent(events: Iterable[Event]) -> dict[str, float]:
    """Minutes by module: the time between one event and the next, unless that is a pause of more than ten minutes.

    It is the time that led to the later event, so it counts for that one's module; before the opening of a lab, for the
    module that came before. Reading before a lab is opened and after the last check is not seen, so this is a lower
    bound; two notebooks at once count once.
    """
    spent: dict[str, timedelta] = {}
    before: Event | None = None
    for event in events:
        if before is not None and event.at - before.at <= PAUSE:
            module = before.module if event.kind is Kind.OPENED else event.module
            spent[module] = spent.get(module, timedelta()) + (event.at - before.at)
        before = event
    return {module: time / timedelta(minutes=1) for module, time in spent.items()}


def _restored(events: Iterable[Event]) -> dict[str, float]:
    """By module, the minutes of the drill that was restored fastest."""
    paged: dict[str | None, Event] = {}
    found: dict[str, float] = {}
    for event in events:
        if event.kind is Kind.PAGED:
            paged.setdefault(event.run, event)
        elif event.kind is Kind.RESTORED and event.run in paged:
            took = (event.at - paged[event.run].at) / timedelta(minutes=1)
            found[event.module] = min(took, found.get(event.module, took))
    return found


def _next(
    shown: Sequence[ModuleProgress],
    asked: dict[str, list[Asked]],
    passed: set[tuple[str, str]],
    events: Sequence[Event],
) -> Next | None:
    """The first exercise not passed of the module last worked on, else of the next one, else of an earlier one."""
    places = {one.id: place for place, one in enumerate(shown)}
    worked = [places[event.module] for event in events[::-1] if event.module in places]
    start = worked[0] if worked else 0
    for one in [*shown[start:], *shown[:start]]:
        for task in asked[one.id]:
            if (one.id, task.id) not in passed:
                return Next(one.id, one.name, task.id, task.title)
    return None


def _outline(module: Module) -> list[Asked]:
    try:
        return outline(module)
    except Exception:  # whatever a lab under construction raises; its own tests tell
        return []


def _note(event: Event) -> None:
    said = journal().note(event)
    if said and said not in _told:
        _told.add(said)
        show(Card(_("Progress"), (("", said),), colour="#6e6e6e"))


@lru_cache
def _source(lab: Path) -> str | None:
    """Which version of the lab's exercises and judges this process has loaded, as a hash; None without a lab."""
    found = hashlib.sha256()
    for name in ("exercises.py", "judges.py"):
        try:
            found.update((lab / name).read_bytes())
        except OSError:
            return None
    return found.hexdigest()[:16]
