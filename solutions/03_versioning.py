# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 03 · The toolbox; version everything
#
# Code, pipelines, raw files, tables, a whole lake: each can be wrong tomorrow, and each has a tool that brings yesterday back. At the end you will be able to
#
# - **choose** a tool for a need, and **say** what would change your mind;
# - **find** the commit that broke a figure, by halving and not by reading;
# - **write** a data pipeline that runs again exactly what changed;
# - **bring back** the data of any past day, and **prove** that they are the right ones;
# - **publish** data only after they were checked, on a branch, and **store** them on any of three clouds by the same two functions.
#
# **Time** about 90 minutes, and 20 for the drill. The machine needs up to 2½ minutes of that (measured on 2 busy cores), 0.8 GB of memory and 5 MB of disk; Azurite is fetched once by npm.
# **Natural stops:** after section 3 (20 minutes), after section 5 (45), after section 7 (90). **Short of time?** Leave q2 and q5 out; nothing
# later depends on them. You need Python and a shell's basics; no account, no Docker. Your own Git settings are neither used nor changed.

# %% tags=["parameters"]
seed = 0

# %%
import hashlib
import os
from datetime import date
from pathlib import Path

import fsspec

from flightschool.data import day as flights_of
from flightschool.data import raw_day
from flightschool.learn import Lab

lab = Lab("03_versioning", seed=seed)
lab

# %% [markdown]
# ## 1 · The bricks
#
# Monday, 08:50. The lake lies on three clouds, and a colleague has overwritten March. Which tool brings it back? Here is the course outline's table: nine domains, and the tools that it names (with the module
# that runs each). Don't learn it by heart.

# %%
import bricks

bricks.table()

# %% [markdown]
# A tool is an answer, so begin with the question. The **chooser** hears a need, argues for one tool, and says what would change its mind. **Predict** before you run it: Git, DVC or lakeFS?

# %% tags=["demo"]
bricks.argue("A colleague overwrote March, one large file; bring it back")

# %%
need = "passwords on several clouds, each valid for an hour"  # your own words here; bricks.needs() lists more
bricks.argue(need)

# %% [markdown]
# Argue back. A tool that nobody in the team can repair at night is the wrong one, whatever the table says. The rest of this notebook is the table's first row, and its sixth: **versioning**, and **storage**.
#
# ## 2 · Git: every version of a text
#
# **Git** keeps [**commits**](glossary.ipynb#commit): a state of all files, with an author, a reason and a predecessor. A [**branch**](glossary.ipynb#branch) is a name for the newest commit of a line of work. Here is real Git in a folder of its own.

# %%
from flightrepo import Repository

report = Repository(lab.workdir / "report").init()
report.write({"rule.py": "LATE_FROM = 15\n", "README.md": "# The on-time report\n"})
report.commit("Begin with the rule of the Department of Transportation")

report.git("switch", "--create", "half-an-hour")
report.write({"rule.py": "LATE_FROM = 30\n"})
report.commit("Count as late from half an hour")

report.git("switch", "main")
report.write({"rule.py": "LATE_FROM = 20\n"})
twenty = report.commit("Try twenty minutes")

# %% [markdown]
# Two people changed the same line on two branches. **Predict:** what will `git merge` make of it: 30, 20, 25, or nothing?

# %% tags=["demo"]
print(report.git("merge", "half-an-hour", check=False))
print((report.folder / "rule.py").read_text())

# %% [markdown]
# Nothing: a [**conflict**](glossary.ipynb#conflict). Git joins what touches different lines, and asks a person about the same one. A person decides, and the merge commit says why.

# %%
report.write({"rule.py": "LATE_FROM = 15\n"})
report.commit("Merge half-an-hour: keep fifteen, for that is the law")
print(report.git("log", "--graph", "--format=%s"))

# %% [markdown]
# Now something that others have pulled turns out wrong. [**`git revert`**](glossary.ipynb#revert) adds a commit that undoes one; history stays true. **`git reset`** with a forced push would take the commit from everybody, and from under their work.

