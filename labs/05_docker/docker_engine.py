"""Docker's engine, asked through its client: build, inspect, run, compare. Where none answers, `engine()` says why in one line.

Nothing is pulled: a base that this engine does not hold is named, and the build is left out. All that a trial makes is
removed with it, the build cache apart.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from build_contexts import lay_out

from flightschool.errors import FlightSchoolError

SWITCH = "FLIGHTSCHOOL_DOCKER"
"""Set to `off`, no engine is asked even where there is one."""
PREFIX = "flightschool-lab05"
LONGEST = 900.0
"""Seconds of a build."""


class EngineError(FlightSchoolError):
    """The engine refused; the message holds its last line."""


@dataclass(frozen=True)
class Engine:
    """A client with an engine behind it; `builder` is 1 for BuildKit and 0 for the builder before it."""

    client: str
    version: str
    builder: str

    def __call__(self, *arguments: str, seconds: float = 60.0, data: bytes | None = None) -> bytes:
        """Standard output of `docker …`. Raises EngineError."""
        try:
            done = subprocess.run(
                [self.client, *arguments],
                input=data,
                capture_output=True,
                timeout=seconds,
                env={**os.environ, "DOCKER_BUILDKIT": self.builder, "BUILDKIT_PROGRESS": "plain"},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise EngineError(f"`docker {arguments[0]}` took longer than {seconds:.0f} s.") from None
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines() or ["no word"]
            telling = [
                line
                for line in said
                if re.search("error|failed|not found|denied|unable", line, re.IGNORECASE)
            ]
            raise EngineError(f"`docker {arguments[0]}`: {(telling or said)[-1].strip()[:300]}")
        return done.stdout

    def has(self, image: str) -> bool:
        """Whether the engine holds that image."""
        with suppress(EngineError):
            return bool(self("image", "ls", "--quiet", image).strip())
        return False

    @contextmanager
    def built(
        self,
        text: str,
        context: Mapping[str, bytes],
        ignore: str = "",
        *,
        args: Mapping[str, str] | None = None,
        fresh: bool = False,
    ) -> Iterator[Built]:
        """An image of that Dockerfile, gone afterwards. Raises EngineError."""
        name = f"{PREFIX}/{uuid.uuid4().hex[:12]}:trial"
        with tempfile.TemporaryDirectory(prefix="flightschool-build-") as place:
            folder = lay_out(context, Path(place) / "context")
            (folder / ".dockerignore").write_text(ignore)
            (Path(place) / "Dockerfile").write_text(text)
            options = [
                part for key, value in (args or {}).items() for part in ("--build-arg", f"{key}={value}")
            ]
            options += ["--no-cache"] if fresh else []
            began = time.monotonic()
            try:
                self(
                    "build",
                    "--tag",
                    name,
                    *options,
                    "--file",
                    f"{place}/Dockerfile",
                    str(folder),
                    seconds=LONGEST,
                )
                yield Built(self, name, time.monotonic() - began)
            finally:
                with suppress(EngineError):
                    self("image", "rm", "--force", name)


@dataclass(frozen=True)
class Built:
    """An image that was built, and the seconds that it took."""

    engine: Engine
    name: str
    seconds: float

    def about(self) -> dict[str, Any]:
        """What `docker inspect` says: user, health check, megabytes, layers, start command, labels."""
        found = json.loads(self.engine("inspect", self.name))[0]
        settings = found["Config"]
        return {
            "user": settings.get("User") or "",
            "health": bool((settings.get("Healthcheck") or {}).get("Test", ["NONE"])[0] != "NONE"),
            "megabytes": round(found["Size"] / 1e6, 1),
            "layers": found["RootFS"]["Layers"],
            "env": settings.get("Env") or [],
        }

    def history(self) -> list[dict[str, str]]:
        """`docker history`: what made each layer, the newest first."""
        lines = (
            self.engine("history", "--no-trunc", "--format", "{{json .}}", self.name).decode().splitlines()
        )
        return [{"size": line["Size"], "made_by": line["CreatedBy"]} for line in map(json.loads, lines)]

    def holding(self, needles: Sequence[bytes]) -> list[str]:
        """Those of the texts that stand in any layer or in the image's settings."""
        found: set[bytes] = set()
        with tempfile.TemporaryDirectory(prefix="flightschool-save-") as place:
            archive = Path(place) / "image.tar"
            self.engine("save", "--output", str(archive), self.name, seconds=LONGEST)
            with tarfile.open(archive) as saved:
                for member in saved:
                    if (file := saved.extractfile(member)) is None:
                        continue
                    packed = file.read(2) == b"\x1f\x8b"
                    file.seek(0)
                    with gzip.GzipFile(fileobj=file) if packed else file as layer:
                        found |= _standing_in(layer, needles)
        return sorted(needle.decode() for needle in found)

    def contents(self) -> dict[str, str]:
        """Every file of the image: a digest of its bytes, mode and owner by path; dates don't count."""
        box = self.engine("create", self.name, "true").decode().strip()
        try:
            exported = self.engine("export", box, seconds=LONGEST)
        finally:
            with suppress(EngineError):
                self.engine("rm", "--force", box)
        found = {}
        # What the engine itself puts into every container.
        own = {".dockerenv", "etc/hostname", "etc/hosts", "etc/resolv.conf", "etc/mtab", "dev/console"}
        with tarfile.open(fileobj=io.BytesIO(exported)) as archive:
            for member in archive:
                if member.name in own or not (member.isfile() or member.issym()):
                    continue
                file = archive.extractfile(member) if member.isfile() else None
                data = file.read() if file else member.linkname.encode()
                found[member.name] = f"{hashlib.sha256(data).hexdigest()} {member.mode:o} {member.uid}"
        return found

    def run(self, *arguments: str, options: Sequence[str] = (), seconds: float = 120.0) -> dict[str, Any]:
        """Status and output of a container without a network, gone afterwards."""
        name = f"{PREFIX}-{uuid.uuid4().hex[:12]}"
        command = [
            self.engine.client,
            "run",
            "--rm",
            "--name",
            name,
            "--network",
            "none",
            *options,
            self.name,
            *arguments,
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return {"status": None, "said": ""}
        finally:
            with suppress(EngineError):
                self.engine("rm", "--force", name)
        return {
            "status": done.returncode,
            "said": (done.stdout + done.stderr).decode(errors="replace")[-1500:],
        }

    @contextmanager
    def serving(self, port: str = "8000") -> Iterator[Container]:
        """A container with its port on loopback, gone afterwards."""
        box = (
            self.engine("run", "--detach", "--publish", f"127.0.0.1::{port}", "--memory", "512m", self.name)
            .decode()
            .strip()
        )
        try:
            published = self.engine("port", box, port).decode().split()[0]
            yield Container(self.engine, box, int(published.rpartition(":")[2]))
        finally:
            with suppress(EngineError):
                self.engine("rm", "--force", "--volumes", box)


@dataclass(frozen=True)
class Container:
    """A running container."""

    engine: Engine
    id: str
    port: int

    def ask(self, path: str, body: bytes | None = None, patience: float = 20.0) -> dict[str, Any]:
        """Status and text of a reply; asked again while nobody answers."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        headers = {"Content-Type": "application/json"}
        end = time.monotonic() + patience
        while True:
            request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers)
            try:
                with opener.open(request, timeout=5) as reply:
                    return {"status": reply.status, "text": reply.read(10_000).decode(errors="replace")}
            except urllib.error.HTTPError as reply:
                return {"status": reply.code, "text": reply.read(10_000).decode(errors="replace")}
            except (OSError, ValueError):
                if time.monotonic() > end:
                    return {"status": 0, "text": ""}
                time.sleep(0.2)

    def health(self, patience: float = 60.0) -> str:
        """What the engine says of it, once it is decided: healthy, unhealthy, or starting still."""
        end = time.monotonic() + patience
        while True:
            state = json.loads(self.engine("inspect", self.id))[0]["State"]
            said = state.get("Health", {}).get("Status", "none")
            if said != "starting" or time.monotonic() > end:
                return str(said)
            time.sleep(0.5)

    def stop(self) -> float:
        """Seconds that `docker stop` took."""
        began = time.monotonic()
        self.engine("stop", self.id)
        return round(time.monotonic() - began, 1)


def _standing_in(file: IO[bytes], needles: Sequence[bytes]) -> set[bytes]:
    """Those of the texts that a file holds, read in pieces: a layer may be larger than the memory."""
    found: set[bytes] = set()
    tail = b""
    longest = max(map(len, needles), default=1)
    while piece := file.read(1 << 20):
        found |= {needle for needle in needles if needle in tail + piece}
        tail = piece[-longest:]
    return found


def engine() -> Engine | str:
    """The engine, or one line on why there is none."""
    if os.environ.get(SWITCH) == "off":
        return f"{SWITCH}=off: no engine is asked"
    # Debian's own client comes first: a newer one may want a builder plugin that is not there.
    clients = [
        place
        for place in ("/usr/bin/docker", "/usr/local/bin/docker", "/opt/homebrew/bin/docker")
        if Path(place).exists()
    ]
    if not clients:
        return "no Docker client is installed: https://docs.docker.com/get-started/get-docker/"
    for client in clients:
        for builder in ("1", "0"):
            with suppress(EngineError, OSError):
                trial = Engine(client, "", builder)
                version = trial("info", "--format", "{{.ServerVersion}}", seconds=10).decode().strip()
                if not version:
                    break
                if builder == "1" and int(version.split(".")[0]) >= 23:
                    trial("buildx", "version")
                return Engine(client, version, builder)
    return "no Docker engine answers `docker info`: start Docker, then run this cell again"
