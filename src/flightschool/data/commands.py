"""`flightschool data …`: verify the datasets, write raw days, make passengers and bookings."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from flightschool import data
from flightschool.i18n import _

app = typer.Typer(
    help=_("Verify the datasets, write raw days, make passengers and bookings."), no_args_is_help=True
)

Rows = Annotated[int, typer.Option(help=_("How many, 1 to 10 million."))]
Seed = Annotated[int, typer.Option(help=_("The same seed gives the same rows."))]
Target = Annotated[Path, typer.Argument(help=_("A .csv or .parquet file."))]


@app.command(help=_("Check every data file against its checksum; exit 1 if one is damaged."))
def verify() -> None:
    checks = data.verify()
    damaged = [check for check in checks if not check.ok]
    for check in damaged:
        typer.echo(check.problem, err=True)
    if damaged:
        raise typer.Exit(1)
    typer.echo(_("{count} files match their checksums.").format(count=len(checks)))


@app.command(help=_("Write the flights of days as CSV, as the source system sends them."))
def raw(
    days: Annotated[list[str], typer.Argument(help=_("Days of 2013, such as 2013-02-08."))],
    folder: Annotated[Path, typer.Option(help=_("Where to write; made if need be."))] = Path(),
) -> None:
    # All days are read before the first is written: a typing error leaves nothing half done.
    for day in [data.a_day(text) for text in days]:
        typer.echo(data.raw_day(day, folder))


@app.command(help=_("Make passengers; none of them is real."))
def passengers(target: Target, rows: Rows = 1000, seed: Seed = 0) -> None:
    with _progress(rows) as progress:
        typer.echo(data.write_passengers(target, rows, seed, progress=progress))


@app.command(help=_("Make bookings of made-up passengers on real flights."))
def bookings(
    target: Target,
    rows: Rows = 1000,
    seed: Seed = 0,
    of: Annotated[
        int | None, typer.Option(help=_("How many passengers they are of; a quarter of the rows by default."))
    ] = None,
) -> None:
    with _progress(rows) as progress:
        typer.echo(data.write_bookings(target, rows, seed, of, progress=progress))


@contextmanager
def _progress(rows: int) -> Iterator[Callable[[int], object]]:
    """A progress bar on standard error, gone when it is done."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(_("rows"), total=rows)
        yield lambda more: bar.advance(task, more)
