"""The judges of module 05, with what is expected. Never in reach of a graded learner's process.

A Dockerfile's text is built here by the model, on the repository of this world; hadolint reads it here. What the probe saw
of the image's command counts beside that. What an engine said can only lower a verdict: where there was none, the verdict says
what still waits for one.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from flightschool.curriculum import Verdict, judge
from flightschool.data import World, raw
from flightschool.i18n import translations
from flightschool.learn.quizzes import letters

if (here := str(Path(__file__).parent)) not in sys.path:
    sys.path.insert(0, here)

import build_contexts
import compose_order
import twice_built
from compose_order import ComposeError, Fate, Role, Service
from delays.delay_table import probability
from dockerfile import DockerfileError
from dockerfile_lint import lint
from image_model import Build, Image, build, rebuilt

from . import drill

_ = translations("05_docker")

SECRET_NAME = re.compile(r"passw|secret|token|api_?key|private_?key|credential|access_?key", re.IGNORECASE)
BASE = "python:3.11.14-slim-bookworm"
"""The base that the tasks name."""
BELONGS_NOT = {
    ".git/": _("the Git history"),
    ".venv/": _("another machine's packages"),
    "tests/": _("the tests"),
    "data/": _("data"),
    "notebooks/": _("notebooks"),
    "training/": _("the training code"),
    "__pycache__/": _("byte code"),
}


@dataclass(frozen=True)
class Flaw:
    """One thing that is not right: what was found, and what to try. `stops` when the image does not do its work, or leaks."""

    found: str
    try_next: str
    stops: bool = False


def verdict(flaws: list[Flaw], expected: str, passed: str, waits: str = "") -> Verdict:
    """The first flaw, those that stop the image first; all points without any, a half where nothing stops it."""
    if not flaws:
        return Verdict.passed(f"{passed} {waits}".strip())
    first = sorted(flaws, key=lambda one: not one.stops)[0]
    more = _(" (and {n} more)").format(n=len(flaws) - 1) if len(flaws) > 1 else ""
    said = {"expected": expected, "found": first.found + more, "try_next": first.try_next}
    stopped = any(one.stops for one in flaws)
    return (
        Verdict.failed(**said)
        if stopped or len(flaws) > 3
        else Verdict.partly(0.75 - 0.25 * (len(flaws) > 1), **said)
    )


def parts_of(evidence: Any) -> dict[str, Any]:
    """Evidence as a dict, whatever it is."""
    return evidence if isinstance(evidence, dict) else {}


def mapping(value: Any) -> dict[str, Any]:
    """A dict, or an empty one."""
    return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class Given:
    """What was given for an image of this world: the files, the repository that they build, the secrets that lie in it.

    `locks` are the lists that its packages may come from, called `lock` in a message; `more` is what the program needs beside its package.
    """

    parts: Mapping[str, Any]
    context: Mapping[str, bytes]
    planted: Mapping[str, bytes]
    package: str
    lock: str
    locks: tuple[bytes, ...]
    more: tuple[str, ...] = ()

    def build(self, edit: build_contexts.Edit | None = None) -> Build | Flaw:
        """The build by the model, after an edit of the repository, or why it stops."""
        context = edit.apply(self.context) if edit else self.context
        try:
            return build(self.parts.get("Dockerfile"), context, self.parts.get(".dockerignore"))
        except DockerfileError as error:
            what = _("The build stops. {error}").format(error=error)
            return Flaw(
                what, _("Look at that line; the paths of COPY are those of the repository."), stops=True
            )

    def whole(self, done: Build) -> list[Flaw]:
        """Whether all of the program is in it, with its packages, and no secret."""
        return [
            *leaks(done, self.planted),
            *complete(done, self.context, self.package, self.more),
            *packages(done, self.locks, self.lock),
        ]

    def careful(self, done: Build) -> list[Flaw]:
        """What a reviewer says, and what the engine refused."""
        return [*bases(done), *litter(done, self.planted), *linted(self.parts), *engine_flaws(self.parts)]


def for_etl(evidence: Any, world: World) -> Given:
    """An image of the ETL."""
    context = build_contexts.etl_repository(world)
    planted = build_contexts.secrets(world, "etl")
    lock = "requirements.lock"
    return Given(parts_of(evidence), context, planted, "etl", lock, (context[lock],))


def for_api(evidence: Any, world: World) -> Given:
    """An image of the delay API, with FastAPI or with Flask."""
    context = build_contexts.api_repository(world)
    planted = build_contexts.secrets(world, "delays")
    locks = (context["requirements.lock"], context["requirements-flask.lock"])
    return Given(parts_of(evidence), context, planted, "delays", "the lock", locks, ("model.json",))


def waiting(parts: Mapping[str, Any], what: str) -> str:
    """What still waits for an engine, and why none was asked."""
    why = mapping(parts.get("engine")).get("waits")
    if not isinstance(why, str):
        return ""
    return _("Not judged without an engine: {what} ({why}).").format(
        what=what, why=why or _("none was asked")
    )


def engine_flaws(parts: Mapping[str, Any]) -> list[Flaw]:
    """What the engine refused."""
    problem = mapping(parts.get("engine")).get("problem")
    if problem:
        return [
            Flaw(
                _("Docker itself says: {problem}").format(problem=str(problem)[:300]),
                _("Build it by hand and read the lines before."),
                stops=True,
            )
        ]
    return []


# --- what is asked of every image


def leaks(done: Build, planted: Mapping[str, bytes]) -> list[Flaw]:
    """Secrets in a layer or in the settings of the image."""
    for step in done.image.steps:
        for path, entry in step.wrote.items():
            if entry.source in planted or any(secret.strip() in entry.content for secret in planted.values()):
                return [
                    Flaw(
                        _(
                            "Line {line} brings a secret into a layer: {source} lies in the image as {path}."
                        ).format(line=step.line, source=entry.source, path=path),
                        _(
                            "Whoever has the image has that file, even when a later layer deletes it. Copy by name, or begin .dockerignore with * and let in what is needed."
                        ),
                        stops=True,
                    )
                ]
    for step in done.steps:
        if step.name in ("ARG", "ENV") and (name := SECRET_NAME.search(step.text)):
            word = next((w for w in step.text.split() if name[0] in w), step.text).split("=")[0]
            return [
                Flaw(
                    _(
                        "Line {line}: {kind} {word} looks like a secret, and `docker history` shows it to everybody."
                    ).format(line=step.line, kind=step.name, word=word),
                    _(
                        "What a build needs comes by RUN --mount=type=secret; what the program needs comes when the container starts."
                    ),
                    stops=True,
                )
            ]
    return []


def bases(done: Build) -> list[Flaw]:
    """Bases that move, or that bring a compiler along."""
    flaws = []
    for base in done.bases:
        name, _colon, tag = base.partition("@")[0].rpartition(":")
        numbers = len(re.match(r"v?(\d+(?:\.\d+)*)|", tag)[0].split(".")) if name and "/" not in tag else 0  # type: ignore[index]
        if "@sha256:" not in base and numbers < (3 if name.split("/")[-1] == "python" else 2):
            flaws.append(
                Flaw(
                    _("{base} names no exact version: next month it is another image.").format(base=base),
                    _(
                        "Write the tag out, down to the patch release, or add the digest: python:3.11.14-slim-bookworm."
                    ),
                )
            )
        elif (
            name.split("/")[-1] == "python" and base == done.image.base and not re.search("slim|alpine", tag)
        ):
            flaws.append(
                Flaw(
                    _(
                        "{base} brings compilers and headers into the image, which only a builder needs."
                    ).format(base=base),
                    _("Take the slim variant; compile, if you must, in a stage of its own."),
                )
            )
    return flaws


def linted(parts: Mapping[str, Any]) -> list[Flaw]:
    """What hadolint says."""
    found = lint(str(parts.get("Dockerfile")))
    if not found:
        return []
    more = _(" It says {n} things in all.").format(n=len(found)) if len(found) > 1 else ""
    return [
        Flaw(
            _("hadolint, {finding}.").format(finding=str(found[0]).rstrip(".")) + more,
            _("Its rule is explained at https://github.com/hadolint/hadolint/wiki/{code}.").format(
                code=found[0].code
            ),
        )
    ]


def user(image: Image) -> list[Flaw]:
    """Root, or a user that nobody made."""
    name = image.user.split(":")[0]
    if name in ("", "0", "root"):
        return [
            Flaw(
                _("The container runs as root: whoever breaks out of the program is root."),
                _("USER with a number, such as 1000, near the end of the last stage."),
            )
        ]
    if not name.isdigit() and name not in image.users:
        return [
            Flaw(
                _("USER {name}: no line makes that user, so the container does not start.").format(name=name),
                _("useradd in a RUN before, or a number: a number needs no entry."),
                stops=True,
            )
        ]
    return []


def litter(done: Build, planted: Mapping[str, bytes]) -> list[Flaw]:
    """What lies in the image and is not needed there."""
    for entry in done.image.files.values():
        for part, what in BELONGS_NOT.items():
            if (
                entry.source
                and entry.source not in planted
                and (entry.source.startswith(part) or f"/{part}" in entry.source)
            ):
                return [
                    Flaw(
                        _("{what} came into the image: {source}, by line {line}.").format(
                            what=what.capitalize(), source=entry.source, line=entry.line
                        ),
                        _("Copy what the program needs, by name; keep the rest away by .dockerignore."),
                    )
                ]
    return []


def complete(
    done: Build, context: Mapping[str, bytes], package: str, more: tuple[str, ...] = ()
) -> list[Flaw]:
    """Files of the program that are not in the image."""
    inside = {entry.source for entry in done.image.files.values()}
    wanted = [name for name in context if name.startswith(f"{package}/") and name.endswith(".py")]
    if missing := [name for name in (*wanted, *more) if name not in inside]:
        return [
            Flaw(
                _("{file} is not in the image.").format(file=missing[0]),
                _(
                    "Copy the package as a folder, so that a module that is added comes along; look at what .dockerignore keeps away."
                ),
                stops=True,
            )
        ]
    return []


def packages(done: Build, locks: tuple[bytes, ...], name: str) -> list[Flaw]:
    """Whether the Python of the start command has the locked packages."""
    installs = [one for step in done.steps for one in step.installs]
    if not installs:
        return [
            Flaw(
                _("No line installs {name}: the program's first import fails.").format(name=name),
                _("RUN pip install … -r, after the lock has been copied."),
                stops=True,
            )
        ]
    at_hand = done.image.at_hand()
    if not at_hand:
        return [
            Flaw(
                _(
                    "pip installs into {place}, and the container's python is that of {python}: it will not find a package."
                ).format(place=installs[-1].place, python=done.image.python()),
                _(
                    "Copy what was installed into the last stage, to the same path, and put its bin folder first on PATH."
                ),
                stops=True,
            )
        ]
    if not any(content in locks for one in at_hand for _file, content in one.files):
        return [
            Flaw(
                _("What is installed is not {name}: on another day it is something else.").format(name=name),
                _("Copy the lock and install with -r; name no package by hand."),
            )
        ]
    if not any(one.command.has("--require-hashes") for one in at_hand):
        return [
            Flaw(
                _("pip is not told to insist on the hashes of the lock."),
                _("--require-hashes refuses a package without one, and one whose bytes have changed."),
            )
        ]
    if extra := [word for one in at_hand for word in one.named if not word.startswith((".", "/"))]:
        return [
            Flaw(
                _("{word} is installed beside the lock.").format(word=extra[0]),
                _("Whatever the image needs belongs into the lock."),
            )
        ]
    return []


def shape(image: Image) -> list[Flaw]:
    """A start command by a shell."""
    if image.cmd is None and image.entrypoint is None:
        return [
            Flaw(
                _("Nothing says what a container of this image runs."),
                _("ENTRYPOINT or CMD, in the JSON form, in the last stage."),
                stops=True,
            )
        ]
    if isinstance(image.entrypoint, str) or (image.entrypoint is None and isinstance(image.cmd, str)):
        return [
            Flaw(
                _("The start command is a text: a shell runs it, and `docker stop` speaks to the shell."),
                _('The JSON form: CMD ["program", "argument"].'),
            )
        ]
    return []


# q1 ----------------------------------------------------------------------------------------------------------------


@judge("q1")
def etl_image(evidence: Any, world: World) -> Verdict:
    """Built by the model, linted, run by the probe; by the engine where there was one."""
    given = for_etl(evidence, world)
    parts = given.parts
    expected = _(
        "An image that runs `python -m etl` as a user without rights, with the locked packages and Java 17, checked for its health, and with nothing in it that it does not need."
    )
    done = given.build()
    if isinstance(done, Flaw):
        return verdict([done], expected, "")
    flaws = [
        *given.whole(done),
        *java(done),
        *lists_of_debian(done),
        *user(done.image),
        *shape(done.image),
    ]
    if not any(flaw.stops for flaw in flaws):
        flaws += etl_runs(mapping(parts.get("ran")), done, world)
    flaws += [*given.careful(done), *etl_in_engine(mapping(parts.get("engine")), world)]
    return verdict(
        flaws,
        expected,
        _(
            "The image does the day's work as nobody in particular, refuses a missing day with a sentence, and its health check notices a damaged package. A professional would sign it, and scan it for known holes."
        ),
        waiting(parts, _("its size, the user inside, the layers as they are stored")),
    )


def java(done: Build) -> list[Flaw]:
    """Java 17 for Spark, without its compiler."""
    words = [
        word
        for step in done.image.steps
        for one in step.commands
        if one.program in ("apt-get", "apt") and "install" in one.words
        for word in one.words
    ]
    moved = [
        step.text
        for step in done.image.steps
        if step.name == "COPY" and re.search("temurin|openjdk|jre|corretto", step.text)
    ]
    found = [word for word in words if re.match(r"(openjdk-\d+|default)-(jre|jdk)", word)]
    if not found and not moved:
        return [
            Flaw(
                _("Spark needs Java, and no line of the last stage brings one."),
                _(
                    "Debian's package is openjdk-17-jre-headless; a stage's packages are not those of the next."
                ),
                stops=True,
            )
        ]
    if found and not any("17" in word.split("=")[0] for word in found):
        return [
            Flaw(
                _("{package} is not Java 17, which this Spark was tested with.").format(package=found[0]),
                _("openjdk-17-jre-headless"),
            )
        ]
    if other := [word for word in found if "=" in word and not word.partition("=")[2].startswith("17")]:
        return [
            Flaw(
                _("{package} asks for a version that this package never has: apt-get stops there.").format(
                    package=other[0]
                ),
                _("After the = stands the package's own version, which begins with 17."),
                stops=True,
            )
        ]
    if any("-jdk" in word for word in found):
        return [
            Flaw(
                _("{package} is the compiler, too, which no job needs.").format(package=found[0]),
                _("The runtime alone, without a display: …-jre-headless."),
            )
        ]
    return []


def lists_of_debian(done: Build) -> list[Flaw]:
    """Whether apt-get knows which packages there are: a slim image holds no lists, and one of another day names packages that are gone."""
    for step in done.steps:
        calls = [one for one in step.commands if one.program in ("apt-get", "apt")]
        installs = next((n for n, one in enumerate(calls) if "install" in one.words), None)
        if installs is not None and not any("update" in one.words for one in calls[:installs]):
            return [
                Flaw(
                    _("Line {line} installs from lists of packages that are not there.").format(
                        line=step.line
                    ),
                    _(
                        "apt-get update before it, in the same RUN: the cache must not keep the lists of another day."
                    ),
                    stops=True,
                )
            ]
        for one in step.commands:
            if (
                one.program == "rm"
                and any(word.startswith("/var/lib/apt/lists") for word in one.words)
                and not any(re.match(r"-\w*[rR]|--recursive", word) for word in one.words)
            ):
                return [
                    Flaw(
                        _(
                            "Line {line}: rm stops at the folders in /var/lib/apt/lists, and the build with it."
                        ).format(line=step.line),
                        _("rm -rf takes folders along."),
                        stops=True,
                    )
                ]
    return []


def etl_runs(ran: Mapping[str, Any], done: Build, world: World) -> list[Flaw]:
    """What the probe saw of the command and of the health check."""
    if ran.get("problem"):
        return [
            Flaw(
                _("The start command could not be run. {problem}").format(problem=str(ran["problem"])[:300]),
                _(
                    "Arguments of `docker run` replace CMD and follow ENTRYPOINT. Which of the two names the program?"
                ),
                stops=True,
            )
        ]
    day = world.days(2)[0]
    days = mapping(ran.get("days"))
    good, missing = mapping(days.get("delivered")), mapping(days.get("missing"))
    wanted = hashlib.sha256(raw.render(world.flights(day))).hexdigest()
    if good.get("status") != 0 or ran.get("landed") != [wanted]:
        said = str(good.get("said", "")).strip().splitlines() or [_("nothing")]
        return [
            Flaw(
                _("`docker run image ingest --day {day} …` ended with {status} and said: {said}").format(
                    day=day, status=good.get("status"), said=said[-1][:200]
                ),
                _(
                    "Arguments of `docker run` replace CMD and follow ENTRYPOINT. Is the package found from the WORKDIR?"
                ),
                stops=True,
            )
        ]
    if missing.get("status") != 2:
        return [
            Flaw(
                _("A day that was not delivered should end with status 2; it was {status}.").format(
                    status=missing.get("status")
                ),
                _("Let the program's own status be the container's: no shell, no `|| true`."),
                stops=True,
            )
        ]
    health = done.image.health
    if health is None or not (health.words or health.shell):
        return [
            Flaw(
                _("There is no HEALTHCHECK."),
                _(
                    "A command that ends with 0 when the container can do its work: for a package, that it can be imported."
                ),
            )
        ]
    if ran.get("whole") != 0:
        return [
            Flaw(
                _("The health check fails on an image that is well."),
                _("Run its words by hand, with the image's Python and from its WORKDIR."),
            )
        ]
    if ran.get("damaged") in (0, None):
        return [
            Flaw(
                _("A module of the package is gone, and the health check still says that all is well."),
                _("Have it try what the container is for, at least the import of the package."),
            )
        ]
    return []


def etl_in_engine(said: Mapping[str, Any], world: World) -> list[Flaw]:
    """What the engine saw."""
    if "layers" not in said:
        return []
    flaws = []
    if said.get("held"):
        flaws.append(
            Flaw(
                _("Docker finds a secret in the saved image."),
                _("`docker save` shows every layer."),
                stops=True,
            )
        )
    wanted = hashlib.sha256(raw.render(world.flights(world.days(2)[0]))).hexdigest()
    once = mapping(said.get("run"))
    if once.get("status") != 0 or said.get("landed") != [wanted]:
        flaws.append(
            Flaw(
                _("In a container the day was not ingested; it said: {said}").format(
                    said=str(once.get("said"))[-300:]
                ),
                _("What differs there: the user, the packages, the base."),
                stops=True,
            )
        )
    if isinstance(said.get("megabytes"), (int, float)) and said["megabytes"] > 2500:
        flaws.append(
            Flaw(
                _("The image has {size:.0f} MB.").format(size=said["megabytes"]),
                _("`docker history` shows which layer is large."),
            )
        )
    return flaws


# q2 ----------------------------------------------------------------------------------------------------------------


@judge("q2")
def cached_layers(evidence: Any, world: World) -> Verdict:
    """Each edit of a week applied alone, and the layers counted that the cache does not know."""
    given = for_api(evidence, world)
    parts, context = given.parts, given.context
    expected = _(
        "A change of code rebuilds one layer, a new model at most two, a new lock the packages; what is not in the image rebuilds nothing."
    )
    before = given.build()
    if isinstance(before, Flaw):
        return verdict([before], expected, "")
    flaws = [
        *given.whole(before),
        *[
            Flaw(
                _("{base} is another base than before; where it moves, each layer is built again.").format(
                    base=base
                ),
                _("Leave FROM as it is in slow_build."),
            )
            for base in before.bases
            if base.partition("@")[0] != BASE
        ],
    ]
    if flaws:
        return verdict(flaws, expected, "")
    edits = [
        *build_contexts.edits(world, context, "delays"),
        build_contexts.Edit("model", "model.json", context["model.json"] + b" "),
    ]
    for edit in edits:
        after = given.build(edit)
        if isinstance(after, Flaw):
            return verdict([after], expected, "")
        flaws += rebuild_flaws(edit, before, after)
    said = mapping(parts.get("engine"))
    if isinstance(said.get("replaced"), int) and said["replaced"] != 1:
        flaws.append(
            Flaw(
                _("Docker itself replaced {n} layers after a change of code.").format(n=said["replaced"]),
                _("Read its output: what is not CACHED?"),
            )
        )
    flaws += engine_flaws(parts)
    return verdict(
        flaws,
        expected,
        _(
            "After a change of code one layer is built and sent; all others are known. A professional would share that cache between build machines (--cache-to, --cache-from)."
        ),
        waiting(parts, _("the same by the engine's own cache")),
    )


def rebuild_flaws(edit: build_contexts.Edit, before: Build, after: Build) -> list[Flaw]:
    """What one edit rebuilds, against what it should."""
    again = rebuilt(before, after)
    pip = [step for step in again if step.installs]
    what = {
        "code": _("a change of code"),
        "new module": _("a new module"),
        "model": _("a new model"),
        "lock": _("a new lock"),
    }.get(edit.kind, edit.kind)
    change = _("After {what} ({path})").format(what=what, path=edit.path)
    if edit.kind in ("code", "new module", "model"):
        if edit.kind == "new module" and edit.path not in {
            entry.source for entry in after.image.files.values()
        }:
            return [
                Flaw(
                    _("{change} the image does not hold it.").format(change=change),
                    _("Copy the folder, not file by file."),
                    stops=True,
                )
            ]
        if pip:
            first = again[0]
            return [
                Flaw(
                    _(
                        "{change} all packages are installed again: line {line}, {step}, comes before pip and has changed."
                    ).format(change=change, line=first.line, step=str(first)[:60]),
                    _("The lock alone is copied before RUN pip install; the code comes after it."),
                    stops=True,
                )
            ]
        if len(again) == 0:
            return [
                Flaw(
                    _("{change} nothing is rebuilt: the image would go on with the old one.").format(
                        change=change
                    ),
                    _("Is it copied from the repository at all?"),
                    stops=True,
                )
            ]
        if len(again) > (2 if edit.kind == "model" else 1):
            return [
                Flaw(
                    _("{change} {n} layers are rebuilt; the last is {step}.").format(
                        change=change, n=len(again), step=str(again[-1])[:60]
                    ),
                    _(
                        "Nothing should stand behind the code that does not need it: RUN and COPY that don't change go above it."
                    ),
                )
            ]
        return []
    if edit.kind == "lock":
        flask = any(
            b"flask==" in (content or b"") for one in before.image.at_hand() for _name, content in one.files
        )
        if not pip and not flask:
            return [
                Flaw(
                    _("{change} the packages are not installed again: the image keeps the old ones.").format(
                        change=change
                    ),
                    _("COPY the lock, then install with -r from it."),
                    stops=True,
                )
            ]
        return []
    if again:
        return [
            Flaw(
                _(
                    "A change that no image needs ({kind}: {path}) rebuilds {n} layers, the first at line {line}."
                ).format(kind=edit.kind, path=edit.path, n=len(again), line=again[0].line),
                _("COPY takes all that .dockerignore lets through: copy by name, or keep it away."),
                stops=bool(pip),
            )
        ]
    return []


# q3 ----------------------------------------------------------------------------------------------------------------


@judge("q3")
def same_twice(evidence: Any, world: World) -> Verdict:
    """Built on two days: what differs, and whether the program is in it at all."""
    given = for_api(evidence, world)
    parts, context = given.parts, given.context
    expected = _(
        "Two builds of the same commit, a week apart and without a cache, hold the same bytes: base, packages, files, byte code."
    )
    done = given.build()
    if isinstance(done, Flaw):
        return verdict([done], expected, "")
    whole = [*given.whole(done), *shape(done.image)]
    moved = twice_built.moved(
        parts.get("Dockerfile"), parts.get(".dockerignore"), context, build_contexts.a_week_later(context)
    )
    said = mapping(parts.get("engine"))
    flaws = [flaw for flaw in whole if flaw.stops]
    flaws += [
        Flaw(
            _("Between the two builds something moved. Line {line}: {what}.").format(
                line=one.line, what=one.what
            ),
            REMEDIES.get(one.kind, REMEDIES["files"]),
        )
        for one in moved
    ]
    if said.get("differing"):
        flaws.append(
            Flaw(
                _("Docker built it twice, and {n} files differ; the first is {file}.").format(
                    n=said.get("count"), file=str(said["differing"])[:120]
                ),
                _("Which line writes that file, and what does it put into it?"),
            )
        )
    flaws += engine_flaws(parts)
    if not flaws:
        flaws = whole
    return verdict(
        flaws,
        expected,
        _(
            "Whoever builds this commit gets these bytes. A professional would let a second machine build it, compare, and write the layers' dates too: --output type=image,rewrite-timestamp=true."
        ),
        waiting(parts, _("two real builds, file by file")),
    )


REMEDIES = {
    "base": _(
        "`docker buildx imagetools inspect` prints the digest of a tag; let a bot raise it, so that you see when."
    ),
    "files": _("Let in by .dockerignore what you wrote yourself, and nothing else."),
    "clock": _("A time that must be in the image is that of the commit: SOURCE_DATE_EPOCH."),
    "download": _("ADD --checksum=sha256:…, or a commit in place of a branch."),
    "apt": _("Do without it in this image, or install from a day of snapshot.debian.org."),
    "pip": _("Install from the lock, with --require-hashes, and nothing beside it."),
    "time": _(
        "ARG SOURCE_DATE_EPOCH before that line, in the same stage; --no-cache-dir; delete logs in the RUN that writes them."
    ),
}


# q4 ----------------------------------------------------------------------------------------------------------------

ASKED = (("UA", "EWR", 17), ("B6", "JFK", 7), ("ZZ", "LGA", 3))


@judge("q4")
def model_image(evidence: Any, world: World) -> Verdict:
    """The API called, its health asked, its end watched."""
    given = for_api(evidence, world)
    parts, context = given.parts, given.context
    expected = _(
        "An image whose API answers from outside with the model's probabilities, that knows when it can't answer, and that ends when it is told to."
    )
    done = given.build()
    if isinstance(done, Flaw):
        return verdict([done], expected, "")
    flaws = [*given.whole(done), *user(done.image), *shape(done.image)]
    if not any(flaw.stops for flaw in flaws):
        flaws += served_flaws(parts, done, json.loads(context["model.json"]))
    flaws += [*given.careful(done), *container_flaws(mapping(parts.get("engine")), context)]
    return verdict(
        flaws,
        expected,
        _(
            "The image answers with its model, tells its health from whether it could answer, and stops in time. A professional would give the model a version and answer with it."
        ),
        waiting(parts, _("the same calls to a container")),
    )


def replies_flaws(replies: Any, model: Mapping[str, Any], said: str) -> list[Flaw]:
    """Predictions against the model's own."""
    given = replies if isinstance(replies, list) else []
    for n, (carrier, origin, hour) in enumerate(ASKED):
        reply = mapping(given[n]) if n < len(given) else {}
        if reply.get("status") != 200:
            return [
                Flaw(
                    _("Asked for {flight}, it answered with status {status}. Its log ends: {said}").format(
                        flight=f"{carrier} {origin} {hour}:00",
                        status=reply.get("status"),
                        said=said[-200:].strip() or _("nothing"),
                    ),
                    _("Start the command by hand and read the log: is the model where $MODEL says?"),
                    stops=True,
                )
            ]
        try:
            number = float(mapping(json.loads(str(reply.get("text"))))["late_probability"])
        except (ValueError, KeyError, TypeError):
            number = -1.0
        if abs(number - probability(model, carrier, origin, hour)) > 1e-4:
            return [
                Flaw(
                    _("For {flight} the answer is not that of the model in the repository.").format(
                        flight=f"{carrier} {origin} {hour}:00"
                    ),
                    _("Which model.json is in the image, and does $MODEL name it?"),
                    stops=True,
                )
            ]
    return []


