"""A graded run, seen from inside: answers leave as evidence, and a drill is planted from outside.

Nothing here knows what is expected. The engine gives the shell of a graded run its `hand_over`.
"""

from __future__ import annotations

import base64
import io
import sys
import tarfile
from typing import TYPE_CHECKING, Any, Protocol

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

if TYPE_CHECKING:
    from flightschool.learn.drills import Page
    from flightschool.learn.lab import Lab


class HandOver(Protocol):
    """The way out of a graded run."""

    seed: int

    def evidence(self, exercise: str, content: Any) -> None:
        """Plain data for the judge."""

    def nothing(self, exercise: str, **verdict: str) -> None:
        """Why there is no evidence."""

    def drill(self) -> dict[str, Any]:
        """The page, and the work folder as a tar archive in base64; or `refused`, a sentence on why there is none."""


def hand_over() -> HandOver | None:
    """The way out, None where this is no graded run."""
    ipython = sys.modules.get("IPython")
    return getattr(ipython.get_ipython(), "hand_over", None) if ipython else None


class PlantedOutside:
    """Stands for a lab's `drill.py`, which is not in reach of a graded run."""

    def __init__(self, way: HandOver) -> None:
        self._way = way

    def plant(self, lab: Lab) -> Page:
        """Unpack what was planted, and show its page."""
        from flightschool.learn.drills import Page

        planted = self._way.drill()
        if refused := planted.get("refused"):
            raise FlightSchoolError(refused)
        archive = io.BytesIO(base64.b64decode(planted["files"]))
        with tarfile.open(fileobj=archive) as files:
            # Python knows filters from 3.11.4 on, and Debian 12 has 3.11.2; the files are our own judges'.
            files.extraction_filter = getattr(tarfile, "data_filter", None)
            files.extractall(lab.workdir)  # noqa: S202
        page = planted["page"]
        return Page(**{**page, "look": tuple(page["look"])})

    def restore(self, lab: Lab) -> None:
        """Raise FlightSchoolError: there is no way back."""
        raise FlightSchoolError(_("A graded run can't put the clean state back: leave abandon() out."))
