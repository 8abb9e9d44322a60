"""The judges of module 03, with their reference answers. Never in reach of a graded learner's process."""

from __future__ import annotations

import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from flightschool.curriculum import Verdict, judge
from flightschool.data import World
from flightschool.i18n import translations

# The lab's files import each other by name, as a notebook imports them.
if (here := str(Path(__file__).parent)) not in sys.path:
    sys.path.insert(0, here)

import metric_history
import monthly
import night_batches
import overwritten
import round_trips
from flightrepo import Repository

_ = translations("03_versioning")


def part(evidence: Any, *names: str) -> Any:
    """A part of evidence that may have any form; None when it is not there."""
    for name in names:
        evidence = evidence.get(name) if isinstance(evidence, dict) else None
    return evidence


def listed(evidence: Any) -> list[Any]:
    """Evidence as a list; empty when it is none."""
    return evidence if isinstance(evidence, list) else []


def said(evidence: Any, *names: str) -> str:
    """A text of evidence, in one line of bearable length; empty when it is none."""
    text = part(evidence, *names) if names else evidence
    return " ".join(text.split())[-300:] if isinstance(text, str) else ""


# q1 ----------------------------------------------------------------------------------------------------------------


@judge("q1")
def bisect_script(evidence: Any, world: World) -> Verdict:
    """The commit blamed in each history; where it is the wrong one, the first wrong word of the script on a commit."""
    given = listed(evidence)
    for number in range(metric_history.HISTORIES):
        this = metric_history.plan(world, number)
        found = given[number] if number < len(given) else None
        if part(found, "blamed") == this.culprit and type(part(found, "blamed")) is int:
            continue
        reason, try_next = _misjudged(found, this)
        return Verdict.failed(
            expected=_(
                "In each of {n} histories git bisect run blames the commit from which on the figure is wrong."
            ).format(n=metric_history.HISTORIES),
            found=_("History {number}, {length} commits: {reason}").format(
                number=number + 1, length=len(this.versions), reason=reason
            ),
            try_next=try_next,
        )
    return Verdict.passed(
        _(
            "Your script can say that it does not know, so untestable commits mislead nobody, and five or six runs stand for thirty commits. A professional keeps such a script "
            "with the tests, and pins the data that it measures on."
        )
    )


def _misjudged(found: Any, this: metric_history.Plan) -> tuple[str, str]:
    """What the script got wrong, and what to try."""
    wrong: list[tuple[str, int]] = []
    for pair in listed(part(found, "tried")):
        if (
            not isinstance(pair, list)
            or len(pair) != 2
            or type(pair[0]) is not int
            or not 0 <= pair[0] < len(this.versions)
        ):
            continue
        place, verdict = pair
        true = "skip" if place in this.stuck else "bad" if place >= this.culprit else "good"
        if verdict != true and verdict in ("good", "bad", "skip"):
            wrong.append((f"{true} {verdict}", place))
    kinds = {kind for kind, _place in wrong}
    words = said(found, "said")
    if (
        {"good bad", "bad good"} & kinds
        and all(kind in ("good bad", "bad good") for kind in kinds)
        and not _agrees(found, this)
    ):
        return (
            _(
                "every verdict of your script is turned round: right figures are called bad and wrong ones good."
            ),
            _("For git bisect, as for every shell, which exit code means that all is well?"),
        )
    for kind, place in sorted(wrong):
        message = this.versions[place].message
        if kind == "skip bad":
            return (
                _(
                    "“{message}” can't be tested: the program prints no figure there. Your script called it bad, and so the search went astray."
                ).format(message=message),
                _(
                    "A crash of the program says nothing about the figure. Which exit code tells git bisect to try a neighbour?"
                ),
            )
        if kind == "skip good":
            return (
                _(
                    "“{message}” can't be tested: the program prints no figure there. Your script called it good, and so the search went astray."
                ).format(message=message),
                _("No figure is not the right figure. Which exit code tells git bisect to try a neighbour?"),
            )
        if kind == "good bad" and place >= this.rounded:
            return (
                _(
                    "“{message}” was called bad, yet its figure is the published one, rounded to three digits."
                ).format(message=message),
                _("Compare numbers within a tolerance, as the task names it, and not texts or all digits."),
            )
        if kind in ("good skip", "bad skip"):
            return (
                _(
                    "“{message}” was skipped, yet the program prints a figure there: your script skips commits that can be tested."
                ).format(message=message),
                _(
                    "Run your script by hand in that commit and look at the branch of your code that it ends in."
                ),
            )
        if kind == "bad good":
            return (
                _("“{message}” was called good, yet its figure is off by more than the tolerance.").format(
                    message=message
                ),
                _(
                    "Run the program in that commit and compare the figure with the one in the second argument. How large is a share, and how large your tolerance?"
                ),
            )
        return (
            _("“{message}” was called bad, yet its figure is right.").format(message=message),
            _("Run your script by hand in that commit: what does it compare with what?"),
        )
    if words == "timed out":
        return _("your script did not come to an end in time."), _(
            "Does it wait for input, or search by itself? git does the searching."
        )
    if "bisect run failed" in words or "bogus exit code" in words or "exit code" in words:
        return (
            _(
                "the bisection stopped, since your script ended with a code that is no verdict: {words}"
            ).format(words=words[-160:]),
            _(
                "Only 0 to 127 are verdicts; sys.exit(-1) arrives as 255. Run the script by hand and print its exit code: echo $?."
            ),
        )
    return (
        _("the bisection blamed no commit, or the wrong one. It said last: {words}").format(
            words=words[-160:] or _("nothing")
        ),
        _("Try your script by hand on `published` and on `main`: the exit codes must differ."),
    )