def served_flaws(parts: Mapping[str, Any], done: Build, model: Mapping[str, Any]) -> list[Flaw]:
    """What the probe saw of the running command."""
    ran = mapping(parts.get("ran"))
    if ran.get("problem"):
        return [
            Flaw(
                _("The start command could not be run. {problem}").format(problem=str(ran["problem"])[:300]),
                _('CMD ["uvicorn", "delays.delay_api:app", …]'),
                stops=True,
            )
        ]
    image = done.image
    words = " ".join([*image.start(), *(f"{key}={value}" for key, value in image.env.items())])
    if not re.search(r"(?<![\w.])0\.0\.0\.0(?![\w.])|\[::\]|--host[= ]::|(-b|--bind)[= ]?:\d", words):
        return [
            Flaw(
                _("The server listens on the container's own loopback: from outside nobody reaches it."),
                _(
                    "--host 0.0.0.0 (gunicorn: --bind 0.0.0.0:8000). Who may come in is decided when the port is published."
                ),
                stops=True,
            )
        ]
    listens = set(re.findall(r"(?:--port[= ]|:|PORT=)(\d+)\b", words)) or {"8000"}
    if image.ports and not listens & {port.split("/")[0] for port in image.ports}:
        return [
            Flaw(
                _("EXPOSE says {port}, and the start command names another port.").format(
                    port=image.ports[0]
                ),
                _("Whoever publishes the port that you name reaches nobody."),
                stops=True,
            )
        ]
    said = str(ran.get("said", ""))
    if flaws := replies_flaws(ran.get("replies"), model, said):
        return flaws
    flaws = []
    stop = mapping(ran.get("stop"))
    if stop.get("ended") is not True:
        flaws.append(
            Flaw(
                _(
                    "Told to stop, the server goes on: `docker stop` would wait ten seconds and kill it in the middle of a request."
                ),
                _(
                    "The JSON form of CMD: the signal goes to the first process, and a shell does not pass it on."
                ),
                stops=True,
            )
        )
    health = image.health
    if health is None or not (health.words or health.shell):
        flaws.append(
            Flaw(
                _("There is no HEALTHCHECK."),
                _('Ask your own /health from inside: python -c "import urllib.request …".'),
            )
        )
    elif re.search(r"\b(curl|wget)\b", " ".join((*health.words, health.shell))) and not any(
        {"curl", "wget"} & set(one.words) and "install" in one.words
        for step in image.steps
        for one in step.commands
    ):
        flaws.append(
            Flaw(
                _(
                    "The health check calls curl or wget, which a slim image does not have: it would never be healthy."
                ),
                _("Python is there: urllib.request.urlopen raises on 503."),
            )
        )
    elif ran.get("up") != 0:
        flaws.append(
            Flaw(
                _("The service answers, and its health check says that it is ill."),
                _("Which port and path does it ask, and with which program?"),
            )
        )
    elif ran.get("down") in (0, None):
        flaws.append(
            Flaw(
                _("The service is down, and its health check says that all is well."),
                _("It must ask the service, and fail when there is no answer."),
            )
        )
    elif parts.get("modelless") in (0, None):
        flaws.append(
            Flaw(
                _(
                    "Without its model the service can answer nothing, and the health check says that all is well."
                ),
                _(
                    "Ask /health, which answers 503 then, and let that be a failure: urlopen raises, curl needs --fail."
                ),
            )
        )
    if not image.ports:
        flaws.append(
            Flaw(
                _("No line says on which port it listens."),
                _("EXPOSE opens nothing; it tells the reader, and tools."),
            )
        )
    return flaws


