"""The exercises of module 03: what is asked, the hints, and the probes that turn an answer into evidence."""

from __future__ import annotations

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightschool.curriculum import NotAttempted, exercise
from flightschool.errors import FlightSchoolError
from flightschool.i18n import translations
from flightschool.learn.stubs import untouched

# The lab's files import each other by name, as a notebook imports them.
if (here := str(Path(__file__).parent)) not in sys.path:
    sys.path.insert(0, here)

import bisecting
import guarding
import metric_history
import monthly
import night_batches
import overwritten
import reproducing
import round_trips
from flightrepo import CommandFailed, Repository

if TYPE_CHECKING:
    from flightschool.data import World

_ = translations("03_versioning")


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for the length of a probe."""
    with tempfile.TemporaryDirectory(prefix="flightschool-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextmanager
def surroundings(variables: Mapping[str, str]) -> Iterator[None]:
    """These variables in our environment for a while, for libraries that look there."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@exercise(
    "q1",
    title=_("Bisect to the commit that broke a metric"),
    points=3,
    hints=(
        _(
            "Check out a commit of the middle by hand and run the program there. What does it print, and with which exit code?"
        ),
        _(
            "Your script has three things to say, not two: the figure is right, the figure is wrong, there is no figure."
        ),
        _(
            "git help bisect, section “Bisect run”: which exit code means that the source can't be tested? In Python, sys.exit(n) ends with n."
        ),
        _(
            "run = subprocess.run([sys.executable, 'ontime.py', raw], capture_output=True, text=True); whatever goes wrong while you read a number out of run.stdout: "
            "sys.exit(…); then compare abs(found - right) with 0.001, and exit with … or …."
        ),
    ),
)
def bisect_script(answer: Any, world: World) -> Any:
    """What `git bisect run` with the learner's script blames in three histories, and its verdict on each commit that was tried."""
    if not isinstance(answer, str):
        raise FlightSchoolError(_("Give the script as text (str)."))
    evidence = []
    for number in range(metric_history.HISTORIES):
        this = metric_history.plan(world, number)
        with folder() as place:
            repository, commits, raw = metric_history.build(this, place)
            script = place / "check_commit"
            script.write_text(answer.lstrip(), encoding="utf-8")
            found = bisecting.bisect(repository, script, str(raw), str(this.published), good="published")
            places = {commit: at for at, commit in enumerate(commits)}
            evidence.append(
                {
                    "blamed": places.get(found.blamed or ""),
                    "tried": [[places.get(commit), verdict] for commit, verdict in found.tried],
                    "said": found.said.replace(str(place), "…"),
                }
            )
    return evidence


@exercise(
    "q2",
    title=_("A pipeline that runs again only what changed"),
    points=3,
    hints=(
        _(
            "Open the three scripts in delays/. For each write down: which files does it read, which modules does it import, which values does it take from params.yaml, what does it write?"
        ),
        _(
            "All that a script reads decides whether it must run again; its own text and what it imports are read, too. And what it writes is what the next stage reads."
        ),
        _(
            "A stage has cmd, deps, params, outs and metrics. Under params stand keys of params.yaml (train.smoothing), so that other keys don't matter; params.yaml among the deps would count as a whole."
        ),
        _(
            "evaluate: cmd: python evaluate.py · deps: [evaluate.py, …, model.json, …] · params: [late_from, …] · metrics: [metrics/evaluate.json: {cache: false}]. The other two are built alike."
        ),
    ),
)
def pipeline(answer: Any, world: World) -> Any:
    """Which scripts ran, in `dvc repro` after each of a row of changes; the metrics that DVC knows at the end."""
    if not isinstance(answer, str):
        raise FlightSchoolError(_("Give the dvc.yaml as text (str)."))
    with folder() as place:
        return reproducing.reproduce(answer, world, place)


