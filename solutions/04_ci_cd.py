# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 04 · CI/CD, explained and applied to data
#
# A colleague changes one character, and tomorrow's report is wrong. Today a machine reads each change before anybody else does. At the end you will be able to
#
# - **write** a workflow that a runner executes for each push and pull request;
# - **close** a gate to eight kinds of mistakes in code, data, SQL and builds, and **keep** it open for good changes;
# - **deploy** what was tested, and only that, only from `main`; **say** the same in GitHub Actions, GitLab CI and Jenkins;
# - **promote** a model and **roll** it back; **tell** continuous delivery from continuous deployment;
# - **bring** a red `main` back, and **compute** lead time and time to restore from a repository.
#
# **Time** about 120 minutes, and 20 for the drill. The machine needs 3 minutes of that (measured on 2 cores with other work to do, too), 2.3 GB of memory and 5 MB of disk; gitlab-ci-local is fetched once by npm.
# **Natural stops:** after section 2 (20 minutes), after section 4 (45), after section 7 (90). **Short of time?** Leave q4 and q5 out; nothing
# later depends on them. You need Git, Python and a little YAML; no account, no Docker.

# %% tags=["parameters"]
seed = 0

# %%
import subprocess
import sys

import pandas as pd
from IPython.display import Markdown

from flightschool.curriculum import load_lab_file
from flightschool.learn import Lab

lab = Lab("04_ci_cd", seed=seed)
runner, project, changes = (load_lab_file(lab.path, name) for name in ("runner", "project", "changes"))
pd.options.display.max_colwidth = None
lab

# %% [markdown]
# ## 1 · The way of a change
#
# Wednesday, 18:05. Ben makes a rule "simpler" and pushes. On Thursday the report says that 15 minutes late is on time. Nobody had asked a machine.
#
# ```mermaid
# flowchart LR
#   dev([developer]) -->|push| git[(Git)] -->|starts| ci[CI: lint, test, build] -->|green| cd[CD: deploy] --> prod([production])
#   ci -->|red| dev
# ```
#
# *In words:* a push to Git starts **CI**; when it is green, **CD** brings the result to production; when it is red, the developer hears of it, and nobody else has to.
#
# [**Continuous integration**](glossary.ipynb#continuous-integration) (CI): each change is built and tested at once. [**Continuous delivery**](glossary.ipynb#continuous-delivery): what passed is ready to go live at the push of a button. [**Continuous deployment**](glossary.ipynb#continuous-deployment): there is no button.
# This is the team's repository `ontime`, and Ben's change on a branch:

# %%
repository = project.start(lab.world, lab.workdir / "ontime")
ben = changes.one(lab.world, changes.unit)
project.branch(repository, "simpler-rules", ben.contents, ben.message)
print(project.git(repository, "ls-tree", "--name-only", "main"))
print(project.git(repository, "diff", "--unified=0", "main", "simpler-rules").split("@@")[-1])

# %% [markdown]
# The repository's README names a command for each thing that can be checked:

# %%
Markdown((repository / "README.md").read_text().replace("# ontime", "**ontime**"))

# %% [markdown]
# **Before you run it:** the tests are in the repository, and Ben had them on his laptop. How many of twelve will fail?


# %% tags=["demo"]
def sh(command, branch="main"):
    """Run a command on a branch, with this notebook's Python, and print the end of what it says."""
    project.git(repository, "checkout", "-q", branch)
    place = runner.environment(lab.workdir, {})
    done = subprocess.run(["bash", "-c", command], cwd=repository, env=place, capture_output=True, text=True)
    print(*(done.stdout + done.stderr).strip().splitlines()[-6:], sep="\n")
    print("exit status", done.returncode)
    project.git(repository, "checkout", "-q", "main")


sh("pytest -q", "simpler-rules")

# %% [markdown]
# The test was there. It did not help, because nobody ran it. Note the [**exit status**](glossary.ipynb#exit-status): 0 is well, anything else is not. It is all that a machine understands.

