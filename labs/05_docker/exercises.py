"""The exercises of module 05: what is asked, the hints, and the probes that turn an answer into evidence."""

from __future__ import annotations

import hashlib
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightschool.curriculum import NotAttempted, exercise
from flightschool.data import raw
from flightschool.errors import FlightSchoolError
from flightschool.i18n import translations
from flightschool.learn.evidence import UnusableAnswer
from flightschool.learn.stubs import untouched

if TYPE_CHECKING:
    from flightschool.data import World

# The lab's files import each other by name, as a notebook imports them.
if (here := str(Path(__file__).parent)) not in sys.path:
    sys.path.insert(0, here)

import build_contexts
import docker_engine
from dockerfile import DockerfileError
from image_model import Build, build
from image_runner import Rootfs, RunError

_ = translations("05_docker")

NAMES = ("Dockerfile", ".dockerignore")
LONGEST = 64_000
ASKED = (("UA", "EWR", 17), ("B6", "JFK", 7), ("ZZ", "LGA", 3))
"""Flights that the delay API is asked about; the last carrier does not exist."""


def texts(answer: Any, needed: tuple[str, ...] = NAMES[:1]) -> dict[str, str]:
    """The files of an answer: a dict of their texts, or a folder that holds them.

    Raises NotAttempted for what the stub left, UnusableAnswer for anything else.
    """
    if (
        isinstance(answer, (str, Path))
        and "\n" not in str(answer)
        and len(str(answer)) < 1000
        and Path(answer).is_dir()
    ):
        answer = {
            name: (Path(answer) / name).read_text(errors="replace")
            for name in NAMES
            if (Path(answer) / name).is_file()
        }
    if not isinstance(answer, dict):
        raise UnusableAnswer(_("Give the files as a dict of texts: {'Dockerfile': …, '.dockerignore': …}."))
    if untouched([answer.get(name, ...) for name in needed]):
        raise NotAttempted
    found = {name: answer.get(name, "") for name in (*needed, *NAMES)}
    found = {name: "" if text is ... or text is None else text for name, text in found.items()}
    for name, text in found.items():
        if not isinstance(text, str) or len(text) > LONGEST:
            raise UnusableAnswer(
                _("{name} must be a text of at most {most} characters.").format(name=name, most=LONGEST)
            )
        if name in needed and not text.strip():
            raise NotAttempted
    return found


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for the length of a probe."""
    # What a container's user has written there may not be ours to remove.
    with tempfile.TemporaryDirectory(prefix="flightschool-image-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def modelled(files: Mapping[str, str], context: Mapping[str, bytes]) -> Build | None:
    """The build by the model; None where it would stop."""
    try:
        return build(files["Dockerfile"], context, files[".dockerignore"])
    except DockerfileError:
        return None


def for_api(answer: Any, world: World) -> tuple[dict[str, str], Mapping[str, bytes], Build | None]:
    """The files of an image of the delay API, the repository that they build, and what the model makes of both."""
    files, context = texts(answer), build_contexts.api_repository(world)
    return files, context, modelled(files, context)


def ran(done: Build | None, look: Callable[[Rootfs], Any], volumes: Mapping[str, Path] | None = None) -> Any:
    """What `look` sees of the image's command, run here without an engine."""
    if done is None:
        return None
    with folder() as place:
        try:
            return look(Rootfs(done.image, place, volumes or {}))
        except (RunError, OSError) as error:
            return {"problem": str(error)[:500]}


def by_engine(look: Callable[[docker_engine.Engine], Any], done: Build | None) -> dict[str, Any]:
    """What the engine says of a build that the model came through, or why it was not asked."""
    if done is None:
        return {"waits": ""}
    engine = docker_engine.engine()
    if isinstance(engine, str):
        return {"waits": engine}
    if missing := [base for base in done.bases if not engine.has(base.split("@")[0])]:
        return {"waits": _("this engine does not hold {base}: docker pull {base}").format(base=missing[0])}
    try:
        return {"version": engine.version, **look(engine)}
    except FlightSchoolError as error:
        return {"version": engine.version, "problem": str(error)}


