"""Errors that a person reads: one sentence that says what is wrong and what to do."""


class FlightSchoolError(Exception):
    """Base of all errors whose message is meant for a learner, an instructor or an author.

    The command line prints the message alone and exits with status 2; a notebook shows it without our frames.
    """

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback."""
        return [f"{type(self).__name__}: {self}"]