# %% tags=["demo"]
report.write({"README.md": "# The on-time report\n\nRead by nobody.\n"})
wrong = report.commit("Say who reads it")
report.git("revert", "--no-edit", wrong)
print(report.git("log", "-2", "--format=%s"))
print((report.folder / "README.md").read_text())

# %% [markdown]
# ## 3 · Which commit broke the figure?
#
# The share of flights on time was right when it was published. Today the same program, on the same file, prints another one. Some thirty commits lie between, and their messages are all innocent.

# %%
import metric_history

this = metric_history.plan(lab.world, 0)
ontime, commits, raw = metric_history.build(this, lab.workdir)
print(f"{len(commits)} commits; published: {this.published}")
print(ontime.git("log", "-6", "--format=%s"))
program = ontime.git("show", "published:ontime.py")
print(program[program.index("LATE_FROM") :])

# %% [markdown]
# [**`git bisect`**](glossary.ipynb#bisect) halves: it checks out the commit in the middle, a script says *good* (exit code 0) or *bad* (1), and half of the commits is out. **Predict:** how often must the script run for 32 commits?
#
# A first script, as one writes it: run the program, compare, exit.

# %% tags=["demo"]
from bisecting import bisect

first_try = lab.workdir / "first_try.py"
first_try.write_text("""import json, subprocess, sys
text = subprocess.check_output([sys.executable, "ontime.py", sys.argv[1]], stderr=subprocess.DEVNULL)
sys.exit(abs(json.loads(text)["on_time_share"] - float(sys.argv[2])) >= 0.001)
""")
found = bisect(ontime, first_try, str(raw), str(this.published), good="published")
print(len(found.tried), "commits tried")
print("blamed:", ontime.git("show", "--format=%s", "--unified=0", found.blamed, "--", "ontime.py"))

# %% [markdown]
# It blames a commit after which the program **doesn't run at all**: the script died, Python's exit code for that is 1, and 1 says *bad*. But no figure is not a wrong figure. There is a third word for git bisect; `git help bisect` has it under *Bisect run*.
#
# **q1 · 3 points.** Write `check_commit`, the text of a Python script (or of a shell script, with `#!`). git bisect runs it in the checked-out commit with two arguments: the raw file, and the published share. There `python ontime.py FILE` prints
# `{"on_time_share": …}`; a share nearer than 0.001 to the published one is right. Three hidden histories; in some, commits can't be tested. Stuck? `lab.q1.hint()`.

# %% exercise="q1"
check_commit = ...
### BEGIN SOLUTION
check_commit = """
import json, subprocess, sys

raw, published = sys.argv[1], float(sys.argv[2])
run = subprocess.run([sys.executable, "ontime.py", raw], capture_output=True, text=True)
try:
    found = float(json.loads(run.stdout)["on_time_share"])
except (ValueError, TypeError, KeyError):
    sys.exit(125)
sys.exit(0 if abs(found - published) < 0.001 else 1)
"""
### END SOLUTION

# %% check="q1"
lab.q1.check(check_commit)

# %% [markdown]
# *A natural stop: about 20 minutes.*
#
# ## 4 · DVC: what is too large for Git
#
# Git keeps every version of a file in every clone; with gigabytes that ends badly. **DVC** puts a [**pointer**](glossary.ipynb#pointer) into Git, a few lines with the file's checksum, and the bytes into a [**remote**](glossary.ipynb#remote): here a bucket of S3, served by moto, an emulator in memory.

# %%
s3 = lab.services.s3()
os.environ.update(s3.env())  # address and dummy account; no secret stands in any file
s3.client().create_bucket(Bucket="delays")

delays = Repository(lab.workdir / "delays").init()
(delays.folder / "data").mkdir()
raw_day(date(2013, 3, 1), delays.folder / "data").rename(delays.folder / "data" / "flights.csv")
print(delays.dvc("init --quiet", "remote add --default lake s3://delays/dvc", "add data/flights.csv", "push"))
delays.commit("Flights of 1 March")
print((delays.folder / "data" / "flights.csv.dvc").read_text())

