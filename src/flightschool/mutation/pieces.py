"""Texts in pieces, such as lines: the mutants that come of one piece changed among the others, which stay as they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from flightschool.mutation.mutants import Mutant, Operator, lines_changed


@dataclass(frozen=True)
class Spot:
    """One piece of a text (an instruction, a line) among all of them, comments and blank lines too."""

    pieces: tuple[str, ...]
    at: int

    @property
    def text(self) -> str:
        """The piece itself."""
        return self.pieces[self.at]

    def put(self, text: str, at: int | None = None) -> Spot:
        """Another text in that place, or beside it."""
        place = self.at if at is None else at
        return Spot((*self.pieces[:place], text, *self.pieces[place + 1 :]), self.at)

    def swapped(self) -> Spot | None:
        """The piece and the next one of substance, the other way round; None where there is none."""
        for after in range(self.at + 1, len(self.pieces)):
            other = self.pieces[after]
            if other.strip() and not other.lstrip().startswith("#"):
                return self.put(other.rstrip("\n") + "\n").put(self.text.rstrip("\n") + "\n", after)
        return None


def spots(
    kind: str,
    pieces: list[str],
    operators: Collection[Operator],
    touch: Callable[[int], bool],
) -> Iterator[Mutant]:
    """The mutants of a text in pieces, one piece after the other."""
    line = 1
    original = "".join(pieces)
    for at, piece in enumerate(pieces):
        first, line = line, line + piece.count("\n")
        if not piece.strip() or piece.lstrip().startswith("#") or not touch(first):
            continue
        for operator in operators:
            for other in operator.mutate(Spot(tuple(pieces), at)):
                mutated = "".join(other.pieces)
                if mutated != original:
                    yield Mutant(kind, operator.code, first, mutated, *lines_changed(pieces, other.pieces))


def spliced(match: re.Match[str], text: str) -> str:
    """The text that was searched, with another one where it matched."""
    return f"{match.string[: match.start()]}{text}{match.string[match.end() :]}"
