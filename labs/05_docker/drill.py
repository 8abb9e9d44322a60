"""The drill: the same commit gives one report on a laptop and another one in CI."""

from __future__ import annotations

import hashlib
import shutil
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from flightschool.data import raw
from flightschool.i18n import translations

if TYPE_CHECKING:
    from datetime import date

    from flightschool.data import World
    from flightschool.learn import Lab, Page

if (here := str(Path(__file__).parent)) not in sys.path:
    sys.path.insert(0, here)

import wheelhouse

_ = translations("05_docker")
FOLDER = "works"

REPORT = '''"""The on-time report of a day: share of scheduled flights that arrived less than 15 minutes late, by airport."""

import csv
import sys

from nyc_ontime import report

with open(sys.argv[1], newline="") as file:
    print(report(list(csv.DictReader(file))))
'''
OLD_DOCKERFILE = """\
FROM python:3.11-slim
WORKDIR /app
COPY . .
RUN pip install --no-index --find-links wheels -r requirements.txt
CMD python report.py flights.csv
"""
REQUIREMENTS = "nyc-ontime==3.1.0\n"

ONTIME = """from nyc_minutes import is_on_time
from nyc_shares import share
from nyc_tables import lines


def report(rows):
    airports = sorted({row["origin"] for row in rows})
    shares = {a: share([is_on_time(row["arr_delay"]) for row in rows if row["origin"] == a]) for a in airports}
    return lines(shares)
"""
MINUTES = '''def is_on_time(delay):
    """True or False; None for a flight that never arrived."""
    return None if delay in ("", "NA") else float(delay) {compare} 15
'''
SHARES = '''def share(flags):
    """The share of True."""
    flags = list(flags){drop}
    return sum(flag is True for flag in flags) / len(flags)
'''
TABLES = '''def lines(shares):
    """One line an airport, per cent with one decimal."""
    return "\\n".join(f"{{name}} {{{share}:.1f}}" for name, share in shares.items())
'''
VERSIONS = {
    "nyc-minutes": ("1.3.2", "1.4.0"),
    "nyc-shares": ("0.9.1", "0.10.0"),
    "nyc-tables": ("2.2.0", "2.3.0"),
}
"""Of the three that nobody named: the version of three weeks ago, and the one that came out this week."""
GOOD = {
    "nyc-minutes": MINUTES.format(compare="<"),
    "nyc-shares": SHARES.format(drop=""),
    "nyc-tables": TABLES.format(share="100 * share"),
}
BROKEN = {
    "nyc-minutes": MINUTES.format(compare="<="),
    "nyc-shares": SHARES.format(drop="\n    flags = [flag for flag in flags if flag is not None]"),
    "nyc-tables": TABLES.format(share="int(100 * share)"),
}


def culprit(world: World) -> str:
    """The package whose new release changed the report."""
    return world.rng("culprit").choice(sorted(VERSIONS))


def incident_day(world: World) -> date:
    """A day on which the broken release shows: somebody exactly 15 minutes late, somebody who never arrived."""
    for day in world.days(9):
        delays = world.flights(day).arr_delay
        if (delays == 15).any() and delays.isna().any():
            return day
    raise AssertionError("nine days without a flight that is 15 minutes late")


def bystander(world: World) -> str:
    """A package that came out in the same week and changed nothing that matters."""
    return world.rng("bystander").choice([name for name in sorted(VERSIONS) if name != culprit(world)])


def fill(world: World, wheels: Path) -> None:
    """The index as it is today."""
    wheelhouse.make(
        wheels, "nyc-ontime", "3.1.0", ONTIME, ("nyc-minutes>=1.2", "nyc-shares>=0.8", "nyc-tables>=2.0")
    )
    for name, (before, now) in VERSIONS.items():
        wheelhouse.make(wheels, name, before, GOOD[name])
        if name == culprit(world):
            wheelhouse.make(wheels, name, now, BROKEN[name])
        elif name == bystander(world):
            wheelhouse.make(wheels, name, now, GOOD[name] + "\n# Documentation only.\n")


def laptop(world: World) -> list[str]:
    """What the laptop has, installed three weeks ago."""
    return sorted(["nyc-ontime==3.1.0", *(f"{name}=={before}" for name, (before, _now) in VERSIONS.items())])


