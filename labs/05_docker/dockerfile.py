"""A Dockerfile read as its builder reads it: directives, continuation, heredocs, JSON form, flags, stages.

Reading only. What the instructions do to an image is in `image_model.py`. The rules are those of Docker's Dockerfile
reference (https://docs.docker.com/reference/dockerfile/).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

KNOWN = frozenset(
    [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)
LONGEST = 64_000
"""Characters of a Dockerfile that are read; a longer one is no Dockerfile."""

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][\w-]*)\s*=\s*(.+?)\s*")
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\"[^\"]*\"|'[^']*'|\S*))?(?:\s+|$)")
_HEREDOC = re.compile(r"(?<![<\d])\d?<<(-?)(['\"]?)([A-Za-z_][\w.]*)\2(?=\s|$|[;&|)])")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class DockerfileError(ValueError):
    """A Dockerfile that its builder would refuse; the message is one sentence with the line."""


@dataclass(frozen=True)
class Heredoc:
    """A text that stands in the Dockerfile itself; `expand` is False when its word was quoted."""

    name: str
    text: str
    expand: bool


@dataclass(frozen=True)
class Instruction:
    """One instruction: `text` is what follows the word and its flags, on one line; `words` the JSON form, if it has one."""

    name: str
    text: str
    line: int
    flags: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] | None = None
    heredocs: tuple[Heredoc, ...] = ()

    def flag(self, name: str) -> str | None:
        """The value of the last flag of that name; "" for one without a value, None where there is none."""
        return next((value for key, value in reversed(self.flags) if key == name), None)

    def flag_values(self, name: str) -> list[str]:
        """The values of all flags of that name."""
        return [value for key, value in self.flags if key == name]

    def __str__(self) -> str:
        flags = "".join(f" --{key}={value}" if value else f" --{key}" for key, value in self.flags)
        return f"{self.name}{flags} {self.text}".rstrip()


@dataclass(frozen=True)
class Stage:
    """A FROM and what follows it, up to the next FROM."""

    base: str
    """As written, with its variables put in."""
    name: str | None
    start: Instruction
    instructions: tuple[Instruction, ...]


@dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile: its stages in order, the ARGs before the first FROM with their values, and its directives."""

    stages: tuple[Stage, ...]
    globals: Mapping[str, str] = field(default_factory=dict)
    directives: Mapping[str, str] = field(default_factory=dict)

    @property
    def instructions(self) -> list[Instruction]:
        """All instructions of all stages, FROM included."""
        return [one for stage in self.stages for one in (stage.start, *stage.instructions)]

    def stage(self, name: str) -> int | None:
        """The index of a stage by its name or number; None where there is none."""
        if name.isdigit():
            return int(name) if int(name) < len(self.stages) else None
        return next((i for i, one in enumerate(self.stages) if one.name == name.lower()), None)


def parse(text: Any, build_args: Mapping[str, str] | None = None) -> Dockerfile:
    """Read a Dockerfile. `build_args` are those of `docker build --build-arg`.

    Raises:
        DockerfileError: it is no text, or its builder would refuse it.
    """
    if not isinstance(text, str) or not text.strip():
        raise DockerfileError("The Dockerfile is empty.")
    if len(text) > LONGEST:
        raise DockerfileError(f"The Dockerfile is longer than {LONGEST} characters.")
    lines = text.replace("\r\n", "\n").split("\n")
    directives = _directives(lines)
    try:
        found = _instructions(lines, directives.get("escape", "\\"))
        return _staged(found, directives, dict(build_args or {}))
    except RecursionError:
        raise DockerfileError("Variables are nested too deeply in each other.") from None


