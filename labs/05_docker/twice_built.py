"""One Dockerfile built on two days, as far as that can be known without an engine: what has moved between them?

Nothing of the repository's content changes. What changes is everything around it: the tag of the base points to a newer image, the
package index and Debian's mirror have newer releases, the clock goes on, and so do the files that Git, Python and the editor write.
Each thing that an image is made of becomes a fact; facts that differ are named, with the line that brought them in.
(https://reproducible-builds.org/docs/source-date-epoch/)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from image_model import Build, Image, Install, Step, build
from shell_steps import Command

EPOCH = "1700000000"
"""The build argument SOURCE_DATE_EPOCH of both builds: the time of the commit, in seconds since 1970."""
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
PINNED = re.compile(r"^[A-Za-z0-9._-]+(\[[^\]]*\])?==[A-Za-z0-9.!+_-]+$")
CLOCKS = re.compile(
    r"\$\(\s*(date|hostname|uuidgen|git)\b|`\s*(date|hostname|uuidgen|git)\b|\$\{?(RANDOM|HOSTNAME)\b|datetime\.now|time\.time|uuid4"
)


@dataclass(frozen=True)
class Moved:
    """Something that differs between the two days: `what`, the line, and `kind` for whoever wants to explain it."""

    kind: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.what}"


def pinned(tag: str) -> str:
    """A tag with a digest, as `docker buildx imagetools inspect` prints it. This registry is made up; ask yours for the real one."""
    return f"{tag}@sha256:{hashlib.sha256(tag.encode()).hexdigest()}"


def moved(text: Any, ignore: Any, one: Mapping[str, bytes], other: Mapping[str, bytes]) -> list[Moved]:
    """What differs between a build of `one` today and of `other`, the same repository, later.

    Raises DockerfileError when there is nothing to build.
    """
    first = build(text, one, ignore, build_args={"SOURCE_DATE_EPOCH": EPOCH, "BUILD_DATE": "2026-03-02"})
    second = build(text, other, ignore, build_args={"SOURCE_DATE_EPOCH": EPOCH, "BUILD_DATE": "2026-03-09"})
    found = [*_bases(first), *_files(first, second), *_settings(first, second)]
    for step in first.steps:
        if step.name == "ADD":
            found += _remote(step)
        if step.name == "RUN":
            found += _run(step, first)
    return sorted(dict.fromkeys(found), key=lambda one: one.line)


def _bases(done: Build) -> list[Moved]:
    found = []
    for base in done.bases:
        line = next((s.start.line for s in done.dockerfile.stages if s.base == base), 1)
        if not DIGEST.search(base):
            what = f"the tag {base} points to another image than a week ago; only a digest (@sha256:…) stays"
            found.append(Moved("base", line, what))
    return found


def _files(first: Build, second: Build) -> list[Moved]:
    old, new = first.image.files, second.image.files
    differing = sorted(path for path in old.keys() | new.keys() if _content(old, path) != _content(new, path))
    if not differing:
        return []
    entry = old.get(differing[0]) or new[differing[0]]
    what = f"{differing[0]} has other bytes ({len(differing)} files in all); it is written by a machine, not by you: keep it out"
    return [Moved("files", entry.line, what)]


def _content(files: Mapping[str, Any], path: str) -> bytes | None:
    return files[path].content if path in files else None


def _settings(first: Build, second: Build) -> list[Moved]:
    for name in ("labels", "env"):
        old, new = getattr(first.image, name), getattr(second.image, name)
        for key in old:
            if old[key] != new.get(key):
                line = next(
                    (s.line for s in first.image.steps if s.name in ("LABEL", "ENV") and key in s.text), 0
                )
                return [Moved("clock", line, f"{key} holds the day of the build")]
    return []


def _remote(step: Step) -> list[Moved]:
    if (
        not re.search(r"https?://|git@", step.text)
        or "--checksum=" in step.text
        or re.search(r"#[0-9a-f]{40}\b", step.text)
    ):
        return []
    return [
        Moved("download", step.line, "what lies at this address may change; --checksum=sha256:… would notice")
    ]


def _run(step: Step, done: Build) -> list[Moved]:
    found = []
    image = _before(done, step)
    if CLOCKS.search(step.text) or any(one.program in ("date", "uuidgen") for one in step.commands):
        found.append(Moved("clock", step.line, "the clock or chance is written into the image"))
    text = step.text
    for command in step.commands:
        found += _downloads(command, step)
    if any(_apt(one, "upgrade", "dist-upgrade", "full-upgrade") for one in step.commands):
        found.append(Moved("apt", step.line, "apt-get upgrade takes whatever Debian has on that day"))
    installs = [one for one in step.commands if _apt(one, "install")]
    if installs and "snapshot.debian.org" not in " ".join(s.text for s in done.steps if s.line <= step.line):
        found.append(
            Moved(
                "apt",
                step.line,
                "Debian's mirror holds only the newest packages: a pinned one is gone next week, others move",
            )
        )
    if installs and not re.search(r"rm\s+-\w*\s.*?/var/log", text):
        found.append(Moved("time", step.line, "apt's logs in /var/log carry the time of the build"))
    if (
        installs
        and not re.search(r"rm\s+-\w*\s.*?/var/lib/apt/lists", text)
        and "target=/var/lib/apt" not in text
    ):
        found.append(
            Moved("apt", step.line, "the lists of Debian's packages stay in the layer, and they change daily")
        )
    for install in step.installs:
        found += _pip(install, step, image)
    compiles = any(_compiles(one) for one in step.commands)
    if compiles and not _epoch(step, image):
        found.append(
            Moved(
                "time",
                step.line,
                "the byte code that Python writes here holds the time of its source; SOURCE_DATE_EPOCH would be taken instead",
            )
        )
    return found


def _before(done: Build, step: Step) -> Image:
    """The variables that a RUN sees: those that stand above it in its stage, and its base's."""
    stage = done.dockerfile.stages[step.stage]
    above = [one for one in stage.instructions if one.line < step.line]
    cut = f"{stage.start}\n" + "\n".join(str(one) for one in above if one.name in ("ENV", "ARG"))
    head = "\n".join(f"ARG {key}={value}" for key, value in done.dockerfile.globals.items())
    inherited = [
        one.text
        for one in done.steps
        if one.name == "ENV" and one.stage != step.stage and _below(done, step.stage, one.stage)
    ]
    env = "\n".join(f"ENV {text}" for text in inherited)
    alone = cut.replace(stage.start.text, "scratch", 1)
    return build(
        f"{head}\n{alone.splitlines()[0]}\n{env}\n" + "\n".join(alone.splitlines()[1:]),
        {},
        build_args={"SOURCE_DATE_EPOCH": EPOCH},
    ).image