# %% [markdown]
# The name of the object in the bucket *is* the checksum (`files/md5/ab/cdef…`): other bytes have another name, so no version overwrites another. **Predict:** a new day comes into the same file, and is pushed. How many objects lie there then?

# %% tags=["demo"]
with (delays.folder / "data" / "flights.csv").open("a") as file:
    file.writelines((raw_day(date(2013, 3, 2), lab.workdir)).read_text().splitlines(keepends=True)[1:])
print(delays.dvc("add --quiet data/flights.csv", "push", "diff HEAD"))
delays.commit("Flights of 2 March")
for item in s3.client().list_objects_v2(Bucket="delays")["Contents"]:
    print(item["Size"], item["Key"])

# %% [markdown]
# Two whole files: DVC stores versions, not differences. Back to the first: `git checkout` for the pointer, `dvc checkout` for the bytes. Then the same again, forward.

# %% tags=["demo"]
for version in ("main~1", "main"):
    delays.git("checkout", "--quiet", version)
    delays.dvc("checkout --quiet")
    rows = (delays.folder / "data" / "flights.csv").read_text().splitlines()
    print(version, len(rows) - 1, "flights")

# %% [markdown]
# ### A pipeline that knows what changed
#
# A [**stage**](glossary.ipynb#stage) is a command with what it reads (`deps`, `params`) and what it writes (`outs`, `metrics`). DVC notes the checksums of all that in `dvc.lock`, and runs a stage again when one differs. The course outline is from 2021, when one wrote `dvc run`:

# %% tags=["demo"]
said = delays.dvc("run -n prepare -d prepare.py python prepare.py", check=False)
print(next(line for line in said.splitlines() if "invalid choice" in line).partition(" (choose")[0])

# %% [markdown]
# That command is gone (since DVC 3). Today stages stand in **`dvc.yaml`**, which a person can read and review. Our first one:

# %%
import shutil

shutil.copytree(lab.path / "delays", delays.folder, dirs_exist_ok=True)
delays.write(
    {
        "dvc.yaml": """stages:
  prepare:
    cmd: python prepare.py
    deps: [prepare.py, data/flights.csv]
    params: [prepare.airports]
    outs: [data/prepared.csv]
"""
    }
)
print((delays.folder / "prepare.py").read_text())

# %% [markdown]
# **Predict** which of these three `dvc repro` run the script: the first; one straight after it; one after `train.smoothing` was changed in `params.yaml`.

# %% tags=["demo", "nbval-ignore-output"]
print(delays.dvc("repro", "repro"))
delays.commit("Prepare the flights")
params = (delays.folder / "params.yaml").read_text()
delays.write({"params.yaml": params.replace("smoothing: 20", "smoothing: 50")})
print(delays.dvc("repro", "params diff"))

# %% [markdown]
# Only the first: the stage lists the *key* that it reads, so other keys don't matter to it. What it doesn't list, it doesn't notice. That is the whole art, and where people go wrong.
#
# **q2 · 3 points.** Write `dvc_yaml`, the text of a `dvc.yaml` with three stages for `prepare.py`, `train.py` and `evaluate.py`. Read them first (they are short). What `evaluate.py` writes are [**metrics**](glossary.ipynb#metrics), numbers for `dvc metrics show`. After each of a row of changes, `dvc repro`
# must run exactly the scripts that the change touches. DVC takes its time: the check needs up to half a minute.

# %%
for script in ("rules.py", "train.py", "evaluate.py"):
    print(f"--- {script}", (delays.folder / script).read_text(), sep="\n")