def container_flaws(said: Mapping[str, Any], context: Mapping[str, bytes]) -> list[Flaw]:
    """What the engine saw."""
    if "layers" not in said:
        return []
    flaws = replies_flaws(said.get("replies"), json.loads(context["model.json"]), "")
    if said.get("state") != "healthy":
        flaws.append(
            Flaw(
                _("In a container its health is “{state}”.").format(state=said.get("state")),
                _("`docker inspect` shows what the check printed."),
            )
        )
    if isinstance(said.get("stopped"), (int, float)) and said["stopped"] > 9:
        flaws.append(
            Flaw(
                _("`docker stop` had to wait {seconds} s and kill it.").format(seconds=said["stopped"]),
                _("The signal did not reach the server."),
            )
        )
    return flaws


# q5 ----------------------------------------------------------------------------------------------------------------

IMAGE_CHECK = compose_order.Check("http", interval=5, retries=3, start_period=60, start_interval=1)
"""The health check that the API's image brings along."""
SERVICES = ("db", "etl", "api", "dashboard")


def scenarios(world: World) -> dict[str, dict[str, Role]]:
    """How the four services behave, as this world has it: on a good day, and on bad ones."""
    rng = world.rng("scenarios")
    slow, model = rng.randrange(28, 46), rng.randrange(15, 31)
    base = {
        "db": Role(ready=3, socket=1),
        "etl": Role(ready=rng.randrange(5, 9), job=True, wants={"db": "ready"}),
        "api": Role(ready=2, wants={"etl": "done"}, check=IMAGE_CHECK),
        "dashboard": Role(ready=1, wants={"api": "ready"}),
    }
    return {
        _("a quick start"): base,
        _("a slow first start of the database"): base | {"db": Role(ready=slow, socket=2)},
        _("an API that loads its model for a while"): base
        | {"api": Role(ready=model, wants={"etl": "done"}, check=IMAGE_CHECK)},
        _("an ETL that fails"): base | {"etl": Role(ready=4, job=True, status=1, wants={"db": "ready"})},
        _("a database that never comes"): base | {"db": Role(ready=10_000, socket=10_000)},
    }


