"""Pushes against a hook: which of them does the shared repository take once the learner's `update` hook is in it?"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightrepo import CommandFailed, Repository
from overwritten import POINTER, WEEKLY, pointer, raw, through_a_spreadsheet

if TYPE_CHECKING:
    from flightschool.data import World


def pushes(guard: str, origin: Path, world: World, place: Path) -> dict[str, dict[str, Any]]:
    """Try pushes on a copy of `origin` with that hook: `{name: {"taken": bool, "said": what the hook printed}}`.

    Two overwrite the raw file's pointer (one of them with a sound commit on top), one deletes it, one rewrites history; the others are everybody's daily work.
    """
    copy = place / "origin.git"
    shutil.copytree(origin, copy, symlinks=True)
    shutil.rmtree(copy / "hooks", ignore_errors=True)
    (copy / "hooks").mkdir()
    hook = copy / "hooks" / "update"
    hook.write_text(guard.lstrip(), encoding="utf-8")
    hook.chmod(0o700)
    content = raw(world)
    bad = pointer(through_a_spreadsheet(content, world) + b"\r\n", "flights.csv")
    tries: dict[str, list[dict[str, bytes | None]]] = {
        "overwrite": [{POINTER: bad}],
        "overwrite under another commit": [{POINTER: bad}, {"notes/a.md": b"Innocent.\n"}],
        "delete": [{POINTER: None}],
        "new file": [{"raw/flights-next.csv.dvc": pointer(content[:5000], "flights-next.csv")}],
        "weather": [{WEEKLY: b"year,month\n2013,4\n"}],
        "note": [{"notes/b.md": b"A note.\n"}],
    }
    found = {
        name: _push(copy, place / f"clone {number}", commits)
        for number, (name, commits) in enumerate(tries.items())
    }
    found["rewritten history"] = _force(copy, place / "clone of another")
    found["new branch"] = _push(
        copy, place / "clone of a branch", [{"notes/c.md": b"A try.\n"}], "HEAD:refs/heads/try"
    )
    return found


def _push(
    origin: Path, clone: Path, commits: list[dict[str, bytes | None]], what: str = "HEAD:main"
) -> dict[str, Any]:
    desk = _clone(origin, clone)
    for number, files in enumerate(commits):
        desk.write({name: content for name, content in files.items() if content is not None})
        for name, content in files.items():
            if content is None:
                desk.git("rm", "--quiet", name)
        desk.commit(f"Work {number}")
    return _taken(desk, "push", "--quiet", "origin", what)


def _force(origin: Path, clone: Path) -> dict[str, Any]:
    """Put another commit in the place of the last one that others have, with the same files, and push by force."""
    desk = _clone(origin, clone)
    desk.git("commit", "--quiet", "--amend", "--message", "Say it in other words")
    return _taken(desk, "push", "--quiet", "--force", "origin", "HEAD:main")


def _clone(origin: Path, clone: Path) -> Repository:
    Repository(origin).git("clone", "--quiet", "--no-tags", "--template=", str(origin), str(clone))
    return Repository(clone)


def _taken(desk: Repository, *command: str) -> dict[str, Any]:
    origin = Repository(Path(desk.git("remote", "get-url", "origin")))
    before = origin.git("rev-parse", "refs/heads/main")
    try:
        desk.git(*command)
    except CommandFailed as refused:
        return {"taken": False, "said": str(refused)[-300:]}
    finally:
        # Each push is tried on the same main.
        origin.git("update-ref", "refs/heads/main", before)
    return {"taken": True, "said": ""}