# %% exercise="q2"
dvc_yaml = ...
### BEGIN SOLUTION
dvc_yaml = """
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
### END SOLUTION

# %% check="q2"
lab.q2.check(dvc_yaml)

# %% [markdown]
# ## 5 · Last month's data, please
#
# The port authority asks for the flights file as it stood on the evening of 31 March. The team's repository is five months old. Somebody corrected March, somebody tried something on a branch. Look.

# %%
import monthly

past = monthly.past(lab.world)
team = monthly.build(past, lab.workdir / "months", s3, "months")
print(team.git("log", "--all", "--graph", "--format=%h %ci %s"))
print(team.git("show", "main:data/flights.csv.dvc"))

# %% [markdown]
# Two ways lead to the bytes: `dvc get . data/flights.csv --rev COMMIT -o FILE` (in Python `dvc.api.read`), or the object of that name straight from the bucket. Neither checks on its own whether the bucket's bytes are still the right ones: a bucket can be damaged, too.
# **Predict:** of the seven objects below, how many have the MD5 that their name says?

# %% tags=["demo"]
for item in s3.client().list_objects_v2(Bucket="months")["Contents"]:
    content = s3.client().get_object(Bucket="months", Key=item["Key"])["Body"].read()
    print(item["Key"].removeprefix("dvc/files/md5/"), "→", hashlib.md5(content).hexdigest())

# %% [markdown]
# The name should be the checksum. Where it isn't, DVC would hand the bytes over: it trusts its remote, unless `verify` is set. You don't.
#
# **q3 · 4 points.** Write `bring_back(repository, day, target)`. `repository` is the folder of such a repository, `day` a date. It writes to `target` the bytes that `data/flights.csv` had **on `main` when that day ended (UTC)**, and returns the full name of the commit where you found the pointer.
# If the bytes aren't those of the pointer: `ValueError`, and no file at `target`. The repository stays as it is: same branch, same files. `Repository(repository)` has `.git(…)` and `.dvc(…)`.


# %% exercise="q3"
def bring_back(repository: Path, day: date, target: Path) -> str:
    """Write data/flights.csv, as main had it on the evening of that day, to target; return the commit's full name."""
    ### BEGIN SOLUTION
    import dvc.api
    import yaml

    repo = Repository(repository)
    commit = repo.git("rev-list", "-1", f"--before={day} 23:59:59 +0000", "main")
    pointer = yaml.safe_load(repo.git("show", f"{commit}:data/flights.csv.dvc"))
    content = dvc.api.read("data/flights.csv", repo=str(repository), rev=commit, mode="rb")
    if hashlib.md5(content).hexdigest() != pointer["outs"][0]["md5"]:
        raise ValueError(f"The remote holds other bytes for {commit} than its pointer names.")
    target.write_bytes(content)
    return commit
    ### END SOLUTION


# %% check="q3"
lab.q3.check(bring_back)

# %% [markdown]
# *A natural stop: about 45 minutes.*
#
# ## 6 · Branches of data
#
# A night's load is wrong. Code would have sat on a branch until the tests passed; the rows were in the table at once, and somebody read them. **Apache Iceberg** is a [**table format**](glossary.ipynb#table-format): each write makes a [**snapshot**](glossary.ipynb#snapshot), a list of data files, and a branch is a name for one.
#
# Our [**catalogue**](glossary.ipynb#catalogue) (which table is where) is a SQLite file; the table lies in the bucket.

# %%
import wap

catalog = wap.catalog(lab.workdir, s3, "iceberg")
table = catalog.create_table(wap.TABLE, schema=wap.SCHEMA)
table.append(wap.batch(flights_of(date(2013, 2, 7))))

night = flights_of(date(2013, 2, 8))
night["air_time"] = night.air_time // 60  # the source changed its unit, and told nobody
table.manage_snapshots().create_branch(table.current_snapshot().snapshot_id, "night").commit()
table.append(wap.batch(night), branch="night")

# %% [markdown]
# **Predict:** how many of the 932 and 930 rows does a reader of `main` see, and how many does the branch hold?

# %% tags=["demo"]
print("main:", table.scan().count(), "· branch:", table.scan().use_ref("night").count())
print(*wap.problems(table.scan().use_ref("night").to_arrow()), sep="\n")