@judge("q5")
def start_order(evidence: Any, world: World) -> Verdict:
    """Each scenario simulated; then what else a compose file owes."""
    parts = parts_of(evidence)
    expected = _(
        "db healthy → etl done → api healthy → dashboard: in good scenarios all four start, in bad ones nothing starts on broken ground."
    )
    try:
        services = compose_order.read(parts.get("compose"), {"DB_PASSWORD": "x"})
    except ComposeError as error:
        return verdict(
            [Flaw(str(error), _("`docker compose config` reads it as Compose does."), stops=True)],
            expected,
            "",
        )
    if missing := [name for name in SERVICES if name not in services]:
        return verdict(
            [
                Flaw(
                    _("There is no service {name}.").format(name=missing[0]),
                    _("The four names stand in the task."),
                    stops=True,
                )
            ],
            expected,
            "",
        )
    flaws = [*check_flaws(services)]
    for name, roles in scenarios(world).items():
        flaws += order_flaws(name, roles, compose_order.simulate(services, roles), services)
        if flaws:
            break
    flaws += [*care_flaws(services, str(parts.get("compose"))), *engine_flaws(parts)]
    return verdict(
        flaws,
        expected,
        _(
            "In every scenario a service starts when what it needs is there, and not before. A professional's services would also try again by themselves: in production nobody starts them in order."
        ),
        waiting(parts, _("Compose's own reading of the file")),
    )


