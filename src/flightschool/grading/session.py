"""One worker's session: a warm process and the judges of a module, through which submissions go one by one."""

import atexit
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from flightschool import curriculum, paths
from flightschool.curriculum import Outcome, Verdict
from flightschool.engine import messages, sandbox, warm
from flightschool.errors import FlightSchoolError
from flightschool.grading import notebook, plan, stage, warmth
from flightschool.grading.judging import LONGEST, Judges
from flightschool.grading.model import Limits, Mark, Plan, Result, Task
from flightschool.grading.warmth import Warmth
from flightschool.i18n import _
from flightschool.services import npm

MOST_DRILLS = 20
"""How often a notebook may ask for its drill, an honest one once: each time costs us the sending of its files."""
RESTARTS = 5
"""How often a submission begins anew without the cell that ended it, so that one bad cell doesn't cost the other exercises."""
READY = 60.0
"""Seconds for a submission's process to be there."""
SPARE = 30.0
"""Seconds that a process may be there beyond its notebook's time, half of them before its submission comes."""
WORTH_NOTHING = {
    outcome.value: outcome
    for outcome in (Outcome.FAILED, Outcome.NOT_ATTEMPTED, Outcome.ERROR, Outcome.OUT_OF_MEMORY)
}
"""What a check inside may say by itself: there was no evidence."""


class Session:
    """Grades submissions of one module on one world.

    Args:
        module: its id.
        seed: of the world.
        limits: of each submission.

    Raises:
        FlightSchoolError: there is no such module.
        NoSandbox: submissions can't be walled in here.
        Unavailable: no warm process can be had.
    """

    def __init__(self, module: str, seed: int, limits: Limits) -> None:
        if limits.walls:
            sandbox.available().require()
        self.module, self.seed, self.limits = curriculum.module(module), seed, limits
        self.canonical = plan.read_canonical(paths.NOTEBOOKS / f"{self.module.id}.ipynb")
        self.warmth = Warmth.of(self.module)
        self.exercises = stage.catalogue(self.module, self.warmth.home)
        self.forks = warmth.forks(self.warmth)
        self.judges = Judges(self.module, seed, self._living, limits.walls)
        self._next: tuple[warm.Child, float] | None = None
        self.policy = None
        if limits.walls:
            self.policy = sandbox.Policy(
                readable=(
                    *sandbox.environment(),
                    paths.PACKAGE,
                    self.warmth.home,
                    paths.DATASETS,
                    *([npm.TOOLS] if npm.GIVEN in self.warmth.inside else []),
                ),
                writable=limits.writable,
                memory=limits.memory,
                cpu=math.ceil(limits.notebook),
                wall=limits.notebook + SPARE,
                processes=limits.processes,
                environment=tuple(self.warmth.inside.items()),
            )

    def close(self) -> None:
        """End the processes."""
        if self._next is not None:
            self._next[0].kill()
        self.judges.close()
        self.forks.close()

    def grade(self, task: Task) -> Result:
        """The result of one submission, whatever is in it."""
        begin = time.monotonic()
        refused, made = "", Plan(())
        try:
            made = plan.plan(notebook.cells(task.notebook), self.canonical, self.seed)
            attempt = Attempt(self, made)
        except FlightSchoolError as error:
            refused = str(error)
        except (ArithmeticError, LookupError, MemoryError, RecursionError, TypeError, ValueError):
            # a hole in our reading, and no reason to fail at this submission again and again
            refused = _(
                "The notebook can't be understood: open it in JupyterLab, save it, and hand it in again."
            )
        if refused:
            verdicts = dict.fromkeys(self.exercises, Verdict(Outcome.NOT_ATTEMPTED))
            notices: tuple[str, ...] = ()
        else:
            verdicts, notices = attempt.verdicts(), (*made.notices, *attempt.notices)
        return Result(
            learner=task.learner,
            file=task.file,
            fingerprint=task.fingerprint,
            marks=tuple(mark(exercise, verdicts[name]) for name, exercise in self.exercises.items()),
            notices=notices,
            refused=refused,
            answers=dict(made.answers),
            seconds=time.monotonic() - begin,
        )

    def _living(self) -> warm.Forks:
        if not self.forks.alive():  # the machine may have run out of memory
            self.forks.close()
            self.forks = warmth.forks(self.warmth)
        return self.forks

    @contextmanager
    def process(self) -> Iterator[warm.Child]:
        """A fork of the warm process for one submission, gone afterwards with all that came of it."""
        if self.policy is None:
            folder = tempfile.mkdtemp(prefix="flightschool-")
            home = {"HOME": folder, "PATH": os.environ.get("PATH", "")}
            try:
                with self._fork(folder, {**self.warmth.inside, **home}) as child:
                    ready(child)
                    yield child
            finally:
                shutil.rmtree(folder, ignore_errors=True)
            return
        with self._spare() or self._fork(os.devnull, {}) as child:
            ready(child)
            with suppress(warm.Unavailable):
                # Walls take longer to build than they cost: those of the next submission are built while this one runs.
                self._next = self._fork(os.devnull, {}), time.monotonic()
            yield child

    def _fork(self, folder: str, environment: Mapping[str, str]) -> warm.Child:
        return self._living().fork(
            folder, self.policy, seed=self.seed, environment=environment, output_limit=self.limits.output
        )

    def _spare(self) -> warm.Child | None:
        """The process that was made in advance, unless it has ended, or waited so long that its time would not do."""
        made, self._next = self._next, None
        if made is None:
            return None
        child, since = made
        if self.forks.alive() and child.living() and time.monotonic() - since < SPARE / 2:
            return child
        child.kill()
        return None