# %% [markdown]
# ## 2 · A workflow
#
# GitHub starts what stands in `.github/workflows/`. A [**workflow**](glossary.ipynb#workflow) has events, [**jobs**](glossary.ipynb#job) (each on a machine of its own) and **steps** (commands, or ready-made [**actions**](glossary.ipynb#action)). This one is of 2021, as many tutorials still show it.
#
# Here `act` executes it: the steps run for real, in a clean folder on your machine. It stands for GitHub's [**runner**](glossary.ipynb#runner); `runner.py` says what differs.

# %%
of_2021 = """
name: CI
on: [push]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v2
      - uses: actions/setup-python@v2
        with:
          python-version: 3.9
      - run: pytest -q
"""
for ref in ("main", "simpler-rules"):
    run = runner.run(repository, of_2021, ref=ref)
    print(f"{ref}: {run.conclusion}, {run.seconds:.1f} s;", *(step.result for step in run.steps))

# %% [markdown]
# It works: green for `main`, red for Ben. What would a security review say of it? **zizmor** reads workflows as ruff reads Python.

# %% tags=["demo"]
pd.DataFrame(runner.zizmor(of_2021))

# %% [markdown]
# What changed since 2021:
#
# | written then | today | why |
# |---|---|---|
# | `actions/checkout@v2` | `@08c6903…` (40 digits) `# v5.0.0` | a tag can be moved to other code, as happened to a popular action in March 2025 |
# | no `permissions:` | `contents: read` | the job's token could write to the repository |
# | `python-version: 3.9` | `"3.11"`, in quotes | 3.9 has had no security fixes since October 2025, and YAML reads 3.10 as 3.1 |
# | `pip install` of whatever is newest | a lock file with hashes | the same commit must be tested with the same packages |
#
# (Our runner has the tools installed already, so that a run takes a second and needs no network.)
#
# **q1 · 2 points.** Write the text of a workflow, as `workflow`. It runs `ruff check .` and `pytest` on `ubuntu-latest`, for each push to any branch and for each pull request, with read rights only, and with the checkout pinned:
# `actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8`. A good commit is green, a bad one red. Stuck? `lab.q1.hint()`.

# %% exercise="q1"
workflow = ...
### BEGIN SOLUTION
workflow = """
name: ci
on:
  push:
  pull_request:
permissions:
  contents: read
jobs:
  test:
    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with:
          persist-credentials: false
      - run: ruff check .
      - run: pytest -q
"""
### END SOLUTION

# %% check="q1"
lab.q1.check(workflow)

# %% [markdown]
# *A natural stop: about 20 minutes.*
#
# ## 3 · CI for data
#
# Code is half of it. A commit may bring data, SQL, a build script. Three traps first. **Before you run it:** `pytest` fails on Ben's branch. Which of these three steps is red?

# %% tags=["demo"]
traps = {
    "pipe": "pytest -q | tail -1",
    "or true": "pytest -q || true",
    "pipe, pipefail": "set -o pipefail; pytest -q | tail -1",
}
head = of_2021.rsplit("      - run:", 1)[0]
asked = [
    {"repository": repository, "workflow": f"{head}      - run: {command}\n", "ref": "simpler-rules"}
    for command in traps.values()
]
for name, run in zip(traps, runner.runs(asked), strict=True):
    print(f"{name}: {run.conclusion}")

# %% [markdown]
# In a pipe the last command's exit status counts, and `tail` is always content. GitHub's `shell: bash` sets `pipefail`; the default shell does not.
#
# The fourth trap is polite: a test that is *skipped*. pytest ends with 0.

# %% tags=["demo"]
skipping = changes.one(lab.world, changes.skipped)
project.branch(repository, "flaky", skipping.contents, skipping.message)
sh("pytest -q --junitxml report.xml; python -m tools.check skipped report.xml", "flaky")

# %% [markdown]
# Now data. **Before you run it:** one of these two keys is right. Take a flight that was cancelled at 08:00 and put on again at 10:00, same number, same day. Which key calls it a double?

