"""The steps from a source to a notebook, each small, in the order in which they run.

A step changes the page in place, or notes a problem; it never raises for an author's mistake, so that all
problems of a file are told at once.
"""

import ast
import hashlib
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import nbformat
from IPython.core.inputtransformer2 import TransformerManager

from flightschool.i18n import _
from flightschool.publish import shelf
from flightschool.publish.source import UNREADABLE, Page

Step = Callable[[Page], None]

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
CHECK = "-check"
EXERCISE_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,50}")

OPTIONS = {"exercise", "check", "tags"}
# What jupytext itself writes beside them: a heading after `# %%`, a magic's language, its own bookkeeping.
JUPYTEXT_OPTIONS = {"title", "cell_marker", "lines_to_next_cell", "lines_to_end_of_cell_marker"}

# Close to a marker, yet not one: published as it stands it would give the solution away.
LIKE_A_MARKER = re.compile(r"#\W*(begin|end)\W*solutions?\b", re.IGNORECASE)


def check_options(page: Page) -> None:
    """Cells carry only options that we know, and exactly one of them is tagged `parameters`."""
    parameters = []
    for index, cell in enumerate(page.notebook.cells):
        if UNREADABLE in cell.metadata:
            page.report(index, _('cell options can\'t be read: write them as exercise="q1" tags=["x"]'), -1)
            continue
        for option in sorted(set(cell.metadata) - OPTIONS - JUPYTEXT_OPTIONS):
            page.report(index, _("unknown cell option {option}").format(option=option), -1)
        if "parameters" in cell.metadata.get("tags", []):
            parameters.append(index)
    if not parameters and page.notebook.cells:
        page.report(
            0, _('no cell is tagged as parameters: add `# %% tags=["parameters"]` with `seed = 0`'), -1
        )
    for index in parameters[1:]:
        page.report(index, _("a second cell is tagged as parameters: papermill reads only one"), -1)


def check_syntax(page: Page) -> None:
    """Every code cell is what IPython can compile, magics included."""
    for index, cell in enumerate(page.notebook.cells):
        if cell.cell_type == "code" and isinstance(tree := _parse(cell.source), SyntaxError):
            page.report(index, _("this does not parse: {why}").format(why=tree.msg), (tree.lineno or 1) - 1)


def mark_exercises(page: Page) -> None:
    """Cells with `exercise=` and `check=` get nbgrader's metadata (schema 3); check cells are locked.

    nbgrader's fields: https://nbgrader.readthedocs.io/en/stable/contributor_guide/metadata.html
    """
    cells = page.notebook.cells
    found: dict[str, dict[str, int]] = {"exercise": {}, "check": {}}
    for index, cell in enumerate(cells):
        for role, seen in found.items():
            name = cell.metadata.get(role)
            if name is None:
                continue
            if not isinstance(name, str) or not EXERCISE_ID.fullmatch(name) or name.endswith(CHECK):
                page.report(
                    index,
                    _("{name!r} can't be an exercise's id: take letters and digits, as q1").format(name=name),
                    -1,
                )
            elif cell.cell_type != "code":
                page.report(index, _("{role} {name} must be a code cell").format(role=role, name=name), -1)
            elif name in seen:
                page.report(
                    index,
                    _("a second cell says {role}={name}: ids are unique").format(role=role, name=name),
                    -1,
                )
            else:
                seen[name] = index
        if {"exercise", "check"} <= set(cell.metadata):
            page.report(index, _("a cell is either an exercise or a check, not both"), -1)

    exercises, checks = found["exercise"], found["check"]
    for name, index in exercises.items():
        if name not in page.points:
            page.report(
                index,
                _("exercise {name} is not declared in labs/{module}/exercises.py").format(
                    name=name, module=page.name
                ),
                -1,
            )
        if name not in checks:
            page.report(
                index,
                _('exercise {name} has no check cell: add `# %% check="{name}"` after it').format(name=name),
                -1,
            )
        elif checks[name] < index:
            page.report(
                checks[name], _("the check of {name} stands before the exercise").format(name=name), -1
            )
        cells[index].metadata["nbgrader"] = _nbgrader(name, solution=True)
    for name, index in checks.items():
        if name not in exercises:
            page.report(
                index,
                _('check {name} has no exercise cell: add `# %% exercise="{name}"` before it').format(
                    name=name
                ),
                -1,
            )
        metadata = cells[index].metadata
        metadata["nbgrader"] = _nbgrader(name + CHECK, solution=False) | {"points": page.points.get(name, 0)}
        metadata["deletable"] = metadata["editable"] = False
    if cells:
        for name in sorted(set(page.points) - set(exercises)):
            page.report(
                0,
                _("exercise {name} of labs/{module}/exercises.py has no cell here").format(
                    name=name, module=page.name
                ),
                -1,
            )


