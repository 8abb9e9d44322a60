"""What of a folder reaches the builder: the patterns of .dockerignore, as Docker's own matcher reads them.

Go's `filepath.Match` with `**`, the last pattern that matches decides, `!` brings back, and what matches a folder
matches all in it (https://docs.docker.com/build/concepts/context/#dockerignore-files).
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from typing import Any

MOST, LONGEST = 500, 500
"""Patterns that are read, and characters of each."""


class Ignore:
    """The patterns of one .dockerignore."""

    def __init__(self, text: Any) -> None:
        self.patterns: list[tuple[bool, Pattern]] = []
        for line in (text if isinstance(text, str) else "").splitlines()[:MOST]:
            pattern = line.strip()
            if not pattern or line.startswith("#"):
                continue
            back = pattern.startswith("!")
            pattern = posixpath.normpath(pattern.lstrip("!").strip() or ".").lstrip("/")
            if pattern != ".":
                self.patterns.append((back, Pattern(pattern[:LONGEST])))

    def leaves_out(self, path: str) -> bool:
        """Whether a file of that path, relative to the context, stays away from the builder."""
        parts = path.split("/")
        above = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
        out = False
        for back, pattern in self.patterns:
            # One that would change nothing need not be tried.
            if out == back and any(pattern.matches(one) for one in above):
                out = not back
        return out

    def keep(self, paths: Iterable[str]) -> list[str]:
        """Those that reach the builder, in their order."""
        return [path for path in paths if not self.leaves_out(path)]


class Pattern:
    """One pattern, matched against whole paths in a time that grows with their length only, whatever the pattern is."""

    def __init__(self, pattern: str) -> None:
        self.steps: list[Callable[[str], bool] | str] = []
        i = 0
        while i < len(pattern):
            char = pattern[i]
            if pattern.startswith("**/", i):
                self.steps += ["enter", "inside"]
                i += 3
                continue
            if pattern.startswith("**", i):
                self.steps.append("anything")
                i += 2
                continue
            if char == "*":
                self.steps.append("name")
            elif char == "?":
                self.steps.append(lambda one: one != "/")
            elif char == "[" and (end := pattern.find("]", i + 2)) > 0:
                self.steps.append(_one_of(pattern[i + 1 : end]))
                i = end
            else:
                i += char == "\\" and i + 1 < len(pattern)
                self.steps.append(pattern[i].__eq__)
            i += 1

    def matches(self, path: str) -> bool:
        """Whether it matches all of the path."""
        at = self._reached({0})
        for char in path:
            at = self._reached({to for n in at for to in self._next(n, char)})
            if not at:
                return False
        return len(self.steps) in at

    def _next(self, n: int, char: str) -> Iterator[int]:
        """The places that a character leads to."""
        step = self.steps[n] if n < len(self.steps) else ""
        if callable(step):
            if step(char):
                yield n + 1
        elif step == "anything" or step == "inside" or (step == "name" and char != "/"):
            yield n
            if step == "inside" and char == "/":
                yield n + 1

    def _reached(self, at: set[int]) -> set[int]:
        """With those, the places that are reached without a character: `*` may be empty, and so may `**/`."""
        found, todo = set(at), list(at)
        while todo:
            n = todo.pop()
            step = self.steps[n] if n < len(self.steps) else ""
            ways = {"name": (n + 1,), "anything": (n + 1,), "enter": (n + 1, n + 2)}
            for to in ways.get(step, ()) if isinstance(step, str) else ():
                if to not in found:
                    found.add(to)
                    todo.append(to)
        return found


def _one_of(inside: str) -> Callable[[str], bool]:
    """A class such as `a-z` or `^0-9`; it never matches a slash."""
    other = inside[:1] in "^!"
    parts = inside[1:] if other else inside
    wanted: set[str] = set()
    i = 0
    while i < len(parts):
        if parts[i + 1 : i + 2] == "-" and i + 2 < len(parts):
            wanted |= {chr(n) for n in range(ord(parts[i]), min(ord(parts[i + 2]), ord(parts[i]) + 256) + 1)}
            i += 3
        else:
            wanted.add(parts[i])
            i += 1
    return lambda char: char != "/" and (char in wanted) != other
