"""The same answers on many worlds: right ones pass on all of them, what was learnt by heart on world 0 on no other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from flightschool.curriculum import Module, Outcome
from flightschool.mutation import answers
from flightschool.mutation.answers import Trial
from flightschool.mutation.isolation import Ending, run
from flightschool.mutation.judges import PATIENCE, PRELOAD

CHUNK = 5
"""Worlds in one piece of work."""
WITHOUT_WORLD = ("quiz",)
"""Exercises whose right answer is the same in every world."""


@dataclass
class Steadiness:
    """One exercise on many worlds: right answers refused and answers by heart let through, with their seeds."""

    module: str
    exercise: str
    seeds: tuple[int, ...]
    right: int = 0
    refused: list[str] = field(default_factory=list)
    by_heart: int = 0
    fooled: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        """Whether all is as it should be."""
        return not self.refused and not self.fooled


def steadiness(module: Module, exercise: str, seeds: Sequence[int], *, jobs: int = 2) -> Steadiness:
    """Judge each right answer of an exercise on each world, and the evidence of the first world on all the others."""
    began = time.monotonic()
    found = Steadiness(module.id, exercise, tuple(seeds))
    jobs = min(jobs, answers.effort(module.id, exercise).jobs or jobs)
    entries = [one.name for one in answers.passing(module.id) if one.exercise == exercise]
    trials = [Trial(module.id, exercise, entry, chunk) for entry in entries for chunk in chunks(seeds)]
    if exercise not in WITHOUT_WORLD:
        trials += [Trial(module.id, exercise, entry, tuple(seeds), replay=True) for entry in entries]
    for done in run(answers.tried, trials, jobs=jobs, seconds=PATIENCE, preload=PRELOAD):
        trial = trials[done.place]
        if done.ending is not Ending.RETURNED:
            found.refused.append(f"{trial.entry}: {done.ending}, {done.error}")
            continue
        for seed, outcome in done.value.outcomes.items():
            passed = outcome == Outcome.PASSED
            if trial.replay and seed != seeds[0]:
                found.by_heart += 1
                found.fooled += [f"{trial.entry}: seed {seed}"] * passed
            elif not trial.replay:
                found.right += 1
                found.refused += [f"{trial.entry}: seed {seed}, {done.value.said}"] * (not passed)
    found.seconds = time.monotonic() - began
    return found


def chunks(seeds: Sequence[int]) -> list[tuple[int, ...]]:
    """The seeds, a few at a time."""
    return [tuple(seeds[start : start + CHUNK]) for start in range(0, len(seeds), CHUNK)]
