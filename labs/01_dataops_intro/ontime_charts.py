"""The module's charts. Each draws one figure and returns its message in words, for those who don't see it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import pandas as pd

from flightschool.i18n import translations

_ = translations("01_dataops_intro")

# Blue and orange of Okabe and Ito, told apart in greyscale by their lightness; hatches and shapes repeat the difference.
DARK, LIGHT, GREY = "#0072B2", "#E69F00", "#D9D9D9"
MARKS = (("o", "-"), ("s", "--"), ("^", ":"))


def share_by_day(shares: Mapping[date, float], what: str) -> str:
    """One bar a day; `shares` from 0 to 1. The lowest day is named."""
    figure, axes = plt.subplots(figsize=(9, 3))
    lowest = min(shares, key=lambda day: shares[day])
    bars = axes.bar(list(shares), [100 * share for share in shares.values()], color=DARK, width=0.8)
    at = list(shares).index(lowest)
    bars[at].set(facecolor=LIGHT, hatch="//", edgecolor="black")
    axes.set(ylim=(0, 100), ylabel=_("{what}, % of scheduled").format(what=what), xlabel=_("day in 2013"))
    spot = (mdates.date2num(lowest), 100 * shares[lowest])
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
    arrow = {"arrowstyle": "->"}
    axes.annotate(
        f"{lowest:%d %b}", spot, (0, 28), textcoords="offset points", ha="center", bbox=box, arrowprops=arrow
    )
    _days(axes)
    figure.tight_layout()
    plt.show()
    return _(
        "In words: the lowest day is {day} with {low:.0%}; half of the days lie above {middle:.0%}."
    ).format(day=lowest, low=shares[lowest], middle=pd.Series(shares).median())


def report_timeline(events: pd.DataFrame, report: date) -> str:
    """The way of one report: a row a step, waiting pale and working dark, on one clock (hours since its data lay ready)."""
    mine = events[events.report == report]
    steps = list(dict.fromkeys(mine.step))
    origin = mine.queued_at.min()
    hour = pd.Timedelta(hours=1)
    figure, axes = plt.subplots(figsize=(9, 2.8))
    for row in mine.itertuples():
        y = steps.index(row.step)
        waited, worked = (row.started_at - row.queued_at) / hour, (row.finished_at - row.started_at) / hour
        begin = (row.queued_at - origin) / hour
        axes.barh(y, waited, left=begin, color=GREY, hatch="..", edgecolor="grey", height=0.6, lw=0)
        axes.barh(y, worked, left=begin + waited, color=DARK, height=0.6)
        if not row.accepted:
            axes.plot(begin + waited + worked, y, "X", color="black", markersize=9)
    axes.bar(0, 0, color=GREY, hatch="..", edgecolor="grey", lw=0, label=_("waiting"))
    axes.bar(0, 0, color=DARK, label=_("work"))
    if not mine.accepted.all():
        axes.plot([], [], "X", color="black", label=_("sent back"))
    names = [f"{step}\n{mine.role[mine.step == step].iloc[0]}" for step in steps]
    axes.set_yticks(range(len(steps)), names, fontsize=9)
    axes.invert_yaxis()
    axes.set(xlabel=_("hours since the day's data lay ready"), xlim=(0, None))
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    figure.tight_layout()
    plt.show()
    return _(
        "In words: the report of {report} took {hours:.1f} hours from data to readers; {again} hand-overs were sent back."
    ).format(report=report, hours=(mine.finished_at.max() - origin) / hour, again=int((~mine.accepted).sum()))


def delivery_timeline(deployments: pd.DataFrame, incidents: pd.DataFrame) -> str:
    """Four weeks on one line each: production deployments, service incidents, data incidents."""
    live = deployments[deployments.environment == "production"].drop_duplicates("deployment")
    figure, axes = plt.subplots(figsize=(9, 2.4))
    axes.plot(live.deployed_at, [0] * len(live), "v", color="black", markersize=7)
    for y, kind, colour, hatch in ((1, "service", LIGHT, "//"), (2, "data", DARK, "")):
        for row in incidents[incidents.kind == kind].itertuples():
            axes.barh(
                y,
                row.restored_at - row.began_at,
                left=row.began_at,
                color=colour,
                hatch=hatch,
                edgecolor="black",
                height=0.6,
                lw=0.5,
                alpha=0.75,
            )
    axes.set_yticks([0, 1, 2], [_("deployed"), _("service down"), _("data wrong")])
    axes.set(ylim=(-0.6, 2.6), xlabel=_("day in 2013"))
    _days(axes)
    figure.tight_layout()
    plt.show()
    return _(
        "In words: {live} production deployments, {service} service incidents and {data} data incidents; some overlap."
    ).format(
        live=len(live),
        service=int((incidents.kind == "service").sum()),
        data=int((incidents.kind == "data").sum()),
    )


def shares_by_airport(
    reports: Mapping[date, pd.DataFrame], others: Mapping[date, pd.DataFrame] | None = None
) -> str:
    """A panel an airport: the share that left on time by day as published (then wide and pale), and as in `others`."""
    airports = sorted({airport for report in reports.values() for airport in report.origin})
    figure, panels = plt.subplots(1, len(airports), figsize=(11, 3), sharey=True, squeeze=False)
    for axes, airport in zip(panels[0], airports, strict=True):
        # What was published lies wide and pale below, so that it shows where the other has left it.
        _line(
            axes, reports, airport, colour=LIGHT if others else DARK, wide=bool(others), label=_("published")
        )
        if others:
            _line(axes, others, airport, colour=DARK, wide=False, label=_("now"))
        axes.set(title=airport, ylim=(0, 100), xlabel=_("day in 2013"))
        _days(axes)
    panels[0][0].set_ylabel(_("left on time, % of scheduled"))
    if others:
        panels[0][-1].legend(frameon=False, loc="lower right")
    figure.tight_layout()
    plt.show()
    if others:
        gaps = [
            100 * (reports[day].left_on_time_share - others[day].left_on_time_share).abs().max()
            for day in reports
            if not reports[day].equals(others[day])
        ]
        if not gaps:
            return _("In words: the two lines are the same; no report has changed.")
        return _(
            "In words: {moved} of {days} reports changed, one airport by up to {gap:.0f} points."
        ).format(moved=len(gaps), days=len(reports), gap=max(gaps))
    total = pd.Series(
        {day: report.left_on_time.sum() / report.scheduled.sum() for day, report in reports.items()}
    )
    return _("In words: over all airports the share goes from {low:.0%} (on {day}) to {high:.0%}.").format(
        low=total.min(), day=total.idxmin(), high=total.max()
    )


def _line(
    axes: Any,
    reports: Mapping[date, pd.DataFrame],
    airport: str,
    *,
    colour: str,
    wide: bool,
    label: str,
) -> None:
    shares = {
        day: 100 * float(report.set_index("origin").left_on_time_share[airport])
        for day, report in sorted(reports.items())
        if airport in set(report.origin)
    }
    axes.plot(
        list(shares),
        list(shares.values()),
        color=colour,
        marker="" if wide else "o",
        markersize=3,
        lw=5 if wide else 1.3,
        label=label,
    )


def _days(axes: Any) -> None:
    axes.xaxis.set_major_locator(mdates.AutoDateLocator(minticks=3, maxticks=8))
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%d %b"))
    axes.spines[["top", "right"]].set_visible(False)
