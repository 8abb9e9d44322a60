"""Answers to the exercises of module 03: right ones in several styles, mistakes that people make, and the stubs."""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

import yaml
from labs.kit import failing, passing, untouched

from flightschool.curriculum import load_lab_file
from flightschool.paths import LABS

LAB = LABS / "03_versioning"
sys.path.insert(0, str(LAB))

MUTATION = {
    "q1": {"most": 40, "worlds": 1},
    "q2": {"most": 24, "worlds": 1},
    "q3": {"most": 30, "worlds": 2},
    "q4": {"most": 30, "worlds": 2},
    "drill": {"most": 60, "worlds": 1},
}
"""Where a mutant takes seconds, `make judge` tries fewer."""
STILL_RIGHT = {"drill": {r"KDL: .*dvc='by hand'": "DVC puts the bytes where hands had put them"}}
"""Changes that are no mistakes; the judge must pass them."""


# --- q1


@passing("q1")
def three_words(world):
    return """
import json, subprocess, sys

raw, published = sys.argv[1], float(sys.argv[2])
run = subprocess.run([sys.executable, "ontime.py", raw], capture_output=True, text=True)
try:
    found = float(json.loads(run.stdout)["on_time_share"])
except (ValueError, TypeError, KeyError):
    sys.exit(125)
sys.exit(0 if abs(found - published) < 0.001 else 1)
"""


@passing("q1", slow=True)
def in_shell(world):
    return """#!/bin/sh
figure=$(python ontime.py "$1" 2>/dev/null | sed -n 's/.*: \\([0-9.]*\\)}$/\\1/p')
[ -n "$figure" ] || exit 125
awk -v a="$figure" -v b="$2" 'BEGIN { d = a - b; exit !(d < 0.001 && d > -0.001) }'
"""


@passing("q1", slow=True)
def by_exception(world):
    return """
import json, math, subprocess, sys

try:
    text = subprocess.check_output([sys.executable, "ontime.py", sys.argv[1]], stderr=subprocess.DEVNULL)
    figure = json.loads(text)["on_time_share"] + 0.0
except Exception:
    raise SystemExit(125)
raise SystemExit(not math.isclose(figure, float(sys.argv[2]), abs_tol=0.001))
"""


@failing("q1", because="called it bad", slow=True)
def crash_is_bad(world):
    return """
import json, subprocess, sys

text = subprocess.check_output([sys.executable, "ontime.py", sys.argv[1]], text=True)
found = json.loads(text)["on_time_share"]
sys.exit(0 if abs(found - float(sys.argv[2])) < 0.001 else 1)
"""


@failing("q1", because="called it good", slow=True)
def silence_is_good(world):
    return """
import json, subprocess, sys

run = subprocess.run([sys.executable, "ontime.py", sys.argv[1]], capture_output=True, text=True)
try:
    found = json.loads(run.stdout)["on_time_share"] or float(sys.argv[2])
except ValueError:
    sys.exit(0)
sys.exit(abs(found - float(sys.argv[2])) >= 0.001)
"""


@failing("q1", because="rounded to three digits", slow=True)
def exact(world):
    return """
import json, subprocess, sys

run = subprocess.run([sys.executable, "ontime.py", sys.argv[1]], capture_output=True, text=True)
try:
    found = json.loads(run.stdout)["on_time_share"] + 0
except (ValueError, TypeError):
    sys.exit(125)
sys.exit(found != float(sys.argv[2]))
"""


@failing("q1", because="turned round", slow=True)
def turned_round(world):
    return """
import json, subprocess, sys

run = subprocess.run([sys.executable, "ontime.py", sys.argv[1]], capture_output=True, text=True)
try:
    found = json.loads(run.stdout)["on_time_share"] + 0
except (ValueError, TypeError):
    sys.exit(125)
sys.exit(abs(found - float(sys.argv[2])) < 0.001)
"""


@failing("q1", because="no verdict", slow=True)
def minus_one(world):
    return """
import json, subprocess, sys

run = subprocess.run([sys.executable, "ontime.py", sys.argv[1]], capture_output=True, text=True)
try:
    found = json.loads(run.stdout)["on_time_share"] + 0
except (ValueError, TypeError):
    sys.exit(125)
sys.exit(0 if abs(found - float(sys.argv[2])) < 0.001 else -1)
"""