def _agrees(found: Any, this: metric_history.Plan) -> bool:
    """Whether the script was right about any commit that can be tested."""
    return any(
        isinstance(pair, list)
        and len(pair) == 2
        and type(pair[0]) is int
        and pair[0] not in this.stuck
        and pair[1] == ("bad" if pair[0] >= this.culprit else "good")
        for pair in listed(part(found, "tried"))
    )


# q2 ----------------------------------------------------------------------------------------------------------------

MUST_RUN: dict[str, tuple[str, ...]] = {
    "unread": (),
    "raw": ("prepare", "train", "evaluate"),
    "airports": ("prepare", "train", "evaluate"),
    "late_from": ("train", "evaluate"),
    "smoothing": ("train", "evaluate"),
    "threshold": ("evaluate",),
    "rules": ("train", "evaluate"),
    "comment": ("prepare",),
    "comments": ("train", "evaluate"),
}
"""What must run again after each change of `reproducing.changes`, and no more."""
METRICS = "metrics/evaluate.json"


@judge("q2")
def pipeline(evidence: Any, world: World) -> Verdict:
    """All three run in a sensible order at first; after each change exactly what it touches; the metrics are known as such."""
    first = [str(name) for name in listed(part(evidence, "first"))]
    problem = said(evidence, "problem")
    steps = [step for step in listed(part(evidence, "steps")) if isinstance(step, dict)]
    after = {
        "raw": _("data/flights.csv was replaced"),
        "airports": _("prepare.airports was changed in params.yaml"),
        "late_from": _("late_from was changed in params.yaml"),
        "smoothing": _("train.smoothing was changed in params.yaml"),
        "threshold": _("evaluate.threshold was changed in params.yaml"),
        "unread": _("chart.colour was changed in params.yaml, and README.md: no script reads them"),
        "rules": _("rules.py was changed"),
        "comment": _("a comment was added to prepare.py, which writes the same file as before"),
        "comments": _("comments were added to train.py and evaluate.py"),
    }
    expected = _(
        "The first dvc repro runs all three scripts once, each after those whose files it reads; each later one runs exactly those that a change touches."
    )
    if problem:
        last = str(steps[-1].get("change")) if steps else ""
        return Verdict.failed(
            expected=expected,
            found=_("dvc repro failed{when}: {problem}").format(
                when=_(" after {change}").format(change=after[last]) if last in after else "",
                problem=problem.rstrip(".") + ".",
            ),
            try_next=_(
                "Does each stage list as deps the files that another one writes as outs, with the same path? Those are the arrows of the graph."
            ),
        )
    wanted = ("prepare", "train", "evaluate")
    if (
        sorted(first) != sorted(wanted)
        or first.index("train") > first.index("evaluate")
        or first[0] != "prepare"
    ):
        return Verdict.failed(
            expected=expected,
            found=_("The first dvc repro ran {ran}.").format(ran=_spell(first)),
            try_next=_("Three stages, one a script. Whose output does each of them read?"),
        )
    done = {str(step.get("change")): [str(name) for name in listed(step.get("ran"))] for step in steps}
    for change, must in MUST_RUN.items():
        ran = done.get(change)
        if ran is None or sorted(ran) != sorted(must):
            return Verdict.failed(
                expected=expected,
                found=_("After {change}, dvc repro ran {ran}.").format(
                    change=after[change], ran=_spell(ran or [])
                ),
                try_next=_amiss(change, set(ran or []), set(must)),
            )
    metrics = part(evidence, "metrics")
    if not isinstance(metrics, dict) or not isinstance(metrics.get(METRICS), dict) or not metrics[METRICS]:
        return Verdict.failed(
            expected=_("dvc metrics show knows the numbers of metrics/evaluate.json."),
            found=_("What runs is right, yet dvc metrics show has numbers from {files}.").format(
                files=", ".join(sorted(map(str, metrics)))
                if isinstance(metrics, dict) and metrics
                else _("no file")
            ),
            try_next=_("An output that holds numbers to be compared stands under metrics, not under outs."),
        )
    return Verdict.passed(
        _(
            "After each of {n} changes exactly the right scripts ran: your dvc.yaml says all that the scripts read, and no more. A professional runs dvc repro in CI, where "
            "a stage that forgot a dependency can't hide behind files of yesterday."
        ).format(n=len(MUST_RUN))
    )


