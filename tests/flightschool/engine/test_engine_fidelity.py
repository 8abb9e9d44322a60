"""A notebook gives in a fork of the warm process what it gives in its kernel: executed both ways, cell by cell."""

import io
import json
import os
import pprint
import re
from contextlib import suppress
from difflib import unified_diff
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError

from flightschool import curriculum, paths, publish
from flightschool.engine import warm
from flightschool.engine.papermill import FlightSchoolEngine
from flightschool.engine.runner import kernel_environment

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(warm.missing() is not None, reason=f"no warm processes: {warm.missing()}"),
]
papermill_engines.register("flightschool", FlightSchoolEngine)

CELLS = [
    "import sys, os, time\nprint('one'); print('err', file=sys.stderr); print('two')\n3",
    "In, Out, _, __name__, _i",
    "Out[1] + 1; _ * 2",
    "!echo shell; echo more\nx = !echo captured\nx",
    "%%bash\necho in bash; echo bad >&2; exit 0",
    "%time pass\nfor n in range(3): print(n, end=' ', flush=True)",
    "%%capture got\nprint('hidden')",
    "got.stdout",
    "import asyncio, time\nawait asyncio.sleep(0.01)\n'awaited'",
    "asyncio.get_running_loop().is_running()",
    "task = asyncio.create_task(asyncio.sleep(0, 'done'))",
    "await task",
    "async def agen():\n    yield 1\n[n async for n in agen()]",
    "from IPython.display import *\ndisplay(HTML('<b>b</b>'), Markdown('*m*'), {'plain': 1})",
    "handle = display('first', display_id='here'); handle.update('second')",
    "update_display('third', display_id='here'); print('kept')",
    "print('gone'); clear_output(); print('stays')",
    "print('gone'); clear_output(wait=True); print('stays')",
    "class Bundle:\n    def _repr_mimebundle_(self, include=None, exclude=None): return {'text/plain': 'p', 'application/x+json': {'n': 1}}, {'application/x+json': {'m': 2}}\nBundle()",
    "class Shown:\n    def _ipython_display_(self): print('displayed itself')\nShown()",
    "class Html:\n    def _repr_html_(self): return '<i>x</i>'\n    def __repr__(self): return 'X'\n[Html()], display(Html())",
    "class Bad:\n    def _repr_html_(self): raise ValueError('in a repr')\n    def __repr__(self): return 'B'\nBad()",
    "display({'application/json': {'nan': float('nan'), 'n': [1, None]}}, raw=True)",
    "display(Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + b'0' * 20, format='png'))",
    "os.system('echo system'); time.sleep(0.3); print('after')",
    "import subprocess; subprocess.run(['sh', '-c', 'echo child; echo childerr >&2']); time.sleep(0.3)",
    "sys.stdout.write('no newline'); sys.stdout.flush()",
    "print('ünï 🛫', '\\r', 'tab\\t')",
    "import warnings; warnings.warn('careful')",
    "import logging; logging.warning('logged')",
    "import pandas as pd\npd.DataFrame({'a': [1, 2], 'b': ['x', None]}).describe()",
    "pd.Series([1.5, None], name='s')",
    "import numpy as np; np.arange(4.0)",
    "import duckdb; duckdb.sql('select 42 as answer').df()",
    "import pyarrow as pa; pa.table({'a': [1]})",
    "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2])",
    "plt.plot([3, 1]); plt.show(); print('after show')",
    "%matplotlib inline\n%config InlineBackend.figure_format = 'svg'\nplt.figure(figsize=(1, 1));",
    "print?",
    "%who_ls str",
    "get_ipython().__class__.__name__, hasattr(sys.stdout, 'fileno'), sys.stdout.isatty(), sys.stdin.read()",
    "os.environ['TERM'], os.environ['MPLBACKEND'], os.environ['FORCE_COLOR']",
    "from multiprocessing import get_context\np = get_context('fork').Process(target=print, args=('from a fork',)); p.start(); p.join(); time.sleep(0.3)",
    "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor(1) as pool: pool.submit(print, 'from a thread').result()",
    "import getpass\nfor ask in input, getpass.getpass:\n    try: ask('?')\n    except Exception as e: print(type(e).__name__, e)",
    "import tqdm.auto; list(tqdm.auto.tqdm(range(2), file=sys.stdout, bar_format='{n}'))",
    "del pd; 'pd' in globals()",
    "%run no_such_file",
    "%nomagic",
]
FAILING = [
    "def f(a):\n    return g(a)\n\ndef g(a):\n    return 1 / a\nf(0)",
    "this is no python",
    "import no_such_module",
    "raise KeyError('k')",
    "raise ExceptionGroup('both', [ValueError(1), TypeError('x')])",
    "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise RuntimeError('second') from e",
    "sys.exit(3)",
    "await no_such_name",
    "def r(): return r()\ntry: r()\nexcept RecursionError as e: raise RuntimeError(str(e)) from None",
    "class E(Exception):\n    def _render_traceback_(self): return ['own', 'lines']\nraise E('x')",
    "assert False, 'message'",
    "raise KeyboardInterrupt",
]