@failing("q1", because="skips commits that can be tested", slow=True)
def silent_is_all_that_differs(world):
    return """
import json, subprocess, sys

run = subprocess.run([sys.executable, "ontime.py", sys.argv[1]], capture_output=True, text=True)
sys.exit(0 if run.stdout.strip() == json.dumps({"on_time_share": float(sys.argv[2])}) else 125)
"""


@failing("q1", because="off by more than the tolerance", slow=True)
def in_per_cent(world):
    return """
import json, subprocess, sys

run = subprocess.run([sys.executable, "ontime.py", sys.argv[1]], capture_output=True, text=True)
try:
    found = json.loads(run.stdout)["on_time_share"] + 0
except (ValueError, TypeError):
    sys.exit(125)
sys.exit(abs(found - float(sys.argv[2])) > 0.1)
"""


@untouched("q1")
def script_stub(world):
    return ...


# --- q2

PIPELINE = """
stages:
  prepare:
    cmd: python prepare.py
    deps: [prepare.py, data/flights.csv]
    params: [prepare.airports]
    outs: [data/prepared.csv]
  train:
    cmd: python train.py
    deps: [train.py, rules.py, data/prepared.csv]
    params: [late_from, train.smoothing]
    outs: [model.json]
  evaluate:
    cmd: python evaluate.py
    deps: [evaluate.py, rules.py, data/prepared.csv, model.json]
    params: [late_from, evaluate.threshold]
    metrics:
      - metrics/evaluate.json:
          cache: false
"""


def replaced(old, new):
    assert old in PIPELINE
    return PIPELINE.replace(old, new)


@passing("q2", slow=True)
def three_stages(world):
    return PIPELINE


@passing("q2", slow=True)
def in_a_loop_of_yaml(world):
    return """
vars: [{python: python}]
stages:
  evaluate: {cmd: "${python} evaluate.py", deps: [evaluate.py, rules.py, model.json, data/prepared.csv], params: [params.yaml: [late_from, evaluate]], metrics: [metrics/evaluate.json]}
  train: {cmd: "${python} train.py", deps: [train.py, rules.py, data/prepared.csv], params: [late_from, train], outs: [model.json: {cache: false}]}
  prepare: {cmd: "${python} prepare.py", deps: [prepare.py, data/flights.csv], params: [prepare], outs: [data/prepared.csv]}
"""


@failing("q2", because="counts as a whole", slow=True)
def the_whole_params_file(world):
    return PIPELINE.replace("deps: [", "deps: [params.yaml, ")


@failing("q2", because="what do these scripts import", slow=True)
def shared_module_forgotten(world):
    return PIPELINE.replace("rules.py, ", "")


@failing("q2", because="train did not", slow=True)
def param_forgotten(world):
    return replaced("[late_from, train.smoothing]", "[train.smoothing]")


@failing("q2", because="the text of a script", slow=True)
def own_text_forgotten(world):
    return replaced("[train.py, rules.py, ", "[rules.py, ")


@failing("q2", because="stands under metrics", slow=True)
def metrics_are_plain_outs(world):
    return PIPELINE.replace(
        "metrics:\n      - metrics/evaluate.json:\n          cache: false", "outs: [metrics/evaluate.json]"
    )


@failing("q2", because="failed to run: python evaluate.py", slow=True)
def no_arrow_from_train_to_evaluate(world):
    return """
stages:
  evaluate:
    cmd: python evaluate.py
    deps: [evaluate.py, rules.py, data/prepared.csv]
    params: [late_from, evaluate.threshold]
    metrics: [metrics/evaluate.json]
""" + PIPELINE.partition("  evaluate:")[0].replace("stages:\n", "").lstrip("\n")


@failing("q2", because="dvc repro failed")
def not_yaml(world):
    return "stages:\n  prepare:\n  cmd: [python prepare.py"


@untouched("q2")
def pipeline_stub(world):
    return ...


# --- q3

POINTER = "data/flights.csv.dvc"