def expand(text: str, values: Mapping[str, str], escape: str = "\\") -> str:
    """Put variables into a text: `$x`, `${x}`, `${x:-default}`, `${x:+other}`; an escaped `$` stays."""
    out, i = [], 0
    while i < len(text):
        char = text[i]
        if char == escape and i + 1 < len(text):
            out.append(text[i + 1] if text[i + 1] == "$" else text[i : i + 2])
            i += 2
        elif char == "$" and text[i + 1 : i + 2] == "{" and (end := _closing(text, i + 1)) > 0:
            out.append(_braced(text[i + 2 : end], values, escape))
            i = end + 1
        elif char == "$" and (name := _NAME.match(text, i + 1)):
            out.append(values.get(name[0], ""))
            i = name.end()
        else:
            out.append(char)
            i += 1
    return "".join(out)


def pairs(text: str) -> list[tuple[str, str]]:
    """The `key=value` pairs of ENV, ARG and LABEL, quotes taken off; the old form `ENV key the rest` is one pair."""
    found = split_words(text)
    if found and "=" not in found[0]:
        key, _space, rest = text.strip().partition(" ")
        return [(key, rest.strip())]
    cut = (word.partition("=") for word in found)
    return [(unquoted(key), unquoted(value)) for key, _equals, value in cut]


def split_words(text: str) -> list[str]:
    """Words at blanks outside quotes; the quotes stay."""
    words, word, quote, i = [], "", "", 0
    while i < len(text):
        char = text[i]
        if char == "\\" and quote != "'" and i + 1 < len(text):
            word += text[i : i + 2]
            i += 2
            continue
        if quote:
            quote = "" if char == quote else quote
            word += char
        elif char in "'\"":
            quote = char
            word += char
        elif char.isspace():
            if word:
                words.append(word)
            word = ""
        else:
            word += char
        i += 1
    return [*words, word] if word else words


def unquoted(word: str) -> str:
    """A word without its quotes and escapes."""
    out, quote, i = [], "", 0
    while i < len(word):
        char = word[i]
        if char == "\\" and quote != "'" and i + 1 < len(word):
            out.append(word[i + 1] if not quote or word[i + 1] in '"\\$' else word[i : i + 2])
            i += 2
            continue
        if quote and char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        else:
            out.append(char)
        i += 1
    return "".join(out)


def sources_and_target(one: Instruction, say: Callable[[str], str]) -> tuple[list[str], str]:
    """What COPY or ADD copies, and whereto; `say` puts the variables in. Raises DockerfileError."""
    words = list(one.words) if one.words is not None else [unquoted(word) for word in split_words(one.text)]
    words = [say(word) for word in words]
    if len(words) < 2:
        raise DockerfileError(f"Line {one.line}: {one.name} needs at least one source and a target.")
    return words[:-1], words[-1]