def undigested(text: str) -> str:
    """A Dockerfile with its digests off: an engine without a registry knows its images by their tags only."""
    return re.sub(r"@sha256:[0-9a-f]{64}", "", text)


# q1 ----------------------------------------------------------------------------------------------------------------


@exercise(
    "q1",
    title=_("A Dockerfile for the ETL"),
    points=4,
    hints=(
        _(
            "Walk through what the container needs to do its work: a Python, Java 17 for Spark, the packages of requirements.lock, the package etl. "
            "And what it must not have: your .env, your Git history, root."
        ),
        _(
            "Two stages: one makes a virtual environment, the other copies it, and sets PATH so that it is found. A .dockerignore that begins with * and lets a "
            "few paths back in can't forget a file that you don't know of yet."
        ),
        _(
            "apt-get update, install --no-install-recommends openjdk-17-jre-headless=17.*, rm -rf /var/lib/apt/lists/* in one RUN; USER with a number; "
            "ENTRYPOINT in the JSON form, so that the container's arguments become the program's."
        ),
        _(
            "FROM python:3.11.14-slim-bookworm AS build … RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r … FROM the same … "
            'COPY --from=build … ENV PATH=… COPY etl/ … USER 1000 HEALTHCHECK CMD ["python", "-c", "import …"] ENTRYPOINT ["python", "-m", …]'
        ),
    ),
)
def etl_image(answer: Any, world: World) -> Any:
    """The texts; the image's command on a good day and on a missing one; its health check on a whole and on a damaged image."""
    files = texts(answer)
    context = build_contexts.etl_repository(world)
    done = modelled(files, context)
    day, other = world.days(2)

    def look(rootfs: Rootfs) -> Any:
        health = rootfs.image.health
        ingest = ("ingest", "--source", "/data/inbox", "--lake", "/data/lake", "--day")
        starts = {
            "delivered": rootfs.image.start((*ingest, str(day))),
            "missing": rootfs.image.start((*ingest, str(other))),
        }
        with ThreadPoolExecutor(2) as both:
            once = dict(zip(starts, both.map(rootfs.run, starts.values()), strict=True))
        found: dict[str, Any] = {
            "days": {name: {"status": one.status, "said": one.said} for name, one in once.items()}
        }
        found["landed"] = landed(data / "lake")
        if health is not None and (health.words or health.shell):
            found["whole"] = rootfs.ask_health(health).status
            for path, entry in rootfs.image.files.items():
                if entry.source == "etl/store.py":
                    (rootfs.root / path.lstrip("/")).unlink()
            found["damaged"] = rootfs.ask_health(health).status
        return found

    def ask(engine: docker_engine.Engine) -> Any:
        with engine.built(files["Dockerfile"], context, files[".dockerignore"]) as built:
            shutil.rmtree(data / "lake", ignore_errors=True)
            data.chmod(0o777)
            arguments = ("ingest", "--day", str(day), "--source", "/data/inbox", "--lake", "/data/lake")
            once = built.run(*arguments, options=("--volume", f"{data}:/data", "--tmpfs", "/tmp"))  # noqa: S108  the container's
            planted = [content.strip() for content in build_contexts.secrets(world, "etl").values()]
            return {
                **built.about(),
                "held": built.holding(planted),
                "run": once,
                "landed": landed(data / "lake"),
                "seconds": built.seconds,
            }

    with folder() as data:
        build_contexts.lay_out({raw.file_name(day): raw.render(world.flights(day))}, data / "inbox")
        run_here = ran(done, look, {"/data": data})
        said = by_engine(ask, done)
    return {**files, "ran": run_here, "engine": said}


def landed(lake: Path) -> list[str]:
    """Digests of the raw files in a lake."""
    return sorted(hashlib.sha256(path.read_bytes()).hexdigest() for path in lake.glob("raw/**/*.csv"))


# q2 ----------------------------------------------------------------------------------------------------------------


