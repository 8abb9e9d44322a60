"""The papermill engine `flightschool`: notebooks run in forks of a warm process.

    papermill in.ipynb out.ipynb --engine flightschool -p seed 7

Progress, metadata, saving and the report of an error are papermill's own, how outputs are put together is nbclient's.
Where warm processes can't be had, or for another kernel than `python3`, nbclient starts a real kernel, and one line says so.
"""

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.validator import NotebookValidationError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine
from papermill.log import logger

from flightschool.engine import messages, warm
from flightschool.engine.parameters import Secrets, refuse_unknown
from flightschool.engine.sandbox import Policy
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

KERNELS = frozenset({"python3", "python"})
NOTEBOOK_TIMEOUT = "FLIGHTSCHOOL_NOTEBOOK_TIMEOUT"
"""Environment variable: seconds for a whole notebook, where papermill's command has no option."""
FOREVER = float("inf")


class FlightSchoolEngine(NBClientEngine):  # type: ignore[misc]
    """papermill's engine of that name.

    Options beside papermill's own (`execution_timeout`: seconds for a cell, `start_timeout`: for the warm process and a
    fork of it), from Python:

        notebook_timeout: seconds for all cells together; $FLIGHTSCHOOL_NOTEBOOK_TIMEOUT by default.
        output_limit: bytes of output of all cells together.
        secrets: names of parameters that never appear in the output, beside those that `parameters` finds by itself.
        policy: the walls of `flightschool.engine.sandbox` in which the cells run; None: no walls.

    Whatever ends a notebook early (deadline, death of its process, a limit) is an error output of the cell at which it
    happened, so that papermill raises its PapermillExecutionError and marks the cell.
    """

    @classmethod
    def execute_notebook(
        cls, nb: Any, kernel_name: str, *args: Any, secrets: Iterable[str] = (), **options: Any
    ) -> Any:
        """Check the parameters, hide the secret ones, then execute as any engine does.

        Raises:
            UnknownParameters: a parameter that the notebook does not have. Nothing was executed or written.
        """
        refuse_unknown(nb)
        return super().execute_notebook(
            nb, kernel_name, *args, hidden=Secrets(nb, kernel_name, secrets), **options
        )

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        hidden: Secrets,
        log_output: bool = False,
        stdout_file: Any = None,
        stderr_file: Any = None,
        start_timeout: float = 60,
        execution_timeout: float | None = None,
        notebook_timeout: float | None = None,
        output_limit: int = warm.OUTPUT_LIMIT,
        policy: Policy | None = None,
        **options: Any,
    ) -> None:
        """Execute the cells, warm or in a kernel.

        Raises:
            FlightSchoolError: a policy was given and no warm process can be had to hold it.
        """
        if hidden:
            nb_man.autosave_cell_every = 0  # what is printed is clean only when the cell has ended
        limits = Limits(execution_timeout or options.get("timeout"), notebook_timeout)
        common = {
            "hidden": hidden,
            "log": logger,
            "log_output": log_output,
            "stdout_file": stdout_file,
            "stderr_file": stderr_file,
        }
        reason = warm.missing()
        if reason is None and kernel_name not in KERNELS:
            reason = _("the notebook asks for the kernel {name}").format(name=kernel_name)
        if reason is None:
            client = WarmClient(nb_man, limits=limits, **common)
            client.run(float(start_timeout), policy, output_limit)
            return
        if policy is not None:
            raise FlightSchoolError(
                _("No sandbox without a warm process ({reason}): nothing was executed.").format(reason=reason)
            )
        logger.warning(_("A real kernel is started: {reason}.").format(reason=reason))
        KernelClient(
            nb_man,
            startup_timeout=start_timeout,
            kernel_name=kernel_name,
            timeout_func=limits.for_cell,
            **common,
        ).execute()