def _directives(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        match = _DIRECTIVE.fullmatch(line.strip())
        if not match or match[1].lower() not in ("syntax", "escape", "check") or match[1].lower() in found:
            break
        found[match[1].lower()] = match[2]
    if found.get("escape", "\\") not in ("\\", "`"):
        raise DockerfileError("Line 1: the escape directive takes a backslash or a backtick.")
    return found


def _instructions(lines: list[str], escape: str) -> list[Instruction]:
    found: list[Instruction] = []
    i = 0
    while i < len(lines):
        line = lines[i].strip()
        if not line or line.startswith("#"):
            i += 1
            continue
        start, text = i, ""
        while True:
            raw = lines[i].lstrip() if i == start else lines[i]
            i += 1
            if i - 1 > start and (not raw.strip() or raw.lstrip().startswith("#")):
                # A comment inside of a continued line falls out, and so does an empty line.
                if i < len(lines):
                    continue
                break
            stripped = raw.rstrip()
            if not stripped.endswith(escape):
                text += raw
                break
            text += stripped[: -len(escape)]
            if i >= len(lines):
                break
        one = _instruction(text.strip(), start + 1)
        if one.name in ("RUN", "COPY", "ADD") and one.words is None:
            one, i = _with_heredocs(one, lines, i)
        found.append(one)
    return found


def _instruction(text: str, line: int) -> Instruction:
    match = re.match(r"([A-Za-z]+)(?:\s+(.*))?$", text, re.DOTALL)
    name = match[1].upper() if match else text.split(maxsplit=1)[0][:20]
    if not match or name not in KNOWN:
        raise DockerfileError(f"Line {line}: {name} is no instruction.")
    rest, flags = (match[2] or "").strip(), []
    if name in ("ADD", "COPY", "FROM", "HEALTHCHECK", "RUN"):
        while flag := _FLAG.match(rest):
            flags.append((flag[1], (flag[2] or "").strip("'\"")))
            rest = rest[flag.end() :]
    if not rest:
        raise DockerfileError(f"Line {line}: {name} says nothing.")
    return Instruction(name, rest, line, tuple(flags), _json_form(rest))


def _json_form(text: str) -> tuple[str, ...] | None:
    if not text.startswith("["):
        return None
    try:
        words = json.loads(text)
    except ValueError:
        return None  # as the builder does: what is no JSON is a shell command that begins with a bracket
    return tuple(words) if isinstance(words, list) and all(isinstance(word, str) for word in words) else None


def _with_heredocs(one: Instruction, lines: list[str], i: int) -> tuple[Instruction, int]:
    texts = []
    for dash, quote, name in _HEREDOC.findall(one.text):
        body = []
        while i < len(lines):
            line = lines[i].lstrip("\t") if dash else lines[i]
            i += 1
            if line == name:
                break
            body.append(line)
        else:
            raise DockerfileError(f"Line {one.line}: the text <<{name} has no end.")
        texts.append(Heredoc(name, "".join(f"{line}\n" for line in body), not quote))
    return replace(one, heredocs=tuple(texts)), i


def _staged(
    found: list[Instruction], directives: Mapping[str, str], build_args: Mapping[str, str]
) -> Dockerfile:
    values: dict[str, str] = {}
    stages: list[Stage] = []
    body: list[Instruction] = []
    for one in found:
        if one.name == "FROM":
            if stages:
                stages[-1] = replace(stages[-1], instructions=tuple(body))
            body = []
            stages.append(_stage(one, values))
        elif stages:
            body.append(one)
        elif one.name == "ARG":
            for key, value in arguments(one):
                values[key] = build_args.get(key, expand(value or "", values))
        else:
            raise DockerfileError(f"Line {one.line}: {one.name} stands before the first FROM.")
    if not stages:
        raise DockerfileError("There is no FROM: an image begins with another one.")
    stages[-1] = replace(stages[-1], instructions=tuple(body))
    return Dockerfile(tuple(stages), values, directives)


def _stage(one: Instruction, values: Mapping[str, str]) -> Stage:
    words = one.text.split()
    if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
        raise DockerfileError(f"Line {one.line}: write FROM image, or FROM image AS name.")
    base = expand(words[0], values)
    if not base:
        raise DockerfileError(f"Line {one.line}: the image of FROM is empty.")
    return Stage(base, words[2].lower() if len(words) == 3 else None, one, ())


def arguments(one: Instruction) -> list[tuple[str, str | None]]:
    """The names that ARG declares, with their defaults."""
    cut = (word.partition("=") for word in split_words(one.text))
    return [(name, unquoted(value) if equals else None) for name, equals, value in cut]


def _closing(text: str, opened: int) -> int:
    """Where the brace that opens at `opened` closes; -1 where it does not."""
    depth = 0
    for i in range(opened, len(text)):
        depth += {"{": 1, "}": -1}.get(text[i], 0)
        if depth == 0:
            return i
    return -1


def _braced(inside: str, values: Mapping[str, str], escape: str) -> str:
    name = _NAME.match(inside)
    if not name:
        return ""
    rest, value = inside[name.end() :], values.get(name[0])
    if rest[:2] == ":-":
        return value or expand(rest[2:], values, escape)
    if rest[:2] == ":+":
        return expand(rest[2:], values, escape) if value else ""
    if rest[:1] == "-":
        return value if value is not None else expand(rest[1:], values, escape)
    if rest[:1] == "+":
        return expand(rest[1:], values, escape) if value is not None else ""
    return value or ""
