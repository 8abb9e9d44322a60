"""The drill: somebody overwrote the raw file, and pushed. The good bytes are not in the storage any more."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flightschool.i18n import translations

# The lab's files import each other by name, as a notebook imports them.
if (here := str(Path(__file__).parent)) not in sys.path:
    sys.path.insert(0, here)

from overwritten import days, lay_out

if TYPE_CHECKING:
    from flightschool.learn import Lab, Page

_ = translations("03_versioning")


def plant(lab: Lab) -> Page:
    """Lay out the team's repository with the overwritten file in it, and page."""
    from flightschool.learn import Page

    lay_out(lab.world, lab.workdir / "team")
    last = days(lab.world)[-1]
    return Page(
        severity="SEV2",
        title=_("Last week's figures can't be made again"),
        symptom=_(
            "“Your report of {day} said how many flights were cancelled. I ran it again on the raw file, as your handbook says that anybody can, and now no flight was cancelled at all.”"
        ).format(day=last),
        noticed_by=_("An auditor of the port authority"),
        at=_("Friday, 16:20"),
        look=(
            _("team/desk: your clone. git log --stat, raw/flights.csv.dvc, and the cache in .dvc/cache"),
            _("team/origin.git: what everybody pulls from"),
            _("team/storage: DVC's remote; dvc gc was run there on Thursday"),
        ),
        runbook=_(
            "Put back the raw file for everybody: pointer on main, bytes in the storage. Rewrite no history that others have, lose nobody's commit. Then see that it can't be pushed again."
        ),
    )


def restore(lab: Lab) -> None:
    """The team's repository as it would be, had nobody overwritten anything."""
    lay_out(lab.world, lab.workdir / "team", overwritten=False)
