"""The incident of the drill: a main that is red, with the history of how it came to that.

The folder `red` holds `origin.git` (what everybody pushes to), `clone` (yours), `ci.log` (what the runner did at each push) and
`sites` (what is deployed). A `Desk` is where you work: its git writes the story's time, its `ci()` is the runner.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from . import runner
from .changes import AUTHORS, broken_rule
from .project import BEGIN, Files, commit, files, git, start

if TYPE_CHECKING:
    from flightschool.data import World

TEAM = Path(__file__).with_name("team_workflow.yml")
"""The team's workflow: tests, a build, and a deployment from main."""
MESSAGES = (
    "Explain the buckets", "Name the owner of the report", "Add a note on diverted flights", "Say who reads the report",
    "Describe the sample", "Link to the rule of the DOT", "Note the time zone", "List the airports", "Explain the contract",
    "Say when the DAG runs", "Thank the source", "Describe the package", "Note what cancelled means", "Say how to run the tests",
)  # fmt: skip
FIRST_RED = (
    "A flight is late from which minute on?",
    "Keep the rules short",
    "Use one comparison everywhere",
)


@dataclass(frozen=True)
class Entry:
    """One commit of the history: what it changes, when, by whom; `bad` is the one that broke main."""

    message: str
    contents: Mapping[str, str]
    at: datetime
    author: str
    bad: bool = False


@dataclass(frozen=True)
class Story:
    """A history of main: commits after the first, and after which of them something was pushed and deployed."""

    entries: tuple[Entry, ...]
    pushes: tuple[int, ...]
    deployed: tuple[int, ...]
    paged: datetime


def story(world: World, purpose: str = "red main", restored: bool = False) -> Story:
    """How main became red: fourteen commits in seven pushes, one of them bad, four innocent ones after it.

    With `restored` it ends well: the bad commit is reverted, and that is deployed (for histories on which metrics are tried).
    """
    rng = world.rng(purpose)
    tree = files(world)
    bad_at = rng.randrange(6, 9)
    messages = rng.sample(MESSAGES, 13)
    at = BEGIN
    entries: list[Entry] = []
    for number in range(13):
        at += timedelta(minutes=rng.randrange(35, 300))
        author = rng.choice(AUTHORS)
        if number == bad_at:
            contents = broken_rule(tree, rng)
            entries.append(Entry(rng.choice(FIRST_RED), contents, at, author, bad=True))
        else:
            contents = innocent(tree, messages[number], number, rng)
            entries.append(Entry(messages[number], contents, at, author))
        tree = tree | contents
    pushes, number = [], 0
    while number < 13:
        number += rng.choice((1, 2, 2, 3))
        pushes.append(min(number, 13) - 1)
    green = [push for push in pushes if push < bad_at]
    deployed = tuple(push for push in green if rng.random() < 0.8) or tuple(green[-1:])
    return Story(tuple(entries), tuple(pushes), deployed, at + timedelta(minutes=50))


def innocent(tree: Files, message: str, number: int, rng: random.Random) -> dict[str, str]:
    """A change that breaks nothing, in a file in which a suspicious mind would look first."""
    path = ("ontime/rules.py", "README.md", "ontime/report.py", "README.md")[number % 4]
    note = f"# {message}.\n" if path.endswith(".py") else f"\n{message}.\n"
    return {
        path: tree[path].rstrip("\n") + "\n\n" * path.endswith(".py") + "\n" * path.endswith(".md") + note
    }


def final(world: World, purpose: str = "red main") -> tuple[Files, Files]:
    """The files at the head of the red main, and as they should be: the same without the bad commit."""
    told = story(world, purpose)
    red, right = files(world) | team(), files(world) | team()
    for entry in told.entries:
        red = red | entry.contents
    for path in {path for entry in told.entries for path in entry.contents}:
        right[path] = red[path]
    bad = next(entry for entry in told.entries if entry.bad)
    before = state_before(world, told, bad)
    for path, text in bad.contents.items():
        old, new = changed_line(before[path], text)
        right[path] = right[path].replace(new, old, 1)
    return red, right


def state_before(world: World, told: Story, bad: Entry) -> Files:
    """The files just before the bad commit."""
    tree = files(world) | team()
    for entry in told.entries:
        if entry is bad:
            break
        tree = tree | entry.contents
    return tree


def changed_line(before: str, after: str) -> tuple[str, str]:
    """The one line that differs, before and after."""
    pairs = zip(before.splitlines(), after.splitlines(), strict=False)
    return next((old, new) for old, new in pairs if old != new)


def team() -> Files:
    """The team's workflow, at its place."""
    return {runner.WORKFLOW: TEAM.read_text(encoding="utf-8")}


def tag(folder: Path, number: int, at: datetime, commit: str = "HEAD") -> None:
    """Note a deployment as the team does: an annotated tag `deploy/001` with the time at which it was live."""
    git(folder, "tag", "-a", f"deploy/{number:03}", "-m", "live in production", commit, at=at, author="Robot")


