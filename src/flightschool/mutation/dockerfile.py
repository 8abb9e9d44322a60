"""Mistakes in a Dockerfile and in its .dockerignore: operators over the instructions, and over the patterns.

The text stays as it is written, but for the mistake: comments, continued lines and heredocs are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, ClassVar

from flightschool.mutation.mutants import GRAMMARS, Mutant, Operator
from flightschool.mutation.pieces import Spot, spliced, spots

INSTRUCTION = re.compile(r"\s*([A-Za-z]+)(\s+)(.*)", re.DOTALL)
FLAG = re.compile(r"(?<=\s)--?[A-Za-z][\w-]*(?:=\S+)?\s+(?=\S)")
HEREDOC = re.compile(r"<<-?[\"']?(\w+)[\"']?")
NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.]*\.\d)(?=s\b|m\b|\b)(?![\w]*[a-z]{2})")
WORDS = {"0.0.0.0": "127.0.0.1", "/health": "/", ":8000": ":80"}  # noqa: S104  what people mix up
"""Words that people take for one another, wherever they stand."""


def named(spot: Spot) -> str:
    """An instruction's name in capitals; empty for a comment."""
    match = INSTRUCTION.match(spot.text)
    return match[1].upper() if match and not spot.text.lstrip().startswith("#") else ""


class DockerfileOperator(Operator):
    """A mistake in a Dockerfile; its nodes are spots."""

    kind: ClassVar[str] = "dockerfile"


class InstructionDeletion(DockerfileOperator):
    """An instruction left out; a FROM only where there is another one."""

    code = "SDL"

    def mutate(self, node: Any) -> Iterator[Any]:
        stages = sum(named(Spot(node.pieces, n)) == "FROM" for n in range(len(node.pieces)))
        if named(node) != "FROM" or stages > 1:
            yield node.put("")


class InstructionSwap(DockerfileOperator):
    """Two neighbours in the other order; a FROM stays where it is."""

    code = "SWP"

    def mutate(self, node: Any) -> Iterator[Any]:
        other = node.swapped()
        if other is not None and "FROM" not in (named(node), named(other)):
            yield other


class FlagDeletion(DockerfileOperator):
    """A flag left out, so that the default holds."""

    code = "KDL"

    def mutate(self, node: Any) -> Iterator[Any]:
        for match in FLAG.finditer(node.text):
            if match[0].strip() not in ("-r", "-m", "-c", "--requirement"):  # it names what follows
                yield node.put(spliced(match, ""))


class StepDeletion(DockerfileOperator):
    """A command left out of a chain of `&&`."""

    code = "CDL"

    def mutate(self, node: Any) -> Iterator[Any]:
        if named(node) != "RUN" or "&&" not in node.text:
            return
        head, space, chain = INSTRUCTION.match(node.text).groups()  # type: ignore[union-attr]
        steps = re.split(r"\s*(?:\\\n\s*)?&&\s*", chain.rstrip("\n"))
        for left_out in range(len(steps)):
            rest = [step for place, step in enumerate(steps) if place != left_out]
            yield node.put(f"{head}{space}{' && '.join(rest)}\n")


class NumberReplacement(DockerfileOperator):
    """A port, a user or a version one higher; root for a user; an address or a path taken for another."""

    code = "CRP"

    def mutate(self, node: Any) -> Iterator[Any]:
        if named(node) == "FROM":
            return
        if named(node) == "USER":
            yield node.put("USER root\n")
            yield node.put("USER 0\n")
        for match in NUMBER.finditer(node.text):
            yield node.put(spliced(match, str(int(match[0]) + 1)))
        for word, other in WORDS.items():
            if word in node.text:
                yield node.put(node.text.replace(word, other, 1))


