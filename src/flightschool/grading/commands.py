"""`flightschool grade`: a folder of submissions becomes grades, feedback and an overview."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

if TYPE_CHECKING:
    from rich.table import Table

    from flightschool.grading.late import Late
    from flightschool.grading.model import Result, Round
    from flightschool.grading.progress import Watch

NAMED = 10
"""How many of something are named before "and N more"."""
MIB = 2**20
WITHOUT_WALLS = "--trust-every-submission"

Folder = Annotated[
    Path,
    typer.Argument(
        metavar="DIR",
        help=_("The submissions: notebooks, folders, archives, as a learning platform exports them."),
    ),
]
ModuleName = Annotated[
    str, typer.Option("--module", "-m", metavar="NN", help=_("The module: its number, id or topic."))
]
Out = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help=_("Where grades and feedback go; grades/NN_topic by default.")),
]
Seed = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="NUMBER",
        help=_("Of the hidden data; by default a secret of the gradebook. Another seed grades all again."),
    ),
]
Where = Annotated[
    str,
    typer.Option(
        "--executor",
        metavar="ADDRESS",
        help=_("dask://HOST:PORT of a Dask cluster; by default this machine."),
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="NUMBER",
        help=_("How many submissions at once on this machine; by default one a core."),
    ),
]
Deadline = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help=_("Such as 2026-03-01T18:00 in your time zone, or with a zone: 2026-03-01T18:00+01:00."),
    ),
]
LatePolicy = Annotated[
    str | None,
    typer.Option(
        metavar="POLICY", help=_("What being late costs, such as '10%/day, at most 50%'; needs --deadline.")
    ),
]
CellTimeout = Annotated[
    float | None, typer.Option(min=1, metavar="SECONDS", help=_("For one cell; 60 by default."))
]
NotebookTimeout = Annotated[
    float | None, typer.Option(min=1, metavar="SECONDS", help=_("For one submission; 600 by default."))
]
Memory = Annotated[
    int | None, typer.Option(min=64, metavar="MIB", help=_("For one submission; 2048 by default."))
]
Regrade = Annotated[bool, typer.Option("--regrade", help=_("Grade all, even what has not changed."))]
Trust = Annotated[
    bool,
    typer.Option(
        "--trust-every-submission",
        help=_(
            "Run submissions without the sandbox: each of them can then read, change and delete all that you can, the "
            "other submissions, the hidden data and the marks too."
        ),
    ),
]


def grade(
    folder: Folder,
    module: ModuleName,
    out: Out = None,
    seed: Seed = None,
    executor: Where = "",
    jobs: Jobs = None,
    deadline: Deadline = None,
    late: LatePolicy = None,
    cell_timeout: CellTimeout = None,
    notebook_timeout: NotebookTimeout = None,
    memory: Memory = None,
    regrade: Regrade = False,
    trust: Trust = False,
) -> None:
    """Grade submissions on hidden data. Give the same command again to go on after an interruption."""
    from rich.console import Console

    from flightschool import curriculum
    from flightschool.engine import machine
    from flightschool.grading import batch, container, executors, intake, session
    from flightschool.grading import late as penalties
    from flightschool.grading.gradebook import NAME, Gradebook
    from flightschool.grading.model import Limits
    from flightschool.grading.progress import Watch

    chosen = curriculum.module(module)
    if late and not deadline:
        raise FlightSchoolError(_("A late policy needs a deadline: add --deadline 2026-03-01T18:00."))
    due = moment(deadline) if deadline else None
    policy = penalties.policy(late) if late else None
    limited = {"cell": cell_timeout, "notebook": notebook_timeout, "memory": memory and memory * MIB}
    given = {name: value for name, value in limited.items() if value is not None}
    limits = Limits.model_validate({**given, "walls": not trust})
    out = out or Path("grades") / chosen.id
    if not trust and not executor and folder.exists() and (elsewhere := container.instead()) is not None:
        words = container.spelled(sys.argv[1:], deadline, due)
        raise typer.Exit(elsewhere.grade(words, folder=folder, out=out))
    watch = Watch()
    try:
        found = intake.find(folder, chosen)
        tell(_("not taken"), found.problems)
        with (
            executors.executor(executor, jobs or machine.cores(), chosen.id, walls=not trust) as crew,
            Gradebook(out / NAME) as gradebook,
        ):
            from flightschool.grading import reports  # while the warm process starts

            with watch:
                round = batch.grade(
                    found.submissions,
                    chosen,
                    gradebook,
                    crew,
                    folder=folder,
                    seed=gradebook.seed(chosen.id) if seed is None else seed,
                    limits=limits,
                    progress=watch,
                    read=intake.read,
                    work=session.work,
                    regrade=regrade,
                )
            if due is not None:
                round = after(round, due, policy)
            written = reports.write(round, out)
            list_not_taken(found.problems, out / "not-taken.txt")
    except KeyboardInterrupt:
        typer.echo(
            _(
                "Interrupted. What is graded is kept ({done} of {total}): give the same command again to go on."
            ).format(done=watch.before + watch.done, total=watch.before + watch.total),
            err=True,
        )
        raise typer.Exit(130) from None
    console = Console()
    console.print(summary(round, watch))
    for line in places(written, out):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    tell(_("no submission any more, kept in the gradebook"), watch.removed)
    refused = [one for one in round.results if one.refused]
    failed = [one for one in round.results if one.failure]
    tell(_("refused"), [f"{one.learner}: {one.refused}" for one in refused])
    tell(_("not graded, try again"), [f"{one.learner}: {one.failure}" for one in failed])
    raise typer.Exit(1 if refused or failed or found.problems else 0)


def list_not_taken(problems: Sequence[str], path: Path) -> None:
    """Write down what was not taken, when it is more than is told on standard error."""
    from flightschool.grading.reports.text import line

    if len(problems) <= NAMED:
        path.unlink(missing_ok=True)
        return
    path.write_text("".join(f"{line(one)}\n" for one in problems), encoding="utf-8")
    typer.echo(_("All that was not taken: {path}").format(path=path), err=True)


def moment(text: str) -> datetime:
    """A time with a zone, this machine's where none is said. Raises FlightSchoolError when it is none, or only a day."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            found = found.astimezone()
    except (ValueError, OverflowError):
        found = None
    if found is None or len(text) <= len("2026-03-01"):
        raise FlightSchoolError(
            _(
                "{text!r} is no time: write one such as 2026-03-01T18:00, or with its zone 2026-03-01T18:00+01:00."
            ).format(text=text[:80])
        )
    return found