# %% tags=["demo"]
again = changes.one(lab.world, changes.put_on_again)
project.branch(repository, "put-on-again", again.contents, again.message)
for key in ("flight_date carrier flight origin", "flight_date carrier flight origin sched_dep_time"):
    sh(f"python -m tools.check unique data/flights.csv {key}", "put-on-again")

# %% [markdown]
# A gate that stops a right row is as wrong as one that lets a wrong row pass; people soon switch it off.
#
# SQL is read by a linter (**sqlfluff**) and known to be right only when executed. Spark code is tested on small frames (**chispa** compares them); that test takes seconds, so it has a mark of its own.

# %% tags=["demo"]
sh("sqlfluff lint dbt/models")
sh("pytest -q -m spark")

# %% [markdown]
# Last, the build: [**reproducible**](glossary.ipynb#reproducible) means that the same commit gives the same bytes. Only then *tested* and *deployed* can be compared. Module 05 does it with images, where `docker build` takes the place of `tools.build`.

# %% tags=["demo", "nbval-ignore-output"]
two_builds = "python -m tools.build dist/one.zip; python -m tools.build dist/two.zip"
labelled = changes.one(lab.world, changes.build)
project.branch(repository, "labelled", labelled.contents, labelled.message)
for branch in ("main", "labelled"):
    sh(two_builds, branch)
print(project.git(repository, "diff", "--unified=0", "main", "labelled", "tools").split("@@")[-1])

# %% [markdown]
# A time or a random number inside, and no two builds are equal, though each of them ends with 0.
#
# **q2 · 4 points.** Write `gate`, the text of a workflow for the twelve commits that your colleagues propose (each pushed to a branch). Four are good. Eight are not: a lint error, a failing test, one flight twice, a value missing, a broken contract, a model that does not
# execute, a build that differs each time, a test skipped on purpose. The good ones are to be green, the others red. Another dozen decides when this is graded.

# %% exercise="q2"
gate = ...
### BEGIN SOLUTION
gate = workflow.replace(
    "      - run: pytest -q\n",
    """      - run: pytest -q --junitxml report.xml
      - run: python -m tools.check skipped report.xml
      - run: python -m tools.check schema data/flights.csv data/contract.json
      - run: python -m tools.check unique data/flights.csv flight_date carrier flight origin sched_dep_time
      - run: python -m tools.check filled data/flights.csv flight_date carrier flight origin dest sched_dep_time
      - run: python -m tools.check sql dbt/models data/flights.csv
      - name: The same commit gives the same bytes
        run: |
          python -m tools.build dist/ontime.zip
          python -m tools.build again.zip
          cmp dist/ontime.zip again.zip
""",
)
### END SOLUTION

# %% check="q2"
lab.q2.check(gate)

# %% [markdown]
# What became of the first of them? The chart shows where each commit is stopped: the earlier, the cheaper. (While q2 is a stub, it shows q1's workflow or the one of 2021.)

# %% tags=["demo"]
chart = load_lab_file(lab.path, "gate_chart").chart
mine = next(text for text in (gate, workflow, of_2021) if isinstance(text, str))
proposed = changes.series(lab.world)[:6]
for number, change in enumerate(proposed):
    project.branch(repository, f"proposed-{number}", change.contents, change.message)
done = runner.runs(
    [
        {"repository": repository, "workflow": mine, "ref": f"proposed-{number}"}
        for number in range(len(proposed))
    ]
)
print(chart([change.message for change in proposed], done))

# %% [markdown]
# ## 4 · Deploy what was tested
#
# A **deployment** puts a version to work. Three rules: after the tests, from `main` only, and *the very file that was tested*. Each job begins in an empty folder, so a file travels as an [**artifact**](glossary.ipynb#artifact): one job uploads it, the next downloads it.
#
# `tools.deploy` wants a token in `DEPLOY_TOKEN`. In GitHub it is a [**secret**](glossary.ipynb#secret) of the repository: `${{ secrets.DEPLOY_TOKEN }}`, blanked out in logs. **Before you run it:** which of the three lines gives the token away?