def git(repository, *arguments):
    return load_lab_file(LAB, "flightrepo").Repository(repository).git(*arguments)


def from_bucket(repository, md5):
    """The object of that name, by S3 alone."""
    import boto3
    from botocore.config import Config

    bucket, prefix = _url(repository).removeprefix("s3://").split("/", 1)
    client = boto3.client(
        "s3", endpoint_url=os.environ["AWS_ENDPOINT_URL"], config=Config(s3={"addressing_style": "path"})
    )
    return client.get_object(Bucket=bucket, Key=f"{prefix}/files/md5/{md5[:2]}/{md5[2:]}")["Body"].read()


def _url(repository):
    text = (repository / ".dvc" / "config").read_text()
    return next(line.split("=", 1)[1].strip() for line in text.splitlines() if line.strip().startswith("url"))


def answer_q3(
    commit_of=lambda repository, day: git(
        repository, "rev-list", "-1", f"--before={day} 23:59:59 +0000", "main"
    ),
    proved=True,
):
    def bring_back(repository, day, target):
        commit = commit_of(repository, day)
        md5 = yaml.safe_load(git(repository, "show", f"{commit}:{POINTER}"))["outs"][0]["md5"]
        content = from_bucket(repository, md5)
        if proved and hashlib.md5(content).hexdigest() != md5:
            raise ValueError("damaged")
        target.write_bytes(content)
        return git(repository, "rev-parse", commit)

    return bring_back


@passing("q3")
def by_hand_from_the_bucket(world):
    return answer_q3()


@passing("q3", slow=True)
def by_dvc_get(world):
    def bring_back(repository, day, target):
        repo = load_lab_file(LAB, "flightrepo").Repository(repository, env=dict(os.environ))
        commit = repo.git("log", "-1", "--format=%H", f"--until={day}T23:59:59Z", "main", "--", POINTER)
        md5 = yaml.safe_load(repo.git("show", f"{commit}:{POINTER}"))["outs"][0]["md5"]
        repo.dvc(["get", ".", "data/flights.csv", "--rev", commit, "-o", str(target)])
        if hashlib.md5(target.read_bytes()).hexdigest() != md5:
            target.unlink()
            raise ValueError(f"{target} is not what {commit} had")
        return commit

    return bring_back


@passing("q3", slow=True)
def by_dvc_api(world):
    def bring_back(repository, day, target):
        import dvc.api

        commit = git(repository, "rev-list", "-1", f"--before={day}T23:59:59Z", "main")
        md5 = yaml.safe_load(git(repository, "show", f"{commit}:{POINTER}"))["outs"][0]["md5"]
        content = dvc.api.read("data/flights.csv", repo=str(repository), rev=commit, mode="rb")
        if hashlib.md5(content).hexdigest() != md5:
            raise ValueError("damaged")
        target.write_bytes(content)
        return commit

    return bring_back


@failing("q3", because="handed it over", slow=True)
def unproved(world):
    return answer_q3(proved=False)


@failing("q3", because="is the pointer", slow=True)
def the_pointer(world):
    def bring_back(repository, day, target):
        commit = git(repository, "rev-list", "-1", f"--before={day}T23:59:59Z", "main")
        target.write_text(git(repository, "show", f"{commit}:{POINTER}"))
        return commit

    return bring_back


@failing("q3", because="never merged", slow=True)
def all_branches(world):
    return answer_q3(
        lambda repository, day: git(repository, "rev-list", "-1", f"--before={day} 23:59:59 +0000", "--all")
    )


@failing("q3", because="of another commit", slow=True)
def of_today(world):
    return answer_q3(lambda repository, day: git(repository, "rev-parse", "HEAD"))


@failing("q3", because="of another commit", slow=True)
def that_day_excluded(world):
    return answer_q3(
        lambda repository, day: git(repository, "rev-list", "-1", f"--before={day} 00:00:00 +0000", "main")
    )


