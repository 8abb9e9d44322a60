"""What an attack is, and the small tools with which attacks are written: cells put into an honest notebook."""

import copy
import json
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

Notebook = dict[str, Any]
Build = Callable[[Notebook], Notebook | bytes]
HandIn = Callable[[Path, str, bytes], None]
"""Puts what is handed in into a folder: the folder, the learner's name (a part of each file's), the notebook."""

LIGHT, FILES = "90_light", "91_files"
SIGN = "4711080"
"""What an attack gives a process or a file that it leaves behind, to be found by."""
ATTACKS, HELD, LEAKED = "ATTACKS!", "HELD!", "LEAKED!"
"""What an attack prints: that it runs, that it was stopped, that it got through."""
NOTHING: Mapping[str, Any] = {
    "secrets": ["/nonexistent"], "tcp": 9, "udp": 9, "abstract": "none", "socket": "/nonexistent", "pids": [1],
    "addresses": ["127.0.0.1"], "places": ["/tmp"],
}  # fmt: skip
"""What an attack is given about a ground when there is none."""
BEGIN = """\
import ctypes, errno, gc, glob, json, mmap, os, re, resource, shutil, signal, socket, struct, subprocess, sys, threading, time
libc = ctypes.CDLL(None, use_errno=True)
"""


class Threat(StrEnum):
    """The lines of the threat list."""

    CHECKER = "patches the checker, sys.modules or builtins"
    AGREES = "gives answers that agree with anything"
    FORGES = "prints or sends forged verdicts and evidence"
    EDITS = "edits, deletes, copies or reorders cells and their metadata"
    READS = "reads the solutions, the judges, other submissions, the grader"
    SENDS = "sends data out"
    STAYS = "leaves something behind"
    ENDS = "ends its process, or that of others"
    TIME = "loops, waits, or tampers with clocks"
    MEMORY = "eats memory"
    DISK = "eats disk or puts out without end"
    KERNEL = "asks the kernel for more than it may"
    JUDGES = "attacks the judges by evidence"
    DAMAGED = "is no notebook, or a damaged one"
    PAGES = "attacks whoever reads the feedback and the tables"
    FOLDERS = "attacks the grader by names, links and archives"


@dataclass(frozen=True)
class Attack:
    """A hostile notebook, made from its honest twin, and what must come of it.

    Args:
        build: gets a copy of the twin.
        says: a pattern that the feedback must match; empty where the feedback must be the twin's own.
        tells: it prints HELD or LEAKED.
        runs: its code is executed.
        keeps: the exercises that must get what they get in the twin; in no other can it get more than there.
        hand_in: how it is handed in, where it is not as one notebook.
        taken: it becomes a submission; otherwise the instructor is told why not.
        compared: other graders are tried with it.
    """

    name: str
    threat: Threat
    build: Build = field(repr=False)
    says: str = ""
    tells: bool = False
    runs: bool = True
    keeps: frozenset[str] = frozenset({"q1", "q2", "q3"})
    module: str = LIGHT
    hand_in: HandIn | None = field(default=None, repr=False)
    taken: bool = True
    compared: bool = True

    def notebook(self, twin: bytes, given: Mapping[str, Any] = NOTHING) -> bytes:
        """The hostile bytes. `given` is what the attack knows about the ground, as the constant GIVEN of its first cell."""
        built = self.build(copy.deepcopy(json.loads(twin)))
        if isinstance(built, bytes):
            return built
        if self.runs and "GIVEN" in json.dumps(built):
            place = lab_cell(built)
            built["cells"].insert(place, code_cell(f"GIVEN = {dict(given)!r}", "given"))
        return json.dumps(built).encode()


def code_cell(source: str, id: str = "own") -> Notebook:
    """A code cell as an editor writes it."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": id,
        "metadata": {},
        "outputs": [],
        "source": source,
    }


def lab_cell(notebook: Notebook) -> int:
    """The place of the cell that makes the lab."""
    return next(place for place, cell in enumerate(notebook["cells"]) if "Lab(" in text(cell))


def text(cell: Notebook) -> str:
    """The source of a cell."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def exercise_cell(notebook: Notebook, exercise: str) -> Notebook:
    """The answer's cell of an exercise, or its check's (`q1-check`)."""
    return next(cell for cell in notebook["cells"] if cell.get("id") == exercise)


def first(code: str) -> Build:
    """The attack is a cell of its own, before all that counts."""
    source = f"{BEGIN}print({ATTACKS!r}, flush=True)\n{textwrap.dedent(code).strip()}"

    def build(notebook: Notebook) -> Notebook:
        notebook["cells"].insert(lab_cell(notebook) + 1, code_cell(source, "attack"))
        return notebook

    return build


def last(code: str) -> Build:
    """The attack is a cell of its own, after the last check."""
    source = f"{BEGIN}print({ATTACKS!r}, flush=True)\n{textwrap.dedent(code).strip()}"

    def build(notebook: Notebook) -> Notebook:
        notebook["cells"].append(code_cell(source, "attack"))
        return notebook

    return build


def tries(body: str) -> Build:
    """A cell that prints LEAKED and what it got when the body's `got` is true; HELD when it is not, or when it is refused."""
    indented = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return first(
        f"got = None\ntry:\n{indented}\nexcept (OSError, ValueError, subprocess.SubprocessError) as error:\n"
        f"    print('refused:', error)\nprint({LEAKED!r} if got else {HELD!r}, repr(got)[:300], flush=True)"
    )


def answer(code: str, exercise: str = "q2") -> Build:
    """The attack is an answer; the code defines what the exercise asks for."""
    source = f"{BEGIN}print({ATTACKS!r}, flush=True)\n{textwrap.dedent(code).strip()}"

    def build(notebook: Notebook) -> Notebook:
        exercise_cell(notebook, exercise)["source"] = source
        return notebook

    return build


def probed(body: str, exercise: str = "q2") -> Build:
    """The attack runs when the answer is called, within the check; `lab`, `turns` and `n` are there."""
    names = {"q1": "late_share(turns)", "q2": "slowest(turns, n)", "q3": "by_gate(turns)"}
    indented = textwrap.indent(textwrap.dedent(body).strip(), "    ")
    return answer(f"def {names[exercise]}:\n{indented}", exercise)


def changed(change: Callable[[Notebook], None]) -> Build:
    """The notebook itself is tampered with."""

    def build(notebook: Notebook) -> Notebook:
        change(notebook)
        return notebook

    return build


def rewritten(change: Callable[[bytes], bytes]) -> Build:
    """The file is tampered with."""
    return lambda notebook: change(json.dumps(notebook).encode())