# %% tags=["demo"]
sites = runner.Sites(lab.workdir / "sites", "tok-not-a-real-one")
careless = f"""{head}      - run: |
          echo "the token is $DEPLOY_TOKEN"
          echo "$DEPLOY_TOKEN" | wc -c
          echo "$DEPLOY_TOKEN" | base64
        env:
          DEPLOY_TOKEN: ${{{{ secrets.DEPLOY_TOKEN }}}}
"""
run = runner.run(repository, careless, sites=sites)
print(run.log[-300:])
print("can be read in:", *run.leaks)

# %% [markdown]
# Blanking out is a net with holes: it knows the text of the secret, not its disguises.
#
# **q3 · 3 points.** Write `pipeline`, a workflow with two jobs or more. For each push and pull request: ruff, pytest, `python -m tools.build dist/ontime.zip`. For a push to `main` alone, and only when all that is green, a job deploys that file with `python -m tools.deploy dist/ontime.zip --to production`. The token is nowhere to be read. Pin
# `actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02` and `actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093`. (They are stood in for by a folder here: the text is what GitHub runs.)

# %% exercise="q3"
pipeline = ...
### BEGIN SOLUTION
build = """      - run: python -m tools.build dist/ontime.zip
      - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
        with:
          name: package
          path: dist/ontime.zip
          if-no-files-found: error
"""
deploy = """    runs-on: ubuntu-latest
    timeout-minutes: 10
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with:
          persist-credentials: false
      - uses: actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093 # v4.3.0
        with:
          name: package
          path: dist
      - run: python -m tools.deploy dist/ontime.zip --to production
        env:
          DEPLOY_TOKEN: ${{ secrets.DEPLOY_TOKEN }}
"""
on_main = "    if: github.event_name == 'push' && github.ref == 'refs/heads/main'\n"
pipeline = f"{workflow}{build}  deploy:\n    needs: test\n{on_main}{deploy}"
### END SOLUTION

# %% check="q3"
lab.q3.check(pipeline)

# %% [markdown]
# *A natural stop: about 45 minutes.*
#
# ## 5 · The same in GitLab CI and Jenkins
#
# Other teams use other tools. The ideas are the same; the words are not.
#
# | idea | GitHub Actions | GitLab CI | Jenkins |
# |---|---|---|---|
# | file | `.github/workflows/*.yml` | `.gitlab-ci.yml` | `Jenkinsfile` (Groovy) |
# | unit of work | job, steps | job with a `script`, in a stage | stage with `steps { sh '…' }` |
# | order | `needs:` | `stages:`, `needs:` | from top to bottom |
# | only main | `if: github.ref == …` | `rules: - if: $CI_COMMIT_BRANCH == "main"` | `when { branch 'main' }` |
# | handing a file on | upload, download | `artifacts: paths:` | the workspace |
# | secret | `secrets.X` by `env:` | a masked CI/CD variable | `credentials('id')` |
# | a person's yes | `environment:` | `when: manual` | `input` |
#
# Here is a small GitLab pipeline: the jobs of a stage run side by side, and a stage waits for the one before.

# %% tags=["demo"]
from flightschool.services import Unavailable

gitlab, jenkins = (load_lab_file(lab.path, name) for name in ("gitlab", "jenkins"))
small = """
stages: [test, report]
lint: {stage: test, script: [ruff check .]}
unit: {stage: test, script: [pytest -q]}
say:
  stage: report
  rules: [{if: $CI_COMMIT_BRANCH == "main"}]
  script: ["echo all of $CI_COMMIT_SHORT_SHA is well"]
"""
for branch in ("main", "simpler-rules"):
    print(branch, dict(gitlab.run(repository, small, ref=branch, sites=sites).jobs))

# %% [markdown]
# That was the lab's own small reader (`gitlab.py` says what it knows). The tool **gitlab-ci-local** knows all of the language, and reads the same file:

# %% tags=["demo"]
try:
    well, said = gitlab.by_gitlab_ci_local(repository, small, sites)
    print(*[line for line in said.splitlines() if "PASS" in line or "FAIL" in line], sep="\n")
except Unavailable as skipped:
    print("Skipped:", skipped)