def _nbgrader(grade_id: str, *, solution: bool) -> dict[str, Any]:
    return {
        "schema_version": 3,
        "grade_id": grade_id,
        "grade": not solution,
        "solution": solution,
        "locked": not solution,
        "task": False,
    }


def check_markers(page: Page) -> None:
    """Solution markers come in pairs, one after the other, in exercise cells and nowhere else."""
    for index, cell in enumerate(page.notebook.cells):
        opened: int | None = None
        pairs = 0
        for line, text in enumerate(cell.source.split("\n")):
            marker = text.strip()
            if not LIKE_A_MARKER.search(marker):
                continue
            if cell.cell_type != "code":
                page.report(index, _("a solution marker in a text cell: it has no meaning there"), line)
            elif marker not in (BEGIN, END):
                page.report(
                    index,
                    _("write a solution marker exactly as `{begin}` or `{end}`").format(begin=BEGIN, end=END),
                    line,
                )
            elif "exercise" not in cell.metadata:
                page.report(
                    index, _('a solution marker outside of an exercise cell: `# %% exercise="q1"`'), line
                )
            elif marker == BEGIN and opened is not None:
                page.report(
                    index,
                    _("{begin} inside of a solution: end the one above first").format(begin=BEGIN),
                    line,
                )
            elif marker == END and opened is None:
                page.report(index, _("{end} without a {begin} above it").format(begin=BEGIN, end=END), line)
            else:
                opened = line if marker == BEGIN else None
                pairs += marker == END
        if opened is not None:
            page.report(
                index,
                _("{begin} is never ended in this cell: add {end}").format(begin=BEGIN, end=END),
                opened,
            )
        elif "exercise" in cell.metadata and cell.cell_type == "code" and not pairs:
            page.report(
                index,
                _("an exercise cell without a solution: put it between {begin} and {end}").format(
                    begin=BEGIN, end=END
                ),
                -1,
            )


def identify(page: Page) -> None:
    """Cell ids: an exercise's own id, else the kind of the cell and a hash of its English text.

    So an id stays when other cells change, and is the same in all languages and in the solution. Cells with equal
    text are counted.
    """
    taken: set[str] = set()
    for cell in page.notebook.cells:
        if "nbgrader" in cell.metadata:
            cell.id = cell.metadata["nbgrader"]["grade_id"]
            taken.add(cell.id)
    for cell in page.notebook.cells:
        if "nbgrader" in cell.metadata:
            continue
        kind = "text" if cell.cell_type == "markdown" else cell.cell_type
        stem = f"{kind}-{hashlib.sha256(cell.source.encode()).hexdigest()[:8]}"
        cell.id, count = stem, 1
        while cell.id in taken:
            count += 1
            cell.id = f"{stem}-{count}"
        taken.add(cell.id)


def translate(page: Page) -> None:
    """Text cells in the reader's language; a cell without a translation stays English."""
    for cell in page.notebook.cells:
        if cell.cell_type == "markdown" and cell.source.strip():
            cell.source = page.translate(cell.source)


def point_to_terms(page: Page) -> None:
    """Links to the glossary, `glossary.ipynb#term`, name the term's cell as JupyterLab wants it; a heading it finds only when it is on the screen."""
    for cell in page.notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = cell.source.replace("](glossary.ipynb#", "](glossary.ipynb#cell-id=")


