"""The drill: a week in which every night run is green and the dashboard is wrong."""

from __future__ import annotations

import shutil
from datetime import timedelta
from typing import TYPE_CHECKING

from flightschool.i18n import translations

from .green_week import LATE, TWICE, days, plant_night

if TYPE_CHECKING:
    from flightschool.learn import Lab, Page

_ = translations("02_data_lifecycle")


def plant(lab: Lab) -> Page:
    """Let five nights go by, two of them with a fault, and page."""
    from flightschool.learn import Page

    shutil.rmtree(lab.workdir / "night", ignore_errors=True)
    plant_night(lab.workdir / "night", lab.world)
    five = days(lab.world)
    return Page(
        severity="SEV2",
        title=_("Flights per day: one bar twice as high, one missing"),
        symptom=_(
            "The dashboard “Flights per day” shows about twice the usual number on {twice} and nothing at all on {late}. Every night run "
            "of the week is green."
        ).format(twice=five[TWICE], late=five[LATE]),
        noticed_by=_("The network planner, on opening the weekly report"),
        at=f"{five[-1] + timedelta(days=2)} 08:05",
        look=(
            _("night/nightly.log: what each night run did"),
            _("night/inbox/deliveries.csv: what the source says it sent, and when"),
            _("night/warehouse.duckdb: the tables flights and loads"),
            _("nightly.py in the lab's folder: the job itself"),
        ),
        runbook=_(
            "A day's truth is its last delivery by received_at. Reconcile rows with it, day by day. Do not delete anything in the inbox."
        ),
    )


def restore(lab: Lab) -> None:
    """The same five days without the fault."""
    shutil.rmtree(lab.workdir / "night", ignore_errors=True)
    plant_night(lab.workdir / "night", lab.world, healthy=True)