@failing("q3", because="before its correction", slow=True)
def the_first_of_the_month(world):
    def first(repository, day):
        lines = git(
            repository, "log", "--format=%H %ci", f"--until={day}T23:59:59Z", "main", "--", POINTER
        ).splitlines()
        month = [line for line in lines if line.split()[1][:7] == str(day)[:7]]
        return (month[-1] if month else lines[0]).split()[0]

    return answer_q3(first)


@failing("q3", because="the repository is another", slow=True)
def checked_out(world):
    def bring_back(repository, day, target):
        commit = git(repository, "rev-list", "-1", f"--before={day}T23:59:59Z", "main")
        git(repository, "checkout", "--quiet", commit)
        md5 = yaml.safe_load((repository / POINTER).read_text())["outs"][0]["md5"]
        target.write_bytes(from_bucket(repository, md5))
        return commit

    return bring_back


@failing("q3", because="nobody was told", slow=True)
def silent(world):
    right = answer_q3()

    def bring_back(repository, day, target):
        try:
            return right(repository, day, target)
        except ValueError:
            return None

    return bring_back


@failing("q3", because="the commit that you returned", slow=True)
def checksum_for_commit(world):
    right = answer_q3()

    def bring_back(repository, day, target):
        right(repository, day, target)
        return hashlib.md5(target.read_bytes()).hexdigest()

    return bring_back


@untouched("q3")
def bring_back_stub(world):
    def bring_back(repository, day, target):
        """Write data/flights.csv as of the evening of that day to target."""

    return bring_back


# --- q4


def branched(table, batch, name="audit"):
    table.manage_snapshots().create_branch(table.current_snapshot().snapshot_id, name).commit()
    table.append(batch, branch=name)
    return table.scan().use_ref(name).to_arrow()


@passing("q4", slow=True)
def with_finally(world):
    def write_audit_publish(table, batch, audit):
        rows = branched(table, batch)
        try:
            if audit(rows):
                return False
            table.manage_snapshots().set_current_snapshot(ref_name="audit").commit()
            return True
        finally:
            table.refresh().manage_snapshots().remove_branch("audit").commit()

    return write_audit_publish


@passing("q4", slow=True)
def tries_again_when_main_moved(world):
    def write_audit_publish(table, batch, audit):
        from uuid import uuid4

        from pyiceberg.exceptions import CommitFailedException

        while True:
            name = f"audit-{uuid4().hex}"
            rows = branched(table, batch, name)
            published = False
            if not audit(rows.to_pandas()):
                try:
                    snapshot = table.snapshot_by_name(name).snapshot_id
                    table.manage_snapshots().set_current_snapshot(snapshot).commit()
                    published = True
                except CommitFailedException:
                    table.refresh().manage_snapshots().remove_branch(name).commit()
                    continue
            table.manage_snapshots().remove_branch(name).commit()
            return published

    return write_audit_publish


@passing("q4", slow=True)
def refuses_when_main_moved(world):
    def write_audit_publish(table, batch, audit):
        base = table.current_snapshot().snapshot_id
        sound = not audit(branched(table, batch))
        table.refresh()
        publish = sound and table.current_snapshot().snapshot_id == base
        changes = table.manage_snapshots()
        if publish:
            changes = changes.set_current_snapshot(ref_name="audit")
        changes.remove_branch("audit").commit()
        return publish

    return write_audit_publish


@failing("q4", because="a rollback afterwards comes too late", slow=True)
def append_then_roll_back(world):
    def write_audit_publish(table, batch, audit):
        before = table.current_snapshot().snapshot_id
        table.append(batch)
        if audit(table.scan().to_arrow()):
            table.manage_snapshots().rollback_to_snapshot(before).commit()
            return False
        return True

    return write_audit_publish


@failing("q4", because="the batch alone", slow=True)
def audits_the_batch(world):
    def write_audit_publish(table, batch, audit):
        branched(table, batch)
        sound = not audit(batch)
        if sound:
            table.manage_snapshots().set_current_snapshot(ref_name="audit").commit()
        table.manage_snapshots().remove_branch("audit").commit()
        return sound

    return write_audit_publish


@failing("q4", because="you audited main", slow=True)
def audits_main(world):
    def write_audit_publish(table, batch, audit):
        branched(table, batch)
        sound = not audit(table.scan().to_arrow())
        if sound:
            table.manage_snapshots().set_current_snapshot(ref_name="audit").commit()
        table.manage_snapshots().remove_branch("audit").commit()
        return sound

    return write_audit_publish