def history(world: World, folder: Path, purpose: str = "red main", *, restored: bool = False) -> list[str]:
    """Write a story as a repository with its deployments as tags; returns the commits' SHAs, the first one first.

    `restored` adds the revert of the bad commit, some unrelated commits before and after it, and their deployments.
    """
    told = story(world, purpose)
    rng = world.rng(f"{purpose} history")
    start(world, folder)
    shas = [commit(folder, team(), "Let the runner test and deploy", BEGIN + timedelta(minutes=20), "Chloe")]
    tag(folder, 1, BEGIN + timedelta(minutes=31))
    number = 1
    for place, entry in enumerate(told.entries):
        shas.append(commit(folder, entry.contents, entry.message, entry.at, entry.author))
        if place in told.deployed:
            number += 1
            tag(folder, number, entry.at + timedelta(minutes=rng.randrange(9, 90)))
    if restored:
        bad = shas[1 + next(n for n, entry in enumerate(told.entries) if entry.bad)]
        at = told.paged + timedelta(minutes=rng.randrange(20, 200))
        git(folder, "revert", "--no-edit", bad, at=at, author="Dev")
        shas.append(git(folder, "rev-parse", "HEAD"))
        for extra in range(rng.randrange(0, 2)):
            at += timedelta(minutes=rng.randrange(5, 40))
            shas.append(commit(folder, {f"notes-{extra}.md": "A note.\n"}, "Write it down", at, "Ana"))
        tag(folder, number + 1, at + timedelta(minutes=rng.randrange(9, 60)))
        at += timedelta(hours=rng.randrange(3, 30))
        shas.append(commit(folder, {"later.md": "Later.\n"}, "Go on", at, "Ben"))
        tag(folder, number + 2, at + timedelta(minutes=rng.randrange(9, 400)))
        shas.append(
            commit(folder, {"latest.md": "Not live yet.\n"}, "And on", at + timedelta(hours=9), "Ben")
        )
    return shas


def mixed(world: World, names: list[str]) -> list[str]:
    """The names in an order of the world's own, in which the best does not come right after the good one: the number before is no way back."""
    rng = world.rng("order of versions")
    while True:
        order = rng.sample(names, len(names))
        if order.index("best") != order.index("good") + 1:
            return order


def plant_red(world: World, folder: Path, token: str) -> Path:
    """Lay out the incident in a new folder, and return it."""
    folder.mkdir(parents=True)
    made = folder / "made"
    shas = history(world, made)
    git(folder, "clone", "-q", "--bare", str(made), str(folder / "origin.git"))
    shutil.rmtree(made)
    git(folder, "clone", "-q", str(folder / "origin.git"), str(folder / "clone"))
    # The folder may be moved, as into the walls of a graded run.
    git(folder / "clone", "remote", "set-url", "origin", "../origin.git")
    told = story(world)
    sites = runner.Sites(folder / "sites", token)
    (folder / "token").write_text(token)
    (folder / "token").chmod(0o600)
    (folder / "paged_at").write_text(told.paged.isoformat())
    (folder / "ci.log").write_text(ci_log(told, shas))
    last = shas[1 + told.deployed[-1]]
    deploy_as_was(folder, last, sites)
    return folder


def ci_log(told: Story, shas: list[str]) -> str:
    """What the runner noted at each push; it was off for a while, and so the first red run is not of the first red push."""
    bad_at = next(n for n, entry in enumerate(told.entries) if entry.bad)
    first = next(push for push in told.pushes if push >= bad_at)
    later = [push for push in told.pushes if push > first]
    lines = []
    for push in told.pushes:
        at = told.entries[push].at + timedelta(minutes=4)
        if push < bad_at:
            said = "green" + (
                ", deployed" if push in told.deployed else ", deployment skipped: change freeze"
            )
        elif push == first and later:
            said = "no runner available, run cancelled"
        else:
            said = "red: job test, step pytest"
        lines.append(f"{at:%Y-%m-%d %H:%M} push to main, head {shas[1 + push][:9]}: {said}")
    return "\n".join(lines) + "\n"


def deploy_as_was(folder: Path, sha: str, sites: runner.Sites) -> None:
    """Put to work what was live when the page came: the package of that commit."""
    from .runner import environment, execute

    with runner.workplace() as place:
        git(place, "clone", "-q", str(folder / "origin.git"), "then")
        git(place / "then", "checkout", "-q", sha)
        command = (
            "python -m tools.build dist/ontime.zip && python -m tools.deploy dist/ontime.zip --to production"
        )
        variables = {"SITES": str(sites.folder), "DEPLOY_TOKEN": sites.token}
        execute(["bash", "-ec", command], place / "then", environment(place, variables))


class Desk:
    """Where you work on the incident: `desk.git(…)` in your clone, `desk.ci()` for what the runner does at a push."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.clone = self.folder / "clone"
        self._paged = datetime.fromisoformat((self.folder / "paged_at").read_text())
        self._since = (self.folder / "paged_at").stat().st_mtime

    @property
    def now(self) -> datetime:
        """The story's time: the page's, and the seconds that have gone by since."""
        return self._paged + timedelta(seconds=max(0.0, time.time() - self._since))

    def git(self, *arguments: str) -> str:
        """A git command in your clone; what it commits has the story's time."""
        return git(self.clone, *arguments, at=self.now, author="You")

    def ci(self) -> runner.Run:
        """What the runner does with the head of origin's main: test, and deploy when it is green; a deployment is tagged."""
        origin = self.folder / "origin.git"
        sites = runner.Sites(self.folder / "sites", (self.folder / "token").read_text())
        workflow = git(origin, "show", f"main:{runner.WORKFLOW}") + "\n"
        done = runner.run(origin, workflow, sites=sites)
        if done.deployments:
            last = max(int(name.split("/")[1]) for name in git(origin, "tag", "-l", "deploy/*").splitlines())
            tag(origin, last + 1, self.now, "main")
            self.git("fetch", "-q", "--tags")
        return done
