"""Each solution runs from top to bottom, passes all its checks and warns of nothing."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from notebooks.outputs import complaints, verdicts

from flightschool.curriculum import Module, modules
from flightschool.publish import solution_notebook


@pytest.mark.slow
@pytest.mark.parametrize("module", modules(), ids=lambda module: module.id)
def test_a_solution_passes_every_check(
    module: Module, papermill: Callable[[Path], nbformat.NotebookNode], tmp_path: Path
) -> None:
    notebook = tmp_path / f"{module.id}.ipynb"
    notebook.write_bytes(solution_notebook(module))
    executed = papermill(notebook)
    assert verdicts(executed) == dict.fromkeys(module.exercises, "passed")
    assert complaints(executed) == []