@failing("q4", because="found fault with", slow=True)
def publishes_anyway(world):
    def write_audit_publish(table, batch, audit):
        audit(branched(table, batch))
        table.manage_snapshots().set_current_snapshot(ref_name="audit").commit()
        table.manage_snapshots().remove_branch("audit").commit()
        return True

    return write_audit_publish


@failing("q4", because="is left over", slow=True)
def leaves_the_branch(world):
    def write_audit_publish(table, batch, audit):
        from uuid import uuid4

        name = f"audit-{uuid4().hex}"
        if audit(branched(table, batch, name)):
            return False
        table.manage_snapshots().set_current_snapshot(ref_name=name).commit()
        table.manage_snapshots().remove_branch(name).commit()
        return True

    return write_audit_publish


@failing("q4", because="written twice", slow=True)
def appends_once_more(world):
    def write_audit_publish(table, batch, audit):
        sound = not audit(branched(table, batch))
        table.manage_snapshots().remove_branch("audit").commit()
        if sound:
            table.append(batch)
        return sound

    return write_audit_publish


@failing("q4", because="colleague had published is gone", slow=True)
def over_the_colleague(world):
    def write_audit_publish(table, batch, audit):
        sound = not audit(branched(table, batch))
        table.refresh()
        if sound:
            table.manage_snapshots().set_current_snapshot(ref_name="audit").commit()
        table.manage_snapshots().remove_branch("audit").commit()
        return sound

    return write_audit_publish


@failing("q4", because="your function returned none", slow=True)
def says_nothing(world):
    right = with_finally.answer(world)

    def write_audit_publish(table, batch, audit):
        right(table, batch, audit)

    return write_audit_publish


@failing("q4", because="was not published", slow=True)
def never_publishes(world):
    def write_audit_publish(table, batch, audit):
        sound = not audit(branched(table, batch))
        table.manage_snapshots().remove_branch("audit").commit()
        return sound

    return write_audit_publish


@untouched("q4")
def wap_stub(world):
    def write_audit_publish(table, batch, audit):
        """Write the batch to a branch, audit it, publish it or not."""

    return write_audit_publish


# --- q5


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def files(root, options):
    import fsspec

    return fsspec.core.url_to_fs(root, **options)


def put(content, root, options):
    fs, path = files(root, options)
    key = sha256(content)
    fs.pipe_file(f"{path}/{key}", content)
    return key


def get(key, root, options):
    fs, path = files(root, options)
    content = fs.cat_file(f"{path}/{key}")
    if sha256(content) != key:
        raise ValueError(f"{key} is damaged")
    return content


@passing("q5")
def by_file_system(world):
    return {"put": put, "get": get}


@passing("q5", slow=True)
def by_open(world):
    import fsspec

    class DamagedError(ValueError):
        pass

    def put(content, root, options):
        key = hashlib.sha256(content).hexdigest()
        with fsspec.open(f"{root}/{key[:2]}/{key[2:]}", "wb", auto_mkdir=True, **options) as file:
            file.write(content)
        return key

    def get(key, root, options):
        with fsspec.open(f"{root}/{key[:2]}/{key[2:]}", "rb", **options) as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != key:
            raise DamagedError
        return content

    return {"put": put, "get": get}


@failing("q5", because="handed it over", slow=True)
def believes_the_bucket(world):
    def get(key, root, options):
        fs, path = files(root, options)
        return fs.cat_file(f"{path}/{key}")

    return {"put": put, "get": get}


@failing("q5", because="not from one cloud", slow=True)
def only_amazon(world):
    def put(content, root, options):
        import s3fs

        key = sha256(content)
        s3fs.S3FileSystem(**options).pipe_file(f"{root.removeprefix('s3://')}/{key}", content)
        return key

    return {"put": put, "get": get}