@exercise(
    "q3",
    title=_("Last month's data back, proved by checksum"),
    points=4,
    hints=(
        _(
            "git log --format='%h %ci %s' -- data/flights.csv.dvc lists the versions with their times. Which of them was on main when that day ended?"
        ),
        _(
            "Three steps: which commit, which bytes, which proof. The commit's own pointer, data/flights.csv.dvc, names the checksum that the bytes must have."
        ),
        _(
            "git rev-list -1 --before='2013-03-31 23:59:59 +0000' main names a commit; git show COMMIT:data/flights.csv.dvc prints its pointer; dvc get . data/flights.csv --rev COMMIT -o target (or dvc.api.read) brings the bytes, and touches nothing else."
        ),
        _(
            "repo = Repository(repository); commit = repo.git('rev-list', …); wanted = yaml.safe_load(repo.git('show', …))['outs'][0]['md5']; content = dvc.api.read(…, rev=commit, mode='rb'); if hashlib.md5(content).hexdigest() … : raise ValueError; only then write."
        ),
    ),
)
def bring_back(answer: Any, world: World) -> Any:
    """For each day asked: the commit named, the checksum of what was delivered, the error raised, and what the repository looked like before and after."""
    from flightschool import services

    this = monthly.past(world)
    s3 = services.s3()
    evidence = []
    with folder() as place, surroundings(s3.env()):
        repository = monthly.build(this, place / "flights", s3, f"team-{uuid.uuid4().hex}")
        for day in this.asked:
            target = place / f"flights-{day}.csv"
            before = monthly.state(repository)
            named, error = None, ""
            try:
                named = answer(repository.folder, day, target)
            except ValueError as raised:
                error = f"ValueError: {raised}"
            after = monthly.state(repository)
            changed = [name for name in before if before[name] != after[name]]
            if changed:
                repository.git("checkout", "--quiet", "--force", "main", check=False)
            content = target.read_bytes() if target.is_file() else None
            evidence.append(
                {
                    "day": str(day),
                    "commit": _subject(repository, named),
                    "md5": None if content is None else monthly.digest(content),
                    "pointer": content is not None and content.startswith(b"outs:"),
                    "error": error[:200],
                    "changed": changed,
                }
            )
    return evidence


def _subject(repository: Any, named: Any) -> str | None:
    """The first line of the commit that was named; None when there is no such commit."""
    if not isinstance(named, str) or len(named) != 40 or not named.isalnum():
        return None
    return repository.git("show", "--quiet", "--format=%s", named, check=False) or None


@exercise(
    "q4",
    title=_("A data branch that is merged only after it validates"),
    points=4,
    hints=(
        _(
            "Say for each line of your function which of the two it touches: the branch or main. What does somebody see who reads main while you audit?"
        ),
        _(
            "Write to a branch, read the branch, then let main name the very snapshot that you read. The batch alone can be sound and the table with it not."
        ),
        _(
            "table.manage_snapshots().create_branch(snapshot_id, 'audit').commit(); table.append(batch, branch='audit'); table.scan().use_ref('audit').to_arrow(); …set_current_snapshot(ref_name='audit').commit(); …remove_branch('audit').commit()."
        ),
        _(
            "try: … if audit(rows of the branch): return False; publish; return True; finally: remove the branch. Don't load the table again before you publish: what you know of main is what pyiceberg compares with."
        ),
    ),
)
def write_audit_publish(answer: Any, world: World) -> Any:
    """Five nights of batches through the learner's function, on an Iceberg table in a bucket."""
    from flightschool import services

    with folder() as place:
        return night_batches.through(answer, world, place, services.s3())


@exercise(
    "q5",
    title=_("One storage function for three clouds"),
    points=3,
    hints=(
        _(
            "What differs between s3://…, gs://… and az://… for your function? The URL and the options, both of which it is given. Nothing else should."
        ),
        _("Bytes go in and bytes come out: no text, no local path. What proves that they are the same ones?"),
        _(
            "fs, path = fsspec.core.url_to_fs(root, **options) gives a file system for any URL; fs.pipe_file(path, content) writes bytes, fs.cat_file(path) reads them and raises FileNotFoundError."
        ),
        _(
            "put: key = hashlib.sha256(content).hexdigest(); fs.pipe_file(f'{path}/{key}', content); return key. get: content = fs.cat_file(…); if the key of content is not key: raise …"
        ),
    ),
)
def one_store(answer: Any, world: World) -> Any:
    """Three contents to each cloud and back, with a damaged and a missing object; the clouds that can't be had are named."""
    if not isinstance(answer, dict) or not {"put", "get"} <= answer.keys():
        raise FlightSchoolError(_("Give both functions: {'put': put, 'get': get}."))
    if not all(map(callable, (answer["put"], answer["get"]))):
        raise FlightSchoolError(_("put and get are functions."))
    return round_trips.travel(answer["put"], answer["get"], world)