# %% [markdown]
# This is [**write, audit, publish**](glossary.ipynb#write-audit-publish): write to a branch, audit the branch, and only then let `main` name the audited snapshot. No data file moves or is copied. A bad night costs nothing: drop the branch.
#
# ```mermaid
# flowchart LR
#   subgraph main
#     A["snapshot 1<br/>readers"] --> C["snapshot 2<br/>readers"]
#   end
#   A -- branch, write --> B["snapshot 2<br/>audit"]
#   B -- "sound: main names it" --> C
#   B -- "not sound" --> D["branch dropped"]
# ```
#
# *The drawing in words:* from main's snapshot a branch leads to a new one, which is audited; if sound, main names this snapshot; if not, the branch is dropped.

# %% tags=["demo"]
table.manage_snapshots().remove_branch("night").commit()
table.manage_snapshots().create_branch(table.current_snapshot().snapshot_id, "again").commit()
table.append(wap.batch(flights_of(date(2013, 2, 8))), branch="again")
print("problems:", wap.problems(table.scan().use_ref("again").to_arrow()))
table.manage_snapshots().set_current_snapshot(ref_name="again").commit()
table.manage_snapshots().remove_branch("again").commit()
print("main:", table.scan().count(), "rows,", len(table.snapshots()), "snapshots kept")

# %% [markdown]
# The dropped night's snapshot is still kept: `table.expire_snapshots()` would tidy up. Until then each snapshot can be read by its number, which is [**time travel**](glossary.ipynb#time-travel), and main can go back to one of its own.

# %% tags=["demo"]
first = table.history()[0].snapshot_id
print("time travel:", table.scan(snapshot_id=first).count(), "rows")
table.manage_snapshots().rollback_to_snapshot(first).commit()
print("main, rolled back:", table.scan().count(), "rows")

# %% [markdown]
# **q4 · 4 points.** Write `write_audit_publish(table, batch, audit)`. `table` is an Iceberg table, `batch` an Arrow table, `audit(rows)` takes **all rows that would be published** and returns sentences about what is wrong (none: sound). Publish the batch if it is sound and return `True`; else leave `main` as it is and return
# `False`. No branch is left afterwards. One night a colleague publishes while you audit: their rows must stay (you may publish after them, give up with `False`, or let pyiceberg's `CommitFailedException` out).


# %% exercise="q4"
def write_audit_publish(table, batch, audit) -> bool:
    """Append the batch on a branch, audit the branch, let main name it if it is sound; whether it was published."""
    ### BEGIN SOLUTION
    table.manage_snapshots().create_branch(table.current_snapshot().snapshot_id, "audit").commit()
    try:
        table.append(batch, branch="audit")
        if audit(table.scan().use_ref("audit").to_arrow()):
            return False
        # It asserts that main is where we saw it last, so a colleague's snapshot is never lost.
        table.manage_snapshots().set_current_snapshot(ref_name="audit").commit()
        return True
    finally:
        table.refresh().manage_snapshots().remove_branch("audit").commit()
    ### END SOLUTION


# %% check="q4"
lab.q4.check(write_audit_publish)

# %% [markdown]
# Iceberg branches one table. **lakeFS** branches a whole lake: files of any kind, as many tables as there are, merged or reverted together. It is a server in front of the object store, which exists in docker compose only; the cell does the same to a lake there.

# %% tags=["demo"]
from uuid import uuid4

from lake_branches import LakeFS, publish

from flightschool.services import Unavailable

try:
    server, name = LakeFS.of_compose(), f"flights-{uuid4().hex[:8]}"
    s3.client().create_bucket(Bucket=name)
    lake = server.repository(name, f"s3://{name}/lake")
    for night, rows in (("night-7", b"origin,flights\nJFK,302\n"), ("night-8", b"")):
        sound = publish(lake, night, {"day.csv": rows}, lambda read: [] if read("day.csv") else ["no rows"])
        print(night, "published:", sound)
    lake.revert("main", "main")  # undo the last merge, for all files at once
except Unavailable as skipped:
    print("Skipped:", skipped)

