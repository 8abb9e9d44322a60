"""A batch: hostile submissions, each between honest neighbours, through `flightschool grade`; then a look at all that came of it."""

import csv
import html
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import psutil
from security.attacks import ground, listening, twins
from security.attacks.model import ATTACKS, HELD, LEAKED, SIGN, Attack

from flightschool.engine.sandbox import kernel

LIMITS = ("--cell-timeout", "5", "--notebook-timeout", "25", "--memory", "700", "--seed", "20260301")
DEADLINE = 900.0
"""Seconds for a batch; none that holds needs a third."""
GOING = 5.0
"""Seconds that processes may take to be gone after the grader."""
NAMES = re.compile(r"w[0-9]{3}[nx]")
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_OWN_PAGE = re.compile(r"href=feedback/[a-z0-9_-]+\.html\b")
_FORMULA = re.compile(r"\s*[=+@\t\r-]")


@dataclass(frozen=True)
class Outcome:
    """What came of one attack: points, those of its twin, the outcomes of its exercises, and what did not hold (nothing, if all held)."""

    attack: Attack
    earned: float
    twin: float
    came: str
    troubles: tuple[str, ...]

    @property
    def held(self) -> bool:
        """Whether nothing came of it."""
        return not self.troubles


@dataclass(frozen=True)
class Batch:
    """The outcomes of its attacks, and what happened to the batch as a whole that none of them alone is to blame for."""

    outcomes: tuple[Outcome, ...]
    troubles: tuple[str, ...]
    seconds: float


@dataclass
class _Out:
    """What a grader has written and said."""

    folder: Path
    said: str
    told: str
    left: list[str]
    records: list[Mapping[str, Any]] = field(default_factory=list)

    def of(self, tag: str) -> list[Mapping[str, Any]]:
        """The results of a learner."""
        return [one for one in self.records if tag in NAMES.findall(one["file"].partition("/")[0])]

    def page(self, record: Mapping[str, Any]) -> str:
        """The feedback, as somebody reads it: words with single blanks between them, and a line's end."""
        text = (self.folder / record["feedback"]).read_text(encoding="utf-8")
        text = re.sub(r"(?s)<(style|head)\b.*?</\1>", " ", text)
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split()) + "\n"


def graded(
    place: Path,
    attacks: Sequence[Attack],
    *,
    jobs: int = 2,
    weakness: str = "none",
    walls: bool = True,
) -> Batch:
    """Grade attacks of one module on a ground that was laid, in one batch.

    Args:
        place: the ground.
        attacks: which.
        jobs: submissions at once.
        weakness: of the grader.
        walls: whether it has any; what an attack does without them, it does to this machine.
    """
    begin = time.monotonic()
    (module,) = {one.module for one in attacks}
    tokens = json.loads((place / ground.TOKENS).read_text())
    (place / "arenas").mkdir(exist_ok=True)
    arena = Path(tempfile.mkdtemp(prefix="batch-", dir=place / "arenas"))
    arena.chmod(0o755)
    for name in ("handed", "heard", "out"):
        (arena / name).mkdir()
    with ground.Ears(place) as ears:
        _hand_in(place, arena / "handed", module, attacks, tokens["neighbour"], ears)
        before = ground.look(place)
        command = [sys.executable, "-P", "-m", listening.__name__, str(arena / "heard"), weakness, "grade"]
        command += [str(arena / "handed"), "--module", module, "--out", str(arena / "out"), *LIMITS]
        command += ["--jobs", str(jobs), *([] if walls else ["--trust-every-submission"])]
        out = _run(command, ground.environment(place), arena / "out", place)
        heard = list(ears.heard())
        after = ground.look(place)
    with suppress(OSError, ValueError):
        out.records = json.loads((arena / "out" / "grades.json").read_text())["submissions"]
    troubles = [f"somebody was heard: {what}" for what in heard]
    troubles += [f"is still running: {what}" for what in out.left]
    troubles += _differences(before, after)
    troubles += _of_the_run(out)
    troubles += [f"shows {name}'s token: {path}" for name, path in _shown(out, tokens)]
    troubles += _neighbours(out, len(attacks))
    twin = next(
        (one for place in range(2 * len(attacks) + 1) if place % 4 == 2 for one in out.of(f"w{place:03}n")),
        None,
    )
    outcomes = []
    for number, attack in enumerate(attacks):
        outcomes.append(_outcome(attack, out, f"w{2 * number + 1:03}x", twin, arena / "heard", tokens))
    return Batch(tuple(outcomes), tuple(troubles), time.monotonic() - begin)


