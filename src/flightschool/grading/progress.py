"""How far a batch is: a bar on a terminal, a line every few seconds elsewhere."""

import time
from datetime import timedelta
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from flightschool.grading.model import Result
from flightschool.i18n import _

EVERY = 5.0
"""Seconds between two lines where there is no terminal."""


class Watch:
    """Counts the results of a batch, and shows them while it is entered.

    Args:
        console: where to show them; on standard error by default.
    """

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self.total = self.before = self.graded = self.refused = self.failed = 0
        self.removed: tuple[str, ...] = ()
        self.seconds = 0.0
        self._begin = self._told = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[line]}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task = self._bar.add_task(_("grading"), total=None, line="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._bar.stop()

    @property
    def done(self) -> int:
        """Submissions of this batch that have a result by now; those from before are not among them."""
        return self.graded + self.refused + self.failed

    @property
    def rate(self) -> float:
        """Submissions a second."""
        return self.done / self.seconds if self.seconds else 0.0

    def begin(self, total: int, before: int, removed: tuple[str, ...] = ()) -> None:
        """Say what is to be done.

        Args:
            total: submissions to grade.
            before: those that have a result which still holds.
            removed: learners who have a result, and no submission any more.
        """
        self.total, self.before, self.removed = total, before, removed
        self._begin = self._told = time.monotonic()
        self._bar.update(self._task, total=total, line=self.line())

    def landed(self, result: Result) -> None:
        """Count a result."""
        if result.failure:
            self.failed += 1
        elif result.refused:
            self.refused += 1
        else:
            self.graded += 1
        self.tick()

    def tick(self) -> None:
        """Let time pass."""
        now = time.monotonic()
        self.seconds = now - self._begin
        self._bar.update(self._task, completed=self.done, line=self.line())
        if not self.console.is_terminal and now >= self._told + EVERY:
            self._told = now
            self.console.print(self.line(), markup=False, highlight=False, soft_wrap=True)

    def line(self) -> str:
        """All of it on one line."""
        left = "–"
        if self.rate:
            left = str(timedelta(seconds=round((self.total - self.done) / self.rate)))
        return _(
            "{done}/{total} · {rate:.1f} a second · {left} left · {graded} graded, {refused} refused, {failed} failed"
        ).format(
            done=self.done,
            total=self.total,
            rate=self.rate,
            left=left,
            graded=self.graded,
            refused=self.refused,
            failed=self.failed,
        )