# %% [markdown]
# ## 7 · The same bytes on three clouds
#
# The company bought another one, and with it a second cloud and a third. **fsspec** gives each object store the same verbs: a URL says which (`s3://`, `gs://`, `az://`), options say who you are. Amazon's is moto, Google's an emulator, Azure's is Azurite (which npm brings the first time, in a minute).

# %% tags=["demo"]
from clouds import clouds

stores = clouds()
for store in stores:
    if store.why:
        print(f"{store.label}: skipped: {store.why}")
        continue
    fs, root = fsspec.core.url_to_fs(store.root, **store.options)
    name = f"{root}/hello.txt"
    fs.pipe_file(name, b"the same line\n")
    print(f"{store.label}: {type(fs).__name__}, {fs.cat_file(name).decode().strip()}, {fs.size(name)} bytes")

# %% [markdown]
# Same verbs, and not the same promises: what a rename costs, when a listing is up to date, what a written object may be overwritten by. A store that never overwrites needs fewer promises. You have seen three: Git, DVC and Iceberg name content by what it is, or write under new names.
#
# **q5 · 3 points.** Write such a store. `put(content, root, options)` keeps bytes below the URL `root` and returns their key, the **SHA-256** in 64 hexadecimal digits; the same content twice is one object. `get(key, root, options)` returns the bytes; `ValueError` when they are damaged, `FileNotFoundError`
# when they aren't there. It is tried on every cloud that can be had here, and on a store that you don't know.


# %% exercise="q5"
def put(content: bytes, root: str, options: dict) -> str:
    """Keep the content below the URL `root`; return its SHA-256, which is its name there."""
    ### BEGIN SOLUTION
    key = hashlib.sha256(content).hexdigest()
    fs, path = fsspec.core.url_to_fs(root, **options)
    fs.pipe_file(f"{path}/{key}", content)
    return key
    ### END SOLUTION


def get(key: str, root: str, options: dict) -> bytes:
    """The content of that key. Raises ValueError when it is damaged, FileNotFoundError when it is not there."""
    ### BEGIN SOLUTION
    fs, path = fsspec.core.url_to_fs(root, **options)
    content = fs.cat_file(f"{path}/{key}")
    if hashlib.sha256(content).hexdigest() != key:
        raise ValueError(f"{key} is damaged")
    return content
    ### END SOLUTION


# %% check="q5"
lab.q5.check({"put": put, "get": get})

# %% [markdown]
# *A natural stop: about 90 minutes.*
#
# ## Drill: the raw file
#
# Another team, whose raw file everybody trusts. The next cell pages you. The clock runs until the check passes.

# %%
incident = lab.drill()
incident

# %%
team_folder = lab.workdir / "team"
desk = Repository(team_folder / "desk")
print(desk.git("log", "--stat", "--format=%n%h %an: %s"))
print(*sorted(path.name for path in (team_folder / "storage").rglob("*") if path.is_file()), "in the storage")
print(
    *sorted(path.name for path in (desk.folder / ".dvc" / "cache").rglob("*") if path.is_file()),
    "in your cache",
)

# %% [markdown]
# **Repair it · 5 points.** First the data: the right pointer on `main` of `origin.git`, the right bytes in `storage` and on your desk, and nobody's commit lost. `desk.git(…)` and `desk.dvc(…)` do it. As soon as you know what happened, note it: `incident.detected("…")`.
#
# Then the cause: nothing had stopped that push. Write `guard`, the text of an [**`update` hook**](glossary.ipynb#hook) (Git runs it in the shared repository for each branch that is pushed, with three arguments: the ref, the old commit, the new one; another exit code than 0 refuses). On `refs/heads/main` it refuses
# what changes or deletes a pointer `raw/*.dvc` that is there already, and what rewrites history. All other work goes on. Hints: `incident.hint()`.

# %% exercise="drill"
guard = ...
### BEGIN SOLUTION
culprit = desk.git("log", "-1", "--format=%H", "--", "raw/flights.csv.dvc")
desk.git("checkout", f"{culprit}~1", "--", "raw/flights.csv.dvc")
desk.dvc("checkout --force --quiet raw/flights.csv.dvc", "push --quiet")
desk.commit("Put back the raw file as the source sent it", "raw/flights.csv.dvc")
desk.git("push", "--quiet", "origin", "main")

