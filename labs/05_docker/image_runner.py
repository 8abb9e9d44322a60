"""Runs what an image would run, without an engine: its copied files in a folder, its start command, its environment.

What this shows: whether the command finds the code, the files and the port, how it answers, whether it ends when it is told to. What it
can't show: the base image, what RUN made (the packages are this environment's own), the user, the walls of a container. An
engine shows these. Nothing listens beyond this machine: where the image says 0.0.0.0, 127.0.0.1 is put in its place.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from image_model import Health, Image

from flightschool.errors import FlightSchoolError

PROGRAMS = ("python", "python3", "python3.11", "uvicorn", "gunicorn", "flask", "fastapi")
INITS = ("tini", "dumb-init", "/sbin/docker-init")
LOOPBACK = "127.0.0.1"
PATIENCE = 15.0
"""Seconds in which a service must answer, and those that Docker waits before it kills."""
CLEANING = """
import os, sys
here = os.environ["IMAGE_ROOT"]
kept = (here, os.path.realpath(here), sys.prefix, sys.base_prefix)
sys.path[:] = [p for p in sys.path if not p or os.path.realpath(p).startswith(kept) or os.path.realpath(p) == os.getcwd()]
"""
"""Only the image's own code and the environment's packages can be imported, not the course's."""


class RunError(FlightSchoolError):
    """The image has no command, or one that can't be run here; the message says why."""


@dataclass(frozen=True)
class Ran:
    """A command that came to its end: its status (None after the time limit) and the last of what it said."""

    status: int | None
    said: str


