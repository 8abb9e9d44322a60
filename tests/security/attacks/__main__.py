"""Attack the grader: every attack of the corpus, as this user, and where this is root as an ordinary one too.

    python -m security.attacks [--as root|user] [-k PATTERN] [--jobs N]

Exit status: 0 when all held, 1 when one did not, 2 when nothing could be tried.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from security.attacks import batch, ground, ordinary
from security.attacks.corpus import CORPUS
from security.attacks.model import Attack

from flightschool.engine import machine, sandbox
from flightschool.grading.reports.text import line

TOGETHER = 40
"""Attacks in one batch."""


def main(words: Sequence[str]) -> int:
    """Try them; the exit status."""
    asked = _asked(words)
    if why := sandbox.available().walls:
        print(f"Nothing hostile is run here, for there are no walls: {why}", file=sys.stderr)
        return 2
    attacks = [
        one for one in CORPUS if re.search(asked.pattern, f"{one.threat.name} {one.name}", re.IGNORECASE)
    ]
    if not attacks:
        print(f"No attack's threat or name matches {asked.pattern!r}.", file=sys.stderr)
        return 2
    root = os.geteuid() == 0
    if asked.user == "root" and not root:
        print("Only root can attack as root.", file=sys.stderr)
        return 2
    status = 0
    if asked.user != "user" or not root:
        status |= _attack(attacks, asked.jobs, "root" if root else "an ordinary user")
    if asked.user != "root" and root:
        if why := ordinary.obstacle():
            print(f"Not tried as an ordinary user: {why}.", file=sys.stderr)
            return status or 2
        command = [
            sys.executable,
            "-P",
            "-m",
            ordinary.__name__,
            sys.executable,
            "-P",
            "-m",
            __package__ or "",
        ]
        tests = Path(__file__).resolve().parents[2]
        environment = {**os.environ, "PYTHONPATH": f"{tests.parent / 'src'}{os.pathsep}{tests}"}
        status |= subprocess.run([*command, *words], env=environment, cwd="/", check=False).returncode
    return status


def _asked(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m security.attacks", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--as", dest="user", choices=("root", "user"), help="only as this one")
    parser.add_argument("-k", dest="pattern", default="", metavar="PATTERN", help="of threats and names")
    parser.add_argument(
        "--jobs", type=int, default=2 * machine.cores(), metavar="N", help="many attacks only wait"
    )
    return parser.parse_args(words)


def batches(attacks: Sequence[Attack]) -> Iterator[list[Attack]]:
    """The attacks, as many of one module together as make sense."""
    for _module, some in groupby(sorted(attacks, key=lambda one: one.module), key=lambda one: one.module):
        left = list(some)
        while left:
            yield left[:TOGETHER]
            del left[:TOGETHER]


def tried(place: Path, attacks: Sequence[Attack], jobs: int) -> Iterator[batch.Outcome]:
    """The outcomes. A batch with a trouble that is nobody's is split, until it is known whose it is."""
    done = batch.graded(place, attacks, jobs=jobs)
    if not done.troubles:
        yield from done.outcomes
    elif len(attacks) == 1:
        for one in done.outcomes:
            yield batch.Outcome(one.attack, one.earned, one.twin, one.came, (*one.troubles, *done.troubles))
    else:
        middle = len(attacks) // 2
        found = [*tried(place, attacks[:middle], jobs), *tried(place, attacks[middle:], jobs)]
        if all(one.held for one in found):  # it takes several of them
            first = found[0]
            found[0] = batch.Outcome(
                first.attack, first.earned, first.twin, first.came, ("together with others:", *done.troubles)
            )
        yield from found


def _attack(attacks: Sequence[Attack], jobs: int, user: str) -> int:
    """Try the attacks as this user, and show what came of them."""
    begin = time.monotonic()
    console = Console(width=None if sys.stdout.isatty() else 150)
    console.print(f"{len(attacks)} attacks, as {user}")
    with tempfile.TemporaryDirectory(prefix="flightschool-attacks-") as folder:
        place = Path(folder)
        ground.lay(place)
        outcomes = [one for some in batches(attacks) for one in tried(place, some, jobs)]
    table = Table(box=box.SIMPLE, pad_edge=False)
    for name in ("threat", "attack", "what came of it", "points", "twin's", "held"):
        table.add_column(name, overflow="fold", justify="right" if name in ("points", "twin's") else "left")
    before, amiss = None, []
    for one in sorted(outcomes, key=lambda each: list(type(each.attack.threat)).index(each.attack.threat)):
        threat = one.attack.threat if one.attack.threat is not before else ""
        before = one.attack.threat
        table.add_row(
            threat, one.attack.name, one.came, f"{one.earned:g}", f"{one.twin:g}", "yes" if one.held else "NO"
        )
        amiss += [(one.attack.name, trouble) for trouble in one.troubles]
    console.print(table)
    for name, trouble in amiss:
        print(f"NO: {name}: {line(trouble, 2_000)}")
    held = Counter(one.held for one in outcomes)
    seconds = time.monotonic() - begin
    console.print(f"{held[True]} of {len(outcomes)} held, as {user}, in {seconds:.0f} s")
    return int(held[True] != len(attacks))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