def digests(world: World, wheels: Path) -> dict[str, str]:
    """The digest of every file of the index, as planted."""
    fill(world, wheels)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(wheels.glob("*.whl"))}


def lay_out(world: World, folder: Path, *, fault: bool = True) -> tuple[str, str]:
    """The team's folder with the evidence of both machines; returns what each of them reported."""
    day = incident_day(world)
    fill(world, folder / "wheels")
    (folder / "report.py").write_text(REPORT)
    (folder / "requirements.txt").write_text(REQUIREMENTS)
    (folder / "Dockerfile").write_text(OLD_DOCKERFILE)
    (folder / "flights.csv").write_bytes(raw.render(world.flights(day)))
    rng = world.rng("history")
    old_base, new_base = (hashlib.sha256(f"{world.seed} {n}".encode()).hexdigest()[:12] for n in range(2))
    said = {}
    for machine, text, when, base in (
        ("laptop", "\n".join(laptop(world)), day - timedelta(days=21), old_base),
        ("ci", REQUIREMENTS if fault else "\n".join(laptop(world)), day + timedelta(days=1), new_base),
    ):
        packages = folder / ".packages" / machine
        freeze = wheelhouse.install(text, folder / "wheels", packages)
        done = wheelhouse.run(folder / "report.py", folder / "flights.csv", packages=packages)
        said[machine] = done.stdout
        place = folder / machine
        place.mkdir(parents=True, exist_ok=True)
        (place / "freeze.txt").write_text("".join(f"{pin}\n" for pin in freeze))
        (place / "run.log").write_text(f"$ python report.py flights.csv\n{done.stdout}{done.stderr}")
        steps = (
            ("CREATED", "CREATED BY", "SIZE"),
            (when, 'CMD ["/bin/sh" "-c" "python report.py flights.csv"]', "0B"),
            (
                when,
                "RUN pip install --no-index --find-links wheels -r requirements.txt",
                f"{rng.randrange(19, 24)}kB",
            ),
            (when, "COPY . .", "1.2MB"),
            (when - timedelta(days=2), f"FROM python:3.11-slim  (image {base})", "131MB"),
        )
        lines = (f"{when!s:12} {by:68} {size}\n" for when, by, size in steps)
        (place / "history.txt").write_text("".join(lines))
    shutil.rmtree(folder / ".packages")
    (folder / "commits.txt").write_text(
        f"a1c9e07  {day - timedelta(days=25)}  Pin nyc-ontime\n"
        f"5d20b41  {day}  Explain the report in the README   <- built by CI, and checked out on the laptop\n"
    )
    return said["laptop"], said["ci"]


def plant(lab: Lab) -> Page:
    """Lay out `lab.workdir / "works"`, and page."""
    from flightschool.learn import Page

    shutil.rmtree(lab.workdir / FOLDER, ignore_errors=True)
    mine, theirs = lay_out(lab.world, lab.workdir / FOLDER)
    airport = next(
        a.split()[0] for a, b in zip(mine.splitlines(), theirs.splitlines(), strict=True) if a != b
    )
    was, is_now = (
        next(line.split()[1] for line in said.splitlines() if line.startswith(airport))
        for said in (mine, theirs)
    )
    return Page(
        severity="SEV3",
        title=_("The report in CI is not the report on the laptop"),
        symptom=_(
            "Same commit, same file: the laptop reports {was} % on time at {airport}, the container that CI built last night {now} %. “It works on my machine”, says its author."
        ).format(was=was, airport=airport, now=is_now),
        noticed_by=_("An analyst, who ran it by hand to check a figure"),
        at=f"{incident_day(lab.world) + timedelta(days=1)} 09:20",
        look=(
            _("works/laptop and works/ci: run.log, freeze.txt (pip freeze), history.txt (docker history)"),
            _("works/commits.txt, works/requirements.txt, works/Dockerfile, works/report.py"),
            _("works/wheels: the package index as it is today"),
        ),
        runbook=_(
            "Find what differs, and which difference matters: try it. Then make sure that neither today nor next week anything can move."
        ),
    )


def restore(lab: Lab) -> None:
    """The same folder with both machines alike."""
    shutil.rmtree(lab.workdir / FOLDER, ignore_errors=True)
    lay_out(lab.world, lab.workdir / FOLDER, fault=False)