@dataclass
class Rootfs:
    """The image's copied files under a folder; `volumes` shows folders of this machine at paths of the container."""

    image: Image
    root: Path
    volumes: Mapping[str, Path] = field(default_factory=dict)
    port: int = 0
    """The port here that stands for the image's own."""

    def __post_init__(self) -> None:
        for path, entry in self.image.files.items():
            place = self.root / path.lstrip("/")
            if not place.resolve().is_relative_to(self.root.resolve()):
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(entry.content)
        (self.root / self.image.workdir.lstrip("/")).mkdir(parents=True, exist_ok=True)
        (self.root / ".clean").mkdir()
        (self.root / ".clean/sitecustomize.py").write_text(CLEANING)

    @property
    def inner_port(self) -> str:
        """The port on which the image says it listens."""
        first = next(iter(self.image.ports), "").split("/")[0]
        words = " ".join([*self.image.start(), *(f"{k}={v}" for k, v in self.image.env.items())])
        told = re.search(r"(?:--port[= ]|-p |:|PORT=)(\d{2,5})\b", words)
        return first if first.isdigit() else told[1] if told else "8000"

    def here(self, text: str) -> str:
        """A word of the image with its paths and its port as they are on this machine."""
        tops = {f"/{path.split('/')[1]}" for path in self.image.files if path.count("/") > 1}
        tops |= {f"/{self.image.workdir.split('/')[1]}"} - {"/"}
        places = {top: self.root / top[1:] for top in tops} | dict(self.volumes)
        text = re.sub(
            rf"(?<![\w.-])/\S*?bin/({'|'.join(map(re.escape, PROGRAMS))})(?=$|[\s'\"])", r"\1", text
        )
        for path in sorted(places, key=len, reverse=True):
            text = re.sub(
                rf"(?<![\w.\-/]){re.escape(path)}(?=$|[/:\s\"',;)&])",
                lambda _m, path=path: str(places[path]),
                text,
            )
        text = re.sub(r"(?<![\w.:\]])(?:0\.0\.0\.0|\[::\]|::|\*(?=:\d))(?![\w.])", LOOPBACK, text)
        text = re.sub(
            r"(?:^|(?<=[\s=])):(?=\d{2,5}\b)", f"{LOOPBACK}:", text
        )  # `--bind :8000` is all addresses, too
        if self.port:
            text = re.sub(rf"(?<!\d){self.inner_port}(?!\d)", str(self.port), text)
        return text

    def environment(self) -> dict[str, str]:
        """The image's own variables, and what a process needs to run here."""
        env = {name: self.here(value) for name, value in self.image.env.items() if name != "PATH"}
        ours = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        path = [str(self.root / ".clean"), *filter(None, [env.get("PYTHONPATH")])]
        return (
            env
            | {
                "PATH": ours,
                "PYTHONPATH": ":".join(path),
                "IMAGE_ROOT": str(self.root),
                "HOME": str(self.root),
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONUNBUFFERED": "1",
                "LANG": "C.UTF-8",
            }
            | {
                name: value
                for name, value in os.environ.items()
                if name in ("JAVA_HOME", "LD_LIBRARY_PATH", "TMPDIR")
            }
        )

    def words(self, words: Sequence[str]) -> list[str]:
        """A start command as it is run here. Raises RunError."""
        mine = list(words)
        while mine and Path(mine[0]).name in INITS:
            mine = mine[mine.index("--") + 1 :] if "--" in mine else mine[1:]
        if not mine:
            raise RunError(
                "The image has neither CMD nor ENTRYPOINT: a container of it would not know what to run."
            )
        mine = [self.here(word) for word in mine]
        if Path(mine[0]).name in PROGRAMS:
            mine[0] = str(Path(sys.executable).parent / Path(mine[0]).name)
        return mine

    def run(self, words: Sequence[str], seconds: float = 40.0) -> Ran:
        """Run a command of the image to its end."""
        with contextlib.ExitStack() as stack:
            process = stack.enter_context(self._process(words))
            try:
                said, _none = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                return Ran(None, "")
            return Ran(process.returncode, self._plain(said.decode(errors="replace")))

    def ask_health(self, health: Health, seconds: float = 15.0) -> Ran:
        """Run the image's own HEALTHCHECK once."""
        words = health.words or (*self.image.shell, health.shell)
        return self.run(words, seconds)

    def _plain(self, text: str) -> str:
        return text.replace(str(self.root), "")[-1500:]

    @contextlib.contextmanager
    def _process(self, words: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        folder = self.root / self.image.workdir.lstrip("/")
        try:
            process = subprocess.Popen(
                self.words(words),
                cwd=folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            program = Path(self.words(words)[0]).name
            raise RunError(f"{program} can't be started here: {error.strerror}.") from None
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdout:
                process.stdout.close()

    @contextlib.contextmanager
    def serving(self) -> Iterator[Served]:
        """Run the start command as a service, and wait until it answers, ends, or has had its time."""
        self.port = free_port()
        log = (self.root / ".clean/log").open("w+b")
        folder = self.root / self.image.workdir.lstrip("/")
        words = self.words(self.image.start())
        with log:
            try:
                process = subprocess.Popen(
                    words,
                    cwd=folder,
                    env=self.environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            except OSError as error:
                raise RunError(f"{Path(words[0]).name} can't be started here: {error.strerror}.") from None
            served = Served(self, process, log)
            try:
                served.wait()
                yield served
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@dataclass
class Served:
    """A service that was started from an image."""

    rootfs: Rootfs
    process: subprocess.Popen[bytes]
    log: Any

    def wait(self) -> None:
        """Until it answers anything, ends, or has had its time."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            if self.ask("/health")["status"]:
                return
            time.sleep(0.05)

    @property
    def said(self) -> str:
        """The last of its log."""
        self.log.seek(0)
        return self.rootfs._plain(self.log.read().decode(errors="replace"))

    def ask(self, path: str, body: bytes | None = None) -> dict[str, Any]:
        """Status and text of a reply; status 0 where there is none."""
        url = f"http://{LOOPBACK}:{self.rootfs.port}{path}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        try:
            with opener.open(request, timeout=5) as reply:
                return {"status": reply.status, "text": reply.read(10_000).decode(errors="replace")}
        except urllib.error.HTTPError as reply:
            return {"status": reply.code, "text": reply.read(10_000).decode(errors="replace")}
        except (OSError, ValueError):
            return {"status": 0, "text": ""}

    def stop(self, seconds: float = 10.0) -> dict[str, Any]:
        """Send what `docker stop` sends, to the one process that a container would send it to."""
        began = time.monotonic()
        if self.process.poll() is not None:
            return {"ended": True, "seconds": 0.0, "status": self.process.returncode}
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(seconds)
        return {
            "ended": self.process.poll() is not None and self.ask("/health")["status"] == 0,
            "seconds": round(time.monotonic() - began, 1),
            "status": self.process.poll(),
        }


def free_port() -> int:
    """A port of loopback that nobody has."""
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        return int(one.getsockname()[1])
