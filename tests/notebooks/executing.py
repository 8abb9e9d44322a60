"""How the notebooks are executed here: by stock tools, in a process of their own, with state of their own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat

from flightschool import paths

Tool = Callable[..., subprocess.CompletedProcess[str]]


@contextmanager
def stock_tool() -> Iterator[Tool]:
    """Runs a Python tool (`tool("pytest", …)`) in the checkout, as a learner would."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    # Not tmp_path: sockets live in the state folder, and their paths must be short.
    with tempfile.TemporaryDirectory(prefix="fs", ignore_cleanup_errors=True) as state:
        environment["FLIGHTSCHOOL_STATE"] = state

        def run(*arguments: object) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", *map(str, arguments)]
            return subprocess.run(
                command, cwd=paths.ROOT, env=environment, capture_output=True, text=True, timeout=1800
            )

        yield run


def by_papermill(tool: Tool, notebook: Path, folder: Path, *options: str) -> nbformat.NotebookNode:
    """The notebook as papermill executes it from top to bottom; fails when a cell raises."""
    result = folder / "executed.ipynb"
    done = tool("papermill", notebook, result, "--no-progress-bar", "--no-log-output", *options)
    assert done.returncode == 0, f"{notebook.name}\n{done.stdout[-4000:]}\n{done.stderr[-8000:]}"
    return nbformat.read(result, as_version=4)