def _spell(scripts: list[str]) -> str:
    return ", ".join(scripts[:8]) or _("nothing")


def _amiss(change: str, ran: set[str], must: set[str]) -> str:
    """Where to look, when a change made too few or too many scripts run."""
    if missing := sorted(must - ran):
        reads = {
            "raw": _("Which file does prepare.py read? And are the outputs of a stage the deps of the next?"),
            "airports": _(
                "{scripts} did not: is prepare.airports under the params of the stage that reads it, and are its outputs the deps of the others?"
            ),
            "late_from": _(
                "{scripts} did not: each stage whose script reads late_from has it under its params."
            ),
            "smoothing": _(
                "{scripts} did not: the key train.smoothing under params, and model.json as the output of one stage and the dep of the next."
            ),
            "threshold": _(
                "{scripts} did not: is the key evaluate.threshold under the params of the stage that reads it?"
            ),
            "rules": _(
                "{scripts} did not: what do these scripts import? A module that is read is a dependency, too."
            ),
            "comment": _("{scripts} did not: the text of a script is a dependency of its own stage."),
            "comments": _("{scripts} did not: the text of a script is a dependency of its own stage."),
        }
        return reads.get(change, _("{scripts} did not.")).format(scripts=", ".join(missing))
    if change == "unread":
        return _(
            "Too many ran: list the keys that a script reads under params; params.yaml among the deps counts as a whole, and always_changed or a dependency on a folder make more run than must."
        )
    if change == "comment":
        return _(
            "Too many ran: a stage depends on the file that another one writes, not on the script that writes it."
        )
    if change in ("airports", "late_from", "smoothing", "threshold"):
        return _(
            "Too many ran, or one ran twice: does each stage list only the keys that its own script reads?"
        )
    return _(
        "Too many ran, or one ran twice: one stage a script, with what this script reads and nothing else."
    )


# q3 ----------------------------------------------------------------------------------------------------------------


