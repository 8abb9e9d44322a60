"""The papermill engine: what it does as papermill, what it survives, and what it leaves behind (nothing)."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import papermill
import psutil
import pytest
from papermill.engines import papermill_engines
from papermill.exceptions import PapermillExecutionError, strip_color

from flightschool.engine import sandbox, warm
from flightschool.engine.papermill import FlightSchoolEngine
from flightschool.engine.parameters import HIDDEN, UnknownParameters
from flightschool.engine.sandbox import stem, warden
from flightschool.errors import FlightSchoolError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(warm.missing() is not None, reason=f"no warm processes: {warm.missing()}"),
]

papermill_engines.register("flightschool", FlightSchoolEngine)

PYTHON3 = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
Run = Callable[..., Any]


def parameters(source: str) -> Any:
    """A cell tagged `parameters`."""
    return nbformat.v4.new_code_cell(source, metadata={"tags": ["parameters"]})


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Execute a notebook of these cells; the output notebook, with `.error` what papermill raised."""

    def call(*cells: Any, metadata: dict[str, Any] | None = None, **options: Any) -> Any:
        made = [nbformat.v4.new_code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
        book = nbformat.v4.new_notebook(cells=made, metadata={**PYTHON3, **(metadata or {})})
        nbformat.write(book, tmp_path / "in.ipynb")
        error = None
        try:
            papermill.execute_notebook(
                tmp_path / "in.ipynb",
                tmp_path / "out.ipynb",
                engine_name="flightschool",
                progress_bar=False,
                cwd=tmp_path,
                **options,
            )
        except PapermillExecutionError as caught:
            error = caught
        found = nbformat.read(tmp_path / "out.ipynb", 4)
        nbformat.validate(found)
        found.cells = [cell for cell in found.cells if cell.cell_type == "code"]
        object.__setattr__(found, "error", error)
        return found

    return call


def text(cell: Any) -> str:
    """What a cell printed and gave."""
    return "".join(one.get("text") or one.get("data", {}).get("text/plain", "") for one in cell.outputs)


def nothing_left() -> bool:
    """Whether no notebook's process is below the template; a short while is given to the kernel of the system."""
    for _ in range(100):
        below = psutil.Process(warm.template().process.pid).children(recursive=True)
        if sorted(one.name() for one in below) in ([warden.NAME], [stem.NAME, warden.NAME]):
            return True
        time.sleep(0.02)
    return False


def test_parameters_state_metadata(run: Run, tmp_path: Path) -> None:
    book = run(
        parameters("seed = 0"), "x = seed * 6\nx", "import os; os.getcwd()", "", parameters={"seed": 7}
    )
    assert book.error is None
    assert text(book.cells[2]) == "42"
    assert text(book.cells[3]) == repr(str(tmp_path))
    assert [cell.execution_count for cell in book.cells] == [1, 2, 3, 4, None]
    assert book.metadata.papermill.parameters == {"seed": 7}
    assert book.metadata.papermill.exception is None
    assert book.metadata.language_info.name == "python"
    assert {cell.metadata.papermill.status for cell in book.cells} == {"completed"}
    assert nothing_left()


def test_each_notebook_starts_afresh(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os, random, numpy as np\nprint('mine' in globals(), os.environ.get('MINE'), random.random(), np.random.rand())\nmine = 1"
    first = text(run(code).cells[0])
    monkeypatch.setenv("MINE", "yes")
    second = text(run(code).cells[0])
    assert first.startswith("False None")
    assert second.startswith("False yes")
    assert first.split()[2:] != second.split()[2:]


def test_unknown_parameter_writes_nothing(run: Run, tmp_path: Path) -> None:
    with pytest.raises(UnknownParameters, match="no parameter sede: choose from seed"):
        run(parameters("seed = 0"), parameters={"sede": 7})
    assert not (tmp_path / "out.ipynb").exists()


SECRET = "hunter-22-ünd"
LEAKS = (
    parameters("seed = 0\nsecret_key = ''"),
    "import sys\nfor c in secret_key: print(c, end='', flush=True)\nprint(seed)\nprint(secret_key, file=sys.stderr)",
    "secret_key",
    "assert secret_key != 'x'\nraise ValueError(f'cannot log in with {secret_key}')",
)


def test_secrets_never_reach_the_file(run: Run, tmp_path: Path) -> None:
    book = run(*LEAKS, parameters={"seed": 7, "secret_key": SECRET})
    raw = (tmp_path / "out.ipynb").read_text()
    for form in (SECRET, json.dumps(SECRET)[1:-1]):
        assert form not in raw
        assert form not in str(book.error)
    assert book.metadata.papermill.parameters == {"seed": 7, "secret_key": HIDDEN}
    assert text(book.cells[2]).startswith(f"{HIDDEN}7")
    assert text(book.cells[3]) == f"'{HIDDEN}'"
    assert book.error.evalue == f"cannot log in with {HIDDEN}"


def test_secrets_never_reach_the_file_while_it_runs_or_when_it_crashes(run: Run, tmp_path: Path) -> None:
    spy = "from pathlib import Path\nprint(secret_key in Path('out.ipynb').read_text())"
    crash = "print(secret_key, flush=True)\nimport os, time; time.sleep(.3); os._exit(3)"
    book = run(
        parameters("secret_key = ''"), spy, crash, parameters={"secret_key": SECRET}, autosave_cell_every=0.01
    )
    assert text(book.cells[2]) == "False\n"
    assert book.error.ename == "DeadKernelError"
    assert json.dumps(SECRET, ensure_ascii=False)[1:-1] not in (tmp_path / "out.ipynb").read_text()


def test_secrets_and_limits_hold_in_the_fallback(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(warm, "missing", lambda: "no fork here")
    with caplog.at_level("WARNING", logger="papermill"):
        book = run(*LEAKS, parameters={"seed": 7, "secret_key": SECRET})
    assert "A real kernel is started: no fork here." in caplog.text
    assert SECRET not in (tmp_path / "out.ipynb").read_text()
    assert text(book.cells[2]).startswith(f"{HIDDEN}7")
    assert book.error.evalue == f"cannot log in with {HIDDEN}"
    with pytest.raises(FlightSchoolError, match="No sandbox without a warm process"):
        run("1", policy=sandbox.Policy())


def test_an_error_stops_the_notebook(run: Run) -> None:
    book = run("a = 1", "def f():\n    return a / 0\nf()", "print('never')")
    assert (book.error.ename, book.error.evalue) == ("ZeroDivisionError", "division by zero")
    assert "return a / 0" in strip_color("".join(book.cells[1].outputs[0].traceback))
    assert book.cells[2].outputs == []
    assert [cell.metadata.papermill.status for cell in book.cells] == ["completed", "failed", "pending"]


def test_an_error_that_is_allowed_does_not(run: Run) -> None:
    allowed = nbformat.v4.new_code_cell("1 / 0", metadata={"tags": ["raises-exception"]})
    book = run(allowed, "print('on')")
    assert text(book.cells[1]) == "on\n"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os._exit(0)", "ended itself, with exit status 0"),
        ("import os; os._exit(7)", "ended itself, with exit status 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was killed"),
        ("import ctypes; ctypes.string_at(0)", "ended by signal 11"),
        ("import os, signal; os.kill(os.getppid(), signal.SIGKILL); signal.pause()", "gone"),
    ],
)
def test_a_death_is_an_error_of_its_cell(run: Run, code: str, words: str) -> None:
    allowed = nbformat.v4.new_code_cell(f"print('before', flush=True)\n{code}")
    allowed.metadata["tags"] = ["raises-exception"]  # no tag allows a death
    book = run("1", allowed, "print('never')")
    assert book.error.ename == "DeadKernelError"
    assert words in book.error.evalue
    assert book.cells[1].outputs[0].text == "before\n"
    assert book.cells[1].metadata.papermill.exception is True
    assert book.cells[2].outputs == []
    assert nothing_left()


def test_exit_leaves_the_notebook(run: Run) -> None:
    assert run("1", "exit()").error is None
    assert run("exit()", "print('never')").error.ename == "DeadKernelError"


HANGS = {
    "sleep": "import time; time.sleep(600)",
    "loop": "while True: pass",
    "deaf": "import signal, time\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass\ntime.sleep(600)",
    "chatter": "while True: print('x' * 1000)",
    "native": "import ctypes; ctypes.CDLL(None).pause()",
    "stopped": "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)",
}


@pytest.mark.parametrize("name", HANGS)
def test_a_cell_has_a_deadline(run: Run, name: str) -> None:
    book = run(HANGS[name], "print('never')", execution_timeout=1)
    assert (book.error.ename, book.error.evalue) == ("CellTimeoutError", "The cell was not done after 1 s.")
    assert book.cells[1].outputs == []
    assert nothing_left()


def test_a_notebook_has_a_deadline(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = ["import time; time.sleep(.4); print('slept')"] * 6
    book = run(*cells, execution_timeout=60, notebook_timeout=1)
    assert book.error.ename == "NotebookTimeoutError"
    assert book.error.cell_index in (1, 2)
    monkeypatch.setenv("FLIGHTSCHOOL_NOTEBOOK_TIMEOUT", "0.5")
    assert run(*cells).error.ename == "NotebookTimeoutError"
    monkeypatch.setenv("FLIGHTSCHOOL_NOTEBOOK_TIMEOUT", "soon")
    with pytest.raises(FlightSchoolError, match="give a number of seconds"):
        run("1")


def test_endless_output_ends_at_its_limit(run: Run) -> None:
    book = run("while True: print('x' * 1000)", output_limit=3 * 2**20)
    assert book.error.ename == "DeadKernelError"
    assert "more than 3 MB" in book.error.evalue
    assert nothing_left()


FORGERIES = {
    "noise": b"\xff\xfe rubbish\n",
    "unknown": b'{"type": "root"}\n',
    "deep": b'{"type": "done", "execution_count": 1, "error": ' + b"[" * 100_000 + b"\n",
    "html": b'{"type": "output", "msg_type": "display_data", "content": {"data": "<script>"}}\n',
}


def test_an_output_that_no_notebook_can_hold(run: Run) -> None:
    book = run("display({'application/x': {'n': 1}}, raw=True)")
    assert "none that a notebook can hold" in book.error.evalue
    assert nothing_left()


@pytest.mark.parametrize("name", FORGERIES)
def test_what_breaks_the_protocol_ends_the_notebook(run: Run, name: str) -> None:
    code = (
        "import os, stat, time\n"
        "for n in range(3, 200):\n"
        "    try:\n"
        "        if stat.S_ISSOCK(os.fstat(n).st_mode): os.write(n, " + repr(FORGERIES[name]) + ")\n"
        "    except OSError: pass\n"
        "time.sleep(600)"
    )
    book = run(code, execution_timeout=30)
    assert book.error.ename == "DeadKernelError"
    assert "no output" in book.error.evalue
    assert nothing_left()


DAEMON = """
import os, time, subprocess, sys
print(subprocess.Popen([sys.executable, "-c",
    "import os, time; os.setsid(); os.fork() and os._exit(0); os.setsid(); time.sleep(600)"]).wait())
if os.fork() == 0:
    os.setsid()
    time.sleep(600)
"""


def test_nothing_stays_behind(run: Run) -> None:
    book = run(DAEMON)
    assert book.error is None
    assert nothing_left()
    assert run(DAEMON, "import time; time.sleep(600)", execution_timeout=1).error.ename == "CellTimeoutError"
    assert nothing_left()


def test_exit_handlers_run(run: Run, tmp_path: Path) -> None:
    run("import atexit, pathlib; atexit.register(pathlib.Path('left').write_text, 'well')")
    assert (tmp_path / "left").read_text() == "well"


def test_a_template_that_died_is_replaced(run: Run) -> None:
    run("1")
    warm.template().process.kill()
    warm.template().process.wait()
    assert text(run("6 * 7").cells[0]) == "42"


def test_all_ends_with_papermill_itself(tmp_path: Path) -> None:
    book = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(
                "import pathlib, os, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(600)"
            )
        ],
        metadata=PYTHON3,
    )
    nbformat.write(book, tmp_path / "in.ipynb")
    code = (
        "import papermill; from papermill.engines import papermill_engines as e\n"
        "from flightschool.engine.papermill import FlightSchoolEngine as F\n"
        "e.register('f', F); papermill.execute_notebook('in.ipynb', 'out.ipynb', engine_name='f', progress_bar=False)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path)
    try:
        end = time.monotonic() + 60
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert time.monotonic() < end
            time.sleep(0.05)
        runner = psutil.Process(int((tmp_path / "pid").read_text()))
        family = [runner, *runner.parents()[:2]]
    finally:
        process.kill()
        process.wait()
    _gone, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []


@pytest.mark.skipif(bool(sandbox.available().walls), reason=f"no walls: {sandbox.available().walls}")
def test_behind_walls(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "secret")
    policy = sandbox.Policy()
    book = run(
        f"import os, pathlib\nos.getcwd(), os.environ.get('MINE'), pathlib.Path({str(tmp_path)!r}).exists()",
        "import pandas as pd; print(pd.Series([1, 2]).sum(), flush=True)\n!echo shell",
        "import socket\ntry: socket.create_connection(('127.0.0.1', 22), 1)\nexcept OSError as e: print('no')",
        policy=policy,
    )
    assert book.error is None
    assert text(book.cells[0]) == f"('{sandbox.HOME}', None, False)"
    assert text(book.cells[1]) == "3\nshell\r\n"
    assert text(book.cells[2]) == "no\n"
    assert (
        run("import time; time.sleep(600)", policy=policy, execution_timeout=1).error.ename
        == "CellTimeoutError"
    )
    assert nothing_left()


def test_a_template_that_cannot_start_says_so() -> None:
    with pytest.raises(warm.Unavailable, match="not ready within"):
        warm.Template().wait(timeout=0.01)
    with pytest.raises(warm.Unavailable, match="ended before it was ready"):
        warm.Template(environment={"PATH": os.environ["PATH"], "PYTHONHOME": "/nowhere"}).wait()


def test_another_kernel_is_a_real_one(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    other = {"kernelspec": {"name": "ir-none", "language": "python", "display_name": "R"}}
    from jupyter_client.kernelspec import NoSuchKernel

    with caplog.at_level("WARNING", logger="papermill"), pytest.raises(NoSuchKernel):
        run("1", metadata=other)
    assert "asks for the kernel ir-none" in caplog.text


def test_papermills_own_logs(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    out, err = io.StringIO(), io.StringIO()
    code = "import sys\nprint('said', secret_key); print('warned', file=sys.stderr)"
    with caplog.at_level("INFO", logger="papermill"):
        run(
            parameters("secret_key = ''"),
            code,
            parameters={"secret_key": SECRET},
            log_output=True,
            stdout_file=out,
            stderr_file=err,
        )
    assert (out.getvalue(), err.getvalue()) == (f"said {HIDDEN}\n", "warned\n")
    assert f"said {HIDDEN}" in caplog.text
    assert SECRET not in caplog.text


def test_much_output_is_one_output(run: Run) -> None:
    book = run("for n in range(200_000): print(n)")
    assert len(book.cells[0].outputs) == 1
    assert book.cells[0].outputs[0].text.splitlines() == [str(n) for n in range(200_000)]