@exercise(
    "q2",
    title=_("A code change rebuilds one layer"),
    points=3,
    hints=(
        _(
            "Show what is rebuilt after each change of the week, as the cell above does. Which line is the first that is rebuilt, and what did it copy?"
        ),
        _(
            "A layer is rebuilt when what it copies has changed, or when a layer below it was rebuilt. So what changes seldom comes first, what changes daily last."
        ),
        _(
            "COPY requirements.lock alone, RUN pip install, and only then COPY the code. What no image needs must not even reach the builder: .dockerignore."
        ),
        _(
            "FROM … WORKDIR … COPY requirements.lock … RUN pip install --require-hashes -r … COPY model.json … COPY delays/*.py delays/ … USER … CMD …"
        ),
    ),
)
def cached_layers(answer: Any, world: World) -> Any:
    """The texts; with an engine, the layers that a change of code replaces."""
    files, context, done = for_api(answer, world)
    edit = next(one for one in build_contexts.edits(world, context, "delays") if one.kind == "code")

    def ask(engine: docker_engine.Engine) -> Any:
        with engine.built(files["Dockerfile"], context, files[".dockerignore"]) as before:
            old = before.about()["layers"]
        with engine.built(files["Dockerfile"], edit.apply(context), files[".dockerignore"]) as after:
            new = after.about()["layers"]
        return {"replaced": len([one for one in new if one not in old]), "layers": len(new)}

    return {**files, "engine": by_engine(ask, done)}


# q3 ----------------------------------------------------------------------------------------------------------------


@exercise(
    "q3",
    title=_("The same content twice"),
    points=3,
    hints=(
        _(
            "Run the cell that builds on two days with your files. Take the first line that it names, and ask who decides what stands there: you, or somebody else?"
        ),
        _(
            "A tag is somebody's promise, a digest is a fact. The same holds for a range of versions and a lock with hashes."
        ),
        _(
            "ARG SOURCE_DATE_EPOCH before the first RUN that writes byte code; nothing from apt that you can do without; no date, no git clone, no curl without a checksum."
        ),
        _(
            "FROM python:…@sha256:… / ARG SOURCE_DATE_EPOCH / COPY requirements.lock … / RUN pip install --no-cache-dir --require-hashes -r … / COPY delays/*.py delays/ …"
        ),
    ),
)
def same_twice(answer: Any, world: World) -> Any:
    """The texts; with an engine, the files that differ between two builds without a cache."""
    files, context, done = for_api(answer, world)
    text = undigested(files["Dockerfile"])

    def ask(engine: docker_engine.Engine) -> Any:
        found = []
        for _turn in range(2):
            with engine.built(
                text, context, files[".dockerignore"], args={"SOURCE_DATE_EPOCH": "1700000000"}, fresh=True
            ) as built:
                found.append(built.contents())
        one, two = found
        differing = sorted(path for path in one.keys() | two.keys() if one.get(path) != two.get(path))
        return {"files": len(one), "differing": differing[:20], "count": len(differing)}

    return {**files, "engine": by_engine(ask, done)}


# q4 ----------------------------------------------------------------------------------------------------------------