@failing("q5", because="a folder on your disk", slow=True)
def by_pathlib(world):
    home = Path(tempfile.mkdtemp())

    def put(content, root, options):
        path = home / root
        path.mkdir(parents=True, exist_ok=True)
        (path / sha256(content)).write_bytes(content)
        return sha256(content)

    def get(key, root, options):
        return (home / root / key).read_bytes()

    return {"put": put, "get": get}


@failing("q5", because="a file with every byte", slow=True)
def as_text(world):
    def put(content, root, options):
        fs, path = files(root, options)
        fs.pipe_file(f"{path}/{sha256(content)}", content.decode().encode())
        return sha256(content)

    return {"put": put, "get": get}


@failing("q5", because="objects lie there", slow=True)
def a_new_name_each_time(world):
    from uuid import uuid4

    def put(content, root, options):
        fs, path = files(root, options)
        fs.pipe_file(f"{path}/{sha256(content)}-{uuid4().hex}", content)
        return sha256(content)

    def get(key, root, options):
        fs, path = files(root, options)
        (first, *_more) = fs.glob(f"{path}/{key}-*")
        return fs.cat_file(first)

    return {"put": put, "get": get}


@failing("q5", because="put a second time", slow=True)
def added_at_the_end(world):
    def put(content, root, options):
        fs, path = files(root, options)
        key = sha256(content)
        there = fs.cat_file(f"{path}/{key}") if fs.exists(f"{path}/{key}") else b""
        fs.pipe_file(f"{path}/{key}", there + content)
        return key

    return {"put": put, "get": get}


@failing("q5", because="returned nonetype", slow=True)
def missing_is_none(world):
    def quiet(key, root, options):
        try:
            return get(key, root, options)
        except FileNotFoundError:
            return None

    return {"put": put, "get": quiet}


@failing("q5", because="64 hexadecimal digits", slow=True)
def by_md5(world):
    def put(content, root, options):
        fs, path = files(root, options)
        key = hashlib.md5(content).hexdigest()
        fs.pipe_file(f"{path}/{key}", content)
        return key

    return {"put": put, "get": get}


@untouched("q5")
def store_stub(world):
    def put(content, root, options):
        """Keep the content; return its SHA-256."""

    def get(key, root, options):
        """The content of that key."""

    return {"put": put, "get": get}


# --- quiz

RIGHT = {"bisect": "b", "pointer": "c", "repro": "a", "branch": "b", "undo": "c"}


@passing("quiz")
def all_five(world):
    return RIGHT


@passing("quiz")
def capitals(world):
    return {question: letter.upper() for question, letter in RIGHT.items()}


@failing("quiz", because="look again at: bisect")
def thirty_two_runs(world):
    return RIGHT | {"bisect": "c"}


@failing("quiz", because="pulled that commit")
def reset_and_force(world):
    return RIGHT | {"undo": "a"}


@failing("quiz", because="2 of 5")
def three_wrong(world):
    return RIGHT | {"pointer": "a", "repro": "b", "branch": "a"}


@failing("quiz", because="0 of 5")
def none_right(world):
    return dict.fromkeys(RIGHT, "d")


@untouched("quiz")
def quiz_stub(world):
    return dict.fromkeys(RIGHT, ...)


# --- drill

GUARD = r"""#!/bin/sh
# update REF OLD NEW: a raw file's pointer that is on main stays as it is.
[ "$1" = refs/heads/main ] || exit 0
git merge-base --is-ancestor "$2" "$3" || { echo "main is not rewritten" >&2; exit 1; }
git ls-tree -r --name-only "$2" raw | grep '\.dvc$' | while read -r path; do
    if [ "$(git rev-parse "$2:$path")" != "$(git rev-parse --quiet --verify "$3:$path")" ]; then
        echo "$path is raw data: add a new file in place of changing it" >&2
        exit 1
    fi
done
"""
IN_PYTHON = """#!/usr/bin/env python3
import subprocess
import sys

ref, old, new = sys.argv[1:]


def git(*arguments):
    return subprocess.run(["git", *arguments], capture_output=True, text=True)


if ref == "refs/heads/main" and set(old) != {"0"}:
    if git("merge-base", "--is-ancestor", old, new).returncode:
        sys.exit("main is not rewritten")
    changed = git("diff", "--name-only", "--diff-filter=MDRT", "--no-renames", old, new, "--", "raw/*.dvc").stdout.split()
    if changed:
        sys.exit(f"raw data stay as they came: {changed[0]}")
"""


