"""Pages of the night, made from a world's seed: what was seen, and what the first look found in order or not."""

from typing import TYPE_CHECKING, Any

from flightschool.i18n import translations

if TYPE_CHECKING:
    from flightschool.data import World

_ = translations("01_dataops_intro")

ROLES = ("ops", "data_engineer", "dev", "scientist", "analyst", "nobody")
"""Who can be paged; `nobody` means a note that is read in the morning."""

FINDINGS = {
    "machine": (*["ok"] * 12, "disk full", "password expired", "network down"),
    "input": (*["ok"] * 8, "late", "delivered twice", "column renamed", "empty"),
    "job": ("ok", "failed", "figures jumped"),
    "released": ("no", "yes"),
    "model_error": ("normal", "normal", "rising"),
    "definition": ("agreed", "disputed"),
}
"""What the first look at each thing can find, the quiet findings more often. `released`: new code went live in the last 24 hours."""


def pages(world: "World", count: int, night: int = 0) -> list[dict[str, Any]]:
    """`count` pages of one night: `id`, `at`, `seen_in`, `summary`, and a finding for each key of FINDINGS.

    Where something is seen says nothing of where it began: the two are drawn apart.
    """
    rng = world.rng(f"pages {night}")
    symptoms = {
        "dashboard": _("{airport}: the on-time tile has turned red"),
        "report": _("The daily report shows {airport} far off yesterday's share"),
        "model": _("Tomorrow's delay forecast for {carrier} looks strange"),
        "pipeline": _("The night run for {airport} needs attention"),
        "reader": _("{carrier}'s station manager calls: that can't be our day"),
    }
    carriers = world.carriers(4)
    made = []
    for number in range(1, count + 1):
        seen_in = rng.choice(list(symptoms))
        found = {what: rng.choice(findings) for what, findings in FINDINGS.items()}
        summary = symptoms[seen_in].format(
            airport=rng.choice(["EWR", "JFK", "LGA"]), carrier=rng.choice(carriers)
        )
        at = f"{rng.randint(0, 5):02d}:{rng.randint(0, 59):02d}"
        made.append({"id": f"P-{number:02d}", "at": at, "seen_in": seen_in, "summary": summary, **found})
    return made