@exercise(
    "q4",
    title=_("A model image whose API is called"),
    points=4,
    hints=(
        _(
            "Start it as the cell above does, and call it from outside. Does it answer at all? If not: on which address does it listen?"
        ),
        _(
            "127.0.0.1 inside of a container is the container itself. And a health check that only asks whether a process runs does not know whether it can answer."
        ),
        _(
            "--host 0.0.0.0; the JSON form of CMD, so that the signal of docker stop reaches your server and no shell; HEALTHCHECK with Python's urllib, for a slim image has no curl."
        ),
        _(
            '… COPY model.json delays/ … ENV MODEL=… EXPOSE 8000 … HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen(\'http://127.0.0.1:8000/…\', timeout=3)"] … CMD ["uvicorn", …]'
        ),
    ),
)
def model_image(answer: Any, world: World) -> Any:
    """The texts; what the image's own command answers here, with a model and without; how it stops; with an engine, the same in a container."""
    files, context, done = for_api(answer, world)
    bodies = [f'{{"carrier": "{c}", "origin": "{o}", "hour": {h}}}'.encode() for c, o, h in ASKED]

    def serve(rootfs: Rootfs) -> Any:
        health = rootfs.image.health
        asks = health is not None and bool(health.words or health.shell)
        with rootfs.serving() as served:
            found: dict[str, Any] = {
                "health": served.ask("/health")["status"],
                "replies": [served.ask("/predict", body) for body in bodies],
                "up": rootfs.ask_health(health).status if asks and health else None,
            }
            found["stop"] = served.stop()
            found["said"] = served.said
            found["down"] = rootfs.ask_health(health).status if asks and health else None
        return found

    def without_model(rootfs: Rootfs) -> Any:
        for path, entry in rootfs.image.files.items():
            if entry.source == "model.json":
                (rootfs.root / path.lstrip("/")).unlink(missing_ok=True)
        health = rootfs.image.health
        if health is None or not (health.words or health.shell):
            return None
        with rootfs.serving():
            return rootfs.ask_health(health).status

    def ask(engine: docker_engine.Engine) -> Any:
        with engine.built(files["Dockerfile"], context, files[".dockerignore"]) as built:
            port = (done.image.ports or ("8000",))[0].split("/")[0] if done else "8000"
            with built.serving(port) as box:
                replies = [box.ask("/predict", body) for body in bodies]
                return {**built.about(), "replies": replies, "state": box.health(), "stopped": box.stop()}

    found = {**files, "ran": ran(done, serve), "modelless": ran(done, without_model)}
    return {**found, "engine": by_engine(ask, done)}


# q5 ----------------------------------------------------------------------------------------------------------------


@exercise(
    "q5",
    title=_("A start order that waits for health"),
    points=3,
    hints=(
        _(
            "Simulate the slow first start. Which service starts too early, and what had it been told to wait for?"
        ),
        _(
            "Started is not ready, and ready is not done. depends_on knows three conditions; a server is waited for by its health, a job by its end."
        ),
        _(
            "PostgreSQL's first start answers on its local socket before it takes connections: pg_isready -h 127.0.0.1 asks the right door. start_period gives a slow first start its time."
        ),
        _(
            'depends_on: {db: {condition: service_…}} · healthcheck: {test: [CMD, pg_isready, -h, …, -U, …], interval: 2s, retries: …, start_period: …} · POSTGRES_PASSWORD: ${…:?…} · ports: ["127.0.0.1:…"]'
        ),
    ),
)
def start_order(answer: Any, world: World) -> Any:
    """The text; with Compose at hand, whether it can read it."""
    if answer is ...:
        raise NotAttempted
    if isinstance(answer, Path) and answer.is_file():
        answer = answer.read_text(errors="replace")
    if not isinstance(answer, str) or len(answer) > LONGEST:
        raise UnusableAnswer(_("Give the compose file as a text."))
    if not answer.strip():
        raise NotAttempted
    return {"compose": answer, "engine": by_compose(answer)}


def by_compose(text: str) -> dict[str, Any]:
    """What `docker compose config` says, where it is installed; it needs no engine."""
    engine = docker_engine.engine()
    if isinstance(engine, str):
        return {"waits": engine}
    with folder() as place:
        (place / "compose.yaml").write_text(text)
        wanted = set(re.findall(r"\$\{?(\w+)", text))
        (place / ".env").write_text("".join(f"{name}=trial\n" for name in sorted(wanted)))
        try:
            engine("compose", "version")
        except FlightSchoolError:
            return {"waits": _("docker compose is not installed")}
        try:
            engine(
                "compose",
                "--project-directory",
                str(place),
                "--file",
                str(place / "compose.yaml"),
                "config",
                "--quiet",
            )
        except FlightSchoolError as error:
            return {"version": engine.version, "problem": str(error)}
    return {"version": engine.version}


# quiz --------------------------------------------------------------------------------------------------------------

QUESTIONS = ("layer", "tag", "secret", "health", "order")