def after(round: Round, due: datetime, policy: Late | None) -> Round:
    """The round, with what being late costs."""
    from flightschool.grading.late import days_late

    def one(result: Result) -> Result:
        days = days_late(result.received, due)
        return result.model_copy(update={"days_late": days, "kept": policy.kept(days) if policy else 1.0})

    return round.model_copy(update={"results": tuple(map(one, round.results))})


def summary(round: Round, watch: Watch) -> Table:
    """What came of it, in a table."""
    from rich import box
    from rich.table import Table

    table = Table(
        box=box.SIMPLE, show_header=False, title=f"{round.module} · {round.title}", title_justify="left"
    )
    table.add_column()
    table.add_column(justify="right")
    earned = [one.earned for one in round.results if not one.refused and not one.failure]
    points = f" / {round.points:g}"
    for name, value in (
        (_("graded now"), f"{watch.graded}"),
        (_("unchanged since before"), f"{watch.before}"),
        (_("refused"), f"{sum(bool(one.refused) for one in round.results)}"),
        (_("not graded"), f"{sum(bool(one.failure) for one in round.results)}"),
        (_("points, mean"), f"{statistics.fmean(earned):.2f}{points}" if earned else "–"),
        (_("points, median"), f"{statistics.median(earned):.2f}{points}" if earned else "–"),
        (_("minutes"), f"{watch.seconds / 60:.1f}"),
        (_("submissions a second"), f"{watch.rate:.1f}" if watch.done else "–"),
    ):
        table.add_row(name, value)
    return table


def places(written: Sequence[Path], out: Path) -> Iterator[str]:
    """The paths of the reports; of a folder of many, its path and their number."""
    folders: dict[Path, int] = {}
    for path in written:
        if path.parent == out:
            yield str(path)
        else:
            folders[path.parent] = folders.get(path.parent, 0) + 1
    for folder, count in folders.items():
        yield _("{folder}/ ({count} pages)").format(folder=folder, count=count)


def tell(what: str, lines: Iterable[str]) -> None:
    """Say on standard error what is amiss: at most ten lines, and how many more there are."""
    from flightschool.grading.reports.text import line

    lines = list(lines)
    for one in lines[:NAMED]:
        typer.echo(f"{what}: {line(one)}", err=True)
    if len(lines) > NAMED:
        typer.echo(_("{what}: and {count} more").format(what=what, count=len(lines) - NAMED), err=True)
