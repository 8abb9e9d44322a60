"""A notebook gives in a fork of the warm process what it gives in its kernel: executed both ways, cell by cell."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from notebooks.fidelity import same
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError

from flightschool import curriculum, publish
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


def test_all_that_a_kernel_offers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook(tmp_path / "in.ipynb")
    kernel, warmed = both(tmp_path / "in.ipynb", tmp_path, monkeypatch)
    same(kernel, warmed)
    assert sum(bool(cell.get("outputs")) for cell in warmed.cells) > 50  # they ran, and did put out


@pytest.mark.slow
def test_a_solution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Learner notebooks are compared where they are executed anyway, in tests/notebooks."""
    source = tmp_path / "01_dataops_intro.ipynb"
    source.write_bytes(publish.solution_notebook(curriculum.module("01")))
    same(*both(source, tmp_path, monkeypatch))