@judge("q3")
def bring_back(evidence: Any, world: World) -> Verdict:
    """The right bytes with the right commit for each day, nothing for the damaged one, and a repository that was left alone."""
    this = monthly.past(world)
    names = {monthly.digest(content): name for name, content in this.contents.items()}
    given = {item.get("day"): item for item in listed(evidence) if isinstance(item, dict)}
    expected = _(
        "For each day: at target the bytes that data/flights.csv had on main when that day ended (UTC), proved by the checksum in their pointer, and the full name of the commit; ValueError and no "
        "file, where the bytes in the bucket are not those of the pointer; the repository as it was."
    )
    for day, wanted in this.asked.items():
        item = given.get(str(day))
        found, try_next = _brought(item, wanted, names, this)
        if found:
            return Verdict.failed(expected=expected, found=f"{day}: {found}", try_next=try_next)
    return Verdict.passed(
        _(
            "You brought back what stood on main that evening, byte for byte, and refused what had been damaged in the bucket: the checksum in Git is the proof. A professional lets "
            "the remote verify (dvc remote modify lake verify true), restores once a quarter for practice, and uses SHA-256 where somebody could want to deceive."
        )
    )


def _brought(item: Any, wanted: str, names: dict[str, str], this: monthly.Past) -> tuple[str, str]:
    """What is wrong with one delivery, and what to try; empty when nothing is."""
    if not isinstance(item, dict):
        return _("nothing was brought back."), _(
            "Call your function yourself: bring_back(repository, day, target)."
        )
    if changed := [str(name) for name in listed(item.get("changed"))]:
        return (
            _("after your function the repository is another: {what} changed.").format(
                what=", ".join(changed[:4])
            ),
            _(
                "A look into the past needs no git checkout: git show and dvc get read another commit from where you stand."
            ),
        )
    md5, error = item.get("md5"), said(item, "error")
    if wanted == this.damaged:
        if md5 is not None:
            return (
                _("the object in the bucket was damaged, and your function handed it over."),
                _(
                    "Compare the MD5 of what you got with the one in the pointer of that commit, before you write target."
                ),
            )
        if not error:
            return _("the object in the bucket was damaged, and nobody was told."), _(
                "Raise ValueError, so that the caller knows."
            )
        return "", ""
    if error:
        return _("your function refused sound bytes: {error}").format(error=error), _(
            "Whose checksum do you compare with: the pointer's in that commit, or the one of today?"
        )
    if md5 is None:
        return _("there is no file at target."), _("Write the bytes to target, a pathlib.Path.")
    if item.get("pointer") is True:
        return (
            _(
                "what lies at target is the pointer, data/flights.csv.dvc: a few lines of YAML, and not the data."
            ),
            _("Git keeps the pointer and the bucket keeps the bytes. The pointer's md5 names them."),
        )
    name = names.get(md5) if isinstance(md5, str) else None
    if name != wanted:
        return {
            "3 tried": (
                _("you brought back the experiment, which was never merged."),
                _("Which branch do you walk? --all walks them all."),
            ),
            "3": (
                _("you brought back March before its correction."),
                _("Which is the last commit on main before that day ended?"),
            ),
        }.get(
            name or "",
            (
                _("you brought back the data of another commit.")
                if name
                else _("these bytes are of no version."),
                _(
                    "Which is the last commit on main before that day ended? For --before a date without a time means the present time of day, and without a zone that of your machine."
                ),
            ),
        )
    right = _commits(wanted, this)
    if item.get("commit") not in right:
        return (
            _("the bytes are right, and the commit that you returned is another: {commit}.").format(
                commit=said(item, "commit") or _("none")
            ),
            _("Return the full name (40 digits) of the commit in which you found the pointer."),
        )
    return "", ""


def _commits(wanted: str, this: monthly.Past) -> set[str]:
    """Messages of the commits on main that hold this version: the one that brought it, and those after it that touch no data."""
    held, right = "", set()
    for version in this.versions:
        content = version.files.get(monthly.POINTER)
        held = next((name for name, data in this.contents.items() if monthly.pointer(data) == content), held)
        if held == wanted:
            right.add(version.message)
    return right


# q4 ----------------------------------------------------------------------------------------------------------------