def notebook(path: Path) -> None:
    """A notebook of cells that use all that a kernel offers."""
    new = nbformat.v4.new_code_cell
    cells = [new(cell, metadata={"tags": ["raises-exception"]}) for cell in CELLS + FAILING]
    kernel = {"name": "python3", "language": "python", "display_name": "Python 3"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)


def both(source: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any]:
    """The notebook as executed in its kernel, and in a fork of the warm process."""
    executed = []
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # under it ipykernel leaves file descriptors 1 and 2 alone
    for name, engine in (("kernel", None), ("warm", "flightschool")):
        work = folder / name
        work.mkdir()
        for variable, value in kernel_environment(work / "settings").items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setenv("FLIGHTSCHOOL_STATE", str(work / "state"))
        out = work / "out.ipynb"
        with suppress(PapermillExecutionError):  # of a cell that may raise: papermill tells of these, too
            papermill.execute_notebook(
                source, out, engine_name=engine, progress_bar=False, cwd=work, start_timeout=180
            )
        executed.append(nbformat.read(out, 4))
    return executed[0], executed[1]


MUST_DIFFER = [
    (re.compile(r"/(?:kernel|warm)/"), "/FOLDER/"),
    (re.compile(r"\S*/ipykernel_\d+/\d+\.py"), "CELL.py"),
    (re.compile(r"0x[0-9a-f]{6,}"), "ADDRESS"),
    (re.compile(r"\(\d+ times\)"), "(MANY times)"),
    (re.compile(r"\d+(\.\d+)?(e\+\d+)? ?(ns|μs|µs|us|ms|s|min)\b"), "DURATION"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"), "TIME"),
    (re.compile(r"(state/work/\w+)-\d+-\w{8}\b"), r"\1"),
    (re.compile(r"Milliseconds a day: .*"), "DURATIONS"),
    (re.compile(r"bytes [0-9a-f]{12}\b"), "bytes DIGEST"),  # module 01: of a file with the time of its making
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "UUID"),
]


def normal(value: Any) -> Any:
    """An output without what must differ from run to run: times, paths, addresses, ids, the bytes of images."""
    if isinstance(value, str):
        for pattern, instead in MUST_DIFFER:
            value = pattern.sub(instead, value)
        # a time with and one without a fraction pad a table differently
        return re.sub(" +", " ", value) if "TIME" in value else value
    if isinstance(value, list):
        return [normal(one) for one in value]
    if isinstance(value, dict):
        return {
            key: "IMAGE" if key in ("image/png", "image/svg+xml") else normal(one)
            for key, one in value.items()
        }
    return value


def outputs(cell: Any) -> Any:
    """What a cell put out, in order; what is printed in a row is joined, as a kernel's flushes split it by chance.

    stderr comes through a pipe of its own, so where it stands among the rest is chance in a kernel: it is taken apart.
    """
    rest: list[Any] = []
    errors = ""
    for output in cell.get("outputs", []):
        if output.get("name") == "stderr":
            errors += output.text
        elif output.get("name") == "stdout" and rest and rest[-1].get("name") == "stdout":
            rest[-1]["text"] += output.text
        else:
            rest.append(dict(output))
    return normal(json.loads(json.dumps(rest))), normal(errors), cell.get("execution_count")


def same(kernel: Any, warmed: Any) -> None:
    """Fail with all cells that differ."""
    differing = io.StringIO()
    cells = [cell for cell in warmed.cells if "papermill-error-cell-tag" not in cell.metadata.get("tags", [])]
    expected = [
        cell for cell in kernel.cells if "papermill-error-cell-tag" not in cell.metadata.get("tags", [])
    ]
    assert len(cells) == len(expected)
    for one, other in zip(expected, cells, strict=True):
        if outputs(one) != outputs(other):
            lines = [pprint.pformat(outputs(cell), width=160).splitlines() for cell in (one, other)]
            differing.write(f"\n--- {one.source}\n" + "\n".join(unified_diff(*lines, "kernel", "warm", n=0)))
        assert set(one.metadata.get("execution", {})) == set(other.metadata.get("execution", {}))
    assert not differing.getvalue(), differing.getvalue()
    assert kernel.metadata.language_info == warmed.metadata.language_info


def test_all_that_a_kernel_offers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook(tmp_path / "in.ipynb")
    kernel, warmed = both(tmp_path / "in.ipynb", tmp_path, monkeypatch)
    same(kernel, warmed)
    assert sum(bool(cell.get("outputs")) for cell in warmed.cells) > 50  # they ran, and did put out


MODULES = os.environ.get("FLIGHTSCHOOL_FIDELITY", "01_dataops_intro").split(",")
"""Ids of the modules that are compared; each costs its running time twice."""


@pytest.mark.parametrize("which", ["solution", "learner"])
@pytest.mark.parametrize("module", MODULES)
def test_a_module(module: str, which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / f"{module}.ipynb"
    if which == "solution":
        source.write_bytes(publish.solution_notebook(curriculum.module(module)))
    else:
        source.write_bytes((paths.NOTEBOOKS / source.name).read_bytes())
    same(*both(source, tmp_path, monkeypatch))
