"""The attack corpus of tests/security against ours, nbgrader and otter-grader: what hostile notebooks do to each of them.

    python benchmarks/attacks.py [--each N] [-k PATTERN] [--tools ours nbgrader otter] [--json FILE]

Each hostile notebook is graded between two honest ones. The other graders run behind our walls, as nobody, so that what gets through does
no harm here. They are tried with those attacks that mean something to them: notebooks of the light course, as they are handed in.
`--each` takes the first N attacks of each threat, 0 all of them (which takes an hour).
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import report
from others import light
from others.attack import AFTER, BEFORE, Arena
from others.attack import Outcome as Theirs
from others.environments import Unavailable

from flightschool.engine import sandbox

sys.path.insert(0, str(report.ROOT / "tests"))
from security.attacks import batch, ground, twins
from security.attacks.corpus import CORPUS
from security.attacks.model import LIGHT, NOTHING, Attack

OTHERS = ("nbgrader", "otter")
HEADS = ("mark raised", "others read or changed", "batch stopped", "held")
ROOMS = {"nbgrader": "course/submitted/{}/private.txt", "otter": "otter/submissions/{}/private.txt"}


def chosen(pattern: str, each: int) -> list[Attack]:
    """The attacks that all graders are tried with."""
    taken: dict[str, int] = {}
    found = []
    for one in CORPUS:
        if not one.compared or one.module != LIGHT or one.hand_in or not one.taken:
            continue
        if not re.search(pattern, f"{one.threat.name} {one.name}", re.IGNORECASE):
            continue
        taken[one.threat] = taken.get(one.threat, 0) + 1
        if not each or taken[one.threat] <= each:
            found.append(one)
    return found


def ours(attacks: Sequence[Attack]) -> dict[str, dict[str, Any]]:
    """What came of each attack on our grader."""
    with tempfile.TemporaryDirectory(prefix="flightschool-attacks-") as folder:
        ground.lay(Path(folder))
        done = batch.graded(Path(folder), attacks)
    if done.troubles:
        raise SystemExit(f"The batch did not hold: {done.troubles}")
    found = {}
    for one in done.outcomes:
        stopped = one.came == "no result"
        through = any(re.match("it got through|it has seen", trouble) for trouble in one.troubles)
        found[one.attack.name] = told(
            one.earned > one.twin, through, stopped, f"{one.earned:g} of {one.twin:g}"
        )
    return found


def theirs(tool: str, attacks: Sequence[Attack], folder: Path) -> dict[str, dict[str, Any]]:
    """What came of each attack on another grader. Raises Unavailable."""
    course = light.course(folder / "honest")
    (folder / tool).mkdir()
    arena = Arena(tool, folder / tool)
    home = Path(sandbox.HOME)
    given = {
        **NOTHING,
        "secrets": [str(home / ROOMS[tool].format(learner)) for learner in (BEFORE, AFTER)],
        "places": [str(home), "/tmp"],
    }
    twin = twins.twin(course.root, LIGHT)
    found = {}
    for attack in attacks:
        one: Theirs = arena.attack(attack.notebook(twin, given), twin)
        raised = one.mark is not None and one.mark > one.honest
        found[attack.name] = told(raised, one.read or one.changed, not one.finished, one.ending)
        came = ", ".join(head for head in HEADS if found[attack.name][head])
        print(f"{tool}: {attack.name}: {came} ({one.seconds:.0f} s)", file=sys.stderr, flush=True)
    return found


def told(raised: bool, others: bool, stopped: bool, how: str) -> dict[str, Any]:
    """One attack on one grader. That it loses marks of its own is no harm."""
    return dict(
        zip(HEADS, (raised, others, stopped, not (raised or others or stopped)), strict=True), how=how
    )


def main() -> int:
    """Try, print, keep."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--each", type=int, default=2, metavar="N", help="attacks of each threat; 0: all")
    parser.add_argument("-k", dest="pattern", default="", metavar="PATTERN", help="of threats and names")
    parser.add_argument("--tools", nargs="+", default=["ours", *OTHERS], choices=("ours", *OTHERS))
    parser.add_argument("--json", type=Path, metavar="FILE")
    asked = parser.parse_args()
    if why := sandbox.available().walls:
        print(f"Nothing hostile is run here, for there are no walls: {why}", file=sys.stderr)
        return 2
    attacks = chosen(asked.pattern, asked.each)
    if not attacks:
        print(f"No attack's threat or name matches {asked.pattern!r}.", file=sys.stderr)
        return 2
    results: dict[str, dict[str, dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory(prefix="flightschool-others-") as folder, ThreadPoolExecutor(2) as pool:
        for tool in asked.tools:
            Path(folder, tool).mkdir()
            Path(folder, tool).chmod(0o755)
        Path(folder).chmod(0o755)
        if "ours" in asked.tools:  # before the others: whatever runs beside it would be taken for its own
            results["ours"] = ours(attacks)
        running = {
            tool: pool.submit(theirs, tool, attacks, Path(folder, tool))
            for tool in asked.tools
            if tool != "ours"
        }
        for tool, future in running.items():
            try:
                results[tool] = future.result()
            except Unavailable as error:
                print(f"{tool} was not tried: {error}")
    print(f"{'of ' + str(len(attacks)) + ' attacks':<24}" + "".join(f"{head:>24}" for head in HEADS))
    for tool, found in results.items():
        print(f"{tool:<24}" + "".join(f"{sum(one[head] for one in found.values()):>24}" for head in HEADS))
    for tool, found in results.items():
        for name, one in found.items():
            if not one["held"]:
                print(f"  {tool}: {name}: {', '.join(head for head in HEADS if one[head])} ({one['how']})")
    report.keep("attacks", {"attacks": [one.name for one in attacks], "tools": results}, asked.json)
    return int("ours" in results and not all(one["held"] for one in results["ours"].values()))


if __name__ == "__main__":
    sys.exit(main())
