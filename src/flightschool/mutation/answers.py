"""The right answers of a module as texts that can be mutated, and an answer, mutated or not, put to the test.

They come from the passing fixtures of tests/labs/NN_topic/answers.py, each with the functions and constants of that
file that it uses. An answer that is a text itself is mutated as it leaves the fixture. Where such a mutant is no mistake (the
exercise does not ask for that line), the file says so: `STILL_RIGHT = {"q2": {"EXPOSE": "q2 asks for no port"}}`, a
pattern for what `flightschool judge --verbose` shows, and the reason; the judge must then pass it.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import json
import os
import re
import sys
import threading
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from flightschool import paths
from flightschool.curriculum import Outcome, module
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.mutation.embedded import rewritten
from flightschool.mutation.texts import spoilt, texts

DIGITS = 9
"""Significant digits that count when two pieces of evidence are compared."""
MANY = 200
"""A longer list is compared as a whole."""


class NoAnswers(FlightSchoolError):
    """The module's answers are not in this tree."""


@dataclass(frozen=True)
class Effort:
    """How much is spent on one exercise: mutants at most, worlds, processes at once (None: as many as asked for).

    A file of answers says it where the usual is too much: `MUTATION = {"q4": {"most": 30, "worlds": 2, "jobs": 1}}`.
    """

    most: int = 50
    worlds: int = 3
    jobs: int | None = None


@dataclass(frozen=True)
class Definition:
    """A function or constant at the top of an answers file: its name, its text, and its first line there."""

    name: str
    text: str
    line: int
    constant: bool


@dataclass(frozen=True)
class Trial:
    """An answer to be tried: the fixture `entry` with some definitions replaced, on the worlds of these seeds.

    `text` is the key and the mutated text of an answer that is made of texts. `trace` also asks which lines of the file ran; `replay` judges the first world's evidence in all the others.
    """

    module: str
    exercise: str
    entry: str
    seeds: tuple[int, ...]
    replaced: Mapping[str, str] = field(default_factory=dict)
    text: tuple[str, str] | None = None
    trace: bool = False
    replay: bool = False


@dataclass(frozen=True)
class Tried:
    """What came of a trial: by seed the outcome and the evidence's `leaves` (empty where there was none)."""

    outcomes: dict[int, str]
    evidence: dict[int, dict[str, str]]
    lines: frozenset[int] = frozenset()
    said: str = ""
    """The first verdict's text that did not pass."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """The texts of the answer that are the same in all of these worlds."""


def kit() -> Any:
    """The fixtures' kit, tests/labs/kit.py. Raises NoAnswers in a tree without tests."""
    if not (paths.ROOT / "tests" / "labs" / "kit.py").is_file():
        raise NoAnswers(
            _("There are no answers in {folder}: this command needs a checkout of the course.").format(
                folder=paths.ROOT / "tests"
            )
        )
    if (tests := str(paths.ROOT / "tests")) not in sys.path:
        sys.path.insert(0, tests)
    return importlib.import_module("labs.kit")


def passing(module_id: str) -> list[Any]:
    """The fixtures that must pass, in their order. Raises NoAnswers."""
    try:
        return [one for one in kit().fixtures(module_id) if one.kind == "passing"]
    except FileNotFoundError as error:
        raise NoAnswers(
            _("Module {module} has no answers: write {path}.").format(
                module=module_id, path=error.filename or error
            )
        ) from None


def effort(module_id: str, exercise: str) -> Effort:
    """What the answers file says, or the usual."""
    said = getattr(kit().answers(module_id), "MUTATION", {})
    return Effort(**said.get(exercise, {}))


def still_right(module_id: str, exercise: str) -> dict[re.Pattern[str], str]:
    """Mutants of texts that are no mistakes: a pattern for what is shown of them, and why."""
    said = getattr(kit().answers(module_id), "STILL_RIGHT", {})
    return {re.compile(pattern): reason for pattern, reason in said.get(exercise, {}).items()}


def definitions(module_id: str, entry: str) -> list[Definition]:
    """The fixture and all that it uses of its file, in the order of the file; only functions and plain constants."""
    source = (kit().HERE / module_id / "answers.py").read_text(encoding="utf-8")
    lines = source.splitlines(keepends=True)
    found: dict[str, tuple[Definition, set[str]]] = {}
    for node in ast.parse(source).body:
        names = _defined(node)
        if not names:
            continue
        first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])
        text = "".join(lines[first - 1 : node.end_lineno])
        uses = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
        found[names] = (Definition(names, text, first, isinstance(node, ast.Assign)), uses)
    wanted, queue = set(), [entry]
    while queue:
        name = queue.pop()
        if name in found and name not in wanted:
            wanted.add(name)
            queue += found[name][1]
    return [definition for name, (definition, _uses) in found.items() if name in wanted]


def _defined(node: ast.stmt) -> str:
    """The name that a statement defines, if its text may be run again: a function, or a constant of literals."""
    if isinstance(node, ast.FunctionDef):
        return node.name
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        try:
            ast.literal_eval(node.value)
        except ValueError:
            return ""
        return node.targets[0].id
    return ""


def sql_rewritten(text: str) -> str | None:
    """The definition with its SQL as the mutants write it, and no mistake; None when it holds none."""

    class Rewrite(ast.NodeTransformer):
        found = False

        def visit_Constant(self, node: ast.Constant) -> ast.AST:
            return self.rewrite(node) if isinstance(node.value, str) else node

        def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
            return self.rewrite(node)

        def rewrite(self, node: ast.Constant | ast.JoinedStr) -> ast.AST:
            new = rewritten(node)
            self.found |= new is not None
            return node if new is None else new

    rewrite = Rewrite()
    tree = rewrite.visit(ast.parse(text))
    return ast.unparse(ast.fix_missing_locations(tree)) if rewrite.found else None