def team(world):
    folder = Path(tempfile.mkdtemp()) / "team"
    load_lab_file(LAB, "overwritten").lay_out(world, folder)
    return folder


def desk_of(folder):
    return load_lab_file(LAB, "flightrepo").Repository(folder / "desk")


def recover(world, how="checkout", push=True, dvc=True, guard=GUARD, force=()):
    folder = team(world)
    desk = desk_of(folder)
    culprit = desk.git("log", "-1", "--format=%H", "--", "raw/flights.csv.dvc")
    if how == "checkout":
        desk.git("checkout", f"{culprit}~1", "--", "raw/flights.csv.dvc")
        desk.commit("Put back the raw file as the source sent it", "raw/flights.csv.dvc")
    elif how == "revert":
        desk.git("revert", "--no-edit", culprit)
    elif how == "reset":
        desk.git("reset", "--quiet", "--hard", f"{culprit}~1")
    elif how == "revert all":
        desk.git("revert", "--no-edit", f"{culprit}~1..HEAD")
    if dvc == "by hand":
        overwritten = load_lab_file(LAB, "overwritten")
        overwritten.store(folder / "storage", overwritten.raw(world))
        (folder / "desk" / overwritten.DATA).write_bytes(overwritten.raw(world))
    elif dvc:
        desk.dvc("checkout --force", "push")
    if push:
        desk.git("push", "--quiet", *force, "origin", "main")
    return {"team": folder, "guard": guard}


@passing("drill", slow=True)
def pointer_checked_out(world):
    return recover(world)


@passing("drill", slow=True)
def reverted_and_guarded_in_python(world):
    return recover(world, "revert", dvc="by hand", guard=IN_PYTHON)


@failing("drill", because="is gone from main", slow=True)
def reset_and_forced(world):
    return recover(world, "reset", dvc="by hand", force=["--force"])


@failing("drill", because="and not all that came after", slow=True)
def reverted_all(world):
    return recover(world, "revert all", dvc="by hand")


@failing("drill", because="still that of the overwritten file", slow=True)
def not_pushed(world):
    return recover(world, push=False, dvc="by hand")


@failing("drill", because="whoever pulls gets nothing", slow=True)
def bytes_not_pushed(world):
    return recover(world, dvc=False)


@failing("drill", because="the hook took a commit that changes", slow=True)
def a_guard_that_waves_through(world):
    return recover(world, dvc="by hand", guard="#!/bin/sh\nexit 0\n")


@failing("drill", because="the hook refused a commit that adds a note", slow=True)
def a_guard_that_stops_all(world):
    return recover(world, dvc="by hand", guard="#!/bin/sh\necho closed >&2\nexit 1\n")


@failing("drill", because="the first of which changes the pointer", slow=True)
def a_guard_that_sees_the_last_commit(world):
    guard = r"""#!/bin/sh
[ "$1" = refs/heads/main ] || exit 0
git merge-base --is-ancestor "$2" "$3" || exit 1
git show --format= --name-only "$3" | grep '^raw/.*\.dvc$' | grep -v next || exit 0
exit 1
"""
    return recover(world, dvc="by hand", guard=guard)


@failing("drill", because="in the place of one that others have", slow=True)
def a_guard_that_lets_history_be_rewritten(world):
    line = next(line for line in GUARD.splitlines(keepends=True) if "merge-base" in line)
    return recover(world, dvc="by hand", guard=GUARD.replace(line, ""))


@failing("drill", because="refused a new version of raw/weather.csv", slow=True)
def a_guard_of_the_whole_folder(world):
    guard = """#!/bin/sh
[ "$1" = refs/heads/main ] || exit 0
git merge-base --is-ancestor "$2" "$3" || exit 1
git diff --quiet "$2" "$3" -- raw
"""
    return recover(world, dvc="by hand", guard=guard)


@untouched("drill")
def nothing_yet(world):
    return {"team": team(world), "guard": ...}