def check_flaws(services: Mapping[str, Service]) -> list[Flaw]:
    """Health checks that can't tell."""
    for name, service in services.items():
        said = service.check.asks if service.check else ""
        if said == "unknown":
            return [
                Flaw(
                    _("What the health check of {name} asks is not known to this judge.").format(name=name),
                    _("Use pg_isready or psql for the database, Python's urllib for the API."),
                    stops=True,
                )
            ]
        if said == "always":
            return [
                Flaw(
                    _("The health check of {name} says yes whatever happens.").format(name=name),
                    _("It must fail while the service can't do its work."),
                    stops=True,
                )
            ]
        if said == "never":
            return [
                Flaw(
                    _(
                        "The health check of {name} can never succeed: its program or its address is not there in that image."
                    ).format(name=name),
                    _("A slim image has Python and no curl; the API listens on 8000 and answers /health."),
                    stops=True,
                )
            ]
    return []


def order_flaws(
    scenario: str, roles: Mapping[str, Role], fates: Mapping[str, Fate], services: Mapping[str, Service]
) -> list[Flaw]:
    """What went wrong in a scenario."""
    head = _("Scenario “{scenario}”:").format(scenario=scenario)
    if roles["etl"].status == 0 and (again := fates["etl"].restarts):
        return [
            Flaw(
                _("{head} the etl had done its work and was started again {n} times.").format(
                    head=head, n=again
                ),
                _('A job that ended well is not restarted: restart: "no", or on-failure.'),
                stops=True,
            )
        ]
    early = [fate for name, fate in fates.items() if fate.why.startswith(f"{name} started at")]
    if early:
        which = next(name for name, fate in fates.items() if fate is early[0])
        other = re.search(r", and (\w+) was not", early[0].why)
        needed = other[1] if other else ""
        condition = services[which].needs.get(needed)
        check = services[needed].check if needed in services else None
        if condition is None:
            tip = _("{which} does not say that it depends on {needed}.").format(which=which, needed=needed)
        elif condition == compose_order.STARTED:
            tip = _(
                "service_started asks whether the process runs, not whether it can answer or has done its work."
            )
        elif check and check.asks == "socket":
            tip = _(
                "During its first start PostgreSQL answers on its local socket only: ask by TCP, -h 127.0.0.1."
            )
        else:
            tip = _("A server is waited for by service_healthy, a job by service_completed_successfully.")
        return [Flaw(f"{head} {early[0].why}.", tip, stops=True)]
    bad = roles["etl"].status != 0 or roles["db"].ready > compose_order.END
    if bad:
        return []
    for name in SERVICES:
        if fates[name].started is None:
            why = fates[name].why
            unwell = "unhealthy" in why
            tip = (
                _(
                    "It was given up before its time. start_period is the time in which a failure does not count."
                )
                if unwell
                else _("Does what it waits for ever come? A job is never healthy; a server never completes.")
            )
            return [
                Flaw(
                    _("{head} {name} never started: {why}.").format(head=head, name=name, why=why),
                    tip,
                    stops=True,
                )
            ]
    late = (fates["etl"].started or 0) - (fates["db"].ready or 0)
    if late > 15:
        return [
            Flaw(
                _("{head} the database was ready, and the etl started {late:.0f} seconds later.").format(
                    head=head, late=late
                ),
                _("Ask more often: interval, or start_interval during the start period."),
            )
        ]
    return []