# %% [markdown]
# A **Jenkinsfile** is a program that looks like a list. Its *declarative* form is read here: structure and conditions are checked, and each `sh` step is executed. What needs Jenkins itself (plugins, agents, Groovy in `script` blocks) runs in docker compose: `docker compose --profile ci up -d jenkins`.

# %% tags=["demo"]
small_jenkinsfile = """
pipeline {
    agent any
    stages {
        stage('Lint') { steps { sh 'ruff check .' } }
        stage('Unit') { steps { sh 'pytest -q' } }
        stage('Say') {
            when { branch 'main' }
            steps { sh 'echo all of $GIT_COMMIT is well' }
        }
    }
}
"""
for branch in ("main", "simpler-rules"):
    print(branch, dict(jenkins.run(repository, small_jenkinsfile, ref=branch, sites=sites).jobs))

# %% [markdown]
# **q4 · 4 points.** Write q3's pipeline in both: `gitlab_ci`, the text of `.gitlab-ci.yml`, and `jenkinsfile`. Both run ruff and pytest on every branch, build `dist/ontime.zip` once, and deploy that file to production from `main` only. In GitLab the token is there as the variable `DEPLOY_TOKEN`; Jenkins keeps it under the id `deploy-token`.

# %% exercise="q4"
gitlab_ci = ...
jenkinsfile = ...
### BEGIN SOLUTION
gitlab_ci = """
stages: [test, deploy]

test:
  stage: test
  script:
    - ruff check .
    - pytest -q
    - python -m tools.build dist/ontime.zip
  artifacts:
    paths: [dist/]

deploy:
  stage: deploy
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  environment: production
  script:
    - python -m tools.deploy dist/ontime.zip --to production
"""
jenkinsfile = """
pipeline {
    agent any
    options { timeout(time: 10, unit: 'MINUTES') }
    stages {
        stage('Test') {
            steps {
                sh 'ruff check .'
                sh 'pytest -q'
                sh 'python -m tools.build dist/ontime.zip'
            }
        }
        stage('Deploy') {
            when { branch 'main' }
            environment { DEPLOY_TOKEN = credentials('deploy-token') }
            steps { sh 'python -m tools.deploy dist/ontime.zip --to production' }
        }
    }
}
"""
### END SOLUTION

# %% check="q4"
lab.q4.check({"gitlab": gitlab_ci, "jenkins": jenkinsfile})

# %% [markdown]
# ## 6 · CD for data: a DAG, a job, a table, a model
#
# What does *deploy* mean for data? Four things, each with a way of its own. One package holds them all; here is its release folder, and a newer one.

# %%
import shutil

delivery, registry = (load_lab_file(lab.path, name) for name in ("delivery_demos", "registry"))
releases = {}
for version in ("1.4.0", "1.5.0"):
    releases[version] = lab.workdir / "releases" / version
    shutil.copytree(repository, releases[version], ignore=shutil.ignore_patterns(".git", "dist"))
newer = releases["1.5.0"] / "dags" / "flights_daily.py"
_ = newer.write_text(newer.read_text().replace("1.4.0", "1.5.0").replace("0 6 * * *", "30 5 * * *"))
dags = lab.workdir / "bundle" / "dags"
delivery.point(dags, releases["1.4.0"])

# %% [markdown]
# **A dashboard** shows a table. To deploy a change of it is to build the table anew with its tests: `dbt build`. Tableau and Power BI then read what stands in the warehouse. (Airflow takes its time to start; `warm` lets it do so meanwhile.)

# %% tags=["demo"]
delivery.warm(lab.services.airflow, dags)
warehouse = lab.workdir / "warehouse.duckdb"
lines = delivery.refresh(releases["1.4.0"], releases["1.4.0"] / "data" / "flights.csv", warehouse)
print(*lines, sep="\n")

# %% [markdown]
# **A DAG** is deployed when Airflow reads it. Airflow calls a place of DAGs a **bundle**; ours is one link to the release's folder, moved in one step. **Before you run it:** the link moves while Airflow runs. Will it have to be restarted? (In 2021 the DAG said `schedule_interval="@daily"` and imported from
# `airflow.operators`; today it says `schedule=` and imports from `airflow.sdk`.)