def ready(child: warm.Child) -> None:
    """Wait for a submission's process. Raises Unavailable when it does not come."""
    try:
        child.ready(time.monotonic() + READY)
    except (warm.Ended, warm.Deadline) as error:
        raise warm.Unavailable(
            _("The submission's process did not start: {reason}").format(
                reason=getattr(error, "reason", type(error).__name__)
            )
        ) from error


def mark(exercise: stage.Listed, verdict: Verdict) -> Mark:
    """The mark of one exercise; its texts cut to a length that somebody reads."""

    def short(text: str) -> str:
        return text if len(text) <= LONGEST else text[:LONGEST] + " …"

    return Mark(
        exercise=exercise.id,
        title=exercise.title,
        points=exercise.points,
        outcome=verdict.outcome,
        share=verdict.share,
        message=short(verdict.message),
        expected=short(verdict.expected),
        found=short(verdict.found),
        try_next=short(verdict.try_next),
    )


class Attempt:
    """One submission on its way to verdicts."""

    def __init__(self, session: Session, plan_: Plan) -> None:
        self._session, self._plan = session, plan_
        self._verdicts: dict[str, Verdict] = {}
        self._blame: dict[str, Verdict] = {}
        self._left_out: set[int] = set()
        self._drills = 0
        self.notices: list[str] = []
        self._end = time.monotonic() + session.limits.notebook

    def verdicts(self) -> dict[str, Verdict]:
        """By exercise, all of the module's."""
        for _restart in range(RESTARTS + 1):
            if not self._missing() or self._run():
                break
        for exercise in self._missing():
            self._verdicts[exercise] = self._blame.get(exercise) or self._not_reached()
        return self._verdicts

    def _missing(self) -> list[str]:
        return [name for name in self._session.exercises if name not in self._verdicts]

    def _not_reached(self) -> Verdict:
        if time.monotonic() >= self._end:
            return Verdict(
                Outcome.TIMED_OUT,
                found=_(
                    "The notebook was not done after {seconds:g} s, and this exercise not reached."
                ).format(seconds=self._session.limits.notebook),
                try_next=_("Run the whole notebook from top to bottom: which cell takes longest?"),
            )
        return Verdict(
            Outcome.ERROR,
            found=_("Cells before this exercise ended the notebook's process again and again."),
            try_next=_("Run the whole notebook from top to bottom in a fresh kernel."),
        )

    def _run(self) -> bool:
        """Run the cells once; False when one ended the run early: it is left out the next time."""
        steps = self._plan.steps
        with self._session.process() as child:
            for index, step in enumerate(steps):
                if index in self._left_out or step.exercise in self._verdicts:
                    continue
                deadline = min(time.monotonic() + self._session.limits.cell, self._end)
                try:
                    verdict = self._cell(child, index, deadline)
                except warm.Deadline:
                    self._blamed(index, self._timed_out())
                except warm.Ended as ended:
                    self._blamed(index, died(ended))
                else:
                    if verdict is not None:
                        self._judged(step.exercise, verdict)
                    if self._missing():
                        continue
                    return True
                return time.monotonic() >= self._end
        return True

    def _blamed(self, index: int, verdict: Verdict) -> None:
        """Note why the exercise that this cell belongs to may get nothing: it is the next one to be checked."""
        self._left_out.add(index)
        step = self._plan.steps[index]
        if step.exercise:
            self._verdicts[step.exercise] = verdict
            return
        if time.monotonic() < self._end:
            self.notices.append(
                _("A cell ended the run, and the rest was run without it: “{cell}”. {reason}").format(
                    cell=beginning(step.code), reason=verdict.found
                )
            )
        following = (other.exercise for other in self._plan.steps[index:] if other.exercise)
        if exercise := next(following, ""):
            self._blame.setdefault(exercise, verdict)

    def _judged(self, exercise: str, verdict: Verdict) -> None:
        if exercise in self._blame and verdict.outcome in (Outcome.ERROR, Outcome.NOT_ATTEMPTED):
            verdict = self._blame[exercise]
        self._verdicts[exercise] = verdict

    def _timed_out(self) -> Verdict:
        limits = self._session.limits
        found = _("A cell was not done after {seconds:g} s.").format(seconds=limits.cell)
        if time.monotonic() >= self._end:
            found = _("The notebook was not done after {seconds:g} s.").format(seconds=limits.notebook)
        return Verdict(
            Outcome.TIMED_OUT,
            found=found,
            try_next=_("Time your code on a small part of the data, then on twice as much."),
        )

    def _cell(self, child: warm.Child, index: int, deadline: float) -> Verdict | None:
        """Execute a cell; the verdict when it is a check.

        Raises:
            Deadline, Ended: as the child.
        """
        step = self._plan.steps[index]
        evidence: messages.Evidence | None = None
        error: messages.Error | None = None
        for message in child.execute(step.code, step.cell_id, deadline):
            if isinstance(message, messages.Evidence) and message.exercise == step.exercise:
                evidence = message
            elif isinstance(message, messages.Ask):
                child.reply(self._drill(child))
            elif isinstance(message, messages.Done):
                error = message.error
        if not step.exercise:
            return None
        if evidence is None:
            return no_evidence(error)
        if evidence.verdict is not None:
            return without_evidence(evidence.verdict)
        begin = time.monotonic()
        verdict = self._session.judges.verdict(step.exercise, evidence.content)
        self._end += time.monotonic() - begin  # a judge's time is not the learner's
        return verdict

    def _drill(self, child: warm.Child) -> Mapping[str, Any]:
        """What a notebook gets when it asks for the drill. Raises Ended when it asks without end."""
        if not (self._session.module.lab / "drill.py").is_file():
            return {"refused": _("This module has no drill.")}
        self._drills += 1
        if self._drills > MOST_DRILLS:
            raise child.give_up(
                _("The notebook asked for its drill more than {most} times: it was ended.").format(
                    most=MOST_DRILLS
                )
            )
        return self._session.judges.plant()


