"""The module's charts. Each draws one figure and returns its message in words, for those who don't see it."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from compose_order import Fate
from image_model import Build, rebuilt

from flightschool.i18n import translations

_ = translations("05_docker")

DARK, LIGHT, GREY = "#0072B2", "#E69F00", "#D9D9D9"


def rebuild_grid(before: Build, after: Mapping[str, Build]) -> str:
    """A row a layer, a column a change: dark where the layer is rebuilt. `after` holds the builds after each change."""
    layers = before.layers
    again = {
        name: {(step.stage, step.line) for step in rebuilt(before, build)} for name, build in after.items()
    }
    figure, axes = plt.subplots(figsize=(9, 0.5 * len(layers) + 1.4))
    for column, name in enumerate(after):
        for row, step in enumerate(layers):
            new = (step.stage, step.line) in again[name]
            axes.add_patch(
                plt.Rectangle(
                    (column, row), 0.92, 0.86, color=DARK if new else GREY, hatch="" if new else ".."
                )
            )
            axes.text(
                column + 0.46,
                row + 0.43,
                _("again") if new else _("known"),
                ha="center",
                va="center",
                color="white" if new else "black",
                fontsize=8,
            )
    axes.set(xlim=(0, len(after)), ylim=(len(layers), 0))
    axes.set_xticks([n + 0.46 for n in range(len(after))], list(after), fontsize=8)
    axes.set_yticks(
        [n + 0.43 for n in range(len(layers))], [shorten(str(step), 44) for step in layers], fontsize=8
    )
    axes.tick_params(length=0)
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)
    figure.tight_layout()
    plt.show()
    counts = ", ".join(f"{name} {len(steps)}" for name, steps in again.items())
    return _("In words, layers that are rebuilt of {total}: {counts}.").format(
        total=len(layers), counts=counts
    )


def shorten(text: str, most: int) -> str:
    """The beginning of a text, with a sign that there is more."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def start_order(fates: Mapping[str, Fate], until: float = 60) -> str:
    """A row a service on one clock (seconds after `up`): waiting, starting, ready; a cross where it failed."""
    figure, axes = plt.subplots(figsize=(9, 0.5 * len(fates) + 1.2))
    words = []
    for row, (name, fate) in enumerate(fates.items()):
        started = until if fate.started is None else fate.started
        axes.barh(row, min(started, until), color="white", edgecolor=GREY, hatch="..", height=0.6)
        if fate.started is None:
            words.append(_("{name} never starts").format(name=name))
            continue
        good = fate.ready if fate.ready is not None else fate.ended if fate.status == 0 else None
        last = until if fate.ended is None else fate.ended
        end = min(until, last if good is None else good)
        axes.barh(
            row, end - started, left=started, color=LIGHT, hatch="//", edgecolor="black", lw=0.5, height=0.6
        )
        if good is not None and fate.ended is None:
            axes.barh(row, until - end, left=end, color=DARK, height=0.6)
        if fate.status not in (0, None):
            axes.plot(end, row, "X", color="black", markersize=10, clip_on=False, zorder=5)
            words.append(_("{name} fails at second {second:.0f}").format(name=name, second=end))
        else:
            words.append(_("{name} starts at second {second:.0f}").format(name=name, second=started))
    for label, colour, hatch in (
        (_("waits"), "white", ".."),
        (_("starts, or works"), LIGHT, "//"),
        (_("ready"), DARK, ""),
    ):
        axes.bar(0, 0, color=colour, hatch=hatch, edgecolor="grey", label=label)
    if any(fate.status not in (0, None) for fate in fates.values()):
        axes.plot([], [], "X", color="black", label=_("fails"))
    axes.set_yticks(range(len(fates)), list(fates))
    axes.invert_yaxis()
    axes.set(xlim=(0, until), xlabel=_("seconds after `docker compose up`"))
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    plt.show()
    return _("In words: {sentences}.").format(sentences="; ".join(words))