def clear_solutions(page: Page) -> None:
    """What stands between the markers becomes a stub that runs."""
    _ = page.tooling
    comment = "# " + _("Your code here")
    for index, cell in enumerate(page.notebook.cells):
        if cell.cell_type != "code" or BEGIN not in cell.source:
            continue
        parts = list(_parts(cell.source))
        stubs = [f"...  {comment}"] * sum(solution for solution, _text in parts)

        def stubbed(parts: list[tuple[bool, str]] = parts, stubs: list[str] = stubs) -> str:
            rest = iter(stubs)
            return "\n".join(text + next(rest) if solution else text for solution, text in parts)

        # A comment reads better than an ellipsis, wherever the cell stays whole with it.
        for region in range(len(stubs)):
            stubs[region] = comment
            if not _stands(stubbed()):
                stubs[region] = f"...  {comment}"
        if isinstance(_parse(stubbed()), SyntaxError):
            page.report(index, _not_standing(), _first_marker(cell.source))
            continue
        cell.source = stubbed()


def _not_standing() -> str:
    return _("without its solution this cell does not parse: put the markers around whole statements")


def _first_marker(source: str) -> int:
    return next(line for line, text in enumerate(source.split("\n")) if text.strip() == BEGIN)


def _parts(source: str) -> Iterator[tuple[bool, str]]:
    """The lines to keep, each as (False, line), and for each solution (True, its indent)."""
    inside = False
    for line in source.split("\n"):
        marker = line.strip()
        if marker == BEGIN:
            inside = True
            yield True, line[: len(line) - len(line.lstrip())]
        elif marker == END:
            inside = False
        elif not inside:
            yield False, line


def _stands(source: str) -> bool:
    """Whether it parses, and leaves no function or class whose body is its docstring alone."""
    tree = _parse(source)
    return not isinstance(tree, SyntaxError) and not any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and len(node.body) == 1
        and ast.get_docstring(node, clean=False) is not None
        for node in ast.walk(tree)
    )


def _parse(source: str) -> ast.Module | SyntaxError:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            python = TransformerManager().transform_cell(source)  # type: ignore[no-untyped-call]
            flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            tree: ast.Module = compile(python, "<cell>", "exec", flags, dont_inherit=True)
    except SyntaxError as error:
        return error
    except ValueError as error:  # null bytes
        return SyntaxError(str(error))
    return tree


def tidy(page: Page) -> None:
    """No outputs, no counters, no trace of the author's machine; the same notebook metadata everywhere."""
    kept = {"tags", "nbgrader", "deletable", "editable"}
    for cell in page.notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key in kept}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    page.notebook.nbformat, page.notebook.nbformat_minor = 4, 5
    page.notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {
            "name": "python",
            "file_extension": ".py",
            "mimetype": "text/x-python",
            "pygments_lexer": "ipython3",
        },
        "flightschool": {"source": page.file, "language": page.language, shelf.DIGEST: shelf.UNSIGNED},
    }


# Order matters: ids come from the English text, so `identify` precedes `translate`; markers are judged before anything is
# cut at them; `tidy` drops the options that the others read, so it is last.
SOLUTION: tuple[Step, ...] = (
    check_options,
    check_syntax,
    mark_exercises,
    check_markers,
    identify,
    translate,
    point_to_terms,
    tidy,
)
LEARNER: tuple[Step, ...] = (*SOLUTION[:-1], clear_solutions, tidy)
TEXT: tuple[Step, ...] = (translate, tidy)
"""For a page of text that names its cells itself."""


def run(page: Page, steps: tuple[Step, ...]) -> bytes | None:
    """Put a page through the steps: the notebook's bytes, signed; None when `page.problems` says why not."""
    for step in steps:
        if step is clear_solutions and page.problems:
            return None
        step(page)
    if page.problems:
        return None
    nbformat.validate(page.notebook)
    return shelf.sign(shelf.serialise(page.notebook))