def beginning(code: str) -> str:
    """The first line of code that says something, cut to a length at which one finds the cell."""
    lines = [line.strip() for line in code.splitlines() if line.strip()]
    first = next((line for line in lines if not line.startswith("#")), lines[0] if lines else "")
    return first if len(first) <= 60 else first[:60] + "…"


def without_evidence(told: Mapping[str, str]) -> Verdict:
    """What the check inside says when there is no evidence; worth nothing, whatever it says."""
    return Verdict(
        WORTH_NOTHING.get(told.get("outcome", ""), Outcome.ERROR),
        message=told.get("message", ""),
        expected=told.get("expected", ""),
        found=told.get("found", ""),
        try_next=told.get("try_next", ""),
    )


def no_evidence(error: messages.Error | None) -> Verdict:
    """The verdict on a check that handed nothing over."""
    if error is None:
        found = _("The check did not hand your answer over.")
    elif error.ename == "MemoryError":
        return out_of_memory()
    else:
        found = f"{error.ename}: {error.evalue}"
    return Verdict(
        Outcome.ERROR,
        found=found,
        try_next=_("Run the whole notebook from top to bottom in a fresh kernel: does this check run?"),
    )


def out_of_memory() -> Verdict:
    """The verdict on code that wanted more memory than there is."""
    return Verdict(
        Outcome.OUT_OF_MEMORY,
        found=_("The memory ran out while your code ran."),
        try_next=_("Aggregate or filter before you collect."),
    )


def died(ended: warm.Ended) -> Verdict:
    """The verdict on a cell that ended its process."""
    if ended.ending is sandbox.Ending.OUT_OF_MEMORY:
        return out_of_memory()
    outcome = Outcome.TIMED_OUT if ended.ending is sandbox.Ending.TIMED_OUT else Outcome.ERROR
    return Verdict(
        outcome,
        found=ended.reason,
        try_next=_("Run the cells before this check one by one in a fresh kernel: which one ends it?"),
    )


_session: Session | None = None
_of: tuple[Any, ...] = ()


def work(task: Task) -> Result:
    """Grade one submission in this process, whose session is kept for the next: what an executor calls."""
    global _session, _of
    wanted = (task.module, task.seed, task.limits)
    if _session is None or wanted != _of:
        close()
        _session, _of = Session(*wanted), wanted
    return _session.grade(task)


def close() -> None:
    """End this process's session."""
    global _session
    if _session is not None:
        _session.close()
        _session = None


atexit.register(close)
