"""Each learner notebook runs untouched: nothing raises, every check says that it was not attempted."""

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import nbformat
import pytest
from notebooks.outputs import complaints, verdicts

from flightschool import paths
from flightschool.curriculum import Module, modules

NOTEBOOKS = pytest.mark.parametrize("module", modules(), ids=lambda module: module.id)


@pytest.mark.slow
@NOTEBOOKS
def test_an_untouched_notebook_passes_nbval(
    module: Module, tool: Callable[..., CompletedProcess[str]]
) -> None:
    notebook = paths.NOTEBOOKS / f"{module.id}.ipynb"
    code = sum(cell.cell_type == "code" for cell in nbformat.read(notebook, as_version=4).cells)
    done = tool("pytest", "--nbval-lax", notebook.relative_to(paths.ROOT))
    assert done.returncode == 0, done.stdout[-8000:]
    assert re.search(rf"\b{code} passed\b", done.stdout), done.stdout[-2000:]


@pytest.mark.slow
@NOTEBOOKS
def test_an_untouched_notebook_was_not_attempted(
    module: Module, papermill: Callable[[Path], nbformat.NotebookNode]
) -> None:
    executed = papermill(paths.NOTEBOOKS / f"{module.id}.ipynb")
    assert verdicts(executed) == dict.fromkeys(module.exercises, "not_attempted")
    assert complaints(executed) == []
