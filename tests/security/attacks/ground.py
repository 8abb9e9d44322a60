"""The ground: a small course of its own, beside it what an attacker would like to have, and ears that hear who sends something out."""

import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from flightschool import paths, publish

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[2]
HOUSES = (REPOSITORY / "benchmarks" / "light", HERE / "house")
TOKENS = "tokens.json"


def lay(folder: Path) -> None:
    """Lay the ground out in an empty folder: course/, submissions/, grades/, home/, state/, tmp/; its secrets in tokens.json."""
    course = folder / "course"
    skipped = shutil.ignore_patterns("__pycache__", "*.pyc")
    for house in HOUSES:
        for room in ("solutions", "labs"):
            shutil.copytree(house / room, course / room, ignore=skipped, dirs_exist_ok=True)
    shutil.copytree(REPOSITORY / "datasets", course / "datasets", ignore=skipped)
    (course / "src" / "flightschool").mkdir(parents=True)
    publish.build("en", house=publish.House.at(course))
    for name in ("submissions", "grades/feedback", "home", "state", "tmp", "course/.git"):
        (folder / name).mkdir(parents=True)
    tokens: dict[str, str] = {}

    def token(what: str) -> str:
        tokens[what] = f"CANARY-{secrets.token_hex(16)}-END"
        return tokens[what]

    for path in sorted(course.glob("labs/*/judges.py")):
        path.write_text(f'{path.read_text()}\n\nCANARY = "{token(path.parent.name + " judges")}"\n')
    for path in sorted([*course.glob("solutions/*.py"), *course.glob("build/solutions/*.ipynb")]):
        with path.open("a") as file:
            file.write(f"\n# {token(f'solution {path.name}')}" if path.suffix == ".py" else "\n")
    (course / ".git" / "config").write_text(token("git"))
    (folder / "submissions" / "anna.ipynb").write_text(json.dumps({"cells": [], "owner": token("anna")}))
    (folder / "submissions" / "private.txt").write_text(token("private"))
    (folder / "grades" / "gradebook.sqlite").write_text(token("gradebook"))
    (folder / "grades" / "feedback" / "anna.html").write_text(token("feedback"))
    (folder / "home" / ".netrc").write_text(token("home"))
    token("environment")
    token("neighbour")
    (folder / TOKENS).write_text(json.dumps(tokens))
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def secret_files(folder: Path) -> list[Path]:
    """What no submission may read."""
    found = [*(folder / "course").glob("labs/*/judges.py"), *(folder / "course" / "solutions").glob("*.py")]
    found += [
        *(folder / "course" / "build" / "solutions").glob("*.ipynb"),
        folder / "course" / ".git" / "config",
    ]
    found += [
        path
        for room in ("submissions", "grades", "home")
        for path in (folder / room).rglob("*")
        if path.is_file()
    ]
    return sorted(found)


def environment(folder: Path) -> dict[str, str]:
    """Of a grader on this ground."""
    tokens = json.loads((folder / TOKENS).read_text())
    kept = {
        name: os.environ[name] for name in ("PATH", "LANG", "PYTHONDONTWRITEBYTECODE") if name in os.environ
    }
    return kept | {
        "FLIGHTSCHOOL_HOME": str(folder / "course"),
        "FLIGHTSCHOOL_STATE": str(folder / "state"),
        "FLIGHTSCHOOL_PROGRESS": "off",
        "GRADER_TOKEN": tokens["environment"],
        "HOME": str(folder / "home"),
        "PYTHONPATH": os.pathsep.join(map(str, (paths.PACKAGE.parent, REPOSITORY / "tests"))),
        "TMPDIR": str(folder / "tmp"),
    }


@dataclass(frozen=True)
class Seen:
    """The ground at one moment: bytes of the secret files, names of all others."""

    contents: dict[str, bytes]
    names: frozenset[str]


def look(folder: Path) -> Seen:
    """What is on the ground now; the grader's own stages, caches and locks are not counted."""
    names = {str(path) for path in folder.rglob("*") if not _own(path.relative_to(folder))}
    return Seen({str(path): path.read_bytes() for path in secret_files(folder)}, frozenset(names))


def _own(path: Path) -> bool:
    return "__pycache__" in path.parts or path.parts[:2] == ("state", "stages") or path.parts[0] == "arenas"


class Ears(ExitStack):
    """Listeners of the machine: TCP and UDP on its loopback, sockets by path and by abstract name."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._ears: list[socket.socket] = []
        self.tcp = self._listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)).getsockname()[1]
        self.udp = self._listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)).getsockname()[1]
        with suppress(OSError):  # there need not be IPv6
            self._listen(socket.AF_INET6, socket.SOCK_STREAM, ("::1", self.tcp))
        self.abstract = f"flightschool-attacks-{os.getpid()}"
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{self.abstract}")
        self.path = str(folder / f"ear-{os.getpid()}")
        self._listen(socket.AF_UNIX, socket.SOCK_STREAM, self.path)
        Path(self.path).chmod(0o777)
        self.callback(Path(self.path).unlink)

    def _listen(self, family: int, kind: int, address: Any) -> socket.socket:
        one = self.enter_context(socket.socket(family, kind))
        one.bind(address)
        if kind == socket.SOCK_STREAM:
            one.listen(50)
        one.setblocking(False)
        self._ears.append(one)
        return one

    def heard(self) -> Iterator[str]:
        """What has come since the last time."""
        for one in self._ears:
            with suppress(BlockingIOError):
                while True:
                    if one.type == socket.SOCK_DGRAM:
                        yield f"a datagram: {one.recv(500)!r}"
                    else:
                        connection, _address = one.accept()
                        connection.close()
                        yield f"a connection to {one.getsockname()!r}"


def addresses() -> list[str]:
    """Of this machine; an attacker tries them all, we listen on its loopback alone."""
    found = {"127.0.0.1", "::1", "0.0.0.0"}
    for interface in psutil.net_if_addrs().values():
        found |= {
            one.address.partition("%")[0]
            for one in interface
            if one.family in (socket.AF_INET, socket.AF_INET6)
        }
    return sorted(found)
