"""What a builder makes of a Dockerfile and its context: steps, cache keys, files, environment. It runs nothing.

The cache is BuildKit's (Docker's builder since version 23): a RUN is known again by the layer below it, its text, its
variables and its bind mounts; a COPY by the layer below it and the bytes of what it copies, whatever their dates. Labels,
commands and ports make no layer. What a RUN writes can't be known without an engine: it may be anything, anywhere.
(https://docs.docker.com/build/cache/invalidation/)
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from dockerfile import (
    Dockerfile,
    DockerfileError,
    Instruction,
    arguments,
    expand,
    pairs,
    parse,
    sources_and_target,
)
from dockerignore import Ignore
from shell_steps import Command, commands

PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
SYSTEM = "/usr/local"
"""Where the Python of the official images lives."""
BASE_USERS = {"root", "daemon", "bin", "nobody", "www-data", "games", "mail", "backup"}
MOST_STEPS = 200


class BuildError(DockerfileError):
    """A build that would stop; the message is one sentence with the line."""


@dataclass(frozen=True)
class Entry:
    """A file of an image: its bytes, and where in the context it came from ("" when the Dockerfile itself wrote it)."""

    content: bytes
    source: str
    line: int


@dataclass(frozen=True)
class Install:
    """A `pip install` of a RUN: into which place, what was named, and the requirement files as they lay there."""

    line: int
    command: Command
    place: str
    named: tuple[str, ...]
    files: tuple[tuple[str, bytes | None], ...]

    @property
    def text(self) -> str:
        """The words of all requirement files."""
        return "\n".join((content or b"").decode(errors="replace") for _name, content in self.files)


@dataclass(frozen=True)
class Step:
    """One instruction of a build. `key` is what the cache knows it by; `layer` says whether it makes one."""

    stage: int
    line: int
    name: str
    text: str
    key: str = ""
    layer: bool = False
    wrote: Mapping[str, Entry] = field(default_factory=dict)
    commands: tuple[Command, ...] = ()
    installs: tuple[Install, ...] = ()
    moved: tuple[tuple[str, str], ...] = ()
    """Folders that came from another stage, from and to."""

    def __str__(self) -> str:
        return f"{self.name} {self.text}".strip()


@dataclass(frozen=True)
class Health:
    """A HEALTHCHECK: its command as words or as a shell line; empty when it is NONE."""

    words: tuple[str, ...] = ()
    shell: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True)
class Image:
    """What a stage has become. Frozen: each instruction makes the next one."""

    base: str
    """The image outside of this Dockerfile that it stands on."""
    filesystem: str
    """The key of its topmost layer."""
    steps: tuple[Step, ...] = ()
    files: Mapping[str, Entry] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=lambda: {"PATH": PATH})
    args: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    workdir: str = "/"
    cmd: tuple[str, ...] | str | None = None
    entrypoint: tuple[str, ...] | str | None = None
    health: Health | None = None
    shell: tuple[str, ...] = ("/bin/sh", "-c")
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[str, ...] = ()
    stop_signal: str = "SIGTERM"
    venvs: frozenset[str] = frozenset()
    places: Mapping[str, tuple[Install, ...]] = field(default_factory=dict)
    """What pip installed, by the folder that it lies in now."""
    users: frozenset[str] = frozenset(BASE_USERS)

    @property
    def layers(self) -> list[Step]:
        """The steps that made its layers, its base's apart."""
        return [step for step in self.steps if step.layer]

    def start(self, arguments: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The words of `docker run image arguments…`, the shell of a shell form included."""
        if isinstance(self.entrypoint, str):
            return (*self.shell, self.entrypoint)
        given = arguments or self.cmd or ()
        if isinstance(given, str):
            given = (*self.shell, given)
        return (*(self.entrypoint or ()), *given)

    def python(self) -> str:
        """The place of the Python that the start command finds: a virtual environment, or the system's."""
        words = self.start()
        line = " ".join(words)
        for venv in self.venvs:
            if f"{venv}/bin/" in line:
                return venv
        return self.on_path()

    def on_path(self) -> str:
        """The place of a Python whose bin folder comes first on the PATH."""
        for folder in self.env.get("PATH", "").split(":"):
            if folder.endswith("/bin") and folder[: -len("/bin")] in self.venvs:
                return folder[: -len("/bin")]
            if folder == f"{SYSTEM}/bin":
                return SYSTEM
        return SYSTEM

    def at_hand(self) -> list[Install]:
        """The installs whose packages the Python of the start command can import."""
        searched = {self.python(), *filter(None, self.env.get("PYTHONPATH", "").split(":"))}
        if self.python() == SYSTEM:
            searched.add("/root/.local" if self.user.split(":")[0] in ("", "0", "root") else "~/.local")
            searched |= {f"/home/{self.user.split(':')[0]}/.local"}
        return [one for place, those in self.places.items() if place in searched for one in those]


@dataclass(frozen=True)
class Build:
    """The result of a build: the image of the target, and every step that was needed for it, in order."""

    image: Image
    steps: tuple[Step, ...]
    dockerfile: Dockerfile
    sent: tuple[str, ...]
    """The paths of the context that reached the builder."""

    @property
    def layers(self) -> list[Step]:
        """The steps that make layers, of all stages that were needed."""
        return [step for step in self.steps if step.layer]

    @property
    def bases(self) -> list[str]:
        """The images outside of the Dockerfile that it builds on or copies from."""
        inside = {stage.name for stage in self.dockerfile.stages if stage.name}
        named = [stage.base for stage in self.dockerfile.stages if stage.base.lower() not in inside]
        for one in self.dockerfile.instructions:
            origin = one.flag("from")
            if one.name == "COPY" and origin and self.dockerfile.stage(origin) is None:
                named.append(origin)
        return list(dict.fromkeys(name for name in named if name != "scratch"))


def build(
    text: Any,
    context: Mapping[str, bytes],
    ignore: Any = "",
    *,
    build_args: Mapping[str, str] | None = None,
    target: str | None = None,
) -> Build:
    """Build, as far as that goes without running anything.

    Raises:
        DockerfileError: the builder would refuse the Dockerfile.
        BuildError: it would stop on the way, for lack of a file or a stage.
    """
    dockerfile = parse(text, build_args)
    if len(dockerfile.instructions) > MOST_STEPS:
        raise BuildError(f"The Dockerfile has more than {MOST_STEPS} instructions.")
    patterns = Ignore(ignore)
    sent = {path: content for path, content in context.items() if not patterns.leaves_out(path)}
    builder = _Builder(dockerfile, sent, dict(build_args or {}))
    last = len(dockerfile.stages) - 1
    if target is not None and dockerfile.stage(target) is None:
        raise BuildError(f"There is no stage {target}.")
    try:
        image = builder.stage(last if target is None else dockerfile.stage(target) or 0)
    except RecursionError:
        raise BuildError("Variables are nested too deeply in each other.") from None
    return Build(image, tuple(builder.steps), dockerfile, tuple(sent))


def rebuilt(before: Build, after: Build) -> list[Step]:
    """The layers of `after` that the cache of `before` does not know."""
    known = {step.key for step in before.layers}
    return [step for step in after.layers if step.key not in known]


class _Builder:
    """Builds stages on demand, as BuildKit does: one that nobody needs is left out."""

    def __init__(
        self, dockerfile: Dockerfile, sent: Mapping[str, bytes], build_args: Mapping[str, str]
    ) -> None:
        self.dockerfile, self.sent, self.build_args = dockerfile, sent, build_args
        self.done: dict[int, Image] = {}
        self.steps: list[Step] = []

    def stage(self, index: int) -> Image:
        if index not in self.done:
            stage = self.dockerfile.stages[index]
            below = next(
                (i for i in range(index) if self.dockerfile.stages[i].name == stage.base.lower()), None
            )
            if below is not None:
                image = replace(self.stage(below), args={})
            else:
                image = Image(stage.base, _digest("base", stage.base))
            for one in stage.instructions:
                image = self.apply(image, one, index)
            self.done[index] = image
        return self.done[index]

    def apply(self, image: Image, one: Instruction, index: int) -> Image:
        return getattr(self, f"_{one.name.lower()}", self._other)(image, one, index)

    def _say(self, image: Image, text: str) -> str:
        return expand(text, {**image.args, **image.env}, self.dockerfile.directives.get("escape", "\\"))

    def _note(self, image: Image, step: Step, **changes: Any) -> Image:
        self.steps.append(step)
        if step.layer:
            changes["filesystem"] = step.key
        return replace(image, steps=(*image.steps, step), **changes)

    # --- instructions without a layer

    def _other(self, image: Image, one: Instruction, index: int) -> Image:
        return self._note(image, Step(index, one.line, one.name, one.text))

    def _env(self, image: Image, one: Instruction, index: int) -> Image:
        env = dict(image.env)
        env |= {key: self._say(image, value) for key, value in pairs(one.text)}
        return self._note(image, Step(index, one.line, "ENV", one.text), env=env)

    def _arg(self, image: Image, one: Instruction, index: int) -> Image:
        args = dict(image.args)
        for name, value in arguments(one):
            known = self.dockerfile.globals.get(name) if value is None else self._say(image, value)
            if (given := self.build_args.get(name, known)) is not None:
                args[name] = given
        return self._note(image, Step(index, one.line, "ARG", one.text), args=args)

    def _label(self, image: Image, one: Instruction, index: int) -> Image:
        labels = dict(image.labels) | {key: self._say(image, value) for key, value in pairs(one.text)}
        return self._note(image, Step(index, one.line, "LABEL", one.text), labels=labels)

    def _user(self, image: Image, one: Instruction, index: int) -> Image:
        return self._note(image, Step(index, one.line, "USER", one.text), user=self._say(image, one.text))

    def _workdir(self, image: Image, one: Instruction, index: int) -> Image:
        folder = posixpath.normpath(posixpath.join(image.workdir, self._say(image, one.text).strip("'\"")))
        return self._note(image, Step(index, one.line, "WORKDIR", one.text), workdir=folder)

    def _cmd(self, image: Image, one: Instruction, index: int) -> Image:
        return self._note(image, Step(index, one.line, "CMD", one.text), cmd=one.words or one.text)

    def _entrypoint(self, image: Image, one: Instruction, index: int) -> Image:
        step = Step(index, one.line, "ENTRYPOINT", one.text)
        # As the builder does: an entry point of this stage forgets a command that it inherited.
        inherited = image.cmd is not None and not any(
            old.name == "CMD" and old.stage == index for old in image.steps
        )
        return self._note(image, step, entrypoint=one.words or one.text, cmd=None if inherited else image.cmd)

    def _shell(self, image: Image, one: Instruction, index: int) -> Image:
        if one.words is None:
            raise BuildError(f"Line {one.line}: SHELL takes the JSON form.")
        return self._note(image, Step(index, one.line, "SHELL", one.text), shell=one.words)

    def _expose(self, image: Image, one: Instruction, index: int) -> Image:
        ports = tuple(self._say(image, one.text).split())
        return self._note(image, Step(index, one.line, "EXPOSE", one.text), ports=(*image.ports, *ports))

    def _stopsignal(self, image: Image, one: Instruction, index: int) -> Image:
        return self._note(image, Step(index, one.line, "STOPSIGNAL", one.text), stop_signal=one.text)

    def _healthcheck(self, image: Image, one: Instruction, index: int) -> Image:
        word, _space, rest = one.text.partition(" ")
        options = dict(one.flags)
        if word.upper() == "NONE":
            health = Health(options=options, line=one.line)
        elif word.upper() != "CMD" or not rest.strip():
            raise BuildError(f"Line {one.line}: HEALTHCHECK takes CMD and a command, or NONE.")
        else:
            inner = parse(f"FROM scratch\nCMD {rest.strip()}").stages[0].instructions[0]
            shell = "" if inner.words else inner.text
            health = Health(inner.words or (), shell, options, one.line)
        return self._note(image, Step(index, one.line, "HEALTHCHECK", one.text), health=health)

    # --- instructions that make a layer

    def _add(self, image: Image, one: Instruction, index: int) -> Image:
        return self._copy(image, one, index)

    def _copy(self, image: Image, one: Instruction, index: int) -> Image:
        origin = one.flag("from")
        sources, target = self._copied(image, one)
        below = "" if one.flag("link") is not None and one.flag("link") != "false" else image.filesystem
        owner = [self._say(image, one.flag(name) or "") for name in ("chown", "chmod")]
        if origin:
            return self._copy_from(
                image, one, index, self._say(image, origin), (below, owner, target, sources)
            )
        written = self._written(image, one, sources, target)
        content = [(path, _digest(entry.content)) for path, entry in sorted(written.items())]
        remote = [source for source in sources if _remote(source)]
        step = Step(
            index,
            one.line,
            one.name,
            one.text,
            key=_digest(one.name, below, owner, content, remote, target),
            layer=True,
            wrote=written,
        )
        return self._note(image, step, files={**image.files, **written})

    def _copied(self, image: Image, one: Instruction) -> tuple[list[str], str]:
        if one.flag("parents") is not None:
            raise BuildError(f"Line {one.line}: --parents is not known to this model; copy folder by folder.")
        sources, target = sources_and_target(one, lambda text: self._say(image, text))
        heredocs = [source for source in sources if source.startswith("<<")]
        sources = [source for source in sources if source not in heredocs]
        absolute = posixpath.join(image.workdir, target)
        into = target.endswith("/") or target in (".", "..") or len(sources) + len(heredocs) > 1
        if len(sources) + len(heredocs) > 1 and not target.endswith("/") and target not in (".", ".."):
            raise BuildError(f"Line {one.line}: with more than one source the target must end with a slash.")
        return sources, posixpath.normpath(absolute) + ("/" if into else "")

    def _written(self, image: Image, one: Instruction, sources: list[str], target: str) -> dict[str, Entry]:
        written: dict[str, Entry] = {}
        left_out = Ignore("\n".join(one.flag_values("exclude")))
        for document in one.heredocs:
            text = self._say(image, document.text) if document.expand else document.text
            path = target + document.name if target.endswith("/") else target
            written[path] = Entry(text.encode(), "", one.line)
        for source in sources:
            if _remote(source):
                continue
            clean = posixpath.normpath(source.lstrip("/") or ".")
            if clean.startswith(".."):
                raise BuildError(f"Line {one.line}: {source} lies outside of the context.")
            found = dict(self._matching(clean))
            if not found:
                raise BuildError(
                    f"Line {one.line}: {source} is not in the context, or .dockerignore keeps it away."
                )
            for path, below in found.items():
                if not left_out.leaves_out(path):
                    place = _place(image, target, below, path)
                    written[place] = Entry(self.sent[path], path, one.line)
        return written

    def _matching(self, source: str) -> Iterator[tuple[str, str]]:
        """The files of the context that a source means; each with its path below a folder that was named."""
        if source == ".":
            yield from ((path, path) for path in self.sent)
            return
        depth = source.count("/") + 1
        for path in self.sent:
            parts = path.split("/")
            head = "/".join(parts[:depth])
            same_depth = len(source.split("/")) == len(head.split("/"))
            if same_depth and all(
                fnmatchcase(part, wanted)
                for part, wanted in zip(head.split("/"), source.split("/"), strict=True)
            ):
                yield path, "/".join(parts[depth:])

    def _copy_from(
        self, image: Image, one: Instruction, index: int, origin: str, what: tuple[Any, ...]
    ) -> Image:
        below, owner, target, sources = what
        number = self.dockerfile.stage(origin)
        if number is not None and number >= index:
            raise BuildError(f"Line {one.line}: the stage {origin} comes later, or is this one.")
        if number is None:
            step = Step(
                index, one.line, "COPY", str(one)[5:], _digest("from", below, origin, owner, what), True
            )
            return self._note(image, step)
        other = self.stage(number)
        written, moved, places, venvs = {}, [], dict(image.places), set(image.venvs)
        trace = []
        for source in sources:
            start = posixpath.normpath(posixpath.join("/", source))
            found = {
                path: entry
                for path, entry in other.files.items()
                if path == start or path.startswith(_slash(start))
            }
            for path, entry in found.items():
                rest = path[len(start) :].lstrip("/")
                written[_place(image, target, rest, path)] = entry
            goal = target.rstrip("/") or "/"
            moved.append((start, goal))
            for place, those in other.places.items():
                if place == start or place.startswith(_slash(start)):
                    there = posixpath.normpath(goal + "/" + place[len(start) :].lstrip("/"))
                    places[there] = (*places.get(there, ()), *those)
            # A virtual environment knows its own path, and works only there.
            venvs |= {
                v
                for v in other.venvs
                if (v == start or v.startswith(_slash(start))) and _moves(v, start, goal) == v
            }
            if not found and start not in ("/",) and not any(step.name == "RUN" for step in other.steps):
                known = other.base != "scratch" and not start.startswith(("/app", "/src", "/build"))
                if not known:
                    raise BuildError(f"Line {one.line}: {source} is not in the stage {origin}.")
            trace.append(_touched(other, start))
        step = Step(
            index,
            one.line,
            "COPY",
            f"--from={origin} {one.text}",
            key=_digest("from", below, owner, target, sources, trace),
            layer=True,
            wrote=written,
            moved=tuple(moved),
        )
        return self._note(
            image, step, files={**image.files, **written}, places=places, venvs=frozenset(venvs)
        )

    def _run(self, image: Image, one: Instruction, index: int) -> Image:
        mounts, keyed = self._mounts(image, one, index)
        line = "\n".join([document.text for document in one.heredocs]) if one.heredocs else one.text
        words = one.words
        steps = [Command(words)] if words else commands(line)
        if words and words[0].rpartition("/")[2] in ("sh", "bash") and len(words) > 2:
            steps = commands(words[-1])
        state = {**image.args, **image.env}
        key = _digest(
            "run",
            image.filesystem,
            one.words or line,
            sorted(state.items()),
            image.workdir,
            image.user,
            image.shell,
            keyed,
        )
        venvs, users, installs = set(image.venvs), set(image.users), []
        active, folder = "", image.workdir
        for command in steps:
            said = Command(tuple(expand(word, state) for word in command.words), command.settings)
            if said.program == "cd" and said.operands:
                folder = posixpath.normpath(posixpath.join(folder, said.operands[0]))
            if made := _new_venv(said):
                venvs.add(posixpath.normpath(posixpath.join(folder, made)))
            if (
                said.words[0] in (".", "source")
                and said.operands
                and said.operands[0].endswith("/bin/activate")
            ):
                active = posixpath.normpath(posixpath.join(folder, said.operands[0][: -len("/bin/activate")]))
            if said.program in ("useradd", "adduser", "groupadd", "addgroup") and said.operands:
                users |= set(said.operands)
            if (
                install := _install(said, one.line, image, frozenset(venvs), active, folder, mounts)
            ) is not None:
                installs.append(install)
        places = dict(image.places)
        for install in installs:
            places[install.place] = (*places.get(install.place, ()), install)
        flags = "".join(f"--{name}={value} " for name, value in one.flags)
        step = Step(
            index,
            one.line,
            "RUN",
            flags + one.text,
            key=key,
            layer=True,
            commands=tuple(steps),
            installs=tuple(installs),
        )
        return self._note(image, step, venvs=frozenset(venvs), users=frozenset(users), places=places)

    def _mounts(self, image: Image, one: Instruction, index: int) -> tuple[dict[str, bytes], list[Any]]:
        """The files that bind mounts show to a RUN, and what of all mounts the cache looks at."""
        files: dict[str, bytes] = {}
        keyed: list[Any] = []
        for text in one.flag_values("mount"):
            parts = dict(part.partition("=")[::2] for part in text.split(","))
            kind = parts.get("type", "bind")
            goal = posixpath.normpath(
                posixpath.join(
                    image.workdir, parts.get("target") or parts.get("dst") or parts.get("destination") or "."
                )
            )
            if kind != "bind":
                keyed.append(text)
                continue
            source = posixpath.normpath((parts.get("source") or parts.get("src") or ".").lstrip("/") or ".")
            if origin := parts.get("from"):
                number = self.dockerfile.stage(origin)
                keyed.append(
                    (
                        text,
                        _touched(self.stage(number), "/" + source)
                        if number is not None and number < index
                        else origin,
                    )
                )
                continue
            found = dict(self._matching(source))
            if not found:
                raise BuildError(
                    f"Line {one.line}: {source} is not in the context, or .dockerignore keeps it away."
                )
            for path, rest in found.items():
                files[posixpath.normpath(f"{goal}/{rest}") if rest else goal] = self.sent[path]
            keyed.append((goal, sorted((path, _digest(self.sent[path])) for path in found)))
        return files, keyed


def _place(image: Image, target: str, below: str, path: str) -> str:
    """Where a copied file comes to lie; `below` is its path under a folder that was copied, "" for a file."""
    if below:
        return posixpath.normpath(f"{target}/{below}")
    into = (
        target.endswith("/")
        or target == image.workdir
        or any(old.startswith(_slash(target)) for old in image.files)
    )
    return posixpath.normpath(f"{target}/{posixpath.basename(path)}" if into else target)


def _touched(image: Image, path: str) -> list[str]:
    """What decides the content of a path of an image: any RUN up to the last one, and copies to that place after it."""
    last = max((i for i, step in enumerate(image.steps) if step.name == "RUN"), default=-1)
    keys = [image.steps[last].key] if last >= 0 else [_digest("base", image.base)]
    for step in image.steps[last + 1 :]:
        for place, entry in sorted(step.wrote.items()):
            if place == path or place.startswith(_slash(path)):
                keys.append(_digest(place, entry.content))
        keys += [step.key for _start, goal in step.moved if (goal + "/").startswith(_slash(path))]
    return keys


def _new_venv(command: Command) -> str:
    if command.program.startswith("python") and command.words[1:3] == ("-m", "venv"):
        folders = [word for word in command.words[3:] if not word.startswith("-")]
        return folders[-1] if folders else ""
    if command.program == "virtualenv" and command.operands:
        return command.operands[-1]
    if command.program == "uv" and command.words[1:2] == ("venv",):
        folders = [word for word in command.words[2:] if word.startswith(("/", "."))]
        return folders[-1] if folders else ".venv"
    return ""


def _install(
    command: Command,
    line: int,
    image: Image,
    venvs: frozenset[str],
    active: str,
    folder: str,
    mounts: Mapping[str, bytes],
) -> Install | None:
    words = command.words
    program = words[0] if words else ""
    if (command.program.startswith("pip") and "install" in words[1:]) or (
        command.program.startswith("python") and words[1:3] == ("-m", "pip") and "install" in words
    ):
        at = words.index("install")
    elif command.program == "uv" and words[1:3] == ("pip", "install"):
        at = 2
    else:
        return None
    place = replace(image, venvs=venvs).on_path()
    if active:
        place = active
    elif program.startswith("/") and program.rpartition("/bin/")[0]:
        place = program.rpartition("/bin/")[0]
    if command.program == "uv" and not command.has("--system"):
        place = command.option("--python", "-p") or image.env.get("VIRTUAL_ENV") or place
        place = place.rpartition("/bin/")[0] or place
    rest = Command(("install", *words[at + 1 :]))
    goal = rest.option("--target", "-t") or rest.option("--prefix")
    if rest.has("--user"):
        goal = "/root/.local" if image.user.split(":")[0] in ("", "0", "root") else "~/.local"
    if goal:
        place = posixpath.normpath(posixpath.join(folder, goal))
    named, files, wait = [], [], ""
    taking = {"-r", "--requirement", "-c", "--constraint", "-t", "--target", "--prefix", "-i", "--index-url", "--python", "-p",
              "--extra-index-url", "--find-links", "-f", "--cert", "--timeout", "--cache-dir", "--platform", "--only-binary", "--no-binary"}  # fmt: skip
    for word in words[at + 1 :]:
        if wait:
            if wait in ("-r", "--requirement"):
                files.append(word)
            wait = ""
        elif word in taking:
            wait = word
        elif word.startswith("--requirement="):
            files.append(word.partition("=")[2])
        elif word.startswith("-r") and len(word) > 2 and not word.startswith("--"):
            files.append(word[2:])
        elif not word.startswith("-"):
            named.append(word)
    read = []
    for name in files:
        path = posixpath.normpath(posixpath.join(folder, name))
        found = mounts.get(path) or (image.files[path].content if path in image.files else None)
        if found is None and not any(path == step_path for step in image.steps for step_path in step.wrote):
            raise BuildError(
                f"Line {line}: pip looks for {name}, and no instruction before has brought it there."
            )
        read.append((name, found))
    return Install(line, command, place, tuple(named), tuple(read))


def _moves(path: str, start: str, goal: str) -> str:
    return posixpath.normpath(goal + "/" + path[len(start) :].lstrip("/"))


def _slash(path: str) -> str:
    return path if path.endswith("/") else f"{path}/"


def _remote(source: str) -> bool:
    return source.startswith(("http://", "https://", "git@")) or source.endswith(".git")


def _digest(*parts: Any) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(part if isinstance(part, bytes) else repr(part).encode())
        whole.update(b"\0")
    return whole.hexdigest()
