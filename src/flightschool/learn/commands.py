"""`flightschool progress`: what is done and what is next; export and import."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _


def progress(
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE", help=_("Write all of it to a new JSON file.")),
    ] = None,
    merge: Annotated[
        Path | None,
        typer.Option("--import", metavar="FILE", help=_("Add what an export holds; twice is once.")),
    ] = None,
) -> None:
    """Show what is done, points, minutes, and what to do next. Nothing leaves this machine."""
    from flightschool.learn.exchange import export_progress, import_progress
    from flightschool.learn.homepage import Home
    from flightschool.learn.progress import journal, summary

    if export and merge:
        raise FlightSchoolError(_("Give either --export or --import, not both."))
    if export:
        count = export_progress(journal(), export)
        typer.echo(_("{count} events written to {file}.").format(count=count, file=export))
    elif merge:
        count = import_progress(journal(), merge)
        typer.echo(_("{count} events added from {file}.").format(count=count, file=merge))
    else:
        page = Home(summary(), Path.cwd())
        typer.echo(page.text(width=max(80, min(shutil.get_terminal_size((100, 24)).columns, 140))))
