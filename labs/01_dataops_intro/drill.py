"""The drill: a source changed something, and reports have gone out wrong for a while. Which ones, since when?"""

import shutil
from datetime import date, timedelta

import pandas as pd

from flightschool.i18n import translations
from flightschool.learn import Lab, Page

from . import departures, desk

_ = translations("01_dataops_intro")
FOLDER = "desk"


def plant(lab: Lab) -> Page:
    """Lay the desk out with the fault in it, under `lab.workdir / "desk"`."""
    shutil.rmtree(lab.workdir / FOLDER, ignore_errors=True)
    this = desk.lay_out(lab.world, lab.workdir / FOLDER)
    told, true, day, airport = _worst(lab, this)
    return Page(
        severity="SEV2",
        title=_("A departure report looks too good"),
        symptom=_(
            "“On {day} people slept in our terminal. Your departure report says that {told:.0%} of our flights left on time; our own log says {true:.0%}. How many of your reports can I still believe?”"
        ).format(day=day, told=told, true=true),
        noticed_by=_("The station manager at {airport}").format(airport=airport),
        at=f"{this.days[-1] + timedelta(days=1)} 08:40",
        look=(
            _("desk/outbox: the thirty published reports"),
            _("desk/inbox: the raw files they were made from"),
            _("desk/logs/runs.jsonl and desk/logs/deployments.jsonl"),
        ),
        runbook=_(
            "Find the first wrong report and all others. Mend the cause at the way in. Publish the wrong ones again from the raw files, and no others."
        ),
    )


def restore(lab: Lab) -> None:
    """The desk as it should have been."""
    shutil.rmtree(lab.workdir / FOLDER, ignore_errors=True)
    desk.lay_out(lab.world, lab.workdir / FOLDER, fault=False)


def _worst(lab: Lab, this: desk.Month) -> tuple[float, float, date, str]:
    """Where a report flatters most, not among the fault's first five days: share as told, true share, day, airport."""
    rows = []
    for day in this.fault[5:-1]:
        true = departures.departure_report(lab.world.flights(day)).set_index("origin").left_on_time_share
        sent = desk.delivered(lab.world, this, day)
        sent["dep_delay"] = pd.to_numeric(sent.dep_delay)
        told = departures.departure_report(sent).set_index("origin").left_on_time_share
        rows += [(float(told[airport]), float(true[airport]), day, str(airport)) for airport in true.index]
    return max(rows, key=lambda row: row[0] - row[1])
