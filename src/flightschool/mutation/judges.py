"""How good are the judges? Right answers are mutated, and each judge must notice; rewritten, and no judge may mind.

What is counted, for each exercise:

- *caught*: the verdict is not passed, or the mutant raised, hung or outgrew its memory. A part of the points is caught, too.
- *let through*: passed, though its evidence differs from the right answer's, here or on another of the tried worlds.
- *not told apart*: passed with the right answer's evidence on every tried world. Most of these are equivalent mutants (a
  filter on what never occurs, an order that does not matter), but equal evidence proves no equal meaning: a probe that
  looks at too little hides here, so they are listed with --verbose and meant to be read.
- *right*: the right answers, as they are and with changes that the answers file declares to be no mistakes (an instruction that
  the exercise does not ask for). The judge must pass them; one that it refuses is *refused*.

A grader uses one secret seed. So the share caught is taken for each world by itself, over all mutants that are told apart on at
least one; the mean over the worlds must reach the goal, and the worst is shown. Statements that the right answer never
reaches are not mutated; above a number of mutants they are sampled, the same ones each time.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from flightschool.curriculum import Module, Outcome
from flightschool.mutation import answers
from flightschool.mutation.answers import Trial, Tried
from flightschool.mutation.isolation import Ending, Run, run
from flightschool.mutation.mutants import Mutant, mutants, sample
from flightschool.mutation.texts import rewritten_text, text_mutants

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
    """What became of one mutant: by seed whether it was caught, and whether its evidence told it apart.

    `right` is the reason why it is no mistake, where the answers file declares one.
    """

    mutant: Mutant
    entry: str
    caught: dict[int, bool]
    told_apart: bool
    said: str
    right: str = ""

    @property
    def survived(self) -> bool:
        """Told apart by its evidence, and passed on every world."""
        return self.told_apart and not any(self.caught.values())


class Chosen(NamedTuple):
    """A mutant to be tried: of which definition of which fixture, or of which text of its answer."""

    entry: str
    name: str
    mutant: Mutant
    text: bool = False

    def trial(self, module: str, exercise: str, seeds: tuple[int, ...]) -> Trial:
        """What is to be tried."""
        if self.text:
            return Trial(module, exercise, self.entry, seeds, text=(self.name, self.mutant.source))
        return Trial(module, exercise, self.entry, seeds, replaced={self.name: self.mutant.source})

    def __str__(self) -> str:
        """As `flightschool judge --verbose` shows it."""
        where = f" {self.name}" if self.text and self.name else ""
        return f"{self.entry}{where} {self.mutant.operator}: {self.mutant.diff}"


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
    right = answers.still_right(module.id, exercise)
    trials = [one.trial(module.id, exercise, seeds) for one in chosen]
    limit = max(10.0, 5 * seconds)
    for done in run(answers.tried, trials, jobs=jobs, seconds=limit, preload=PRELOAD):
        one = chosen[done.place]
        reason = next((why for pattern, why in right.items() if pattern.search(str(one))), "")
        fate = _fate(one, done, references[one.entry], seeds, reason)
        found.fates.append(fate)
        if reason:
            found.rewrites += 1
            if any(fate.caught.values()):
                found.refused.append(f"{one} ({reason}): {fate.said}")
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
        # Names of commits and times differ from run to run, and sums of floats in a last digit: they tell nothing apart.
        references[entry] = (first.value, second.value)
    return references, max((one.seconds for one in runs), default=0.0)


def _passed(done: Run) -> bool:
    return done.ending is Ending.RETURNED and set(done.value.outcomes.values()) == {Outcome.PASSED}


def _mutants(found: Audit, references: dict[str, tuple[Tried, Tried]], jobs: int, most: int) -> list[Chosen]:
    """Each definition mutated once, where the right answer goes through it; and each text of each answer."""
    plan = list(_definitions(found.module, references))
    spoilt = _spoilt(found, plan, jobs)
    chosen: list[Chosen] = []
    for entry, definition, lines in plan:
        made = mutants(
            definition.text,
            touch=lambda line, d=definition, ran=lines: d.constant or line + d.line - 1 in ran,  # type: ignore[misc]
        )
        chosen += [
            Chosen(entry, definition.name, one)
            for one in made
            if not (definition.name in spoilt and one.operator in spoilt[definition.name])
        ]
    garbled = _garbled(found, references, jobs)
    for entry, (reference, _again) in references.items():
        chosen += [
            Chosen(entry, name, one, True)
            for name, one in text_mutants(reference.texts)
            if (entry, name) not in garbled
        ]
    found.made = len(chosen)
    for pattern, reason in answers.still_right(found.module, found.exercise).items():
        if not any(pattern.search(str(one)) for one in chosen):
            found.notes.append(f"STILL_RIGHT names no mutant by {pattern.pattern!r} ({reason})")
    kept = {one.digest for one in sample([one.mutant for one in chosen], most)}
    return [one for one in chosen if one.mutant.digest in kept]


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


def _garbled(found: Audit, references: dict[str, tuple[Tried, Tried]], jobs: int) -> set[tuple[str, str]]:
    """Texts of answers that mean something else once their tree has been written; they are not mutated."""
    rewritten = [
        (entry, name, new)
        for entry, (reference, _again) in references.items()
        for name, text in reference.texts.items()
        if (new := rewritten_text(name, text)) is not None
    ]
    trials = [
        Trial(found.module, found.exercise, entry, found.seeds[:1], text=(name, text))
        for entry, name, text in rewritten
    ]
    garbled = set()
    for done in run(answers.tried, trials, jobs=jobs, seconds=PATIENCE, preload=PRELOAD):
        if not _passed(done):
            entry, name, _text = rewritten[done.place]
            garbled.add((entry, name))
            found.notes.append(
                f"{entry} {name}".rstrip() + ": it can't be mutated, for written anew it means something else"
            )
    return garbled


def _fate(one: Chosen, done: Run, right: tuple[Tried, Tried], seeds: Sequence[int], reason: str = "") -> Fate:
    mutant, entry = one.mutant, f"{one.entry} {one.name}" if one.text and one.name else one.entry
    if done.ending is not Ending.RETURNED:
        said = f"{done.ending}: {done.error}"
        return Fate(mutant, entry, dict.fromkeys(seeds, True), not reason, said, reason)
    value: Tried = done.value
    caught = {seed: value.outcomes[seed] != Outcome.PASSED for seed in seeds}
    apart = any(caught.values()) or not all(
        answers.alike(value.evidence.get(seed, {}), [reference.evidence[seed] for reference in right])
        for seed in seeds
    )
    return Fate(mutant, entry, caught, apart and not reason, value.said, reason)
