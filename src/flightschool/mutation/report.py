"""`flightschool judge`: tables for a person, JSON for a machine, and 1 when a goal is missed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flightschool import paths
from flightschool.curriculum import Module
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.mutation.judges import GOAL, Audit, Fate, audit
from flightschool.mutation.worlds import Steadiness, steadiness

FOLDER = paths.BUILD / "judge"


def main(
    modules: Sequence[Module],
    *,
    exercises: Sequence[str] = (),
    jobs: int = 2,
    worlds: int = 0,
    most: int | None = None,
    verbose: bool = False,
) -> int:
    """Measure the judges of these modules; with `worlds`, put the right answers to so many worlds instead.

    Raises:
        FlightSchoolError: no exercise of that name, or no answers.
    """
    console = Console()
    chosen = [(one, id) for one in modules for id in one.exercises if not exercises or id in exercises]
    if not chosen:
        raise FlightSchoolError(
            _("No module that was asked for has an exercise {names}.").format(names=", ".join(exercises))
        )
    if worlds:
        steady = [
            _with(console, one, id, lambda m, i: steadiness(m, i, range(worlds), jobs=jobs))
            for one, id in chosen
        ]
        console.print(steadiness_table(steady))
        _keep("worlds.json", [_steady_json(one) for one in steady])
        return 0 if all(one.good for one in steady) else 1
    audits = []
    for one, id in chosen:
        found: Audit = _with(console, one, id, lambda m, i: audit(m, i, jobs=jobs, most=most))
        _tell(console, found, verbose)
        audits.append(found)
    console.print(audit_table(audits))
    _keep("mutants.json", [_audit_json(one) for one in audits])
    return 0 if all(one.good for one in audits) else 1


def _with(console: Console, module: Module, exercise: str, measure: Any) -> Any:
    with console.status(f"{module.id} {exercise}"):
        return measure(module, exercise)


def audit_table(audits: Iterable[Audit]) -> Table:
    """One row an exercise."""
    table = Table(
        title=_("Wrong answers caught, right answers refused"),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column(_("exercise"))
    for name in (
        _("made"),
        _("tried"),
        _("alike"),
        _("caught"),
        _("worst"),
        _("survived"),
        _("right"),
        _("refused"),
        _("s"),
    ):
        table.add_column(name, justify="right")
    for one in audits:
        table.add_row(
            f"{one.module[:2]} {one.exercise}",
            str(one.made),
            str(len(one.fates)),
            str(sum(not fate.told_apart and not fate.right for fate in one.fates)),
            f"{one.mean:.1%}" + ("" if one.mean >= GOAL else " !"),
            f"{min(one.shares.values(), default=0):.1%}",
            str(sum(fate.survived for fate in one.fates)),
            str(one.rewrites),
            str(len(one.refused)) + (" !" if one.refused else ""),
            f"{one.seconds:.0f}",
        )
    return table


def _tell(console: Console, one: Audit, verbose: bool) -> None:
    """What a person should look at; what was not told apart only when asked for."""
    head = f"{one.module[:2]} {one.exercise}"
    for text in one.refused:
        console.print(
            escape(_("{head} refused a right answer: {text}").format(head=head, text=text)), highlight=False
        )
    for text in one.notes:
        console.print(escape(f"{head}: {text}"), highlight=False)
    if not verbose:
        return
    for fate in one.fates:
        through = [seed for seed, caught in fate.caught.items() if not caught]
        if through:
            what = (
                _("let through on {seeds}").format(seeds=through) if fate.told_apart else _("not told apart")
            )
            what = _("right: {reason}").format(reason=fate.right) if fate.right else what
            console.print(
                escape(f"{head} {fate.entry} {fate.mutant.operator}, {what}: {fate.mutant.diff}"),
                highlight=False,
                soft_wrap=True,
            )


def steadiness_table(found: Iterable[Steadiness]) -> Table:
    """One row an exercise."""
    table = Table(
        title=_("Right answers, and answers learnt by heart on world 0"),
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column(_("exercise"))
    for name in (_("worlds"), _("right"), _("refused"), _("by heart"), _("let through"), _("s")):
        table.add_column(name, justify="right")
    for one in found:
        table.add_row(
            f"{one.module[:2]} {one.exercise}",
            str(len(one.seeds)),
            str(one.right),
            str(len(one.refused)) + (" !" if one.refused else ""),
            str(one.by_heart) if one.by_heart else "–",
            str(len(one.fooled)) + (" !" if one.fooled else ""),
            f"{one.seconds:.0f}",
        )
    return table


def _audit_json(one: Audit) -> dict[str, Any]:
    return {
        "module": one.module,
        "exercise": one.exercise,
        "seeds": one.seeds,
        "mutants": one.made,
        "tried": len(one.fates),
        "not_told_apart": sum(not fate.told_apart and not fate.right for fate in one.fates),
        "caught_mean": one.mean,
        "caught_by_seed": one.shares,
        "rewrites": one.rewrites,
        "refused": one.refused,
        "notes": one.notes,
        "seconds": round(one.seconds, 1),
        "fates": [_fate_json(fate) for fate in one.fates],
    }


def _fate_json(fate: Fate) -> dict[str, Any]:
    return {
        "answer": fate.entry,
        "operator": fate.mutant.operator,
        "diff": fate.mutant.diff,
        "told_apart": fate.told_apart,
        "right": fate.right,
        "caught": fate.caught,
        "said": fate.said[:300],
    }


def _steady_json(one: Steadiness) -> dict[str, Any]:
    return {**vars(one), "good": one.good}


def _keep(name: str, content: Any) -> Path:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / name
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path
