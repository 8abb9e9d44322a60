"""The trial in containers: the compose file brought up for real, used, and taken away, on a machine without a registry.

    sudo python3 environment/containers [--only core|platform|docker|grading|lesson]... [--within SECONDS] [--cache FOLDER]

Installs Debian's Docker and Compose where they are missing, starts an engine of its own, makes the bases, builds the course's
image by its own Dockerfile and those servers that Debian and PyPI provide, waits until all are healthy, runs module 02's
solution inside the lab, uses each server once, lets module 05 ask the engine, grades in a container, and leaves nothing but the
cache. One line a step, with its seconds. Standard library of Python 3.11 only.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import engine as engines
import grading
import images
import lessons
from engine import Clock, Engine, TrialError, UnavailableError

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("FLIGHTSCHOOL_CONTAINERS_CACHE") or "/var/cache/flightschool-containers")
IMAGE = "flightschool:0.1.0"
OWNER = 1000
"""Who the lab's user is; the staged checkout becomes theirs."""
CORE = ("lab", "postgres", "s3")
MONITORING = ("alertmanager", "pushgateway", "node-exporter", "prometheus")
ORCHESTRATION = (
    "airflow-init",
    "airflow-apiserver",
    "airflow-scheduler",
    "airflow-triggerer",
    "airflow-dag-processor",
    "spark-master",
    "spark-worker-1",
    "spark-worker-2",
)
QUALITY = ("mlflow", "evidently")
STAGES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "core": ((*CORE, *MONITORING), ("found", "postgres", "s3", "monitoring")),
    "platform": (("lab", *ORCHESTRATION, *QUALITY), ("airflow", "spark", "mlflow", "evidently")),
}
"""What is started, and then used: the second beside the first."""
RUN = (*CORE, *MONITORING, *ORCHESTRATION, *QUALITY)
"""All that has been seen healthy and used; docs/compose.md names the others as not run."""
BARE: dict[str, tuple[str, Callable[[Engine], str]]] = {
    "docker": ("module 05's tests with this engine", lessons.tests),
    "lesson": ("module 05's solution with this engine", lessons.notebook),
}
"""The stages that want the bases alone, so they come first: what is done, and what does it."""
OTHERS = {"grading": ("graded in a container where no walls can be built outside", grading.grade)}
"""The stages that want the course's image, and no servers."""
WAIT = 600
"""Seconds for a stage to be healthy; Airflow's five processes take longest, on a machine that does other work too."""
KEPT = "14GB"
"""Of build cache, after a trial."""


@contextmanager
def step(clock: Clock, name: str, at_most: float) -> Iterator[None]:
    """Do something in so many seconds at most; say what was done and how long it took."""
    began = time.monotonic()
    with clock.at_most(at_most, name):
        yield
    say(f"trial: {name} · {time.monotonic() - began:.0f} s")


def say(line: str) -> None:
    """To standard output, now."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the trial; returns the exit code: 69 where what it needs can't be had."""
    asked = argparse.ArgumentParser(prog="environment/containers", description=__doc__.split("\n")[0])
    asked.add_argument(
        "--only",
        choices=[*BARE, *STAGES, *OTHERS],
        action="append",
        help="a stage, given once or more; by default all",
    )
    asked.add_argument(
        "--within",
        type=float,
        default=math.inf,
        help="seconds after which it says what was not done, and ends",
    )
    asked.add_argument(
        "--cache", type=Path, default=CACHE, help="images and packages, kept for the next time"
    )
    asked.add_argument(
        "--why-not", action="store_true", help="only say why it can't run here; nothing where it can"
    )
    given = asked.parse_args(arguments)
    why = engines.unfit()
    if given.why_not:
        say(why)
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that all is taken down
    try:
        if why:
            raise UnavailableError(f"{why}.")
        began = time.monotonic()
        given.cache.mkdir(parents=True, exist_ok=True)
        trial(given.cache, given.only or [*BARE, *STAGES, *OTHERS], Clock.of(given.within))
        say(f"trial: all passed · {time.monotonic() - began:.0f} s")
    except TrialError as error:
        sys.stderr.write(f"trial: {error}\n")
        return os.EX_UNAVAILABLE if isinstance(error, UnavailableError) else 1
    except KeyboardInterrupt:
        return 130
    return 0