def care_flaws(services: Mapping[str, Service], text: str) -> list[Flaw]:
    """Secrets, addresses, versions, data."""
    flaws = []
    for name, service in services.items():
        raw_service = service.raw
        image = str(raw_service.get("image", ""))
        if "build" not in raw_service and not re.search(r":v?\d+\.\d+|@sha256:[0-9a-f]{64}", image):
            flaws.append(
                Flaw(
                    _("The image of {name} has no exact version: {image}.").format(
                        name=name, image=image or _("none")
                    ),
                    _("The task names the versions."),
                )
            )
        for port in compose_order.listed(raw_service, "ports"):
            if compose_order.published(port)[0] not in ("127.0.0.1", "[::1]", "localhost", "::1"):
                flaws.append(
                    Flaw(
                        _("{name} is published to the whole network: {port}.").format(name=name, port=port),
                        _("\"127.0.0.1:8000:8000\": Docker's rules come before your firewall's."),
                    )
                )
    if written := in_the_clear(text):
        flaws.append(
            Flaw(
                _("{name} stands in the file in the clear.").format(name=written),
                _(
                    "${DB_PASSWORD:?say where it comes from}, from an .env that Git does not know; or a secret of compose."
                ),
            )
        )
    elif re.search(r"\$\{?DB_PASSWORD\}?", text) and not re.search(r"DB_PASSWORD:?\?", text):
        flaws.append(
            Flaw(
                _("Without DB_PASSWORD the database starts with an empty password, or stops with a riddle."),
                _("${DB_PASSWORD:?set it in .env} stops at once, and says why."),
            )
        )
    database = services["db"].raw
    environment = database.get("environment") or {}
    if "POSTGRES_PASSWORD" not in str(environment):
        flaws.append(
            Flaw(
                _("The database has no password: the image of PostgreSQL does not start without one."),
                _("environment: POSTGRES_PASSWORD, from DB_PASSWORD."),
                stops=True,
            )
        )
    elif (mounted := re.search(r"/run/secrets/([\w.-]+)", str(environment))) and mounted[1] not in [
        one.get("target", one.get("source")) if isinstance(one, dict) else str(one)
        for one in compose_order.listed(database, "secrets")
    ]:
        flaws.append(
            Flaw(
                _(
                    "The database looks for its password in {file}, and no secret of that name is given to it."
                ).format(file=mounted[0]),
                _("secrets: in the service names the ones that it gets."),
                stops=True,
            )
        )
    wanted = ("8000", "8000")
    if not any(
        compose_order.published(port)[1:] == wanted
        for port in compose_order.listed(services["api"].raw, "ports")
    ):
        flaws.append(
            Flaw(
                _(
                    "On port 8000 of this machine nobody reaches the API: that port does not lead to the 8000 on which it listens."
                ),
                _('address:outside:inside, as in "127.0.0.1:9090:90".'),
            )
        )
    flaws += volume_flaws(services["db"], text)
    if re.search(r"^version:", text, re.MULTILINE):
        flaws.append(
            Flaw(
                _("The line `version:` is from 2021; Compose warns of it and looks at nothing in it."),
                _("Leave it out."),
            )
        )
    return flaws