guard = """#!/bin/sh
# update REF OLD NEW: on main, a raw file's pointer stays as it came, and history is not rewritten.
[ "$1" = refs/heads/main ] || exit 0
git merge-base --is-ancestor "$2" "$3" || { echo "main is not rewritten" >&2; exit 1; }
git ls-tree -r --name-only "$2" raw | grep '[.]dvc$' | while read -r path; do
    if [ "$(git rev-parse "$2:$path")" != "$(git rev-parse --quiet --verify "$3:$path")" ]; then
        echo "$path is raw data: add a new file in place of changing it" >&2
        exit 1
    fi
done
"""
### END SOLUTION

# %% check="drill"
incident.check({"team": team_folder, "guard": guard})

# %% [markdown]
# The form for the postmortem, with your times in it:

# %% tags=["demo"]
incident.postmortem()

# %% [markdown]
# <details><summary>What had happened (open it when your check has passed)</summary>
#
# **Timeline.** Wednesday: Kim opens the raw file in a spreadsheet, sorts it, fills the gaps, filters one carrier out of sight, saves, and pushes: “Refresh reference data”. Thursday: somebody tidies the storage with `dvc gc`, which keeps what `main` points to, and so throws the good bytes away. Friday: an auditor runs the old report again.
#
# **What went well:** history and checksums told the truth. **What was luck:** your cache. **Wrong first guess:** revert the last commit, or reset to before Kim's and push by force, which takes two colleagues' work away and leaves a pointer without bytes.
# **One change to the system:** a hook (or a protected branch with a required check) for raw data, and `dvc gc --all-commits`, or none.
#
# </details>

# %% [markdown]
# ## What stays
#
# One letter each:
#
# - **bisect** · 32 commits, one fault. How often must a script run? **a** once · **b** five or six times · **c** 32 times
# - **pointer** · What does Git hold of a file that DVC tracks? **a** its bytes, compressed · **b** its differences · **c** its checksum, size and name
# - **repro** · A comment was added to `prepare.py`; its output came out the same. What runs? **a** prepare · **b** prepare and all after it · **c** nothing
# - **branch** · Publishing an audited Iceberg branch **a** copies its files to main · **b** lets main name another snapshot · **c** locks the table
# - **undo** · A wrong commit was pushed and pulled by others. You **a** reset and push by force · **b** edit it with amend · **c** revert it by a new commit

# %% exercise="quiz"
answers = {"bisect": ..., "pointer": ..., "repro": ..., "branch": ..., "undo": ...}
### BEGIN SOLUTION
answers = {"bisect": "b", "pointer": "c", "repro": "a", "branch": "b", "undo": "c"}
### END SOLUTION

# %% check="quiz"
lab.quiz.check(answers)

# %% [markdown]
# You can now
#
# - choose a tool for a need, and say what would change your mind (section 1);
# - find the commit that broke a figure, by halving (q1);
# - write a pipeline that runs again exactly what changed (q2);
# - bring back the data of any past day, with a proof (q3);
# - publish data only after they were checked (q4), and store them on three clouds by the same functions (q5);
# - repair a shared history without losing anybody's work, and guard it (drill).
#
# **To talk about.** A person asks to be forgotten, and your history forgets nothing: what do you rewrite, and who must be told? Raw data may never change, and the source says that it was wrong: what do you do?
#
# **Read on** in the tools' own manuals: [Git, bisect](https://git-scm.com/docs/git-bisect), [githooks](https://git-scm.com/docs/githooks), [DVC](https://dvc.org/doc), [PyIceberg](https://py.iceberg.apache.org), [lakeFS](https://docs.lakefs.io), [fsspec](https://filesystem-spec.readthedocs.io).
#
# **What a professional does next:** restores something old once a quarter, with a stopwatch, before somebody asks for it. Next: module 04 lets a machine look at each commit before it reaches `main`.
