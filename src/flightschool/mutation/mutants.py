"""Mutants: small wrong versions of a right text, made by operators that are registered by the kind of text.

A kind (`python`, `sql`, `dockerfile`, `dockerignore`, `yaml`, `shell`, and what a module adds, such as alert rules) has a grammar, which finds the places of a text, and
operators, each of which knows one mistake. Names of operators follow the literature: ROR, AOR, LCR, CRP, SDL and COD
(mutation testing at large), JOI, AGR, GRU, SEL, NLS and IRC (mutation of SQL queries).
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

CONTEXT = 28
"""Characters kept on both sides of a change, where a change is shown."""
LEFT_OUT = "(left out)"
"""What is shown in the place of something that a mutant lacks."""


@dataclass(frozen=True)
class Mutant:
    """A text with one mistake: which operator made it, in which line of the original, and what changed."""

    kind: str
    operator: str
    line: int
    source: str
    before: str
    after: str

    @property
    def diff(self) -> str:
        """The change in one line: `a < 15 → a <= 15`."""
        return f"{self.before} → {self.after}"

    @property
    def digest(self) -> str:
        """Names the mutant: the same text gives the same name on every machine."""
        return hashlib.sha256(f"{self.operator}\n{self.source}".encode()).hexdigest()[:12]


class Operator(ABC):
    """One kind of mistake. A concrete subclass registers itself under its `kind` and `code`."""

    kind: ClassVar[str]
    code: ClassVar[str]
    """Its name in the literature, such as ROR."""

    def __init_subclass__(cls) -> None:
        if not getattr(cls.mutate, "__isabstractmethod__", False):
            OPERATORS[cls.kind].append(cls())

    @abstractmethod
    def mutate(self, node: Any) -> Iterator[Any]:
        """What may stand in the place of `node`; nothing where this mistake can't be made. `node` is left as it is."""


OPERATORS: defaultdict[str, list[Operator]] = defaultdict(list)
"""The operators of each kind, in the order of their definition."""

Grammar = Callable[[str, Collection[Operator], Callable[[int], bool]], Iterator[Mutant]]
GRAMMARS: dict[str, Grammar] = {}
"""How each kind of text is taken apart: text, operators, and which lines may be touched."""


class UnknownKind(FlightSchoolError):
    """There is no grammar for that kind of text."""


def mutants(
    source: str,
    kind: str = "python",
    *,
    operators: Collection[str] | None = None,
    touch: Callable[[int], bool] = lambda _line: True,
) -> list[Mutant]:
    """All mutants of a text, each with one mistake, each text once, in the order of the places.

    `operators` are codes, all of the kind by default; `touch` says which lines (from 1) may be changed.

    Raises:
        UnknownKind: nothing is known of texts of that kind.
        SyntaxError, sqlglot.errors.ParseError: the text is not of that kind.
    """
    if kind not in GRAMMARS:
        raise UnknownKind(
            _("No grammar for {kind!r} texts; there are {known}.").format(
                kind=kind, known=", ".join(sorted(GRAMMARS))
            )
        )
    chosen = [one for one in OPERATORS[kind] if operators is None or one.code in operators]
    return list({one.source: one for one in GRAMMARS[kind](source, chosen, touch)}.values())


def sample(all_mutants: Iterable[Mutant], most: int) -> list[Mutant]:
    """At most so many of them, the same ones each time, with every operator in turn."""
    groups: defaultdict[str, list[Mutant]] = defaultdict(list)
    everyone = list(all_mutants)
    for one in sorted(everyone, key=lambda one: one.digest):
        groups[one.operator].append(one)
    ranked = sorted(
        ((place, code, one) for code, group in groups.items() for place, one in enumerate(group)),
        key=lambda item: item[:2],
    )
    chosen = {one.digest for _place, _code, one in ranked[:most]}
    return [one for one in everyone if one.digest in chosen]


def agreement(one: str, other: str) -> int:
    """How many characters at the beginning are the same."""
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def off_by_one(value: float) -> tuple[float, ...]:
    """The numbers that are taken for this one: its neighbours, or another unit where they would hardly differ."""
    return (value + 1, value - 1) if abs(value) < 100 else (value * 10, value * 60)


def change(before: str, after: str) -> tuple[str, str]:
    """Two versions of a text cut down to where they differ, with some context, each in one line."""
    start = agreement(before, after)
    end = agreement(before[start:][::-1], after[start:][::-1])
    left = max(0, start - CONTEXT, before.rfind("\n", 0, start) + 1)

    def cut(text: str) -> str:
        stop = len(text) - end
        line_end = text.find("\n", max(stop, start))
        right = min(stop + CONTEXT, line_end if line_end >= 0 else len(text))
        more = "…" if right < len(text) and right != line_end else ""
        return f"{'…' if before[max(0, left - 1) : left].strip() else ''}{' '.join(text[left:right].split())}{more}"

    return cut(before), cut(after)


def lines_changed(before: Sequence[str], after: Sequence[str]) -> tuple[str, str]:
    """The pieces of a text that a mutant changed, old and new, each in one line."""
    if len(before) != len(after):
        return change("".join(before), "".join(after))
    old, new = zip(*((a, b) for a, b in zip(before, after, strict=True) if a != b), strict=True)
    if len(old) == 1 and new[0]:
        before, after = change(shown(old[0]), shown(new[0]))
        return _headed(before, old[0]), _headed(after, new[0])
    return shown(" | ".join(old), 2 * CONTEXT), shown(" | ".join(new), 2 * CONTEXT) or LEFT_OUT


def _headed(told: str, piece: str) -> str:
    """What is told of a piece, with its first word: `RUN … --no-cache-dir`."""
    first = piece.split(maxsplit=1)[0]
    return told if told.startswith(first) else f"{first} {told}"


def shown(text: str, most: int = 1000) -> str:
    """A text in one line, cut where it is too long."""
    line = " ".join(text.replace("\\\n", " ").split())
    return line if len(line) <= most else f"{line[:most]}…"
