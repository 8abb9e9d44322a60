"""A stopwatch for work done by hand. It measures a person, so it says nothing when nobody was there."""

import time

from flightschool.i18n import translations

_ = translations("01_dataops_intro")
UNATTENDED = 20.0
"""Seconds. Nobody reads a task and types nine numbers in less, so a shorter time was a machine's."""


class Stopwatch:
    """Started when it is made; `stop()` gives the seconds since then, or None when no person can have done the work."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self.seconds: float | None = None

    def stop(self, *, done: bool = True) -> float | None:
        """Stop, and keep the time. `done`: whether there is any work to be timed."""
        elapsed = time.monotonic() - self._started
        self.seconds = elapsed if done and elapsed >= UNATTENDED else None
        return self.seconds

    def __str__(self) -> str:
        if self.seconds is None:
            return _("no time taken: nobody did the report by hand in this run")
        return _("{minutes:.1f} minutes by your own clock").format(minutes=self.seconds / 60)