class Limits:
    """Deadlines of a cell and of a notebook, whose clock starts now. Seconds; None and 0: no limit."""

    def __init__(self, cell: float | None, notebook: float | None) -> None:
        if notebook is None:
            notebook = _seconds(os.environ.get(NOTEBOOK_TIMEOUT, ""))
        self.cell, self.notebook = float(cell or FOREVER), float(notebook or FOREVER)
        self._end = time.monotonic() + self.notebook

    def deadline(self) -> float:
        """When, by time.monotonic(), a cell that starts now must be done."""
        return min(time.monotonic() + self.cell, self._end)

    def for_cell(self, _cell: Any) -> float | None:
        """Seconds for a cell that starts now, as nbclient asks."""
        left = self.deadline() - time.monotonic()
        return None if left == FOREVER else max(left, 0.001)

    def exceeded(self) -> tuple[str, str]:
        """Name of the error and sentence for a cell that wasn't done in time."""
        if time.monotonic() >= self._end:
            return "NotebookTimeoutError", _(
                "The notebook was not done after {seconds:g} s; this cell was running."
            ).format(seconds=self.notebook)
        return CellTimeoutError.__name__, _("The cell was not done after {seconds:g} s.").format(
            seconds=self.cell
        )


def _seconds(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        raise FlightSchoolError(
            _("{name} is {text!r}: give a number of seconds.").format(name=NOTEBOOK_TIMEOUT, text=text)
        ) from None


class KernelClient(PapermillNotebookClient):  # type: ignore[misc]
    """papermill's client of a real kernel, for which secrets are hidden, too."""

    def __init__(self, nb_man: Any, hidden: Secrets, **options: Any) -> None:
        self.hidden = hidden
        self._log_later = bool(hidden)
        super().__init__(nb_man, **options)

    def execute_cell(self, cell: Any, cell_index: int, **options: Any) -> Any:
        """Execute what the cell really says, leave in the notebook what may be seen of it."""
        shown, cell.source = cell.source, self.hidden.code(cell)
        try:
            return super().execute_cell(cell, cell_index, **options)
        finally:
            cell.source = shown
            self.clean(cell)

    def clean(self, cell: Any) -> None:
        """Take secrets out of the outputs, then log what could not be logged while they were in."""
        if not self.hidden:
            return
        joined: list[Any] = []
        for output in cell.get("outputs", []):
            last = joined[-1] if joined else {}
            if output.output_type == "stream" and output.name == last.get("name"):
                last["text"] += output.text  # a secret may have come in pieces
            else:
                joined.append(output)
        if cell.cell_type == "code":
            cell.outputs = joined
        for output in joined:
            self.hidden.scrub(output)
            if self.log_output or self.stderr_file or self.stdout_file:
                super().log_output_message(output)

    def log_output_message(self, output: Any) -> None:
        """Log at once, unless there are secrets: `clean` does it then."""
        if not self._log_later:
            super().log_output_message(output)


class WarmClient(KernelClient):
    """The same for a fork of the warm process: nbclient's treatment of outputs, without a kernel."""

    def __init__(self, nb_man: Any, limits: Limits, **options: Any) -> None:
        self.limits = limits
        self._printed: list[str] = []
        self._child: warm.Child | None = None
        super().__init__(nb_man, **options)

    def run(self, start_timeout: float, policy: Policy | None, output_limit: int) -> None:
        """Execute all cells, in the current folder."""
        self.reset_execution_trackers()
        start = time.monotonic() + start_timeout
        child = warm.template(start_timeout).fork(os.getcwd(), policy, output_limit=output_limit)  # noqa: PTH109
        with child:
            try:
                ready = child.ready(start)
            except warm.Deadline:
                raise warm.Unavailable(
                    _("The notebook's process was not ready after {seconds:g} s.").format(
                        seconds=start_timeout
                    )
                ) from None
            except warm.Ended as ended:
                raise warm.Unavailable(ended.reason) from None
            self.nb.metadata["language_info"] = ready.language_info
            self._child = child
            self.papermill_execute_cells()
            child.end()

    def execute_cell(self, cell: Any, cell_index: int, **_options: Any) -> Any:
        """Execute one cell.

        Raises:
            CellExecutionError: it failed, and its tags don't allow that.
        """
        if cell.cell_type != "code" or not cell.source.strip():
            return cell
        if self.skip_cells_with_tag in cell.metadata.get("tags", []):
            return cell
        cell.outputs = []
        self.clear_before_next_output = False
        cell.metadata["execution"] = {}
        self._note(cell, "iopub.status.busy")
        self._note(cell, "iopub.execute_input")
        with ExitStack() as always:
            always.callback(self.clean, cell)
            always.callback(self._join, cell)
            failed = self._execute(cell, cell_index)
        self._note(cell, "iopub.status.idle")
        self._note(cell, "shell.execute_reply")
        if failed is None:
            return cell
        allowed = "raises-exception" in cell.metadata.get("tags", []) and failed.ename not in FATAL
        if not allowed:
            told = self.hidden.scrub(failed.model_dump())
            raise CellExecutionError.from_cell_and_msg(cell, {"status": "error", **told})
        return cell

    def _execute(self, cell: Any, index: int) -> messages.Error | None:
        assert self._child is not None
        code = self.hidden.code(cell)
        try:
            for message in self._child.execute(code, cell.get("id"), self.limits.deadline()):
                if isinstance(message, messages.Done):
                    cell["execution_count"] = message.execution_count
                    return message.error
                if isinstance(message, messages.Output):
                    self._take(message, cell, index)
        except warm.Deadline:
            return self._fatal(cell, *self.limits.exceeded())
        except warm.Ended as ended:
            return self._fatal(cell, DeadKernelError.__name__, ended.reason)
        raise AssertionError("a cell ends by Done or by an exception")

    def _fatal(self, cell: Any, ename: str, evalue: str) -> messages.Error:
        self._join(cell)
        error = messages.Error(ename=ename, evalue=evalue, traceback=[f"{ename}: {evalue}"])
        cell.outputs.append(output_node("error", error.model_dump()))
        return error

    def _take(self, message: messages.Output, cell: Any, index: int) -> None:
        """One output into the cell; printed text is gathered and joined later, or much of it would take for ever."""
        outputs, content = cell.outputs, message.content
        last = outputs[-1] if outputs and not self.clear_before_next_output else None
        if (
            message.msg_type == "stream"
            and last is not None
            and last.output_type == "stream"
            and last.name == content["name"]
        ):
            self._printed.append(str(content["text"]))
            output = output_node("stream", content)
        else:
            self._join(cell)
            told = {
                "msg_type": message.msg_type,
                "header": {"msg_type": message.msg_type},
                "parent_header": {"msg_id": ""},
                "content": content,
            }
            try:
                output = NotebookClient.process_message(self, told, cell, index)
            except (NotebookValidationError, RecursionError) as error:
                assert self._child is not None
                reason = _("An output is none that a notebook can hold ({what}): the notebook was ended.")
                what = str(error).splitlines()[0][:200]
                raise self._child.give_up(reason.format(what=what)) from error
        if output and (self.log_output or self.stderr_file or self.stdout_file):
            self.log_output_message(output)
        every = self.nb_man.autosave_cell_every
        if every and (self.nb_man.now() - self.nb_man.last_save_time).total_seconds() >= every:
            self._join(cell)
            self.nb_man.autosave_cell()

    def _join(self, cell: Any) -> None:
        if self._printed:
            cell.outputs[-1].text += "".join(self._printed)
            self._printed = []

    def _note(self, cell: Any, event: str) -> None:
        if self.record_timing:
            cell.metadata["execution"][event] = datetime.now(UTC).isoformat().replace("+00:00", "Z")


def output_node(kind: str, content: Mapping[str, Any]) -> NotebookNode | None:
    """An output as nbformat holds it."""
    return NotebookNode({"output_type": kind, **content})  # type: ignore[no-untyped-call]


FATAL = frozenset({DeadKernelError.__name__, CellTimeoutError.__name__, "NotebookTimeoutError"})
"""Errors after which there is no process: no tag allows them."""
