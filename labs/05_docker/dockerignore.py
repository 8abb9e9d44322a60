"""What of a folder reaches the builder: the patterns of .dockerignore, as Docker's own matcher reads them.

Go's `filepath.Match` with `**`, the last pattern that matches decides, `!` brings back, and what matches a folder
matches all in it (https://docs.docker.com/build/concepts/context/#dockerignore-files).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import Any

MOST = 500
"""Patterns that are read."""


class Ignore:
    """The patterns of one .dockerignore."""

    def __init__(self, text: Any) -> None:
        self.patterns: list[tuple[bool, re.Pattern[str]]] = []
        for line in (text if isinstance(text, str) else "").splitlines()[:MOST]:
            pattern = line.strip()
            if not pattern or line.startswith("#"):
                continue
            back = pattern.startswith("!")
            pattern = posixpath.normpath(pattern.lstrip("!").strip() or ".").lstrip("/")
            if pattern != ".":
                self.patterns.append((back, re.compile(pattern_to_regex(pattern))))

    def leaves_out(self, path: str) -> bool:
        """Whether a file of that path, relative to the context, stays away from the builder."""
        parts = path.split("/")
        above = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
        out = False
        for back, pattern in self.patterns:
            if any(pattern.fullmatch(one) for one in above):
                out = not back
        return out

    def keep(self, paths: Iterable[str]) -> list[str]:
        """Those that reach the builder, in their order."""
        return [path for path in paths if not self.leaves_out(path)]


def pattern_to_regex(pattern: str) -> str:
    """A pattern as a regular expression for a whole path."""
    out, i = "", 0
    while i < len(pattern):
        char = pattern[i]
        if pattern.startswith("**", i):
            i += 2
            if pattern.startswith("/", i):
                i += 1
                out += "(?:.*/)?"
            else:
                out += ".*"
            continue
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[" and (end := pattern.find("]", i + 2)) > 0:
            inside = pattern[i + 1 : end].replace("\\", "\\\\")
            out += f"[{'^' + inside[1:] if inside[:1] in '^!' else inside}]"
            i = end
        elif char == "\\" and i + 1 < len(pattern):
            i += 1
            out += re.escape(pattern[i])
        else:
            out += re.escape(char)
        i += 1
    try:
        re.compile(out)
    except re.error:
        return re.escape(pattern)
    return out