@exercise(
    "quiz",
    title=_("What stays with you"),
    points=1,
    hints=(
        _("Each question has one section of this notebook behind it; its first letter is not its heading's."),
        _(
            "For bisect: how often can 32 commits be halved? For pointer: what did git show print? For repro: who decided what ran?"
        ),
        _(
            "For branch: how many bytes did publishing move? For gc: which versions could your page still bring back, and from where?"
        ),
    ),
)
def quiz(answer: Any, world: World) -> Any:
    """The letters that were chosen."""
    if not isinstance(answer, dict):
        return answer
    return {
        str(question): None if choice is ... else str(choice).strip().lower()
        for question, choice in answer.items()
    }


@exercise(
    "drill",
    title=_("Somebody overwrote the raw file, and pushed"),
    points=5,
    hints=(
        _(
            "git log --stat -- raw/flights.csv.dvc in team/desk: which commit changed the pointer, and who committed after it?"
        ),
        _(
            "The good pointer is in history. Are the good bytes in team/storage, too? If not: where did you have them last week? Then a new commit on main, not a new history."
        ),
        _(
            "git checkout COMMIT~1 -- raw/flights.csv.dvc (or git revert COMMIT); dvc checkout brings the bytes from your cache, dvc push puts them into the storage; commit; git push. The hook update gets three arguments: ref, old commit, new commit."
        ),
        _(
            'A guard in sh: if [ "$1" = refs/heads/main ]; then for each pointer of the old commit, git ls-tree -r "$2" raw, ask whether git rev-parse "$3:PATH" is the same; if not: a sentence, exit 1. git merge-base --is-ancestor "$2" "$3" tells rewritten history.'
        ),
    ),
)
def overwritten_raw(answer: Any, world: World) -> Any:
    """What everybody now gets from the shared repository and the storage, and which pushes the hook takes."""
    parts = [answer.get(name, ...) for name in ("team", "guard")] if isinstance(answer, dict) else []
    if not parts or untouched(parts[1]):
        raise NotAttempted
    team, guard = Path(str(parts[0])), parts[1]
    if not isinstance(guard, str) or not guard.lstrip().startswith("#!"):
        raise FlightSchoolError(
            _(
                "guard is the text of a hook; its first line names the interpreter, such as #!/bin/sh or #!/usr/bin/env python3."
            )
        )
    origin = team / "origin.git"
    if not origin.is_dir():
        raise FlightSchoolError(_("There is no origin.git in that folder: team is lab.workdir / 'team'."))
    with folder() as place:
        clone = place / "clone"
        try:
            Repository(origin).git("clone", "--quiet", "--template=", str(origin), str(clone))
            repository = Repository(clone)
            pointer = repository.git("show", f"HEAD:{overwritten.POINTER}", check=False)
            commits = repository.git("rev-list", "HEAD").splitlines()
            files = repository.git("ls-tree", "-r", "--name-only", "HEAD").splitlines()
            tracked = {
                name: monthly.digest(path.read_bytes()) for name in files if (path := clone / name).is_file()
            }
        except CommandFailed as error:
            return {"problem": str(error)[:300]}
        return {
            "pointer": pointer[:400],
            "commits": commits[:100],
            "tracked": tracked,
            "stored": _stored(team / "storage"),
            "desk": _digest(team / "desk" / overwritten.DATA),
            "pushes": guarding.pushes(guard, origin, world, place),
        }


def _stored(storage: Path) -> dict[str, str]:
    """Name in the storage (as a checksum) → checksum of what lies there."""
    root = storage / "files" / "md5"
    return {
        path.parent.name + path.name: monthly.digest(path.read_bytes())
        for path in sorted(root.glob("??/*"))[:50]
        if path.is_file()
    }


def _digest(path: Path) -> str | None:
    return monthly.digest(path.read_bytes()) if path.is_file() else None
