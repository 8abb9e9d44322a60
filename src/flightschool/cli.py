"""The command line, `flightschool`: thin; each command calls one function of a room."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

app = typer.Typer(
    help=_("DataOps Flight School: thirteen notebooks that teach DevOps for data by flying it."),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.command(help=_("Open the notebooks in JupyterLab, in your own workspace."))
def lab(
    port: Annotated[
        int, typer.Option(help=_("Port on 127.0.0.1; the next free one is taken when it is in use."))
    ] = 8888,
    browser: Annotated[
        bool | None, typer.Option(help=_("Open a browser; by default where there is a screen."))
    ] = None,
    ip: Annotated[str, typer.Option(hidden=True)] = "127.0.0.1",
) -> None:
    from flightschool.workspace import start

    start(port=port, browser=browser, ip=ip)


@app.command(help=_("List the modules, their exercises and points."))
def modules() -> None:
    from rich.console import Console
    from rich.table import Table

    from flightschool.curriculum import modules as all_modules

    table = Table(_("module"), _("title"), _("exercises"), _("points"))
    for one in all_modules():
        table.add_row(one.id, one.title, str(len(one.exercises)), f"{one.points:g}")
    Console().print(table)


@app.command(help=_("Make notebooks/ from solutions/ (for authors)."))
def build(
    check: Annotated[
        bool, typer.Option("--check", help=_("Change nothing; exit with 1 when anything generated differs."))
    ] = False,
    language: Annotated[
        str | None,
        typer.Option(help=_("Only this language; by default English and all that have .po files.")),
    ] = None,
) -> None:
    from flightschool import publish

    if check:
        differences = publish.check(language)
        for difference in differences:
            typer.echo(difference.sentence, err=True)
        raise typer.Exit(1 if differences else 0)
    built = publish.build(language)
    for line in built.lines:
        typer.echo(line)
    typer.echo(
        _("{written} files written, {removed} removed, {unchanged} unchanged.").format(
            written=len(built.written), removed=len(built.removed), unchanged=built.unchanged
        )
    )


@app.command(help=_("Lay out a new module whose example exercises pass their own tests (for authors)."))
def new(
    name: Annotated[
        str, typer.Argument(metavar="NN_topic", help=_("Its number and topic, such as 14_topic."))
    ],
) -> None:
    from flightschool import authoring

    for path in authoring.new(name):
        typer.echo(path)
    typer.echo(
        _(
            'Now run `make build` and `make test TEST="tests/labs -k {name}"`; docs/authoring.md goes on.'
        ).format(name=name)
    )


@app.command(help=_("Execute the solution notebooks and keep them as HTML under build/run/."))
def run(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[MODULE]...", help=_("All modules by default."))
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=0, help=_("How many notebooks at once; 0: as many as there are cores."))
    ] = 0,
    fresh: Annotated[
        bool, typer.Option("--fresh", help=_("Execute those, too, for which nothing has changed."))
    ] = False,
) -> None:
    from flightschool.engine.runner import main as run_main

    raise typer.Exit(run_main(names or [], jobs, fresh=fresh))


@app.command(help=_("Measure the judges: wrong answers caught, right answers refused (for authors)."))
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
    from flightschool.curriculum import module
    from flightschool.curriculum import modules as all_modules
    from flightschool.mutation.report import main as judge_main

    chosen = [module(name) for name in names] if names else all_modules()
    raise typer.Exit(
        judge_main(chosen, exercises=exercise or (), jobs=jobs, worlds=seeds, most=mutants, verbose=verbose)
    )


SERVERS = typer.Argument(metavar="[NAME]...", help=_("All that run without Docker by default."))


@app.command(help=_("Start servers that stay until `flightschool down`, and show them."))
def up(names: Annotated[list[str] | None, SERVERS] = None) -> None:
    from flightschool.services.commands import up as start

    raise typer.Exit(start(names or []))


@app.command(help=_("Stop the servers of `flightschool up`."))
def down(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help=_("All by default."))] = None,
) -> None:
    from flightschool.services.commands import down as stop

    raise typer.Exit(stop(names or []))


@app.command(help=_("Show the servers that run, of notebooks too: address, memory, log."))
def status(as_json: Annotated[bool, typer.Option("--json", help=_("As JSON."))] = False) -> None:
    from flightschool.services.commands import show

    raise typer.Exit(show(as_json))


@app.command(help=_("Show the end of a server's log."))
def logs(
    name: Annotated[str, typer.Argument(help=_("The server's name, as `flightschool status` shows it."))],
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help=_("Go on with what is written, until Ctrl-C."))
    ] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help=_("How many lines."))] = 20,
) -> None:
    from flightschool.services.commands import logs as tail

    raise typer.Exit(tail(name, lines, follow))


def main() -> None:
    """The entry point. A user's mistake gives one sentence on stderr and exit status 2, never a traceback."""
    from flightschool.data.commands import app as data_app
    from flightschool.doctor.commands import doctor
    from flightschool.grading.commands import grade
    from flightschool.learn.commands import progress

    app.command()(doctor)
    app.command()(grade)
    app.command()(progress)
    app.add_typer(data_app, name="data")
    try:
        app()
    except FlightSchoolError as error:
        sys.stderr.write(f"flightschool: {error}\n")
        sys.exit(2)
