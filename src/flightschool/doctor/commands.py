"""`flightschool doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from flightschool.i18n import _


def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help=_("Print JSON, as docs/doctor.schema.json describes it."))
    ] = False,
) -> None:
    """Find what is wrong with this machine, each finding with the command that mends it; exit 1 at a problem."""
    from flightschool.doctor.standalone import report

    raise typer.Exit(report(as_json=as_json))