# %% tags=["demo"]
try:
    airflow = lab.services.airflow(dags)
    delivery.warm(lab.services.spark)
    print(delivery.wait_for_release(airflow, "release-1.4.0"))
    print("A run with this version:", delivery.trigger(airflow))
    for version in ("1.5.0", "1.4.0"):
        delivery.point(dags, releases[version])
        print(delivery.wait_for_release(airflow, f"release-{version}"))
    airflow.stop()
except Unavailable as skipped:
    print("Skipped:", skipped)

# %% [markdown]
# No restart, and the way back was the same move. `versions` are what Airflow keeps: the first one stays, because a run was made with it. (That run is queued: a new DAG is *paused* until somebody switches it on.)
#
# **A Spark job** is deployed by submitting it to a cluster: here a master and two workers, each a process of its own.

# %% tags=["demo"]
try:
    spark = lab.services.spark()
    delivery.warm(lab.services.mlflow)
    for line in delivery.submit(releases["1.4.0"], spark.config(), lab.workdir / "out", spark.env()):
        print(line)
    spark.stop()
except Unavailable as skipped:
    print("Skipped:", skipped)

# %% [markdown]
# **A model** is data that behaves like code. MLflow's **registry** keeps its versions; an [**alias**](glossary.ipynb#alias) such as `champion` names one of them. The service asks for the alias at each request, so to move the alias *is* the deployment. (In 2021 a version had a *stage*, "Production"; MLflow has deprecated stages.)

# %% tags=["demo"]
from mlflow import MlflowClient

models, newest = registry.candidates(lab.world)
server = lab.services.mlflow()
client = MlflowClient(server.tracking_uri)
version = {
    name: registry.register(client, models[name], score=registry.brier(models[name], newest))
    for name in ("middling", "best")
}
service = registry.create_app(client)
for name in ("middling", "best", "middling"):
    client.set_registered_model_alias(registry.NAME, "champion", version[name])
    print(name, *registry.ask(service))
server.stop()

# %% [markdown]
# The third line is a rollback. Who decided that the new one was better, though, and who remembers where to go back to?
#
# **q5 · 4 points.** Write two functions. `promote(client, version, score)` makes a version of `registry.NAME` champion if it is better, and returns whether it did. `score(version)` is its Brier score on the newest flights: lower is better; for a version that can't be loaded it raises `registry.ModelError`, and then nothing changes. Whoever was
# champion becomes `previous`. `rollback(client)` brings `previous` back as champion; asked again, with nothing to go back to, it changes nothing. At first nobody is champion: `registry.alias(client, "champion")` gives a version or None.


# %% exercise="q5"
def promote(client, version, score):
    """Make a better version champion; return True when it was done, else False."""
    ### BEGIN SOLUTION
    champion = registry.alias(client, "champion")
    try:
        new = score(version)
    except registry.ModelError:
        return False
    if champion is not None:
        if new >= score(champion):
            return False
        client.set_registered_model_alias(registry.NAME, "previous", champion)
    client.set_registered_model_alias(registry.NAME, "champion", version)
    return True
    ### END SOLUTION


def rollback(client):
    """Bring the version back that was champion before; without one, change nothing."""
    ### BEGIN SOLUTION
    previous = registry.alias(client, "previous")
    if previous is not None:
        client.set_registered_model_alias(registry.NAME, "champion", previous)
        client.delete_registered_model_alias(registry.NAME, "previous")
    ### END SOLUTION


# %% check="q5"
lab.q5.check({"promote": promote, "rollback": rollback})

# %% [markdown]
# ## 7 · Delivery or deployment: who presses the button?
#
# Your q3 is continuous deployment: green means live. Where a person must agree, the pipeline *delivers*: to [**staging**](glossary.ipynb#staging), a place like production without its users, and waits. GitHub holds a job whose [**environment**](glossary.ipynb#environment) wants a reviewer. `act` knows no reviewers, so the lab's runner asks in their place: each job of the environment `production` begins with that step.

