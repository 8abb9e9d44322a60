"""Each solution runs from top to bottom, passes all its checks and warns of nothing.

They are executed once, by the README's command, which uses stock papermill and keeps what came out.
"""

import subprocess

import nbformat
import pytest
from notebooks.outputs import complaints, verdicts

from flightschool import paths
from flightschool.curriculum import Module, modules


@pytest.fixture(scope="session")
def executed() -> dict[str, nbformat.NotebookNode]:
    done = subprocess.run(["make", "run"], cwd=paths.ROOT, capture_output=True, text=True, timeout=3600)
    assert done.returncode == 0, f"{done.stdout[-8000:]}\n{done.stderr[-8000:]}"
    return {
        module.id: nbformat.read(paths.BUILD / "run" / f"{module.id}.ipynb", as_version=4)
        for module in modules()
    }


@pytest.mark.slow
@pytest.mark.parametrize("module", modules(), ids=lambda module: module.id)
def test_a_solution_passes_every_check(module: Module, executed: dict[str, nbformat.NotebookNode]) -> None:
    notebook = executed[module.id]
    assert verdicts(notebook) == dict.fromkeys(module.exercises, "passed")
    assert complaints(notebook) == []
    assert (paths.BUILD / "run" / f"{module.id}.html").is_file()