@judge("q4")
def write_audit_publish(evidence: Any, world: World) -> Verdict:
    """Each night: what was audited, what readers saw meanwhile, what main holds after, and whether the branch is gone."""
    this = night_batches.nights(world)
    given = {item.get("night"): item for item in listed(evidence) if isinstance(item, dict)}
    told = {
        "sound": _("A sound day comes"),
        "unsound": _(
            "Rows come that audit finds fault with, by themselves or beside those of the night before"
        ),
        "colleague": _("A sound day comes, and a colleague publishes another one while you audit"),
    }
    main = _rows(this.before)
    for night in night_batches.NIGHTS:
        brought = _rows(this.batches[night])
        found, try_next = _night(night, given.get(night), main, brought, _rows(this.colleague))
        if found:
            return Verdict.failed(
                expected=_(
                    "The batch is written to a branch, the whole branch is audited, and main names it only when audit found nothing; True when it was published, else False; no branch is left; "
                    "what others publish meanwhile stays."
                ),
                found=f"{told[night]}: {found}",
                try_next=try_next,
            )
        if night == "sound":
            main = main | brought
    return Verdict.passed(
        _(
            "Nobody who reads main ever saw a row that had not been audited, and what was published is what was audited, not a second copy. A professional keeps the "
            "branch of a refused night for a week, with the reasons in its name or in the ticket."
        )
    )


def _rows(table: Any) -> dict[str, int]:
    """Rows by day of a batch; it has one day."""
    return {str(table["flight_date"][0].as_py()): int(table.num_rows)}


def _night(
    night: str, item: Any, main: dict[str, int], brought: dict[str, int], colleague: dict[str, int]
) -> tuple[str, str]:
    """What went wrong in one night, and what to try; empty when nothing did. `main` is what it held before."""
    after = part(item, "after")
    audits = [audit for audit in listed(part(item, "audits")) if isinstance(audit, dict)]
    returned, raised = part(item, "returned"), said(item, "raised")
    if not isinstance(after, dict):
        return _("nothing came of it."), _(
            "Call your function with table, batch and audit=problems, and look at table.scan() afterwards."
        )
    total, new = sum(main.values()), sum(brought.values())
    if not audits:
        return _("audit was never called."), _("Read the rows of the branch, and give them to audit.")
    if audits[0].get("main") != total:
        return (
            _(
                "while you audited, readers of main saw {rows} rows, {more:+d} than were published before."
            ).format(rows=audits[0].get("main"), more=_number(audits[0].get("main")) - total),
            _("Does your append name the branch? A rollback afterwards comes too late: somebody has read."),
        )
    if audits[0].get("rows") != total + new:
        seen = audits[0].get("rows")
        if seen == new:
            return (
                _("you audited the batch alone, {rows} rows.").format(rows=seen),
                _(
                    "A batch can be sound and the table with it not: audit all rows of the branch, table.scan().use_ref(…)."
                ),
            )
        if seen == total:
            return _("you audited main, {rows} rows, which does not hold the batch yet.").format(
                rows=seen
            ), _("Which ref does your scan read? use_ref names it.")
        return _("you audited {rows} rows; main and the batch together are {all}.").format(
            rows=seen, all=total + new
        ), _("Does the branch begin where main is?")
    sound = night in ("sound", "colleague")
    theirs = colleague if night == "colleague" else {}
    kept, published = main | theirs, main | brought | theirs
    if theirs and not theirs.items() <= after.items():
        return (
            _("what the colleague had published is gone: main was set to a branch that began before it."),
            _(
                "main has moved since you branched. pyiceberg refuses to publish then, unless you load the table anew and so tell it that you know. Let it refuse, or branch again from the new main and audit again."
            ),
        )
    if not sound and after != kept:
        return _("main holds rows that audit had found fault with."), _(
            "What does your function do when audit returns sentences?"
        )
    if sound and after != published and not (theirs and after == kept):
        return (
            (
                _("the sound batch was not published."),
                _("Which call lets main name the snapshot of the branch?"),
            )
            if after == kept
            else (
                _("main holds neither the old rows nor the old and the new ones."),
                _("Count the rows of main by day, before and after."),
            )
        )
    if _number(part(item, "written")) > 1 + bool(theirs) + (len(audits) > 1) * (len(audits) - 1):
        return (
            _(
                "the rows were written twice: {n} new snapshots. What readers get is not what was audited."
            ).format(n=_number(part(item, "written")) - bool(theirs)),
            _("Don't append once more: set_current_snapshot lets main name the audited snapshot."),
        )
    if branches := listed(part(item, "branches")):
        return _("the branch {name} is left over.").format(name=str(branches[0])[:40]), _(
            "Remove it in a finally: it must go when the audit fails, too."
        )
    if returned is not (after == published and sound) and not raised:
        return _("your function returned {value}.").format(value=str(returned)[:40]), _(
            "True when the batch was published, False when it was not."
        )
    return "", ""


