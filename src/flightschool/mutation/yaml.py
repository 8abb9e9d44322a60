"""Mistakes in YAML (compose files, pipelines, workflows): operators over the tree, written anew with each mistake.

Comments and anchors are not kept; what they stand for is.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import yaml  # type: ignore[import-untyped]

from flightschool.mutation.mutants import GRAMMARS, LEFT_OUT, Mutant, Operator, shown
from flightschool.mutation.pieces import spliced

NUMBER = re.compile(r"(?<![\w.])\d+(?![\w.]*\.\d)(?=[smh]?\b)")
WORDS: dict[str, tuple[str, ...]] = {
    "service_healthy": ("service_started",),
    "service_started": ("service_healthy",),
    "service_completed_successfully": ("service_started", "service_healthy"),
    "127.0.0.1": ("0.0.0.0",),  # noqa: S104  the mistake itself
    ":?": (":-",),
}
"""Settings that people take for one another, wherever they stand in a value."""


@dataclass(frozen=True)
class Node:
    """A value of the tree, with the path that leads to it; an item of a list has its number in the path."""

    tree: Any
    path: tuple[str | int, ...]

    @property
    def value(self) -> Any:
        """The value itself."""
        found = self.tree
        for step in self.path:
            found = found[step]
        return found

    @property
    def parent(self) -> Any:
        """The mapping or list that holds it; None for the whole."""
        return Node(self.tree, self.path[:-1]).value if self.path else None

    def put(self, value: Any) -> Any:
        """A copy of the tree with another value there."""
        tree = copy.deepcopy(self.tree)
        Node(tree, self.path).parent[self.path[-1]] = value
        return tree

    def dropped(self) -> Any:
        """A copy of the tree without it."""
        tree = copy.deepcopy(self.tree)
        del Node(tree, self.path).parent[self.path[-1]]
        return tree


class YamlOperator(Operator):
    """A mistake in YAML; its nodes are `Node`, and it yields whole trees."""

    kind: ClassVar[str] = "yaml"


class KeyDeletion(YamlOperator):
    """A key left out, with all below it."""

    code = "KDL"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node.parent, dict):
            yield node.dropped()


class ItemDeletion(YamlOperator):
    """An item left out of a list."""

    code = "GRU"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node.parent, list):
            yield node.dropped()


class ItemSwap(YamlOperator):
    """Two items of a list in the other order."""

    code = "SWP"

    def mutate(self, node: Any) -> Iterator[Any]:
        if isinstance(node.parent, list) and node.path[-1] + 1 < len(node.parent):
            place = node.path[-1]
            items = list(node.parent)
            items[place : place + 2] = items[place + 1], items[place]
            yield Node(node.tree, node.path[:-1]).put(items)


class ValueReplacement(YamlOperator):
    """A number or a time one higher, a truth value turned round, a setting taken for another."""

    code = "CRP"

    def mutate(self, node: Any) -> Iterator[Any]:
        value = node.value
        if isinstance(value, bool):
            yield node.put(not value)
        elif isinstance(value, int | float):
            yield node.put(value + 1)
        elif isinstance(value, str):
            for match in NUMBER.finditer(value):
                yield node.put(spliced(match, str(int(match[0]) + 1)))
            for word, others in WORDS.items():
                for other in others:
                    if word in value:
                        yield node.put(value.replace(word, other, 1))


class TagReplacement(YamlOperator):
    """An image that moves: `latest`, or no tag at all."""

    code = "TAG"

    def mutate(self, node: Any) -> Iterator[Any]:
        if node.path[-1:] == ("image",) and isinstance(node.value, str) and ":" in node.value:
            image = node.value.rpartition(":")[0]
            yield node.put(f"{image}:latest")
            yield node.put(image)


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Reads `on` and `yes` as words, as YAML 1.2 does and with it whoever reads workflows."""


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Writes them without quotes again."""


for _one in (_Loader, _Dumper):
    _one.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in those if not tag.endswith(":bool") or first in "tTfF"]
        for first, those in _one.yaml_implicit_resolvers.items()
    }


def nodes(tree: Any, path: tuple[str | int, ...] = ()) -> Iterator[Node]:
    """All values of a tree but the whole, in the order of the text."""
    here = Node(tree, path).value
    steps = list(here) if isinstance(here, dict) else range(len(here)) if isinstance(here, list) else ()
    for step in steps:
        yield Node(tree, (*path, step))
        yield from nodes(tree, (*path, step))


def written(tree: Any) -> str:
    """The text of a tree."""
    return str(yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000))


def read(source: str) -> Any:
    """The tree of a text. Raises yaml.YAMLError."""
    return yaml.load(source, Loader=_Loader)  # noqa: S506  a SafeLoader


def grammar(source: str, operators: Collection[Operator], _touch: Callable[[int], bool]) -> Iterator[Mutant]:
    """The mutants of a YAML text; PyYAML keeps no lines, so all of it may be touched. Raises SyntaxError for no mapping."""
    try:
        tree = read(source)
    except yaml.YAMLError as error:
        raise SyntaxError(str(error)) from None
    if not isinstance(tree, dict):
        raise SyntaxError("no mapping: this is no YAML that could be mutated")
    for node in nodes(tree):
        for operator in operators:
            for other in operator.mutate(node):
                if other != tree:
                    yield Mutant("yaml", operator.code, 1, written(other), *_told(node, other))


def _told(node: Node, other: Any) -> tuple[str, str]:
    """The change as path and values: `services.db.restart: always → (left out)`."""
    name = ".".join(map(str, node.path))
    before = shown(f"{name}: {node.value}", 80)
    try:
        after = Node(other, node.path).value
    except (KeyError, IndexError):
        return before, LEFT_OUT
    if isinstance(node.parent, list) and len(Node(other, node.path[:-1]).value) < len(node.parent):
        return before, LEFT_OUT
    return before, shown(str(after), 80)


GRAMMARS["yaml"] = grammar