@exercise(
    "quiz",
    title=_("Five questions to take along"),
    points=1,
    hints=(
        _("Each question has its answer in one sentence of a section above."),
        _("Two of them ask what a promise is worth: what of it is kept by a name, and what by the bytes?"),
        _("layer: section 2. tag: section 3. secret: section 1. health: section 4. order: section 5."),
    ),
)
def quiz(answer: Any, world: World) -> Any:
    """The letters."""
    if not isinstance(answer, dict):
        raise UnusableAnswer(_("Give a dict with a letter a question."))
    return {
        name: str(answer.get(name, "")).strip().lower()[:20]
        for name in QUESTIONS
        if answer.get(name, ...) is not ...
    }


# drill -------------------------------------------------------------------------------------------------------------


@exercise(
    "drill",
    title=_("It works on my machine"),
    points=4,
    hints=(
        _(
            "Put the two freeze.txt side by side. More than one line differs, and the bases differ as well. Which of these can change a number?"
        ),
        _("requirements.txt pins what you asked for. Who pins what that one asks for?"),
        _(
            "wheelhouse.install(text, wheels, folder) and wheelhouse.run(report, csv, packages=folder) try any combination: the laptop's list, with one version of CI's."
        ),
        _(
            "wheelhouse.lock(the laptop's freeze.txt, wheels) writes a lock with hashes; the Dockerfile copies it, and installs with --require-hashes -r requirements.lock."
        ),
    ),
)
def works_on_my_machine(answer: Any, world: World) -> Any:
    """What was named; the report by the learner's lock today, next week, and when a file of the index was exchanged; the Dockerfile."""
    if not isinstance(answer, dict):
        raise UnusableAnswer(_("Give a dict: {'desk': works, 'culprit': …, 'lock': …, 'Dockerfile': …}."))
    if untouched([answer.get(name, ...) for name in ("culprit", "lock", "Dockerfile")]):
        raise NotAttempted
    import wheelhouse

    desk = Path(str(answer.get("desk", "")))
    if not (desk / "wheels").is_dir():
        raise UnusableAnswer(
            _("'desk' names no folder with wheels in it: hand over the drill's folder `works`.")
        )
    said = {name: answer.get(name) for name in ("culprit", "lock", "Dockerfile")}
    said = {name: str(text)[:LONGEST] if isinstance(text, str) else "" for name, text in said.items()}
    index = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((desk / "wheels").glob("*.whl"))
    }
    with folder() as place:
        for path in (desk / "wheels").glob("*.whl"):
            for name in ("today", "later", "exchanged"):
                (place / name).mkdir(exist_ok=True)
                shutil.copy(path, place / name)
        for name, those in wheelhouse.releases(place / "later").items():
            newest = those[0]
            version = f"{newest.version.major}.{newest.version.minor + 1}.0"
            wheelhouse.make(
                place / "later",
                name,
                version,
                "raise ImportError('this release needs Python 3.14')\n",
                newest.requires,
            )
        for those in wheelhouse.releases(place / "exchanged").values():
            for wheel in those:
                wheelhouse.make(
                    place / "exchanged",
                    wheel.name,
                    str(wheel.version),
                    "def __getattr__(name):\n    return lambda *a: None\n",
                    wheel.requires,
                )
        reports = {
            name: _reported(said["lock"], place / name, place / f"packages {name}", world)
            for name in ("today", "later", "exchanged")
        }
    return {**said, "index": index, "reports": reports}


def _reported(lock: str, wheels: Path, packages: Path, world: World) -> Any:
    """The report of three days with what that list installs; or why nothing is installed."""
    import wheelhouse

    try:
        freeze = wheelhouse.install(lock, wheels, packages)
    except FlightSchoolError as error:
        return {"refused": str(error)}
    script = packages / "report.py"
    script.write_text(REPORT)
    found = {}
    for day in world.days(3):
        csv = packages / raw.file_name(day)
        csv.write_bytes(raw.render(world.flights(day)))
        done = wheelhouse.run(script, csv, packages=packages)
        found[str(day)] = done.stdout.strip() if done.returncode == 0 else done.stderr.strip()[-300:]
    return {"freeze": freeze, "said": found}


REPORT = """\
import csv
import sys

from nyc_ontime import report

with open(sys.argv[1], newline="") as file:
    print(report(list(csv.DictReader(file))))
"""
"""The team's report, so that a changed copy of it does not count."""