def _number(value: Any) -> int:
    return value if type(value) is int else 0


# q5 ----------------------------------------------------------------------------------------------------------------

STORES = ("s3", "gcs", "azure", "memory")
ALWAYS = ("s3", "memory")
"""These need nothing that is not installed with the course, so nobody can be without them."""


@judge("q5")
def one_store(evidence: Any, world: World) -> Verdict:
    """Keys, bytes, objects, a damaged and a missing one, on every store that could be had."""
    names = {
        "s3": "Amazon S3",
        "gcs": "Google Cloud Storage",
        "azure": "Azure Blob Storage",
        "memory": _("a fourth store (memory://), which nobody had named"),
    }
    skipped = []
    for store in STORES:
        one = part(evidence, store)
        if store not in ALWAYS and (why := said(one, "skipped")):
            skipped.append(f"{names[store]} ({why})")
            continue
        found, try_next = _store(one, world)
        if found:
            return Verdict.failed(
                expected=_(
                    "On every store: put returns the SHA-256 of the content and keeps one object with just these bytes; get returns them, raises ValueError when they are damaged and FileNotFoundError when they are missing."
                ),
                found=f"{names[store]}: {found}",
                try_next=try_next,
            )
    done = _(
        "The same two functions work on every store: content is named by its own checksum, so nothing can be overwritten by something else. That is how Git, DVC and lakeFS "
        "store. A professional adds versioning and retention on the bucket, since a name protects from accidents and not from deletion."
    )
    return Verdict.passed(
        done + (" " + _("Skipped: {stores}.").format(stores="; ".join(skipped)) if skipped else "")
    )


def _store(one: Any, world: World) -> tuple[str, str]:
    """What is wrong on one store, and what to try; empty when nothing is."""
    wanted = [round_trips.key(content) for content in round_trips.contents(world)]
    keys, back, stored = (listed(part(one, name)) for name in ("keys", "back", "stored"))
    what = (_("an empty file"), _("a file with every byte"), _("a file with Windows' line ends"))
    if len(keys) != len(wanted):
        return _("nothing came of it."), _("Call put(b'abc', root, options) yourself.")
    for content, key, right in zip(what, keys, wanted, strict=True):
        if isinstance(key, str) and key.startswith("!"):
            return (
                _("put of {content} raised {error}").format(content=content, error=_error(key)),
                _(
                    "Does it use the options, treat the content as bytes, and take its file system from the URL and not from one cloud?"
                ),
            )
        if key != right:
            return (
                _("put of {content} returned {key}.").format(content=content, key=str(key)[:70]),
                _(
                    "It returns the SHA-256 of the content, 64 hexadecimal digits: the same content has the same key everywhere and at any time."
                ),
            )
    if not set(wanted) <= set(map(str, stored)):
        return (
            _("of three contents, {n} lie in the bucket with just their bytes.").format(
                n=len(set(wanted) & set(map(str, stored)))
            ),
            _(
                "Print fs.find(path). A pathlib.Path makes s3:/… of s3://…, which is a folder on your disk; a file opened as text changes line ends."
            ),
        )
    again = listed(part(one, "again"))
    if len(stored) != len(wanted) or len(again) != len(stored):
        return (
            _("three contents were put, one of them twice, and {n} objects lie there.").format(n=len(again)),
            _(
                "The object's name is made of the key alone; then the second put of a content finds its own place."
            ),
        )
    if sorted(map(str, again)) != sorted(map(str, stored)):
        return (
            _("a content was put a second time, and its object holds other bytes since."),
            _("An object is written whole: nothing is added to one that is there."),
        )
    for content, given, right in zip(what, [*back, None, None, None], wanted, strict=False):
        if given != right:
            return (
                _("get of {content} gave {given}").format(
                    content=content, given=_error(given) if str(given).startswith("!") else _("other bytes.")
                ),
                _("It returns bytes, all of them, unchanged, and an empty content is a content."),
            )
    tampered, missing = (said(one, name) for name in ("tampered", "missing"))
    if "ValueError" not in tampered.partition(":")[0] or not tampered.startswith("!"):
        return (
            _("an object was damaged in the bucket, and get {did}").format(
                did=_("raised {error}").format(error=_error(tampered))
                if tampered.startswith("!")
                else _("handed it over.")
            ),
            _(
                "The key is the checksum: compute it again from what you read, before you return it; ValueError when it differs."
            ),
        )
    if "FileNotFoundError" not in missing.partition(":")[0] or not missing.startswith("!"):
        return (
            _("for a key that is not there, get {did}").format(
                did=_("raised {error}").format(error=_error(missing))
                if missing.startswith("!")
                else _("{what}.").format(what=missing[:60])
            ),
            _("fsspec raises FileNotFoundError by itself on every store: let it."),
        )
    return "", ""