def _below(done: Build, stage: int, other: int) -> bool:
    """Whether a stage is built on another one."""
    base = done.dockerfile.stages[stage].base.lower()
    below = next((i for i in range(stage) if done.dockerfile.stages[i].name == base), None)
    return below is not None and (below == other or _below(done, below, other))


def _downloads(command: Command, step: Step) -> list[Moved]:
    if (
        command.program in ("curl", "wget")
        and any("://" in word for word in command.words)
        and "sha256sum" not in step.text
        and "sha512sum" not in step.text
    ):
        return [
            Moved("download", step.line, "what lies at this address may change; compare it with a checksum")
        ]
    if (
        command.program == "git"
        and "clone" in command.words
        and not re.search(r"checkout\s+[0-9a-f]{40}", step.text)
    ):
        return [
            Moved(
                "download",
                step.line,
                "git clone takes whatever the branch is on that day; check out a commit",
            )
        ]
    return []


def _apt(command: Command, *verbs: str) -> bool:
    return command.program in ("apt-get", "apt", "aptitude") and any(verb in command.words for verb in verbs)


def _pip(install: Install, step: Step, image: Image) -> list[Moved]:
    found = []
    loose = [word for word in install.named if not PINNED.match(word) and not word.startswith((".", "/"))]
    names, hashed = requirement_lines(install.text)
    loose += [name for name in names if not PINNED.match(name)]
    if loose:
        found.append(Moved("pip", step.line, f"{loose[0]} means whatever the index has on that day"))
    elif (names or install.named) and not hashed and "--no-deps" not in install.command.words:
        found.append(
            Moved(
                "pip",
                step.line,
                "the packages that yours need are not pinned, nor their bytes: a lock with hashes pins both",
            )
        )
    cached = (
        install.command.has("--no-cache-dir")
        or "type=cache" in step.text
        or image.env.get("PIP_NO_CACHE_DIR")
        or install.command.program == "uv"
    )
    if not cached:
        found.append(
            Moved("time", step.line, "pip's cache stays in the layer, with the times of its downloads")
        )
    if (
        not install.command.has("--no-compile")
        and install.command.program != "uv"
        and not _epoch(step, image)
    ):
        found.append(
            Moved(
                "time",
                step.line,
                "pip compiles, and byte code holds the time of its source; SOURCE_DATE_EPOCH would be taken instead",
            )
        )
    return found


def requirement_lines(text: str) -> tuple[list[str], bool]:
    """The requirements of a file, and whether each of them has a hash."""
    joined = re.sub(r"\\\n", " ", text)
    lines = [line.split(" #")[0].strip() for line in joined.splitlines()]
    lines = [line for line in lines if line and not line.startswith(("#", "-"))]
    return [re.split(r"\s|;", line)[0] for line in lines], bool(lines) and all(
        "--hash=sha256:" in line for line in lines
    )


def _compiles(command: Command) -> bool:
    return command.program.startswith("python") and (
        command.words[1:3] == ("-m", "venv") or "compileall" in command.words
    )


def _epoch(step: Step, image: Image) -> bool:
    """Whether a RUN sees SOURCE_DATE_EPOCH."""
    set_here = any(name == "SOURCE_DATE_EPOCH" for one in step.commands for name, _value in one.settings)
    exported = any(
        one.program == "export" and "SOURCE_DATE_EPOCH" in " ".join(one.words) for one in step.commands
    )
    return bool(
        set_here or exported or image.args.get("SOURCE_DATE_EPOCH") or image.env.get("SOURCE_DATE_EPOCH")
    )