def trial(cache: Path, stages: Sequence[str], clock: Clock) -> None:
    """All steps in order.

    Raises:
        UnavailableError: what they need can't be had here.
        TrialError: one failed; all the same nothing is left but the cache.
    """
    engines.room(cache)
    with step(clock, "docker.io and mmdebstrap installed, Compose 2 unpacked", 300), engines.had():
        engines.install()
        config = engines.compose(cache)
    with (
        engines.alone(clock),
        tempfile.TemporaryDirectory(prefix="flightschool-trial-") as place,
        engines.running(cache, config, clock) as engine,
    ):
        staged = Path(place) / "checkout"
        with step(clock, "the checkout staged for the lab's user", 60):
            stage(staged)
        with step(clock, "bases made with mmdebstrap", 300), engines.had():
            images.bases(engine, staged / "environment/Dockerfile")
        without_servers(engine, BARE, stages, clock)
        if set(stages) - set(BARE):
            with step(clock, f"{IMAGE} built by environment/Dockerfile", 900):
                images.lab(engine, staged, IMAGE, cache / "build.log")
        if serving := [name for name in stages if name in STAGES]:
            with step(clock, "test images of PostgreSQL and the Prometheus family built", 300):
                images.servers(engine)
            serve(Stack(engine, staged, Path(place) / "stack.json"), serving, cache, clock)
        without_servers(engine, OTHERS, stages, clock)
        with step(clock, "what no later trial needs removed", 120):
            engine("image", "prune", "--force")
            engine("builder", "prune", "--force", "--keep-storage", KEPT)


def without_servers(
    engine: Engine,
    known: dict[str, tuple[str, Callable[[Engine], str]]],
    stages: Sequence[str],
    clock: Clock,
) -> None:
    """Those of the known stages that are wanted. Raises TrialError."""
    for name in (one for one in known if one in stages):
        what, do = known[name]
        with step(clock, what, 600):
            say(f"{name}: {do(engine)}")
        say(f"trial: stage {name} passed")


def serve(stack: Stack, stages: Sequence[str], cache: Path, clock: Clock) -> None:
    """The stages with servers: up, used, and down again. Raises TrialError."""
    try:
        for name in stages:
            up(stack, *STAGES[name], clock)
            if name == "core":
                module(stack, clock)
            say(f"trial: stage {name} passed")
    except BaseException:
        stack.keep_logs(cache / "servers.log")
        raise
    finally:
        with step(Clock.of(math.inf), "all taken down", 120):  # also when no time is left
            stack.compose("down", "--volumes", "--timeout", "5")
    if left := stack.engine.left_over():
        raise TrialError(f"still there after `down --volumes`: {', '.join(left)}")


def stage(staged: Path) -> None:
    """A copy of the checkout, as git would carry it, that belongs to the lab's user, with an .env of its own."""
    safe = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = engines.run(*command, cwd=ROOT, env={**os.environ, **safe})
    for name in listed.split("\0"):
        if name and (source := ROOT / name).is_file():
            target = staged / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    engines.run(staged / "environment/dotenv")
    for folder, _folders, files in os.walk(staged):
        for entry in (folder, *(os.path.join(folder, file) for file in files)):  # noqa: PTH118
            os.chown(entry, OWNER, OWNER, follow_symlinks=False)
    staged.parent.chmod(0o711)