def _hand_in(
    place: Path, folder: Path, module: str, attacks: Sequence[Attack], token: str, ears: ground.Ears
) -> None:
    """A neighbour, an attack, a neighbour, …: every second neighbour is the twin."""
    course = place / "course"
    honest, twin = twins.whole(course, module, token), twins.twin(course, module)
    given = {
        "secrets": [str(path) for path in ground.secret_files(place)],
        "tcp": ears.tcp,
        "udp": ears.udp,
        "abstract": ears.abstract,
        "socket": ears.path,
        "pids": [os.getpid(), os.getppid()],
        "addresses": ground.addresses(),
        "places": [
            str(place),
            str(place / "course"),
            str(place / "home"),
            str(folder),
            str(folder.parent / "out"),
        ],
    }
    for number in range(len(attacks) + 1):
        (folder / f"w{2 * number:03}n.ipynb").write_bytes(twin if number % 2 else honest)
    for number, attack in enumerate(attacks):
        tag, notebook = f"w{2 * number + 1:03}x", attack.notebook(twin, given)
        if attack.hand_in is not None:
            attack.hand_in(folder, tag, notebook)
        else:
            (folder / f"{tag}.ipynb").write_bytes(notebook)


def _run(command: Sequence[str], environment: Mapping[str, str], folder: Path, cwd: Path) -> _Out:
    """Run the grader; whoever it leaves behind is told and ended."""
    me = psutil.Process()
    others = {one.pid for one in me.children(recursive=True)}
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    try:
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as told:
            process = subprocess.Popen(
                command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=said, stderr=told,
                start_new_session=True, cwd=cwd,
            )  # fmt: skip
            try:
                status = f"exit status {process.wait(DEADLINE)}"
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                status = f"not done after {DEADLINE:g} s"
            left = _left(me, others)
            said.seek(0)
            told.seek(0)
            words = said.read().decode(errors="replace")
            return _Out(folder, words, f"{told.read().decode(errors='replace')}{status}\n", left)
    finally:
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 0)


def _left(me: psutil.Process, others: set[int]) -> list[str]:
    """What of the grader, or of a submission, is still there; it is ended."""
    end = time.monotonic() + GOING
    while True:
        here = [one for one in me.children(recursive=True) if one.pid not in others]
        living = []
        for one in here:
            with suppress(psutil.Error):
                if one.status() == psutil.STATUS_ZOMBIE:
                    with suppress(ChildProcessError):
                        os.waitpid(one.pid, os.WNOHANG)
                else:
                    living.append(one)
        if not living or time.monotonic() > end:
            break
        time.sleep(0.05)
    living += [one for one in _signed() if one not in living]
    told = []
    for one in living:
        with suppress(psutil.Error):
            told.append(f"{one.pid} {' '.join(one.cmdline())[:80]}")
            one.kill()
    return told


def _signed() -> Iterator[psutil.Process]:
    """Processes that carry the attacks' sign."""
    for one in psutil.process_iter():
        with suppress(psutil.Error):
            if one.pid != os.getpid() and SIGN in one.cmdline():
                yield one


def _differences(before: ground.Seen, after: ground.Seen) -> Iterator[str]:
    for path, content in before.contents.items():
        if after.contents.get(path) != content:
            yield f"was changed: {path}"
    for path in after.names - before.names:
        yield f"is new: {path}"


def _of_the_run(out: _Out) -> Iterator[str]:
    """What is wrong with what the grader said and wrote, for whoever reads it."""
    if not out.told.endswith(("exit status 0\n", "exit status 1\n")) or not out.records:
        yield f"the grader did not finish: {out.told[-600:]}"
    if "Traceback" in out.told + out.said:
        yield f"a traceback: {out.told[-900:]}"
    texts = {"what the grader said": out.said + out.told}
    for path in sorted(out.folder.rglob("*")):
        if path.suffix in (".html", ".csv", ".json", ".xml", ".txt"):
            try:
                texts[path.name] = path.read_text(encoding="utf-8")
            except UnicodeError:
                yield f"is not UTF-8: {path.name}"
    for name, text in texts.items():
        if found := _UNSEEN.search(text.replace("\r\n", "\n")):
            yield f"{name} has {found[0]!r} in it: {text[max(found.start() - 40, 0) : found.end() + 40]!r}"
        if name.endswith(".html"):
            yield from (f"{name}: {what}" for what in _Markup.of(text))
        elif name.endswith(".csv"):
            yield from (f"{name} has a formula: {what!r}" for what in _formulas(text))
        elif name.endswith(".json"):
            json.loads(text)
        elif name.endswith(".xml"):
            ET.fromstring(text)