# %% tags=["demo"]
asking = f"""{head}      - run: echo staging is well
  live:
    needs: test
    runs-on: ubuntu-latest
    environment: production
    steps:
      - run: echo now it is live
"""
for approved in (False, True):
    print("approved:", approved, dict(runner.run(repository, asking, approved=approved).jobs))

# %% [markdown]
# **q6 · 3 points.** Write `approved_pipeline`. As in q3 everything is tested and built once. For a push to `main` the package then goes to staging by itself (`--to staging`, environment `staging`), followed by `python -m tools.smoke staging`. Only when that is well, and a reviewer has agreed, the same package goes to production (environment `production`).

# %% exercise="q6"
approved_pipeline = ...
### BEGIN SOLUTION
staging = deploy.replace("--to production", "--to staging") + "      - run: python -m tools.smoke staging\n"
approved_pipeline = (
    f"{workflow}{build}"
    f"  staging:\n    needs: test\n{on_main}    environment: staging\n{staging}"
    f"  production:\n    needs: staging\n    environment: production\n{deploy}"
)
### END SOLUTION

# %% check="q6"
lab.q6.check(approved_pipeline)

# %% [markdown]
# Everything runs, and the file can be read by anybody. Here it is, as you would commit it:

# %% tags=["demo"]
print(approved_pipeline if isinstance(approved_pipeline, str) else "q6 is still a stub.")

# %% [markdown]
# *A natural stop: about 90 minutes.*
#
# ## Drill: main is red
#
# The same team, another week. The next cell pages you. The clock runs until the check passes.

# %%
incident = lab.drill()
incident

# %%
red_main = load_lab_file(lab.path, "red_main")
desk = red_main.Desk(lab.workdir / "red")
print((desk.folder / "ci.log").read_text())
print(desk.git("log", "--graph", "--format=%h %ad %an: %s", "--date=format:%a %H:%M", "-9", "main"))

# %% [markdown]
# `desk.git(…)` is Git in your clone, at the story's time. `desk.ci()` is what the runner does with the head of origin's `main`. **Before you do anything:** whose commit would *you* have reverted first, and what speaks for it?

# %% tags=["demo"]
run = desk.ci()
print(run.conclusion)
print(*run.log.splitlines()[-4:], sep="\n")

# %% [markdown]
# **Restore it · 4 points.** Find the commit that broke `main`, revert it, push, and let the runner deploy. Put its SHA into `culprit`. As soon as you know what is wrong: `incident.detected("…")`. Hints: `incident.hint()`.
#
# And write `delivery_metrics(repository)` for a clone like yours, in which each deployment is a tag `deploy/001` … It returns a dict of two numbers, in hours:
#
# - `lead_time_hours`: the median over commits on main that are live, from the commit's date to the first deployment that contains it;
# - `time_to_restore_hours`: from the date of a commit that was reverted later to the first deployment that contains the revert (median, if there are several).


# %% exercise="drill"
culprit = ...
### BEGIN SOLUTION
good = desk.git("rev-list", "-n", "1", "--tags=deploy/*")
desk.git("bisect", "start", "main", good)
desk.git("bisect", "run", "env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", sys.executable, "-m", "pytest", "-q")
culprit = desk.git("rev-parse", "bisect/bad")
desk.git("bisect", "reset")
incident.detected("A rule was changed in a push for which no runner was there.")
desk.git("revert", "--no-edit", culprit)
desk.git("push", "-q", "origin", "main")
print(desk.ci().conclusion)
### END SOLUTION