def _error(text: Any) -> str:
    """`! Kind/Base: first line` as a sentence."""
    kinds, _colon, words = str(text).removeprefix("! ").partition(": ")
    return f"{kinds.split('/')[0]}: {words[:120].rstrip('.')}." if words else f"{kinds.split('/')[0]}."


# quiz --------------------------------------------------------------------------------------------------------------

QUIZ = {"bisect": "b", "pointer": "c", "repro": "a", "branch": "b", "undo": "c"}


@judge("quiz")
def quiz(evidence: Any, world: World) -> Verdict:
    """One letter a question."""
    reasons = {
        "bisect": _("bisect: each run halves what is left. How often can you halve 32?"),
        "pointer": _(
            "pointer: run git show HEAD:data/flights.csv.dvc in a repository with DVC, and see what Git has."
        ),
        "repro": _("repro: a comment in prepare.py, and train did not run. What had not changed?"),
        "branch": _(
            "branch: look at what set_current_snapshot changed in the bucket: how many data files did it write?"
        ),
        "undo": _("undo: others have pulled that commit. What does each of the three do to their copies?"),
    }
    given = evidence if isinstance(evidence, dict) else {}
    wrong = [question for question, right in QUIZ.items() if given.get(question) != right]
    if not wrong:
        return Verdict.passed(
            _(
                "All five. They are also five questions to ask in a team that says that it versions everything."
            )
        )
    answer = {
        "expected": _("One letter for each of the five questions."),
        "found": _("{n} of {all} are right; look again at: {wrong}.").format(
            n=len(QUIZ) - len(wrong), all=len(QUIZ), wrong=", ".join(wrong)
        ),
        "try_next": reasons[wrong[0]],
    }
    return (
        Verdict.partly(1 - len(wrong) / len(QUIZ), **answer)
        if len(wrong) < len(QUIZ)
        else Verdict.failed(**answer)
    )


# drill -------------------------------------------------------------------------------------------------------------

TAKEN = {
    "overwrite": False,
    "overwrite under another commit": False,
    "delete": False,
    "rewritten history": False,
    "note": True,
    "weather": True,
    "new file": True,
    "new branch": True,
}
"""Which pushes a good guard takes."""


@judge("drill")
def overwritten_raw(evidence: Any, world: World) -> Verdict:
    """History kept, pointer right, bytes in the storage and on the desk, and a guard that stops the next one and nobody else."""
    expected = _(
        "For everybody who clones: the pointer of raw/flights.csv is that of the file as the source sent it, its bytes are in the storage, no commit of anybody is gone. And the hook refuses what changes or "
        "deletes a raw file's pointer on main, or rewrites main, and takes all other work."
    )
    found, try_next = _recovered(evidence, world)
    if found:
        return Verdict.failed(expected=expected, found=found, try_next=try_next)
    found, try_next = _guarded(part(evidence, "pushes"))
    if found:
        return Verdict.partly(
            0.6,
            expected=expected,
            found=_("The raw file is back for everybody. {found}").format(found=found),
            try_next=try_next,
        )
    return Verdict.passed(
        _(
            "The raw file is back for everybody, with its proof, nobody's commit is gone, and the next overwriting push will be refused. A professional also makes the storage write-once (object lock), "
            "and runs dvc gc with --all-commits or not at all."
        )
    )