class BaseReplacement(DockerfileOperator):
    """A base that moves: without its patch release, without its digest, as `latest`, or without a tag."""

    code = "TAG"

    def mutate(self, node: Any) -> Iterator[Any]:
        match = re.match(r"(\s*FROM\s+(?:--\S+\s+)*)([^\s:@$]+)(:[^\s@]+)?(@\S+)?", node.text)
        if named(node) != "FROM" or not match or not (match[3] or match[4]):
            return
        start, image, tag, digest = (part or "" for part in match.groups())
        rest = node.text[match.end() :]
        if digest:
            yield node.put(f"{start}{image}{tag}{rest}")
            return
        for other in (re.sub(r"(\d+\.\d+)\.\d+", r"\1", tag), re.sub("-slim", "", tag), ":latest", ""):
            yield node.put(f"{start}{image}{other}{rest}")


class FormReplacement(DockerfileOperator):
    """A shell's text for the JSON form; CMD for ENTRYPOINT, and the other way round."""

    code = "FRM"

    def mutate(self, node: Any) -> Iterator[Any]:
        if named(node) not in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
            return
        start = node.text.find("[")
        try:
            words = json.loads(node.text[start:]) if start >= 0 else []
        except ValueError:
            words = []
        if words and named(node) != "HEALTHCHECK":
            yield node.put(f"{node.text[:start]}{' '.join(map(str, words))}\n")
        if named(node) != "HEALTHCHECK":
            other = "CMD" if named(node) == "ENTRYPOINT" else "ENTRYPOINT"
            yield node.put(node.text.replace(named(node), other, 1))
        if words and named(node) == "HEALTHCHECK":
            yield node.put(f'{node.text[:start]}["true"]\n')


class CopyAll(DockerfileOperator):
    """Everything copied where some files were named."""

    code = "FDL"

    def mutate(self, node: Any) -> Iterator[Any]:
        if named(node) == "COPY" and "--from" not in node.text:
            yield node.put("COPY . .\n")


class PatternOperator(Operator):
    """A mistake in a .dockerignore; its nodes are spots."""

    kind: ClassVar[str] = "dockerignore"


class PatternDeletion(PatternOperator):
    """A pattern left out."""

    code = "SDL"

    def mutate(self, node: Any) -> Iterator[Any]:
        yield node.put("")


class PatternNegation(PatternOperator):
    """A pattern turned round."""

    code = "UOD"

    def mutate(self, node: Any) -> Iterator[Any]:
        yield node.put(node.text[1:] if node.text.startswith("!") else f"!{node.text}")


class PatternWidening(PatternOperator):
    """A whole folder where some of its files were named."""

    code = "FDL"

    def mutate(self, node: Any) -> Iterator[Any]:
        if "/" in node.text.strip().rstrip("/"):
            yield node.put(node.text.rpartition("/")[0] + "\n")


class PatternSwap(PatternOperator):
    """Two neighbours in the other order: the last one that matches decides."""

    code = "SWP"

    def mutate(self, node: Any) -> Iterator[Any]:
        if (other := node.swapped()) is not None:
            yield other


def instructions(source: str) -> list[str]:
    """The pieces of a Dockerfile, each with its continued lines and heredocs; joined they give the text again."""
    pieces: list[str] = []
    lines = source.splitlines(keepends=True)
    while lines:
        piece = lines.pop(0)
        if not piece.lstrip().startswith("#"):
            while lines and piece.rstrip().endswith("\\"):
                piece += lines.pop(0)
            for end in HEREDOC.findall(piece):
                while lines:
                    piece += (line := lines.pop(0))
                    if line.strip() == end:
                        break
        pieces.append(piece)
    return pieces


def grammar(source: str, operators: Collection[Operator], touch: Callable[[int], bool]) -> Iterator[Mutant]:
    """The mutants of a Dockerfile. Raises SyntaxError for a text without FROM."""
    pieces = instructions(source)
    if not any(named(Spot(tuple(pieces), at)) == "FROM" for at in range(len(pieces))):
        raise SyntaxError("no FROM: this is no Dockerfile")
    return spots("dockerfile", pieces, operators, touch)


def patterns(source: str, operators: Collection[Operator], touch: Callable[[int], bool]) -> Iterator[Mutant]:
    """The mutants of a .dockerignore."""
    return spots("dockerignore", source.splitlines(keepends=True), operators, touch)


GRAMMARS["dockerfile"] = grammar
GRAMMARS["dockerignore"] = patterns