def tried(trial: Trial) -> Tried:
    """Put an answer to the test, in this process. What its code raises is an outcome like any other."""
    from flightschool.data import World
    from flightschool.learn.lab import quieten
    from flightschool.learn.questions import judge_answer

    quieten()
    os.environ["FLIGHTSCHOOL_PROGRESS"] = "off"
    home = module(trial.module)
    exercise, judge = home.exercises[trial.exercise], home.judges[trial.exercise]
    answer = load(trial)
    seen: dict[int, Any] = {}
    outcomes: dict[int, str] = {}
    said = ""
    lines: set[int] = set()
    found: list[dict[str, str]] = []
    for seed in trial.seeds:
        world = World(seed)

        def probe(given: Any, world: Any) -> Any:
            seen[world.seed] = exercise.probe(given, world)
            return seen[world.seed]

        if trial.replay and seed != trial.seeds[0]:
            verdict = judge(journey(seen[trial.seeds[0]]), world)
        else:
            with tracing(lines) if trial.trace else tracing(None):
                try:
                    given = answer(world)
                    found.append(texts(given))
                    if trial.text:
                        given = spoilt(given, *trial.text)
                except Exception as error:  # a mistake in what leads to the answer
                    outcomes[seed] = Outcome.ERROR
                    said = said or f"{type(error).__name__}: {error}"
                    continue
                verdict = judge_answer(replace(exercise, probe=probe), judge, given, world)
        outcomes[seed] = verdict.outcome
        if verdict.outcome is not Outcome.PASSED:
            said = said or verdict.text
    evidence = {seed: leaves(found) for seed, found in seen.items()}
    same = {
        name: text
        for name, text in (found or [{}])[0].items()
        if all(name in one and one[name] == text for one in found)
    }
    return Tried(outcomes, evidence, frozenset(lines), said, same)


def load(trial: Trial) -> Callable[[Any], Any]:
    """The fixture's function, made anew from the trial's definitions."""
    loaded = kit().answers(trial.module)
    if not trial.replaced:
        return vars(loaded)[trial.entry].answer  # type: ignore[no-any-return]
    space = {name: value for name, value in vars(loaded).items() if name != "__fixtures__"}
    for one in definitions(trial.module, trial.entry):
        text = trial.replaced.get(one.name, one.text)
        exec(compile(text, str(loaded.__file__), "exec"), space)  # noqa: S102 -- our own answers, with a mistake
    return space[trial.entry].answer  # type: ignore[no-any-return]


def journey(evidence: Any) -> Any:
    """Evidence as it comes out of the learner's process."""
    from flightschool.learn.evidence import plain

    return json.loads(json.dumps(plain(evidence)))


def leaves(evidence: Any) -> dict[str, str]:
    """What the evidence says, by path: a name of each value. The order of rows and columns and float noise do not count."""
    try:
        return dict(_leaves(_canonical(journey(evidence)), ""))
    except (FlightSchoolError, ValueError, TypeError):
        return {}


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    large = isinstance(value, list) and len(value) > MANY
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}")
    elif isinstance(value, list) and value and not large:
        for place, item in enumerate(value):
            yield from _leaves(item, f"{path}.{place}")
    else:
        yield path, hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def alike(one: Mapping[str, str], right: Sequence[Mapping[str, str]]) -> bool:
    """Whether evidence says what the right answer's runs said. What differs between those (names of commits, times) says nothing."""
    moving = {path for path in set().union(*right) if len({run.get(path) for run in right}) > 1}
    still = {path: name for path, name in right[0].items() if path not in moving}
    return bool(one) and {path: name for path, name in one.items() if path not in moving} == still


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        names, rows = value.get("columns"), value.get("rows")
        if isinstance(names, list) and isinstance(rows, list) and all(isinstance(row, list) for row in rows):
            order = sorted(range(len(names)), key=lambda place: str(names[place]).lower())
            table = [[_canonical(row[place]) for place in order] for row in rows if len(row) == len(names)]
            return [[str(names[place]).lower() for place in order], sorted(table, key=repr)]
        return {name: _canonical(item) for name, item in value.items()}
    if isinstance(value, list):
        items = [_canonical(item) for item in value]
        return sorted(items, key=repr) if items and all(isinstance(item, dict) for item in value) else items
    if isinstance(value, float):
        short = float(f"{value:.{DIGITS}g}")
        return int(short) if short.is_integer() else short
    return value


@contextmanager
def tracing(lines: set[int] | None) -> Iterator[None]:
    """Note the lines of the answers file that run meanwhile, in threads too; None: don't."""
    if lines is None:
        yield
        return

    def local(frame: types.FrameType, _event: str, _arg: Any) -> Any:
        lines.add(frame.f_lineno)
        return local

    def calls(frame: types.FrameType, _event: str, _arg: Any) -> Any:
        if not frame.f_code.co_filename.endswith("answers.py"):
            return None
        lines.add(frame.f_lineno)
        return local

    before = sys.gettrace()
    sys.settrace(calls)
    threading.settrace(calls)
    try:
        yield
    finally:
        sys.settrace(before)
        threading.settrace(None)  # type: ignore[arg-type]
