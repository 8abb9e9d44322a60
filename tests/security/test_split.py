"""Probe and judge are apart: what a learner's process imports to probe an answer can't say what is expected.

Each module is tried in a fresh process whose labs lack every judges.py, as in a graded run.
"""

import ast
import inspect
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from labs.kit import fixtures

from flightschool import paths
from flightschool.curriculum import Module, Outcome, modules
from flightschool.data import World

MODULES = pytest.mark.parametrize("module", modules(), ids=lambda module: module.id)
KEPT_AWAY = {"judges", "drill", "answers"}
"""What knows the reference answers, the planted cause, or answers that pass."""


@pytest.fixture(scope="module")
def graded_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout as a graded learner has it in reach: no judges, no solutions, no tests."""
    home = tmp_path_factory.mktemp("graded")
    away = shutil.ignore_patterns("judges.py", "__pycache__", "target", "logs")
    shutil.copytree(paths.LABS, home / "labs", ignore=away)
    (home / "solutions").mkdir()
    for module in modules():
        (home / "solutions" / f"{module.id}.py").touch()
    (home / "datasets").symlink_to(paths.DATASETS)
    return home


def python(code: str, home: Path, *arguments: str) -> dict:
    """Run code in a fresh process of that home; what it prints last is JSON."""
    environment = os.environ | {
        "FLIGHTSCHOOL_HOME": str(home),
        "FLIGHTSCHOOL_STATE": str(home / ".flightschool"),
        "PYTHONPATH": str(paths.ROOT / "tests"),
        "FIXTURES_HOME": str(paths.ROOT / "tests" / "labs"),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


IMPORT = """
import json, sys
from pathlib import Path
from flightschool.curriculum import module

exercises = list(module(sys.argv[1]).exercises)
files = [getattr(loaded, "__file__", None) for loaded in list(sys.modules.values())]
print(json.dumps({"exercises": exercises, "files": [str(Path(file).resolve()) for file in files if file]}))
"""


@MODULES
def test_exercises_are_imported_where_there_are_no_judges(module: Module, graded_home: Path) -> None:
    found = python(IMPORT, graded_home, module.id)
    assert found["exercises"] == list(module.exercises)
    loaded = [Path(file) for file in found["files"]]
    lab = (graded_home / "labs" / module.id).resolve()
    assert lab / "exercises.py" in loaded
    assert {file.stem for file in loaded if file.is_relative_to(lab)} & KEPT_AWAY == set()
    rooms = [paths.ROOT / room for room in ("labs/" + module.id, "tests", "solutions", "notebooks", "build")]
    rooms.append(paths.ROOT / "src" / "flightschool" / "grading")
    assert [str(file) for file in loaded if any(file.is_relative_to(room) for room in rooms)] == []


PROBE = """
import json, sys
from labs.kit import fixtures
from flightschool.curriculum import module
from flightschool.data import World
from flightschool.learn.evidence import plain

asked, seed = module(sys.argv[1]), int(sys.argv[2])
evidence = {}
for fixture in fixtures(asked.id):
    if fixture.kind == "passing" and fixture.exercise not in evidence:
        probed = asked.exercises[fixture.exercise].probe(fixture.answer(World(seed)), World(seed))
        evidence[fixture.exercise] = plain(probed)
others = {"mlflow.genai.judges"}  # MLflow has some of its own
assert not [name for name in sys.modules if name.endswith(".judges") and name not in others]
print()
print(json.dumps(evidence, allow_nan=False))
"""


@pytest.mark.slow
@MODULES
def test_a_probe_needs_no_judge_and_a_judge_no_answer(module: Module, graded_home: Path) -> None:
    """Answers are probed in the process without judges; only JSON comes back, and it is judged here."""
    seed = 7
    evidence = python(PROBE, graded_home, module.id, str(seed))
    assert set(evidence) == set(module.exercises)
    for id, found in evidence.items():
        verdict = module.judges[id](found, World(seed))
        assert verdict.outcome is Outcome.PASSED, f"{id}: {verdict.text}"


LOADERS = {"load_lab_file", "import_module", "__import__", "run_module"}


def neighbours(file: Path) -> Iterator[str]:
    """The names of lab files that a lab file imports or names, wherever in it, by whatever way."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom):  # from .x import y, from . import x
            names = [node.module] if node.module else [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Call) and called(node) in LOADERS:
            names = [text for word in ast.walk(node) if (text := said(word))]
        elif said(node).endswith(".py"):  # HERE / "x.py"
            names = [Path(said(node)).stem]
        elif isinstance(node, ast.Attribute) and node.attr == "judges":  # module("01").judges
            names = ["judges"]
        for name in names:
            for part in name.split("."):
                if part and (file.parent / f"{part}.py").is_file():
                    yield part