def _recovered(evidence: Any, world: World) -> tuple[str, str]:
    if problem := said(evidence, "problem"):
        return _("origin.git can't be cloned: {problem}").format(problem=problem), _(
            "incident.abandon() puts the clean state back; page yourself anew."
        )
    good = monthly.digest(overwritten.raw(world))
    bad = monthly.digest(overwritten.through_a_spreadsheet(overwritten.raw(world), world))
    commits = set(map(str, listed(part(evidence, "commits"))))
    gone = [subject for commit, subject in _pulled(world.seed).items() if commit not in commits]
    if gone:
        return (
            _("a commit that others have is gone from main: “{subject}”.").format(subject=gone[-1]),
            _(
                "Reset and a forced push rewrite what others have pulled. Put the file back by a new commit (git revert, or git checkout of the old pointer)."
            ),
        )
    tracked = part(evidence, "tracked")
    tracked = tracked if isinstance(tracked, dict) else {}
    if (
        tracked.get(overwritten.WEEKLY) != monthly.digest(overwritten.note(world, 3))
        or "notes/readers.md" not in tracked
    ):
        return (
            _(
                "the weather of the third day, or the note on its readers, is not on main as their authors left it."
            ),
            _("Take back the one commit, or the one file, and not all that came after."),
        )
    pointer = said(evidence, "pointer")
    if good not in pointer:
        return (
            (
                _("the pointer on main of origin.git is still that of the overwritten file."),
                _("Was the commit pushed? git log origin/main, and git show HEAD:raw/flights.csv.dvc."),
            )
            if bad in pointer
            else (
                _("the pointer on main names other bytes than the source had sent."),
                _(
                    "Which commit changed raw/flights.csv.dvc first? The pointer before it names the source's bytes."
                ),
            )
        )
    stored = part(evidence, "stored")
    if not isinstance(stored, dict) or stored.get(good) != good:
        return (
            _("the pointer is right, and the storage does not have its bytes: whoever pulls gets nothing."),
            _("dvc gc had thrown them away. They are in the cache of your desk: dvc push."),
        )
    if part(evidence, "desk") != good:
        return _("raw/flights.csv on your own desk is still another file."), _(
            "dvc checkout brings the bytes that the pointer names."
        )
    return "", ""


@cache
def _pulled(seed: int) -> dict[str, str]:
    """Name and message of each commit that others had pulled when the page came, the oldest first. Laid out anew: the same world gives the same names."""
    with tempfile.TemporaryDirectory(prefix="flightschool-") as place:
        overwritten.lay_out(World(seed), Path(place) / "team")
        log = Repository(Path(place) / "team" / "origin.git").git(
            "log", "--reverse", "--format=%H %s", "main"
        )
    return dict(line.split(" ", 1) for line in log.splitlines())  # type: ignore[misc]


def _guarded(pushes: Any) -> tuple[str, str]:
    told = {
        "overwrite": _("a commit that changes the pointer of raw/flights.csv"),
        "overwrite under another commit": _("two commits, the first of which changes the pointer"),
        "delete": _("a commit that deletes the pointer"),
        "rewritten history": _("a forced push that puts another commit in the place of one that others have"),
        "new file": _("a new raw file with its pointer"),
        "weather": _("a new version of raw/weather.csv, which is no pointer"),
        "note": _("a commit that adds a note"),
        "new branch": _("a new branch, whose old commit is all zeros"),
    }
    for name, taken in TAKEN.items():
        push = part(pushes, name)
        if part(push, "taken") is not taken:
            words = said(push, "said")
            return (
                (
                    _("The hook refused {push}: {words}").format(
                        push=told[name], words=words[-160:] or _("it said nothing")
                    ),
                    _(
                        "Which pushes must go on every day? Only what touches a pointer that is there already is refused, and only on main."
                    ),
                )
                if taken
                else (
                    _("The hook took {push}.").format(push=told[name]),
                    _(
                        "Compare the tree of the old commit with that of the new one, over all commits of the push: git ls-tree, git rev-parse COMMIT:PATH, git merge-base --is-ancestor."
                    ),
                )
            )
    return "", ""
