"""How good are the judges? Right answers are mutated, and each judge must notice; rewritten, and no judge may mind.

What is counted, for each exercise:

- *caught*: the verdict is not passed, or the mutant raised, hung or outgrew its memory. A part of the points is caught, too.
- *let through*: passed, though its evidence differs from the right answer's, here or on another of the tried worlds.
- *not told apart*: passed with the right answer's evidence on every tried world. Most of these are equivalent mutants (a
  filter on what never occurs, an order that does not matter), but equal evidence proves no equal meaning: a probe that
  looks at too little hides here, so they are listed with --verbose and meant to be read.

A grader uses one secret seed. So the share caught is taken for each world by itself, over all mutants that are told apart on at
least one; the mean over the worlds must reach the goal, and the worst is shown. Statements that the right answer never
reaches are not mutated; above a number of mutants they are sampled, the same ones each time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from flightschool.curriculum import Module, Outcome
from flightschool.mutation import answers
from flightschool.mutation.answers import Trial, Tried
from flightschool.mutation.isolation import Ending, Run, run
from flightschool.mutation.mutants import Mutant, mutants, sample

GOAL = 0.95
"""The share of mutants that a judge must catch on a single world, in the mean."""
PATIENCE = 240.0
"""Seconds for a right answer, the start of servers and of Spark included."""
PRELOAD = (
    "pandas",
    "duckdb",
    "pyarrow.dataset",
    "flightschool.data",
    "flightschool.learn.questions",
    "flightschool.mutation.answers",
)


@dataclass(frozen=True)
class Fate:
    """What became of one mutant: by seed whether it was caught, and whether its evidence told it apart."""

    mutant: Mutant
    entry: str
    caught: dict[int, bool]
    told_apart: bool
    said: str

    @property
    def survived(self) -> bool:
        """Told apart by its evidence, and passed on every world."""
        return self.told_apart and not any(self.caught.values())


@dataclass
class Audit:
    """The figures of one exercise. `refused` names right answers that did not pass, with what the verdict said."""

    module: str
    exercise: str
    seeds: tuple[int, ...]
    fates: list[Fate] = field(default_factory=list)
    made: int = 0
    rewrites: int = 0
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def told_apart(self) -> list[Fate]:
        """The mutants whose evidence differs on at least one world, or that came to no evidence."""
        return [one for one in self.fates if one.told_apart]

    @property
    def shares(self) -> dict[int, float]:
        """By seed, the share of the mutants told apart that is caught there."""
        judged = self.told_apart
        return (
            {seed: sum(one.caught[seed] for one in judged) / len(judged) for seed in self.seeds}
            if judged
            else {}
        )

    @property
    def mean(self) -> float:
        """The share caught on one world, in the mean; 0 when nothing could be judged."""
        return sum(self.shares.values()) / len(self.shares) if self.shares else 0.0

    @property
    def good(self) -> bool:
        """Whether the goal is met."""
        return not self.refused and self.mean >= GOAL


def audit(module: Module, exercise: str, *, jobs: int = 2, most: int | None = None) -> Audit:
    """Mutate the right answers of one exercise and put them before its judge.

    Raises:
        NoAnswers: the module has no file of answers.
    """
    began = time.monotonic()
    effort = answers.effort(module.id, exercise)
    jobs = min(jobs, effort.jobs or jobs)
    seeds = tuple(answers.kit().SEEDS[: effort.worlds])
    entries = [one.name for one in answers.passing(module.id) if one.exercise == exercise]
    found = Audit(module.id, exercise, seeds, rewrites=len(entries))
    references, seconds = _references(found, entries, jobs)
    chosen = _mutants(found, references, jobs, effort.most if most is None else most)
    trials = [
        Trial(module.id, exercise, entry, seeds, replaced={name: mutant.source})
        for entry, name, mutant in chosen
    ]
    limit = max(10.0, 5 * seconds)
    for done in run(answers.tried, trials, jobs=jobs, seconds=limit, preload=PRELOAD):
        entry, _name, mutant = chosen[done.place]
        found.fates.append(_fate(mutant, entry, done, references[entry], seeds))
    found.fates.sort(key=lambda one: (one.entry, one.mutant.line, one.mutant.digest))
    found.seconds = time.monotonic() - began
    return found


def _references(
    found: Audit, entries: Sequence[str], jobs: int
) -> tuple[dict[str, tuple[Tried, Tried]], float]:
    """The right answers, each tried twice; those that pass, and how many seconds the slowest took the second time."""
    trials = [
        Trial(found.module, found.exercise, entry, found.seeds, trace=turn == 0)
        for entry in entries
        for turn in (0, 1)
    ]
    runs = sorted(
        run(answers.tried, trials, jobs=jobs, seconds=PATIENCE, preload=PRELOAD), key=lambda one: one.place
    )
    references = {}
    for place, entry in enumerate(entries):
        first, second = runs[2 * place : 2 * place + 2]
        bad = next((one for one in (first, second) if not _passed(one)), None)
        if bad is not None:
            found.refused.append(f"{entry}: {bad.value.said if bad.value else f'{bad.ending}, {bad.error}'}")
            continue
        # Sums of floats differ from run to run in a last digit, and so may what is rounded: both versions are right.
        references[entry] = (first.value, second.value)
    return references, max((one.seconds for one in runs), default=0.0)


def _passed(done: Run) -> bool:
    return done.ending is Ending.RETURNED and set(done.value.outcomes.values()) == {Outcome.PASSED}


def _mutants(
    found: Audit, references: dict[str, tuple[Tried, Tried]], jobs: int, most: int
) -> list[tuple[str, str, Mutant]]:
    """Entry, definition and mutant: each definition mutated once, where the right answer goes through it."""
    plan = list(_definitions(found.module, references))
    spoilt = _spoilt(found, plan, jobs)
    chosen: list[tuple[str, str, Mutant]] = []
    for entry, definition, lines in plan:
        made = mutants(
            definition.text,
            touch=lambda line, d=definition, ran=lines: d.constant or line + d.line - 1 in ran,  # type: ignore[misc]
        )
        chosen += [
            (entry, definition.name, one)
            for one in made
            if not (definition.name in spoilt and one.operator in spoilt[definition.name])
        ]
    found.made = len(chosen)
    kept = {one.digest for one in sample([mutant for _entry, _name, mutant in chosen], most)}
    return [item for item in chosen if item[2].digest in kept]


def _definitions(
    module_id: str, references: dict[str, tuple[Tried, Tried]]
) -> Iterator[tuple[str, answers.Definition, frozenset[int]]]:
    seen: set[str] = set()
    for entry, (reference, _again) in references.items():
        for definition in answers.definitions(module_id, entry):
            if definition.name not in seen:
                seen.add(definition.name)
                yield entry, definition, reference.lines


def _spoilt(
    found: Audit, plan: list[tuple[str, answers.Definition, frozenset[int]]], jobs: int
) -> dict[str, set[str]]:
    """Definitions whose SQL means something else once sqlglot has written it, and the operators that are then left out."""
    from flightschool.mutation.mutants import OPERATORS

    written = [
        (entry, one.name, text) for entry, one, _lines in plan if (text := answers.sql_rewritten(one.text))
    ]
    trials = [
        Trial(found.module, found.exercise, entry, found.seeds[:1], replaced={name: text})
        for entry, name, text in written
    ]
    spoilt = {}
    for done in run(answers.tried, trials, jobs=jobs, seconds=PATIENCE, preload=PRELOAD):
        if not _passed(done):
            name = written[done.place][1]
            spoilt[name] = {one.code for one in OPERATORS["sql"]}
            found.notes.append(
                f"{name}: its SQL can't be mutated, for sqlglot does not write back what it read"
            )
    return spoilt


def _fate(mutant: Mutant, entry: str, done: Run, right: tuple[Tried, Tried], seeds: Sequence[int]) -> Fate:
    if done.ending is not Ending.RETURNED:
        return Fate(mutant, entry, dict.fromkeys(seeds, True), True, f"{done.ending}: {done.error}")
    value: Tried = done.value
    caught = {seed: value.outcomes[seed] != Outcome.PASSED for seed in seeds}
    apart = any(caught.values()) or any(
        value.digests.get(seed) not in [one.digests[seed] for one in right] for seed in seeds
    )
    return Fate(mutant, entry, caught, apart, value.said)