def volume_flaws(database: Service, text: str) -> list[Flaw]:
    """Whether what the database holds outlives its container."""
    declared = mapping(mapping(yaml.safe_load(text)).get("volumes"))
    for one in database.raw.get("volumes") or []:
        source, target = (
            (one.get("source"), one.get("target"))
            if isinstance(one, dict)
            else [*str(one).split(":"), ""][:2]
        )
        if str(target).startswith("/var/lib/postgresql"):
            if str(source) in declared:
                return []
            return [
                Flaw(
                    _("The volume {name} is not declared.").format(name=source),
                    _("A named volume stands under `volumes:` at the end of the file, too."),
                )
            ]
    return [
        Flaw(
            _("What the database holds goes with its container."),
            _("A named volume at /var/lib/postgresql."),
        )
    ]


def in_the_clear(text: str) -> str:
    """The name of a variable whose secret stands in the file; empty when none does."""
    whole = mapping(yaml.safe_load(text))
    for service in mapping(whole.get("services")).values():
        given = mapping(service).get("environment") or {}
        named = given.items() if isinstance(given, dict) else [str(one).partition("=")[::2] for one in given]
        for name, value in named:
            secret = (
                SECRET_NAME.search(str(name)) and not str(name).endswith("_FILE") and value not in (None, "")
            )
            inside = re.search(r"://[^:/\s]+:[^@$\s{]+@", str(value))
            if (secret and "$" not in str(value)) or inside:
                return str(name)
    return ""


# quiz --------------------------------------------------------------------------------------------------------------

RIGHT = {"layer": "b", "tag": "c", "secret": "c", "health": "a", "order": "b"}
SECTIONS = {"layer": "2", "tag": "3", "secret": "1", "health": "4", "order": "5"}


