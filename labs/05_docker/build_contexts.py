"""The folders from which images are built: a repository as it lies on a laptop, with all that does not belong into an image.

Inputs only, chosen by the world: which files hold secrets, which modules exist, what is edited. What should come of
them is known to the judges alone.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from flightschool import paths
from flightschool.data import raw

if TYPE_CHECKING:
    from flightschool.data import World

HERE = Path(__file__).resolve().parent
Context = dict[str, bytes]

SECRETS = (
    ".env", ".env.production", ".netrc", ".aws/credentials", "credentials.json", "config/lake-key.pem",
    "service-account.json", "deploy/id_ed25519", "secrets/lake.toml",
)  # fmt: skip
INSIDE = (".env", "local_settings.toml", "lake-key.pem", "credentials.json")
"""Secrets that somebody left beside the code."""
NEW_MODULES = ("calendar_days.py", "currencies.py", "airports.py", "retries.py", "units.py", "checks.py")


@dataclass(frozen=True)
class Edit:
    """One change to a repository; `kind` is code, new module, lock, docs, tests, notebook, data, history, bytecode, or secret."""

    kind: str
    path: str
    content: bytes

    def apply(self, context: Mapping[str, bytes]) -> Context:
        """The repository after it."""
        return {**context, self.path: self.content}


def etl_repository(world: World) -> Context:
    """The ETL's repository: the package `etl`, its lock, and what else lies about on a laptop."""
    code = {f"etl/{file.name}": file.read_bytes() for file in sorted((paths.LABS / "etl").glob("*.py"))}
    extra = world.rng("a module of the team's").choice(NEW_MODULES)
    code[f"etl/{extra}"] = b'"""Added last week."""\n'
    files = code | {
        "requirements.in": (HERE / "images/etl.in").read_bytes(),
        "requirements.lock": (HERE / "images/etl.lock").read_bytes(),
        "tests/test_etl.py": b"def test_nothing_yet():\n    assert True\n",
    }
    return files | _litter(world, "etl")


def api_repository(world: World) -> Context:
    """The delay API's repository: the package `delays`, a model trained on days of this world, two locks, and litter."""
    files = {f"delays/{file.name}": file.read_bytes() for file in sorted((HERE / "delays").glob("*.py"))}
    files |= {
        "model.json": model_file(world),
        "requirements.lock": (HERE / "images/api.lock").read_bytes(),
        "requirements-flask.lock": (HERE / "images/flask.lock").read_bytes(),
        "training/train.py": b'"""Trains the model; not needed where it answers."""\n',
        "tests/test_delays.py": b"def test_nothing_yet():\n    assert True\n",
    }
    return files | _litter(world, "delays")


@lru_cache(maxsize=16)
def model_file(world: World) -> bytes:
    """The delay model of five days of this world, as its file."""
    import pandas as pd

    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))
    from delays.delay_table import fit

    columns = ["carrier", "origin", "hour", "arr_delay"]
    flights = pd.concat([world.flights(day)[columns] for day in world.days(5)])
    arrived = flights.astype(object).where(flights.notna(), None)
    return (json.dumps(fit(arrived.to_dict("records")), indent=0, sort_keys=True) + "\n").encode()


def secrets(world: World, package: str) -> Context:
    """The files with secrets: three in the repository and as many beside the code."""
    rng = world.rng(f"secrets of {package}")
    names = [*rng.sample(SECRETS, 3), *(f"{package}/{name}" for name in rng.sample(INSIDE, 3))]
    return {name: f"LAKE_SECRET_KEY=not-for-images-{rng.randrange(10**9):09d}\n".encode() for name in names}


def _litter(world: World, package: str) -> Context:
    day = world.days(1)[0]
    return {
        "README.md": b"# How to run it\n",
        ".gitignore": b".env*\n__pycache__/\n",
        ".git/HEAD": b"ref: refs/heads/main\n",
        ".git/config": b"[core]\n\tbare = false\n",
        ".git/objects/pack/pack-1.pack": bytes(2_000),
        f"{package}/__pycache__/__init__.cpython-311.pyc": b"\xa7\r\r\n",
        "notebooks/exploration.ipynb": b'{"cells": []}\n',
        f"data/{raw.file_name(day)}": raw.render(world.flights(day)),
        ".venv/bin/python": b"\x7fELF",
        ".venv/lib/python3.11/site-packages/six.py": b"# another machine's packages\n",
        **secrets(world, package),
    }


def edits(world: World, context: Mapping[str, bytes], package: str) -> list[Edit]:
    """A week's changes, of every kind, in an order of this world's."""
    rng = world.rng(f"edits of {package}")
    modules = [name for name in context if name.startswith(f"{package}/") and name.endswith(".py")]
    one, two = rng.sample(modules, 2)
    day = world.days(2)[-1]
    made = [
        Edit("code", one, context[one] + b"\n# A line more.\n"),
        Edit("code", two, context[two].replace(b"\n", b"\n\n", 1)),
        Edit("new module", f"{package}/{rng.choice(['holidays', 'weather', 'gates'])}.py", b'"""New."""\n'),
        Edit("lock", "requirements.lock", context["requirements.lock"].replace(b"idna==", b"idna==0", 1)),
        Edit("docs", "README.md", context["README.md"] + b"\nMore words.\n"),
        Edit("tests", rng.choice(["tests/test_more.py", "tests/test_edges.py"]), b"def test_more(): ...\n"),
        Edit("notebook", "notebooks/exploration.ipynb", b'{"cells": [], "nbformat": 4}\n'),
        Edit("data", f"data/{raw.file_name(day)}", raw.render(world.flights(day))),
        Edit("history", ".git/objects/ab/cdef", bytes(40)),
        Edit("bytecode", f"{package}/__pycache__/{Path(one).stem}.cpython-311.pyc", b"\xa7\r\r\n2"),
        Edit("secret", next(iter(secrets(world, package))), b"LAKE_SECRET_KEY=rotated\n"),
    ]
    rng.shuffle(made)
    return made


def a_week_later(context: Mapping[str, bytes]) -> Context:
    """The same repository on another machine: what Git, Python and the editor write is different, what people wrote is not."""
    machines = (".git/", ".venv/", "notebooks/")
    moved = {
        path: content + b"written later\n"
        if "/__pycache__/" in path or path.startswith(machines)
        else content
        for path, content in context.items()
    }
    package = next(path.split("/")[0] for path in context if path.endswith("/__init__.py"))
    return moved | {
        ".git/ORIG_HEAD": b"0" * 40,
        ".idea/workspace.xml": b"<project/>",
        f"{package}/.service.py.swp": b"b0VIM",
    }


def lay_out(context: Mapping[str, bytes], folder: Path) -> Path:
    """Write a repository into a folder."""
    for name, content in context.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def read(folder: Path) -> Context:
    """A folder as a builder sees it: the bytes of its files by their path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
