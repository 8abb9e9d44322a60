"""Packs what is deployed into one file: the same files give the same bytes."""

import hashlib
import json
import os
import sys
import zipfile
from pathlib import Path

ROOMS = ("ontime", "dbt", "dags", "data")
KEEP = {".py", ".sql", ".yml", ".json", ".csv"}


def label() -> dict[str, str]:
    """What the package says of itself."""
    return {"name": "ontime", "version": "1.4.0"}


def files() -> list[Path]:
    """What goes into the package, in the order of the names."""
    found = (path for room in ROOMS for path in Path(room).rglob("*") if path.suffix in KEEP)
    return sorted(found)


def build(target: Path) -> str:
    """Write the package, and return its SHA-256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as package:
        contents = {path.as_posix(): path.read_bytes() for path in files()}
        contents["label.json"] = json.dumps(label()).encode()
        for name, content in contents.items():
            # A fixed time and mode: the clock and the umask are no part of what we deploy.
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            package.writestr(entry, content)
    return hashlib.sha256(target.read_bytes()).hexdigest()


def note(digest: str) -> None:
    """Tell the runner's book, where there is one, which job built what."""
    if book := os.environ.get("BUILD_BOOK"):
        names = ("GITHUB_JOB", "CI_JOB_NAME", "STAGE_NAME")
        job = next((os.environ[name] for name in names if name in os.environ), "")
        with Path(book).open("a") as file:
            file.write(json.dumps({"job": job, "digest": digest}) + "\n")


if __name__ == "__main__":
    made = build(Path(sys.argv[1]))
    note(made)
    print(made)