@judge("quiz")
def quiz(evidence: Any, world: World) -> Verdict:
    """A letter a question."""
    return letters(
        evidence,
        RIGHT,
        passed=_(
            "All five. A professional would now read the Dockerfile of an image that they use every day."
        ),
        back=lambda wrong: _("Go back to section {sections}.").format(
            sections=", ".join(SECTIONS[name] for name in wrong)
        ),
    )


# drill -------------------------------------------------------------------------------------------------------------


@judge("drill")
def works_on_my_machine(evidence: Any, world: World) -> Verdict:
    """Recovered when the cause is named, and nothing can move: not today, not next week, not in an exchanged file."""
    parts = parts_of(evidence)
    expected = _(
        "The release that changed the report; a lock by which it is the laptop's report whatever the index does; a Dockerfile that installs by it."
    )
    flaws = []
    with tempfile.TemporaryDirectory(prefix="flightschool-index-") as place:
        if parts.get("index") != drill.digests(world, Path(place)):
            flaws.append(
                Flaw(
                    _("The index in works/wheels is not the one of the incident."),
                    _(
                        "Leave the wheels alone: other teams install from there. incident.abandon() and a new drill lay it out again."
                    ),
                    stops=True,
                )
            )
    reports = mapping(parts.get("reports"))
    truth = {str(day): true_report(world.flights(day)) for day in world.days(3)}
    today, later, exchanged = (mapping(reports.get(name)) for name in ("today", "later", "exchanged"))
    if refused := today.get("refused"):
        flaws.append(
            Flaw(
                _("Today nothing can be installed by your lock. {why}").format(why=str(refused)[:300]),
                _("wheelhouse.lock(list, wheels) writes one that can."),
                stops=True,
            )
        )
    elif today.get("said") != truth:
        flaws.append(
            Flaw(
                _("By your lock the report is still not the laptop's."),
                _("A lock of today's newest keeps what is broken: lock what the laptop has."),
                stops=True,
            )
        )
    elif later.get("said") != truth:
        why = str(later.get("refused") or next(iter(mapping(later.get("said")).values()), ""))[-160:]
        flaws.append(
            Flaw(
                _("Next week, with new releases of everything in the index, the report breaks: {why}").format(
                    why=why
                ),
                _(
                    "Each package that is installed needs its exact version, the ones that nobody asked for most of all."
                ),
                stops=True,
            )
        )
    elif "refused" not in exchanged:
        flaws.append(
            Flaw(
                _("A file of the index was exchanged under its old version, and it was installed."),
                _("A version is a name; a hash is the file. --hash=sha256:… for each package."),
            )
        )
    name, _equals, version = str(parts.get("culprit", "")).strip().lower().replace("_", "-").partition("==")
    guilty = drill.culprit(world)
    if name != guilty:
        flaws.append(
            Flaw(
                _("You named {name}. With that alone exchanged, the report stays as it was.").format(
                    name=str(parts.get("culprit"))[:60] or _("nothing")
                ),
                _(
                    "Take the laptop's list, put in one version of CI's, and run the report. Then the next one."
                ),
                stops=not name.startswith("nyc-"),
            )
        )
    elif version and version != drill.VERSIONS[guilty][1]:
        flaws.append(
            Flaw(
                _("{name} is the one, and {version} is not the release that changed the report.").format(
                    name=name, version=version[:20]
                ),
                _("Name the version that CI installed."),
            )
        )
    flaws += drill_dockerfile(parts)
    return verdict(
        flaws,
        expected,
        _(
            "The cause is named, and the image is made of what the lock says or not at all. A professional has a bot raise the lock, one release at a time, with the report's tests behind it."
        ),
    )


def true_report(flights: Any) -> str:
    """On time is less than 15 minutes late, of all that were scheduled."""
    shares = {
        origin: float((group.arr_delay < 15).sum()) / len(group)
        for origin, group in flights.groupby("origin")
    }
    return "\n".join(f"{origin} {100 * share:.1f}" for origin, share in sorted(shares.items()))


def drill_dockerfile(parts: Mapping[str, Any]) -> list[Flaw]:
    """Whether the image is made by the lock."""
    context = {
        "report.py": b"", "requirements.txt": drill.REQUIREMENTS.encode(), "requirements.lock": str(parts.get("lock", "")).encode(),
        "Dockerfile": b"", "flights.csv": b"", "wheels/nyc_ontime-3.1.0-py3-none-any.whl": b"", "laptop/freeze.txt": b"", "ci/freeze.txt": b"", "commits.txt": b"",
    }  # fmt: skip
    lock = "requirements.lock"
    given = Given({"Dockerfile": parts.get("Dockerfile")}, context, {}, "", lock, (context[lock],))
    done = given.build()
    if isinstance(done, Flaw):
        return [done]
    flaws = packages(done, given.locks, given.lock)
    if not any(entry.source == "report.py" for entry in done.image.files.values()):
        flaws.append(
            Flaw(_("report.py is not in the image."), _("COPY report.py, after the packages."), stops=True)
        )
    if done.image.cmd is None and done.image.entrypoint is None:
        flaws += shape(done.image)
    return [*flaws, *wheels_at_hand(done), *bases(done)]


def wheels_at_hand(done: Build) -> list[Flaw]:
    """Whether pip has anything to install from."""
    for step in done.steps:
        for one in step.installs:
            folder = one.command.option("-f", "--find-links")
            if not folder and one.command.has("--no-index"):
                return [
                    Flaw(
                        _(
                            "Line {line} tells pip to ask no index, and names no folder: there is nothing to install."
                        ).format(line=step.line),
                        _("--find-links names the folder with the wheels."),
                        stops=True,
                    )
                ]
            inside = f"/{(folder or '').strip('./')}/"
            mounts = [
                f"/{place.strip('/')}/"
                for place in re.findall(r"(?:target|dst|destination)=([^,\s]+)", step.text)
            ]
            copied = [path for other in done.steps if other.line < step.line for path in other.wrote]
            if (
                folder
                and not any(place.endswith(inside) for place in mounts)
                and not any(inside in path for path in copied)
            ):
                return [
                    Flaw(
                        _(
                            "Line {line} installs from {folder}, and no line before has brought wheels there."
                        ).format(line=step.line, folder=folder),
                        _(
                            "COPY the wheels, or show them to that RUN alone: --mount=type=bind,source=wheels,target=/wheels."
                        ),
                        stops=True,
                    )
                ]
    return []
