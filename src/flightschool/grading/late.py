"""Late submissions: how many days late, and what part of the points is kept.

Both are pure functions of their arguments. A day is 24 hours, also when the clocks change in between.
"""

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

DAY = timedelta(days=1)
_UNITS = {"day": DAY, "hour": timedelta(hours=1)}
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_GRAMMAR = re.compile(rf"{_NUMBER}\s*%\s*/\s*(day|hour)(?:\s*,\s*at\s+most\s+{_NUMBER}\s*%)?", re.IGNORECASE)


def days_late(received: datetime | None, deadline: datetime, grace: timedelta = timedelta(0)) -> float:
    """Days from the deadline to the arrival; 0 when in time, or when nothing says when it arrived.

    Who arrives within `grace` of the deadline is in time. Afterwards the days count from the deadline itself.

    Raises:
        ValueError: a time without a zone.
    """
    if received is None:
        return 0.0
    if received.tzinfo is None or deadline.tzinfo is None:
        raise ValueError("a time without a zone could be any of a day's hours")
    # Times of one zone would be subtracted as its clocks show them, an hour out when they were changed in between.
    late = received.astimezone(UTC) - deadline.astimezone(UTC)
    return late / DAY if late > max(grace, timedelta(0)) else 0.0


@dataclass(frozen=True)
class Late:
    """A late policy: each `unit` begun takes `rate` of the points, all together `most` at most; both from 0 to 1."""

    rate: float
    unit: timedelta = DAY
    most: float = 1.0

    def kept(self, days: float) -> float:
        """The part of the points, from 0 to 1, that somebody keeps who is so many days late."""
        begun = math.ceil(days * (DAY / self.unit))
        return round(1 - min(self.rate * begun, self.most), 6)


def policy(text: str) -> Late:
    """What an option such as `10%/day` or `5%/hour, at most 50%` says.

    The grammar is `NUMBER%/day` or `NUMBER%/hour`, then perhaps `, at most NUMBER%`; numbers from 0 to 100.

    Raises:
        FlightSchoolError: it says something else.
    """
    found = _GRAMMAR.fullmatch(text.strip())
    if found is None or any(float(number or 0) > 100 for number in (found[1], found[3])):
        raise FlightSchoolError(
            _(
                "{text!r} is no late policy: write one such as '10%/day' or '5%/hour, at most 50%', with numbers from 0 to 100."
            ).format(text=text[:80])
        )
    return Late(float(found[1]) / 100, _UNITS[found[2].lower()], float(found[3] or 100) / 100)
