"""The stage: a copy of the course without anything that knows an answer, for the process in which a submission runs."""

import ast
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from flightschool import paths
from flightschool.curriculum import Module
from flightschool.data.writing import atomic
from flightschool.i18n import language

HIDDEN = frozenset({"judges", "drill"})
"""What of a lab knows the reference answers, or what a drill has broken."""
LEFT_OUT = frozenset({"__pycache__", "target", "logs"})


def build(module: Module, folder: Path | None = None) -> Path:
    """The stage of a module, made when it is not there yet: labs/, datasets/ (a link), solutions/ (empty sources, translations).

    It is named by what it holds, so an edited lab gets a stage of its own.
    """
    folder = folder or paths.STATE / "stages"
    content = dict(_content(module))
    digest = hashlib.sha256(os.fsencode(paths.DATASETS))
    for name in sorted(content):
        digest.update(json.dumps([name, len(content[name])]).encode() + content[name])
    stage = folder / digest.hexdigest()[:20]
    if stage.is_dir():
        return stage
    folder.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix="making-", dir=folder))
    try:
        for name, data in content.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (made / "datasets").symlink_to(paths.DATASETS)
        for path in (made, *made.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() else 0o644)  # a run is another user's
        made.rename(stage)
    except OSError:
        if not stage.is_dir():  # else another worker was faster
            raise
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return stage


class Listed(NamedTuple):
    """What a mark says of its exercise."""

    id: str
    title: str
    points: float


def catalogue(module: Module, stage: Path) -> dict[str, Listed]:
    """The exercises by id, as in `module.exercises`, kept beside the module's stage: to load them takes pandas, and most of a worker's start."""
    kept = stage.with_name(f"{stage.name}-{language()}.json")
    try:
        found = [Listed(*one) for one in json.loads(kept.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        found = [Listed(one.id, one.title, one.points) for one in module.exercises.values()]
        with atomic(kept) as file:
            file.write(json.dumps(found).encode())
    return {one.id: one for one in found}


def hidden(module: Module) -> frozenset[str]:
    """The names of the lab's Python files that a submission may not see.

    Judges and drill, and what only they import: neither the notebook nor a file that can be seen does.
    """
    files = {path.stem: path for path in module.lab.glob("*.py")}
    imports = {
        stem: _imports(path.read_text(encoding="utf-8")) & files.keys() for stem, path in files.items()
    }
    away = set(HIDDEN & files.keys())
    suspects = set(_reached(away, imports)) - away
    suspects.discard("exercises")  # loaded by its name
    public = (files.keys() - away - suspects) | (_imports(_notebook_code(module)) & files.keys() - away)
    seen = set(_reached(public, imports))
    if leak := seen & away:
        raise ValueError(f"{module.id}: {', '.join(sorted(leak))} is imported by what a learner sees")
    return frozenset(away | (suspects - seen))


def libraries(module: Module) -> frozenset[str]:
    """First names of all that the notebook and the lab's visible files import: what is worth having warm."""
    away = hidden(module)
    code = [path.read_text(encoding="utf-8") for path in module.lab.glob("*.py") if path.stem not in away]
    return frozenset().union(*map(_imports, [_notebook_code(module), *code]))


def _reached(start: Iterable[str], imports: dict[str, set[str]]) -> Iterator[str]:
    todo, done = list(start), set(start)
    while todo:
        one = todo.pop()
        yield one
        todo += imports[one] - done
        done |= imports[one]


def _imports(code: str) -> set[str]:
    """First names of all that a piece of Python imports, relative or not."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.module:
                found.add(node.module.split(".")[0])
            else:
                found |= {alias.name for alias in node.names}
    return found


def _notebook_code(module: Module) -> str:
    """The code of the learner notebook, without lines that only IPython understands."""
    notebook = json.loads((paths.NOTEBOOKS / f"{module.id}.ipynb").read_text(encoding="utf-8"))
    kept = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            code = "".join(cell["source"])
            try:
                ast.parse(code)
            except SyntaxError:  # magics
                code = "\n".join(line for line in code.splitlines() if line.startswith(("import ", "from ")))
            kept.append(code)
    return "\n".join(kept)


def _content(module: Module) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file of the stage."""
    away = {module.lab / f"{stem}.py" for stem in hidden(module)}
    for root in (module.lab, module.labs / "etl"):
        for path in sorted(root.rglob("*")):
            inside = path.relative_to(module.labs)
            if path.is_file() and path not in away and not LEFT_OUT & set(inside.parts):
                yield f"labs/{inside}", path.read_bytes()
    yield f"solutions/{module.id}.py", b""
    locale = module.solutions / "locale"
    for path in sorted(locale.glob("*/*.po")):
        yield f"solutions/locale/{path.relative_to(locale)}", path.read_bytes()
