"""Mistakes in a shell script: operators over its lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, ClassVar

from flightschool.mutation.mutants import GRAMMARS, Mutant, Operator
from flightschool.mutation.pieces import Spot, spliced, spots


class ShellOperator(Operator):
    """A mistake in a shell script; its nodes are the spots of its lines."""

    kind: ClassVar[str] = "shell"


def exchanged(node: Spot, pairs: dict[str, str]) -> Iterator[Spot]:
    """The line with each of these words, in each of its places, exchanged for the other."""
    for word, other in pairs.items():
        for match in re.finditer(re.escape(word), node.text):
            yield node.put(spliced(match, other))


class LineDeletion(ShellOperator):
    """A line left out, unless a block begins or ends with it."""

    code = "SDL"

    def mutate(self, node: Any) -> Iterator[Any]:
        if not re.match(
            r"\s*(if|then|else|elif|fi|for|while|do|done|case|esac)\b|.*\b(do|then)\s*$", node.text
        ):
            yield node.put("")


class Connector(ShellOperator):
    """`&&` for `||`, and the other way round."""

    code = "LCR"

    def mutate(self, node: Any) -> Iterator[Any]:
        yield from exchanged(node, {"||": "&&", "&&": "||"})


class Comparison(ShellOperator):
    """A test turned round."""

    code = "ROR"

    def mutate(self, node: Any) -> Iterator[Any]:
        yield from exchanged(
            node, {" = ": " != ", " != ": " = ", "[ -n ": "[ -z ", "[ -z ": "[ -n ", "grep ": "grep -v "}
        )


class Status(ShellOperator):
    """An exit code turned round, or one higher; one argument taken for another."""

    code = "CRP"

    def mutate(self, node: Any) -> Iterator[Any]:
        for match in re.finditer(r"\bexit (\d+)", node.text):
            code = int(match[1])
            for other in {0: (1,), 1: (0,)}.get(code, (code + 1, 0, 1)):
                yield node.put(spliced(match, f"exit {other}"))
        yield from exchanged(node, {"$1": "$2", "$2": "$3", "$3": "$2"})


def grammar(source: str, operators: Collection[Operator], touch: Callable[[int], bool]) -> Iterator[Mutant]:
    """The mutants of a script; its comments, the first line among them, are left alone."""
    return spots("shell", source.splitlines(keepends=True), operators, touch)


GRAMMARS["shell"] = grammar