class _Markup(HTMLParser):
    """Finds the attacks' sign where it would be more than text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = ""

    @classmethod
    def of(cls, text: str) -> list[str]:
        """What is in a page that should not be."""
        one = cls()
        one.feed(text)
        one.close()
        return one.found

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        told = f"<{tag} {' '.join(f'{name}={value}' for name, value in attributes)}>"
        for name, value in attributes:
            outside = name in ("src", "href", "action", "data") and re.match(
                r"\s*((?!data:,$)[a-z]+:|//)", value or "", re.I
            )
            if name.startswith("on") or name == "srcdoc" or outside:
                self.found.append(f"markup of a stranger: {told[:200]}")
        if tag in ("script", "iframe", "object", "embed", "base", "form") or SIGN in _OWN_PAGE.sub("", told):
            self.found.append(f"markup of a stranger: {told[:200]}")

    def handle_data(self, data: str) -> None:
        if self._inside == "style" and SIGN in data:
            self.found.append("style of a stranger")

    def handle_comment(self, data: str) -> None:
        if SIGN in data:
            self.found.append("a comment of a stranger")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def _formulas(text: str) -> Iterator[str]:
    for row in csv.reader(io.StringIO(text, newline="")):
        for one in row:
            if _FORMULA.match(one) and not re.fullmatch(r"-?[0-9.]+", one):
                yield one


def _shown(out: _Out, tokens: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Whose token is where nobody should see it; the gradebook, which only the grader reads, holds the learners' answers."""
    texts = {"what the grader said": (out.said + out.told).encode()}
    for path in out.folder.rglob("*"):
        if path.is_file() and not path.name.startswith("gradebook."):
            texts[path.name] = path.read_bytes()
    for name, content in texts.items():
        for what, token in tokens.items():
            if token.encode() in content:
                yield what, name


def _neighbours(out: _Out, attacks: int) -> Iterator[str]:
    """Neighbours whose marks are not what an honest notebook gets."""
    for number in range(attacks + 1):
        tag = f"w{2 * number:03}n"
        found = out.of(tag)
        if [one["status"] for one in found] != ["graded"]:
            yield f"neighbour {tag} was not graded: {[one['reason'] for one in found]}"
            continue
        shares = {one["exercise"]: one["share"] for one in found[0]["exercises"]}
        solved = shares if number % 2 == 0 else _solved(shares)
        if any(share != (name in solved) for name, share in shares.items()):
            yield f"neighbour {tag} has other marks: {shares}"


def _solved(shares: Mapping[str, float]) -> Sequence[str]:
    return twins.SOLVED[twins.FILES if "drill" in shares else twins.LIGHT]


def _outcome(
    attack: Attack,
    out: _Out,
    tag: str,
    twin: Mapping[str, Any] | None,
    folder: Path,
    tokens: Mapping[str, str],
) -> Outcome:
    found = out.of(tag)
    lines = [line for line in out.told.splitlines() if tag in line]
    if (all_of_them := out.folder / "not-taken.txt").exists():
        lines += [line for line in all_of_them.read_text(encoding="utf-8").splitlines() if tag in line]
    honest = {one["exercise"]: one for one in twin["exercises"]} if twin else {}
    troubles: list[str] = []
    if twin is None:
        troubles.append("the twin was not graded")
    if not attack.taken:
        if found:
            troubles.append("it was taken")
        elif not re.search(attack.says, "\n".join(lines)):
            troubles.append(f"the instructor is not told {attack.says!r}: {out.told[:900]}")
        return Outcome(attack, 0, _points(twin), "not taken", tuple(troubles))
    if len(found) != 1 or found[0]["status"] == "failed":
        reasons = [one["reason"] for one in found]
        return Outcome(attack, 0, _points(twin), "no result", (f"it has no result: {reasons} {lines}",))
    record = found[0]
    for one in record["exercises"]:
        name, share = one["exercise"], one["share"]
        allowed = honest.get(name, {}).get("share", 0)
        if share > allowed or (name in attack.keeps and share != allowed):
            troubles.append(
                f"{name} got {share:g} of its points, and honestly {allowed:g}: {one['found'] or one['message']}"
            )
    page = out.page(record)
    if attack.says and not re.search(attack.says, page):
        troubles.append(f"the feedback does not say {attack.says!r}: {page[:1500]}")
    if not attack.says and twin is not None:
        troubles += _as_the_twin(record, twin)
    said = listening.heard(folder, record["learner"])
    troubles += _said(attack, said, tokens)
    came = " ".join(f"{one['exercise']} {one['outcome']}" for one in record["exercises"])
    return Outcome(
        attack,
        record["earned"],
        _points(twin),
        record["status"] if record["reason"] else came,
        tuple(troubles),
    )


def _points(record: Mapping[str, Any] | None) -> float:
    return record["earned"] if record else 0.0


def _as_the_twin(record: Mapping[str, Any], twin: Mapping[str, Any]) -> Iterator[str]:
    for one, other in zip(record["exercises"], twin["exercises"], strict=True):
        if one != other:
            yield f"the feedback is not the twin's: {one}"
    if record["notices"] != twin["notices"]:
        yield f"the feedback has notices: {record['notices']}"


def _said(attack: Attack, said: str, tokens: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with what it printed."""
    if attack.runs and ATTACKS not in said:
        yield f"it did not run: {said[-500:]}"
    if LEAKED in said:
        yield f"it got through: {said[said.find(LEAKED) :][:500]}"
    if attack.tells and HELD not in said:
        yield f"it does not say that it was held: {said[-700:]}"
    for what, token in tokens.items():
        if token in said:
            yield f"it has seen {what}'s token"
