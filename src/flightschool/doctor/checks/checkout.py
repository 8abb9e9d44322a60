"""The checkout: environment, data, notebooks, state."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from flightschool.doctor.findings import NOTE, PROBLEM, WARNING, Finding
from flightschool.doctor.machine import Machine
from flightschool.i18n import _

GIB = 2**30
LARGE = 2 * GIB
"""More than this in the state folder is no longer one module's work."""
# As flightschool.publish signs notebooks; that room takes seconds to import, and needs the environment.
SIGNATURE = re.compile(rb'(?<=\n   "sha256": ")[0-9a-f]{64}(?=")')


def lock(machine: Machine) -> Iterator[Finding]:
    """Whether .venv is what the lock says, by the stamp that set-up leaves."""
    bootstrap = machine.bootstrap
    if not bootstrap.python_of(bootstrap.VENV).exists():
        return  # which `python` says
    setup = shlex.quote(str(machine.root / "environment" / "setup"))
    if not bootstrap.STAMP.is_file():
        sentence = _("Set-up was not finished: {venv} holds only a part of the environment.")
        yield Finding(PROBLEM, sentence.format(venv=bootstrap.VENV), setup)
    elif bootstrap.STAMP.read_text() != bootstrap.fingerprint():
        sentence = _("The environment is older than its lock, or was made for another folder.")
        yield Finding(WARNING, sentence, setup)


def data(machine: Machine) -> Iterator[Finding]:
    """Whether every data file matches its checksum."""
    from flightschool.data.reading import DamagedData, verify

    git = f"git -C {shlex.quote(str(machine.root))} restore"
    try:
        damaged = [check.path for check in verify() if not check.ok]
    except DamagedData:
        sentence = _("datasets/datapackage.json, which lists the data files, is missing or damaged.")
        yield Finding(PROBLEM, sentence, f"{git} datasets/datapackage.json")
        return
    if damaged:
        names = [f"datasets/{path.relative_to(machine.root / 'datasets')}" for path in damaged]
        sentence = _("Missing, or not as its checksum says: {names}.")
        shown = names if len(names) <= 3 else [*names[:3], _("{count} more").format(count=len(names) - 3)]
        command = f"{git} {' '.join(map(shlex.quote, names)) if len(names) <= 3 else 'datasets/'}"
        yield Finding(PROBLEM, sentence.format(names=", ".join(shown)), command)


def notebooks(machine: Machine) -> Iterator[Finding]:
    """Whether a generated notebook was changed by hand, by the signature in it."""
    changed = [
        str(path.relative_to(machine.root))
        for path in sorted((machine.root / "notebooks").rglob("*.ipynb"))
        if ".ipynb_checkpoints" not in path.parts and not pristine(path.read_bytes())
    ]
    if changed:
        sentence = _(
            "Changed by hand: {names}. Your copies are in workspace/; the command keeps the changed ones in "
            ".flightschool/edited/ and makes them anew."
        )
        command = f"make -C {shlex.quote(str(machine.root))} build"
        yield Finding(WARNING, sentence.format(names=", ".join(changed)), command)


def pristine(notebook: bytes) -> bool:
    """Whether a generated notebook still gives the hash in its metadata; that counts as 64 zeros in it."""
    signatures = list(SIGNATURE.finditer(notebook))
    if not signatures:
        return False
    begin, end = signatures[-1].span()
    unsigned = notebook[:begin] + b"0" * 64 + notebook[end:]
    return hashlib.sha256(unsigned).hexdigest().encode() == notebook[begin:end]


def state(machine: Machine) -> Iterator[Finding]:
    """Whether the folders that running writes to can be written."""
    for folder, name in (
        (machine.state, "FLIGHTSCHOOL_STATE"),
        (machine.workspace, "FLIGHTSCHOOL_WORKSPACE"),
    ):
        place = folder
        while not place.exists():
            place = place.parent
        if place.is_dir() and os.access(place, os.W_OK | os.X_OK):
            continue
        sentence = _("{folder} can't be written, and what you do is kept there.")
        if not place.is_dir():
            command = f"mv {shlex.quote(str(place))} {shlex.quote(f'{place}.old')}"
        elif os.statvfs(place).f_flag & os.ST_RDONLY:
            command = f'export {name}="$HOME/flightschool/{folder.name.lstrip(".")}"'
        elif place.stat().st_uid == machine.user:
            command = f"chmod u+rwx {shlex.quote(str(place))}"
        else:
            command = f'sudo chown -R "$(id -u)" {shlex.quote(str(place))}'
        yield Finding(PROBLEM, sentence.format(folder=folder), command)


def leftovers(machine: Machine) -> Iterator[Finding]:
    """Servers whose owner is gone, records of servers that are gone, and state that has grown large."""
    yield from _orphans()
    stale = [path for path in (machine.state / "services" / "running").glob("*.json") if _stale(path)]
    if stale:
        sentence = _(
            "{count} servers ended without a word, and are still on record; the command clears that."
        )
        yield Finding(NOTE, sentence.format(count=len(stale)), "flightschool status")
    sizes = {path: _size(path) for path in machine.state.glob("*")}
    if sum(sizes.values()) > LARGE:
        largest = max(sizes, key=lambda path: sizes[path])
        sentence = _(
            "{folder} has grown to {size:.1f} GiB, most of it in {largest}, which is made anew when needed."
        )
        text = sentence.format(folder=machine.state, size=sum(sizes.values()) / GIB, largest=largest.name)
        yield Finding(NOTE, text, f"rm -r {shlex.quote(str(largest))}")


def _orphans() -> Iterator[Finding]:
    """Guardians of servers that did not notice that the process they served has ended."""
    import psutil

    script = str(Path("flightschool") / "services" / "guardian.py")
    for process in psutil.process_iter(["pid", "cmdline"]):
        words = process.info["cmdline"] or []
        at = next((n for n, word in enumerate(words) if word.endswith(script)), None)
        # guardian.py OWNER GRACE SIGNAL PROGRAM …
        if at is None or len(words) <= at + 4 or not words[at + 1].isdecimal():
            continue
        if not psutil.pid_exists(int(words[at + 1])):
            pid = process.info["pid"]
            sentence = _("A server ({program}) of an earlier run is still there, process {pid}.")
            text = sentence.format(program=Path(words[at + 4]).name, pid=pid)
            yield Finding(WARNING, text, f"kill -CONT {pid}; kill {pid}")


def _stale(record: Path) -> bool:
    """Whether the process that kept this server is gone, or the record says nothing."""
    import psutil

    try:
        pid, birth = json.loads(record.read_bytes())["keeper"]
        return bool(psutil.Process(int(pid)).create_time() != birth)
    except FileNotFoundError:
        return False  # it was cleared just now
    except (OSError, ValueError, TypeError, KeyError, psutil.NoSuchProcess):
        return True


def _size(path: Path) -> int:
    """Bytes in a file or folder; what vanishes meanwhile counts as nothing."""
    total = 0
    pending = [path]
    while pending:
        place = pending.pop()
        try:
            if place.is_symlink():
                continue
            if place.is_dir():
                pending += [Path(entry.path) for entry in os.scandir(place)]
            else:
                total += place.stat().st_size
        except OSError:
            continue
    return total
