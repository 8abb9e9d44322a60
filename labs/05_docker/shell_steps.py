"""A shell line of RUN or CMD taken apart into the simple commands that it runs, in order.

Enough of a shell to see which programs run with which words: quotes, `&&`, `||`, `;`, `|`, new lines, assignments in front.
Substitutions are kept as text. It runs nothing.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Command:
    """A program with its words; `settings` are the assignments in front of it."""

    words: tuple[str, ...]
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def program(self) -> str:
        """Its name without folders."""
        return PurePosixPath(self.words[0]).name if self.words else ""

    @property
    def operands(self) -> list[str]:
        """The words that are no options."""
        return [word for word in self.words[1:] if not word.startswith("-")]

    def option(self, *names: str) -> str | None:
        """The value of an option (`--name value`, `--name=value`, `-xvalue`); "" for one at the end, None where absent."""
        for i, word in enumerate(self.words[1:], 1):
            for name in names:
                if word == name:
                    return self.words[i + 1] if i + 1 < len(self.words) else ""
                if name.startswith("--") and word.startswith(f"{name}="):
                    return word.partition("=")[2]
                if len(name) == 2 and word.startswith(name) and not word.startswith("--"):
                    return word[2:]
        return None

    def has(self, *names: str) -> bool:
        """Whether one of these options stands there."""
        return any(word in names or word.partition("=")[0] in names for word in self.words[1:])


def commands(line: str) -> list[Command]:
    """The simple commands of a shell line. A line that no shell would read gives none."""
    found: list[Command] = []
    for part in _logical_lines(line):
        lexer = shlex.shlex(part, posix=True, punctuation_chars=";&|()<>")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        words: list[str] = []
        try:
            tokens = list(lexer)
        except ValueError:
            continue
        skip = False
        for token in tokens:
            if token and set(token) <= set("<>&") and set(token) & set("<>"):
                skip = True  # the next word is a file, no argument
                if words and words[-1].isdigit():
                    words.pop()
            elif token and set(token) <= set(";&|()"):
                _take(found, words)
                words = []
            elif skip:
                skip = False
            else:
                words.append(token)
        _take(found, words)
    return found


def _take(found: list[Command], words: list[str]) -> None:
    while words and words[0] in (
        "{",
        "}",
        "!",
        "then",
        "do",
        "else",
        "exec",
        "sudo",
        "time",
        "if",
        "while",
        "fi",
        "done",
    ):
        words = words[1:]
    settings = []
    while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL):
        name, _equals, value = words[0].partition("=")
        settings.append((name, value))
        words = words[1:]
    if words and words[0] == "env":
        words = words[1:]
        while words and "=" in words[0]:
            name, _equals, value = words[0].partition("=")
            settings.append((name, value))
            words = words[1:]
    if words:
        found.append(Command(tuple(words), tuple(settings)))


def _logical_lines(text: str) -> list[str]:
    return [line for line in text.replace("\\\n", " ").split("\n") if line.strip()]