class Stack:
    """The compose file with the trial's images, on free ports: others on this machine may have the usual ones."""

    def __init__(self, engine: Engine, staged: Path, merged: Path) -> None:
        self.engine = engine
        self.staged = staged
        files = ["--file", "docker-compose.yml", "--file", "environment/containers/override.yml"]
        said = engine("compose", *files, "--profile", "all", "config", "--format", "json", cwd=staged)
        model: dict[str, Any] = json.loads(said)
        for name, service in model["services"].items():
            service.pop("build", None)
            for port in service.get("ports", ()):
                if port.get("host_ip") != "127.0.0.1":
                    raise TrialError(f"{name} would be published beyond this machine's loopback.")
                port["published"] = ""
        merged.write_text(json.dumps(model))
        merged.chmod(0o600)
        self.file = merged

    def compose(self, *arguments: str, **options: object) -> str:
        """Standard output of `docker compose ARGUMENTS`. Raises TrialError."""
        return self.engine(
            "compose", "--file", self.file, "--profile", "all", *arguments, cwd=self.staged, **options
        )

    def inside(self, *command: str) -> str:
        """Standard output and errors of a command in the lab's container. Raises TrialError."""
        return self.compose("exec", "--no-TTY", "lab", "sh", "-c", 'exec "$@" 2>&1', "sh", *command)

    def state(self) -> list[dict[str, Any]]:
        """What compose says of each of its containers."""
        lines = self.compose("ps", "--all", "--format", "json").splitlines()
        return [json.loads(line) for line in lines]

    def keep_logs(self, file: Path) -> None:
        """For whoever looks for the cause."""
        try:
            file.write_text(self.compose("ps", "--all") + self.compose("logs", "--no-color", "--tail", "80"))
        except TrialError:
            return
        sys.stderr.write(f"trial: what the servers said is kept in {file}\n")


def up(stack: Stack, services: Sequence[str], checks: Sequence[str], clock: Clock) -> None:
    """Start services, wait for their health, hold that they are guarded, and use each."""
    with step(clock, f"healthy: {' '.join(services)}", WAIT + 60):
        wait = ("--wait", "--wait-timeout", str(WAIT))
        stack.compose("up", "--detach", "--no-build", "--pull", "never", *wait, *services)
    guarded(stack)
    with step(clock, "used from inside the lab", 400):
        say(stack.inside("python", "environment/containers/check.py", *checks).rstrip())


def guarded(stack: Stack) -> None:
    """Hold of what runs that it is healthy, on loopback, limited, and nobody's root.

    Raises:
        TrialError: one is not.
    """
    for container in stack.state():
        name = container["Service"]
        if name.endswith("-init"):
            if container["ExitCode"]:
                raise TrialError(f"{name} ended with {container['ExitCode']}.")
            continue
        if container["Health"] != "healthy":
            raise TrialError(f"{name} is {container['State']} and {container['Health']}.")
        [about] = engines.described(stack.engine, [container["ID"]])
        host: Any = about["HostConfig"]
        for bindings in host["PortBindings"].values():
            if any(binding["HostIp"] != "127.0.0.1" for binding in bindings):
                raise TrialError(f"{name} is published beyond loopback: {bindings}.")
        if not (host["Memory"] and host["PidsLimit"] and host["CapDrop"] == ["ALL"]):
            raise TrialError(f"{name} runs without its limits.")
        status = stack.engine("exec", container["ID"], "sh", "-c", "cat /proc/1/status")
        facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        if facts["Uid"].split()[0] == "0" or int(facts["CapEff"], 16) or facts["NoNewPrivs"] != "1":
            raise TrialError(f"{name} runs as {facts['Uid'].split()[0]} with capabilities {facts['CapEff']}.")


def module(stack: Stack, clock: Clock) -> None:
    """Module 02's solution, every cell, in the lab's container."""
    with step(clock, "module 02's solution run inside the lab", 600):
        say(stack.inside("flightschool", "run", "02").rstrip())


if __name__ == "__main__":
    sys.exit(main())
