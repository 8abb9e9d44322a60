"""The command `flightschool judge`."""

from __future__ import annotations

from typing import Annotated

import typer

from flightschool.i18n import _


def judge(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[MODULE]...", help=_("All modules by default."))
    ] = None,
    exercise: Annotated[
        list[str] | None, typer.Option(help=_("Only this exercise; may be repeated."))
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help=_("How many processes at once."))] = 2,
    seeds: Annotated[
        int,
        typer.Option(min=0, help=_("Judge the right answers on so many worlds, instead of mutating them.")),
    ] = 0,
    mutants: Annotated[
        int | None, typer.Option(min=1, help=_("At most so many mutants for an exercise."))
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help=_("Show what was let through or not told apart."))
    ] = False,
) -> None:
    """Measure the judges: wrong answers caught, right answers refused (for authors)."""
    from flightschool.curriculum import module
    from flightschool.curriculum import modules as all_modules
    from flightschool.mutation.report import main

    chosen = [module(name) for name in names] if names else all_modules()
    raise typer.Exit(
        main(chosen, exercises=exercise or (), jobs=jobs, worlds=seeds, most=mutants, verbose=verbose)
    )
