"""Each learner notebook runs untouched: nothing raises, every check says that it was not attempted."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import nbformat
import pytest
from notebooks.executing import Tool, by_papermill, stock_tool
from notebooks.fidelity import same
from notebooks.outputs import complaints, verdicts

from flightschool import paths
from flightschool.curriculum import Module, modules
from flightschool.engine import warm

NOTEBOOKS = pytest.mark.parametrize("module", modules(), ids=lambda module: module.id)


@pytest.mark.slow
@NOTEBOOKS
def test_an_untouched_notebook_passes_nbval(module: Module, tool: Tool) -> None:
    notebook = paths.NOTEBOOKS / f"{module.id}.ipynb"
    code = sum(cell.cell_type == "code" for cell in nbformat.read(notebook, as_version=4).cells)
    done = tool("pytest", "--nbval-lax", notebook.relative_to(paths.ROOT))
    assert done.returncode == 0, done.stdout[-8000:]
    assert re.search(rf"\b{code} passed\b", done.stdout), done.stdout[-2000:]


@pytest.fixture(scope="module")
def in_its_kernel(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Module], nbformat.NotebookNode]:
    """The untouched notebook as stock papermill executes it; each once."""

    @cache
    def executed(module: Module) -> nbformat.NotebookNode:
        with stock_tool() as tool:
            return by_papermill(
                tool, paths.NOTEBOOKS / f"{module.id}.ipynb", tmp_path_factory.mktemp("kernel")
            )

    return executed


@pytest.mark.slow
@NOTEBOOKS
def test_an_untouched_notebook_was_not_attempted(
    module: Module, in_its_kernel: Callable[[Module], nbformat.NotebookNode]
) -> None:
    executed = in_its_kernel(module)
    assert verdicts(executed) == dict.fromkeys(module.exercises, "not_attempted")
    assert complaints(executed) == []


@pytest.mark.slow
@pytest.mark.skipif(warm.missing() is not None, reason=f"no warm processes: {warm.missing()}")
@NOTEBOOKS
def test_the_engine_gives_what_the_kernel_gives(
    module: Module,
    in_its_kernel: Callable[[Module], nbformat.NotebookNode],
    tool: Tool,
    tmp_path: Path,
) -> None:
    source = paths.NOTEBOOKS / f"{module.id}.ipynb"
    warmed = by_papermill(tool, source, tmp_path, "--engine", "flightschool")
    same(in_its_kernel(module), warmed)