def called(call: ast.Call) -> str:
    """The last part of the name of what is called."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def said(node: ast.AST) -> str:
    """The text that a node is, if it is one."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def reach(exercises: Path) -> dict[str, list[str]]:
    """Every lab file that `exercises.py` can import, with the way that leads to it."""
    ways = {"exercises": ["exercises"]}
    todo = ["exercises"]
    while todo:
        name = todo.pop()
        for other in neighbours(exercises.with_name(f"{name}.py")):
            if other not in ways:
                ways[other] = [*ways[name], other]
                todo.append(other)
    return ways


@MODULES
def test_no_file_that_a_probe_can_import_leads_to_a_judge(module: Module) -> None:
    """Read from the text, so that an import inside of a function counts as well."""
    ways = reach(module.lab / "exercises.py")
    assert [" → ".join(way) for name, way in ways.items() if name in KEPT_AWAY] == []


@pytest.mark.parametrize(
    "line",
    [
        "from . import judges",
        "from .judges import judge",
        "import judges",
        "def probe():\n    from .helper import x",
        'load_lab_file(LAB, "judges")',
        'importlib.import_module(f"{__package__}.judges")',
        'runpy.run_path(HERE / "judges.py")',
        "module.judges",
    ],
)
def test_a_way_to_the_judges_is_found(line: str, tmp_path: Path) -> None:
    for name, text in {
        "exercises": line,
        "helper": "from . import judges",
        "judges": "",
        "other": "",
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    ways = reach(tmp_path / "exercises.py")
    assert "judges" in ways
    assert "other" not in ways


def test_an_exercise_may_be_called_like_a_file(tmp_path: Path) -> None:
    (tmp_path / "exercises.py").write_text('@exercise("drill")\ndef probe(): ...\n')
    (tmp_path / "drill.py").touch()
    assert set(reach(tmp_path / "exercises.py")) == {"exercises"}


def parameters(function: object) -> int | None:
    """How many positional arguments a call of a function needs; None when it is no plain function."""
    if not inspect.isfunction(function):
        return None
    kinds = inspect.signature(function).parameters.values()
    return sum(
        one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
        for one in kinds
    )


TRY = """
import contextlib, importlib, io, json, sys
from pathlib import Path
from flightschool.curriculum import load_lab_file, module
from flightschool.data import World
from flightschool.learn.evidence import plain
from security.test_split import parameters

asked, seed, wanted = module(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])
found = {}
for name in sys.argv[4:]:
    for called, function in list(vars(load_lab_file(asked.lab, name)).items()):
        if getattr(function, "__module__", "").endswith(f"{asked.id}.{name}"):
            for id, needs in wanted.items():
                if parameters(function) == needs:
                    with contextlib.suppress(BaseException), contextlib.redirect_stdout(io.StringIO()):
                        found[f"{id} {name}.{called}"] = plain(asked.exercises[id].probe(function, World(seed)))
print()
print(json.dumps(found))
"""


@pytest.mark.slow
@MODULES
def test_no_function_in_a_probes_reach_is_an_answer(module: Module, graded_home: Path) -> None:
    """Where a function is asked for, each one that the probe's imports bring along is handed in as the answer."""
    seed = 7
    wanted = {
        fixture.exercise: needs
        for fixture in fixtures(module.id)
        if fixture.kind == "passing" and (needs := parameters(fixture.answer(World(seed)))) is not None
    }
    names = [name for name in reach(module.lab / "exercises.py") if name not in KEPT_AWAY]
    tried = python(TRY, graded_home, module.id, str(seed), json.dumps(wanted), *names)
    passed = [
        what
        for what, evidence in tried.items()
        if module.judges[what.split()[0]](evidence, World(seed)).outcome is Outcome.PASSED
    ]
    assert passed == []


def test_an_answer_in_reach_is_found(tmp_path: Path) -> None:
    lab = tmp_path / "labs" / "14_leaking"
    lab.mkdir(parents=True)
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "14_leaking.py").touch()
    (lab / "exercises.py").write_text(
        "from flightschool.curriculum import exercise\n"
        "from . import helper\n"
        '@exercise("q1", title="Doubled", points=1, hints=("a", "b"))\n'
        "def double(answer, world):\n"
        "    return answer(world.seed)\n"
    )
    (lab / "helper.py").write_text(
        "def reference(x):\n    return 2 * x\ndef two(x, y): ...\ndef bad(x):\n    raise SystemExit\n"
    )
    names = reach(lab / "exercises.py")
    tried = python(TRY, tmp_path, "14_leaking", "7", json.dumps({"q1": 1}), *names)
    assert tried == {"q1 helper.reference": 14}
