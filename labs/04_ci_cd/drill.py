"""The drill: main is red since some push, and nothing can be deployed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from flightschool.i18n import translations

from .exercises import token
from .red_main import plant_red, story

if TYPE_CHECKING:
    from flightschool.learn import Lab, Page

_ = translations("04_ci_cd")


def plant(lab: Lab) -> Page:
    """Lay out `lab.workdir / "red"` and page."""
    from flightschool.learn import Page

    shutil.rmtree(lab.workdir / "red", ignore_errors=True)
    plant_red(lab.world, lab.workdir / "red", token(lab.world))
    return Page(
        severity="SEV2",
        title=_("main is red, and a correction for tomorrow's report waits behind it"),
        symptom=_("The runner's last run on main failed in the step pytest. Nothing has been deployed since, and people have pushed on top of it."),
        noticed_by=_("Chloe, whose change was not live an hour after her push"),
        at=f"{story(lab.world).paged:%Y-%m-%d %H:%M}",
        look=(
            _("red/ci.log: what the runner did at each push"),
            _("red/clone: your clone; red/origin.git is what everybody pushes to"),
            _("red/sites/production: what is live"),
        ),
        runbook=_("Restore first, find the beauty later: revert, never rewrite what others have. main may not be force-pushed. A deployment is what the runner does when main is green."),
    )  # fmt: skip


def restore(lab: Lab) -> None:
    """The folder is taken away: main is somebody else's problem again."""
    shutil.rmtree(lab.workdir / "red", ignore_errors=True)