def delivery_metrics(repository):
    """lead_time_hours and time_to_restore_hours of a repository, as a dict."""
    ### BEGIN SOLUTION
    from statistics import median

    def lines(*arguments):
        return project.git(repository, *arguments).splitlines()

    def live(sha):
        when = lines(
            "for-each-ref",
            "--contains",
            sha,
            "--sort=taggerdate",
            "--format=%(taggerdate:unix)",
            "refs/tags/deploy",
        )
        return int(when[0]) if when else None

    at = {sha: int(date) for sha, date in map(str.split, lines("log", "--format=%H %ct", "main"))}
    leads = [live(sha) - date for sha, date in at.items() if live(sha)]
    restores = []
    for revert in lines("log", "--format=%H", "--grep=This reverts commit", "main"):
        body = project.git(repository, "show", "-s", "--format=%b", revert)
        bad = body.split("This reverts commit ")[1][:40]
        if live(revert):
            restores.append(live(revert) - at[bad])
    return {
        "lead_time_hours": median(leads) / 3600,
        "time_to_restore_hours": median(restores) / 3600 if restores else None,
    }
    ### END SOLUTION


delivery_metrics(desk.clone)

# %% check="drill"
incident.check({"folder": desk.folder, "culprit": culprit, "metrics": delivery_metrics})

# %% [markdown]
# The form for the postmortem, with your times in it:

# %% tags=["demo"]
incident.postmortem()

# %% [markdown]
# <details><summary>What had happened (open it when your check has passed)</summary>
#
# **Timeline.** A push with a changed rule finds no runner, and its run is cancelled; nobody is told. The next pushes are red, with an innocent commit at their head. People go on pushing: red had become normal.
#
# **What went well:** the test saw the mistake, and nothing red was deployed. **What was luck:** the one change that waited could wait. **Wrong first guess:** to revert the head of the first red run. Its own test had passed before somebody else's commit.
# **One change to the system:** a run that did not take place counts as red, and `main` takes no push while it is red.
#
# </details>

# %% [markdown]
# ## What stays
#
# One letter each:
#
# - **delivery** · Everything is tested, and a person decides when it goes live. That is **a** continuous deployment · **b** continuous delivery · **c** continuous integration alone
# - **pipe** · A step says `pytest | tee log`, in GitHub's default shell. It is red when **a** a test fails · **b** either command fails · **c** `tee` fails
# - **artifact** · The deploying job should get its file **a** from the job that tested it · **b** by building the same commit again · **c** from the newest release
# - **revert** · A bad commit is on `main`, with others after it. **a** reset to before it and force the push · **b** revert it, which adds a commit · **c** delete its file
# - **red** · The first red run's head is a commit to the README. The culprit is **a** that commit · **b** the test · **c** somewhere after the last head that was green

# %% exercise="quiz"
answers = {"delivery": ..., "pipe": ..., "artifact": ..., "revert": ..., "red": ...}
### BEGIN SOLUTION
answers = {"delivery": "b", "pipe": "c", "artifact": "a", "revert": "b", "red": "c"}
### END SOLUTION

# %% check="quiz"
lab.quiz.check(answers)

# %% [markdown]
# You can now
#
# - write a workflow that a runner executes (q1), and a gate that stops eight kinds of mistakes and no good change (q2);
# - deploy what was tested, only from main (q3), and say it in three tools (q4);
# - promote a model and roll it back (q5), and put a person's yes where it belongs (q6);
# - bring a red main back, and read lead time and time to restore from a repository (drill).
#
# The exercise in brackets shows it; the page `index.ipynb` keeps the list of those that passed.
#
# **To talk about.** A gate takes 40 minutes, and people stop waiting for it: what do you run on each push, and what at night? An approval has said yes 400 times and never no: what is it for?
#
# **Read on** in the tools' own manuals: [GitHub Actions](https://docs.github.com/actions), [GitLab CI/CD](https://docs.gitlab.com/ci/), [Jenkins pipelines](https://www.jenkins.io/doc/book/pipeline/), [act](https://nektosact.com), [zizmor](https://docs.zizmor.sh),
# [sqlfluff](https://docs.sqlfluff.com), [chispa](https://github.com/MrPowers/chispa), [MLflow's registry](https://mlflow.org/docs/latest/ml/model-registry/), [Airflow's bundles](https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/dag-bundles.html), [DORA's metrics](https://dora.dev/guides/dora-metrics-four-keys/).
#
# **What a professional does next:** protects `main`, so that only what the gate has passed can be merged, and shows the team's lead time where everybody walks by. Next: module 05 packs all this into an image.
