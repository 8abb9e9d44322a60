"""Answers to the exercises of module 04: right ones, mistakes that people make, untouched stubs."""

import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
from datetime import datetime
from functools import cache
from pathlib import Path

from labs.kit import failing, passing, untouched

from flightschool.curriculum import load_lab_file
from flightschool.paths import LABS

LAB = LABS / "04_ci_cd"
ROOM = tempfile.TemporaryDirectory(prefix="flightschool-answers-", ignore_cleanup_errors=True)

MUTATION = {
    **{name: {"most": 16, "worlds": 1, "jobs": 1} for name in ("q1", "q2", "q3", "q4", "q6")},
    "q5": {"most": 24, "worlds": 1},
    "drill": {"most": 16, "worlds": 1},
}
"""Each mutant runs whole workflows, or git: `make judge` tries fewer."""

_FOR_PEOPLE = {
    r"KDL: (jobs\.\w+\.(steps\.\d+\.)?)?name:": "a name is for people",
    r"(KDL|CRP): jobs\.\w+\.timeout-minutes": "another patience, or GitHub's",
}
_NO_REVIEW = {
    r"KDL: (jobs\.\w+\.)?permissions": "it is q1 that asks for few rights",
    r"(KDL|CRP): jobs\.\w+\.steps\.\d+\.with(\.persist-credentials|: \{'persist-credentials': False\})": "it is q1 that asks for few rights",
}
_HANDED_ON = {
    r"KDL: .*if-no-files-found": "the next job would miss the file anyway",
    r"SWP: jobs\.(test|lint)\.steps\.1: \{'run': '(ruff|pytest)": "each check stops the rest, in any order",
    r"SWP: jobs\.test\.steps\.2: \{'run': 'pytest": "what fails its tests is not handed on, though built",
}
STILL_RIGHT = {
    "q1": {
        **_FOR_PEOPLE,
        r"SWP: on\.0": "events stand in any order",
        r"two_jobs_and_names SWP: jobs\.unit\.steps\.0": "Python can be set up before the checkout",
        r"(KDL|GRU): jobs\.unit\.(strategy|steps\.1\.with)|(GRU|SWP): jobs\.unit\.steps\.1:": "the runner's own Python will do",
        r"two_jobs_and_names KDL: (permissions|jobs\.\w+\.permissions)": "the other one holds",
        r"KDL: permissions\.contents": "no rights at all will do for a public repository",
        r"SWP: jobs\.test\.steps\.1": "each check stops the rest, in any order",
    },
    "q2": {
        **_FOR_PEOPLE, **_NO_REVIEW,
        r"KDL: on\.pull_request|(GRU: on\.1|SWP: on\.0)": "it asks for pushes",
        r"the_whole_gate SWP: jobs\.test\.steps\.(1|[3-9])": "each check stops the rest, in any order",
        r"side_by_side SWP: jobs\.(code|data)\.steps\.1": "each check stops the rest, in any order",
    },
    "q3": {**_FOR_PEOPLE, **_NO_REVIEW, **_HANDED_ON, r"SWP: jobs\.release\.needs\.0": "all of them are waited for"},
    "q4": {
        r"KDL: (stages:|test\.stage)": "these are GitLab's own",
        r"KDL: (\.python\.stage|(lint|unit)\.extends)": "test is GitLab's own stage",
        r"KDL: release\.stage": "needs say already what comes first",
        r"KDL: release\.needs:": "stages say already what comes first",
        r"KDL: deploy\.environment": "it asks for no environment",
        r"KDL: default": "it only says the version",
        r"GRU: default\.before_script": "it only says the version",
        r"(KDL|CRP): unit\.artifacts\.expire_in": "kept for another while",
        r"KDL: release\.needs\.1\.artifacts": "true is GitLab's own",
        r"SWP: test\.script\.[01]|SWP: unit\.script\.0": "each command stops the rest, in any order",
        r"SWP: release\.needs\.0": "all of them are waited for",
    },
    "q6": {
        **_FOR_PEOPLE, **_NO_REVIEW, **_HANDED_ON,
        r"KDL: .*(environment\.url|concurrency)": "it asks for neither",
        r"KDL: on\.pull_request": "it is q3 that asks for pull requests",
        r"(SWP|GRU): jobs\.production\.needs\.0|environment_with_an_address KDL: jobs\.production\.if": "staging waits for it already",
    },
}  # fmt: skip
"""Changes of the right workflows that are no mistakes; the judges must let them pass."""

CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0"
UPLOAD = "actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2"
DOWNLOAD = "actions/download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093 # v4.3.0"


def dedent(text: str) -> str:
    return textwrap.dedent(text).lstrip()


# q1 ----------------------------------------------------------------------------------------------------------------

# In quotes, since PyYAML takes a bare `on` for a truth, and would write it so into a mutant. Learners write it bare, as the solution does.
SMALL = dedent(
    f"""
    name: ci
    "on":
      push:
      pull_request:
    permissions:
      contents: read
    jobs:
      test:
        runs-on: ubuntu-latest
        timeout-minutes: 10
        steps:
          - uses: {CHECKOUT}
            with:
              persist-credentials: false
          - run: ruff check .
          - run: pytest -q
    """
)


@passing("q1", slow=True)
def one_job(world):
    return SMALL


@passing("q1", slow=True)
def two_jobs_and_names(world):
    return dedent(
        f"""
        name: Continuous integration
        "on": [push, pull_request]
        permissions: {{}}
        jobs:
          lint:
            name: Lint
            permissions: {{contents: read}}
            runs-on: ubuntu-24.04
            steps:
              - name: Get the code
                uses: {CHECKOUT}
                with: {{persist-credentials: false}}
              - name: Read it
                run: |
                  ruff --version
                  ruff check ontime tests tools dags
          unit:
            permissions: {{contents: read}}
            runs-on: ubuntu-latest
            strategy:
              matrix:
                python: ["3.11"]
            steps:
              - uses: {CHECKOUT}
                with: {{persist-credentials: false}}
              - uses: actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0
                with:
                  python-version: ${{{{ matrix.python }}}}
              - shell: bash
                run: python -m pytest tests | tee tests.log
        """
    )


@failing("q1", because="no checkout", slow=True)
def forgets_the_checkout(world):
    return SMALL.replace(
        f"- uses: {CHECKOUT}\n        with:\n          persist-credentials: false", "- run: git --version"
    )


@failing("q1", because="pushed to a branch started no job", slow=True)
def watches_main_only(world):
    return SMALL.replace("  push:\n", "  push:\n    branches: [main]\n")


@failing("q1", because="A pull request started no job", slow=True)
def forgets_pull_requests(world):
    return SMALL.replace("  pull_request:\n", "")


@failing("q1", because="without pipefail", slow=True)
def pipes_the_tests_away(world):
    return SMALL.replace("pytest -q", "pytest -q | tee tests.log")


@failing("q1", because="|| true", slow=True)
def forgives_the_linter(world):
    return SMALL.replace("ruff check .", "ruff check . || true")


@failing("q1", because="continue-on-error", slow=True)
def goes_on_after_an_error(world):
    return SMALL.replace("- run: pytest -q", "- run: pytest -q\n        continue-on-error: true")


@failing("q1", because="unpinned-uses", slow=True)
def as_in_2021(world):
    return SMALL.replace(CHECKOUT, "actions/checkout@v2")


@failing("q1", because="excessive-permissions", slow=True)
def may_do_everything(world):
    return SMALL.replace("permissions:\n  contents: read\n", "permissions: write-all\n")


@failing("q1", because="artipacked", slow=True)
def keeps_the_token(world):
    return SMALL.replace("persist-credentials: false", "persist-credentials: true")


@failing("q1", because="no jobs that can be read", slow=True)
def indents_the_jobs(world):
    return SMALL.replace("jobs:\n", "jobs:\n test:\n", 1).replace("runs-on", "   runs-on", 1)


@untouched("q1")
def no_workflow(world):
    return ...


@untouched("q1")
def empty_text(world):
    return ""


# q2 ----------------------------------------------------------------------------------------------------------------

KEY = "flight_date carrier flight origin sched_dep_time"
GATE = SMALL.replace(
    "      - run: pytest -q\n",
    f"""      - run: pytest -q --junitxml report.xml
      - run: python -m tools.check skipped report.xml
      - run: python -m tools.check schema data/flights.csv data/contract.json
      - run: python -m tools.check unique data/flights.csv {KEY}
      - run: python -m tools.check filled data/flights.csv {KEY} dest
      - run: python -m tools.check sql dbt/models data/flights.csv
      - run: |
          python -m tools.build dist/ontime.zip
          python -m tools.build again.zip
          cmp dist/ontime.zip again.zip
""",
)


def half_a_gate(step: str) -> str:
    """A gate that was begun with one step, the wrong one; it takes a third of the time."""
    return SMALL.split("      - run: ruff")[0] + f"      - run: {step}\n"


@passing("q2", slow=True)
def the_whole_gate(world):
    return GATE


@passing("q2", slow=True)
def side_by_side(world):
    steps = f"""
    runs-on: ubuntu-latest
    steps:
      - uses: {CHECKOUT}
        with: {{persist-credentials: false}}
"""
    return f"""name: gate
"on": [push, pull_request]
permissions:
  contents: read
jobs:
  code:{steps}      - run: ruff check .
      - shell: bash
        run: |
          pytest -rs --runxfail | tee said.txt
          ! grep -q SKIPPED said.txt
  data:{steps}      - run: |
          python -m tools.check schema data/flights.csv data/contract.json
          python -m tools.check sql dbt/models data/flights.csv
      - run: |
          python - <<'END'
          import csv
          rows = list(csv.DictReader(open("data/flights.csv")))
          keys = [tuple(row[name] for name in "{KEY}".split()) for row in rows]
          assert len(set(keys)) == len(keys), "a flight twice"
          assert all(all(key) for key in keys) and all(row["dest"] for row in rows), "a value is missing"
          END
  build:{steps}      - run: |
          one=$(python -m tools.build a.zip); two=$(python -m tools.build b.zip)
          test "$one" = "$two"
"""


@failing("q2", because="a failing test that is skipped", slow=True)
def trusts_the_colour_of_pytest(world):
    return GATE.replace("      - run: python -m tools.check skipped report.xml\n", "")


@failing("q2", because="put on again", slow=True)
def key_without_the_hour(world):
    return half_a_gate("python -m tools.check unique data/flights.csv flight_date carrier flight origin")


@failing("q2", because="which merely describe it", slow=True)
def whole_rows_as_key(world):
    return GATE.replace(
        f"unique data/flights.csv {KEY}", f"unique data/flights.csv {KEY} dest dep_time arr_delay"
    )


@failing("q2", because="never departed", slow=True)
def no_gap_anywhere(world):
    return half_a_gate(f"python -m tools.check filled data/flights.csv {KEY} dest dep_time arr_delay")


@failing("q2", because="Say what we do with tests", slow=True)
def looks_for_the_word_skip(world):
    return half_a_gate('if grep -rnE "mark.skip|xfail" tests; then exit 1; fi')


@failing("q2", because="other bytes each time", slow=True)
def builds_once(world):
    return GATE.replace(
        "          python -m tools.build again.zip\n          cmp dist/ontime.zip again.zip\n", ""
    )


@failing("q2", because="does not execute", slow=True)
def code_only(world):
    return SMALL


@failing("q2", because="Every good commit", slow=True)
def a_wall(world):
    return half_a_gate("ruff check --select ALL .")


@untouched("q2")
def no_gate(world):
    return ...


# q3 ----------------------------------------------------------------------------------------------------------------

BUILD = f"""      - run: python -m tools.build dist/ontime.zip
      - uses: {UPLOAD}
        with:
          name: package
          path: dist/ontime.zip
          if-no-files-found: error
"""
TESTED = SMALL + BUILD
MAIN_ONLY = "    if: github.event_name == 'push' && github.ref == 'refs/heads/main'\n"
DEPLOY = f"""    runs-on: ubuntu-latest
    steps:
      - uses: {CHECKOUT}
        with:
          persist-credentials: false
      - uses: {DOWNLOAD}
        with:
          name: package
          path: dist
      - run: python -m tools.deploy dist/ontime.zip --to production
        env:
          DEPLOY_TOKEN: ${{{{ secrets.DEPLOY_TOKEN }}}}
"""
PIPELINE = f"{TESTED}  deploy:\n    needs: test\n{MAIN_ONLY}{DEPLOY}"


@passing("q3", slow=True)
def test_then_deploy(world):
    return PIPELINE


@passing("q3", slow=True)
def three_jobs(world):
    lint = SMALL.replace("      - run: pytest -q\n", "").replace("  test:\n", "  lint:\n", 1)
    unit = TESTED.split("jobs:\n")[1].replace("      - run: ruff check .\n", "")
    condition = "    if: ${{ github.ref_name == 'main' && github.ref_type == 'branch' && github.event_name == 'push' }}\n"
    return f"{lint}{unit}  release:\n    needs: [lint, test]\n{condition}{DEPLOY}"


@failing("q3", because="needs no other", slow=True)
def side_by_side_with_the_tests(world):
    # It would deploy what is built in its own job, for there is no artifact yet.
    own = DEPLOY.replace(
        f"      - uses: {DOWNLOAD}\n        with:\n          name: package\n          path: dist\n",
        "      - run: python -m tools.build dist/ontime.zip\n",
    )
    return f"{TESTED}  deploy:\n{MAIN_ONLY}{own}"


@failing("q3", because="holds after a failure", slow=True)
def always(world):
    return PIPELINE.replace("if: github.event_name", "if: always() && github.event_name").replace(
        "      - run: pytest -q\n" + BUILD, BUILD + "      - run: pytest -q\n"
    )


@failing("q3", because="lint error was deployed", slow=True)
def needs_one_job_of_two(world):
    return three_jobs.answer(world).replace("needs: [lint, test]", "needs: test")


@failing("q3", because="empties the folder", slow=True)
def checks_out_last(world):
    checkout, download = DEPLOY.split("    steps:\n")[1].split("      - uses: ")[1:3]
    download, rest = download.split("      - run: ")
    return PIPELINE.replace(
        DEPLOY,
        f"    runs-on: ubuntu-latest\n    steps:\n      - uses: {download}      - uses: {checkout}      - run: {rest}",
    )


@failing("q3", because="feature/main was deployed", slow=True)
def any_branch(world):
    return PIPELINE.replace(MAIN_ONLY, "")


@failing("q3", because="feature/main was deployed", slow=True)
def a_ref_that_ends_like_main(world):
    return PIPELINE.replace("github.ref == 'refs/heads/main'", "endsWith(github.ref, '/main')")


@failing("q3", because="pull request was deployed", slow=True)
def pull_requests_to_main(world):
    return PIPELINE.replace(
        MAIN_ONLY, "    if: github.ref == 'refs/heads/main' || github.base_ref == 'main'\n"
    )


@failing("q3", because="built in the deploying job", slow=True)
def builds_where_it_deploys(world):
    return PIPELINE.replace(BUILD, "").replace(
        f"      - uses: {DOWNLOAD}\n        with:\n          name: package\n          path: dist\n",
        "      - run: python -m tools.build dist/ontime.zip\n",
    )


@failing("q3", because="an artifact", slow=True)
def packs_the_token(world):
    wrong = BUILD.replace(
        "      - run: python", "      - run: mkdir -p dist && echo \"$DEPLOY_TOKEN\" > dist/.env\n        env:\n          DEPLOY_TOKEN: ${{ secrets.DEPLOY_TOKEN }}\n      - run: python", 1
    ).replace("path: dist/ontime.zip", "path: dist")  # fmt: skip
    return PIPELINE.replace(BUILD, wrong)


@failing("q3", because="the log", slow=True)
def debugs_the_token(world):
    return PIPELINE.replace(
        "      - run: python -m tools.deploy",
        '      - run: echo "$DEPLOY_TOKEN" | base64; python -m tools.deploy',
    )


@failing("q3", because="not deployed to production", slow=True)
def forgets_the_token(world):
    return PIPELINE.replace("        env:\n          DEPLOY_TOKEN: ${{ secrets.DEPLOY_TOKEN }}\n", "")


@failing("q3", because="nothing was tested", slow=True)
def tests_on_main_only(world):
    return PIPELINE.replace("  test:\n", "  test:\n    if: github.ref == 'refs/heads/main'\n", 1)


@untouched("q3")
def nothing_deployed(world):
    return ...


# q4 ----------------------------------------------------------------------------------------------------------------

GITLAB = dedent(
    """
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
)
JENKINS = dedent(
    """
    pipeline {
        agent any
        options {
            timeout(time: 10, unit: 'MINUTES')
        }
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
                environment {
                    DEPLOY_TOKEN = credentials('deploy-token')
                }
                steps {
                    sh 'python -m tools.deploy dist/ontime.zip --to production'
                }
            }
        }
    }
    """
)


@passing("q4", slow=True)
def one_stage_each(world):
    return {"gitlab": GITLAB, "jenkins": JENKINS}


@passing("q4", slow=True)
def with_needs_and_parallel(world):
    return {
        "gitlab": dedent(
            """
            default:
              before_script: [python --version]
            .python: {stage: test}
            lint: {extends: .python, script: [ruff check .]}
            unit:
              extends: .python
              script: [pytest -q, python -m tools.build dist/ontime.zip]
              artifacts: {paths: [dist/ontime.zip], expire_in: 1 week}
            release:
              stage: deploy
              needs: [lint, {job: unit, artifacts: true}]
              only: [main]
              script: [python -m tools.deploy dist/ontime.zip --to production]
            """
        ),
        "jenkins": dedent(
            """
            // The same commands as everywhere.
            pipeline {
                agent { label 'python' }
                stages {
                    stage('Checks') {
                        parallel {
                            stage('Lint') { steps { sh 'ruff check .' } }
                            stage('Unit') { steps { sh '''
                                set -o pipefail
                                pytest -q | tee tests.log
                            ''' } }
                        }
                    }
                    stage('Package') { steps { sh 'python -m tools.build dist/ontime.zip'; archiveArtifacts artifacts: 'dist/*.zip' } }
                    stage('Release') {
                        when { allOf { branch 'main'; not { branch 'develop' } } }
                        steps {
                            withCredentials([string(credentialsId: 'deploy-token', variable: 'DEPLOY_TOKEN')]) {
                                sh 'python -m tools.deploy dist/ontime.zip --to production'
                            }
                        }
                    }
                }
                post { always { echo 'over' } }
            }
            """
        ).replace("; ", "\n"),
    }


@failing("q4", because="Jenkins", slow=True)
def gitlab_only(world):
    return {"gitlab": GITLAB, "jenkins": ...}


@failing("q4", because="GitLab CI: a commit on the branch feature/main was deployed", slow=True)
def deploys_every_branch_in_gitlab(world):
    return {
        "gitlab": GITLAB.replace("  rules:\n    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH\n", ""),
        "jenkins": JENKINS,
    }


@failing("q4", because="deployed 0 times", slow=True)
def forgets_the_artifacts(world):
    return {"gitlab": GITLAB.replace("  artifacts:\n    paths: [dist/]\n", ""), "jenkins": JENKINS}


@failing("q4", because="deployed 0 times", slow=True)
def keeps_the_artifact_back(world):
    wanted = "  stage: deploy\n  needs: [{job: test, artifacts: false}]\n"
    return {"gitlab": GITLAB.replace("  stage: deploy\n", wanted), "jenkins": JENKINS}


@failing("q4", because="built again", slow=True)
def builds_twice(world):
    again = "    - python -m tools.build dist/ontime.zip\n    - python -m tools.deploy"
    return {"gitlab": GITLAB.replace("    - python -m tools.deploy", again), "jenkins": JENKINS}


@failing("q4", because="lint error was deployed", slow=True)
def may_fail_in_gitlab(world):
    return {
        "gitlab": GITLAB.replace("    - ruff check .\n", "    - ruff check . || true\n"),
        "jenkins": JENKINS,
    }


@failing("q4", because="Jenkins: a commit on main that fails a test was deployed", slow=True)
def pipes_in_jenkins(world):
    return {"gitlab": GITLAB, "jenkins": JENKINS.replace("'pytest -q'", "'pytest -q | tee tests.log'")}


@failing("q4", because="double-quoted sh", slow=True)
def lets_groovy_read_the_token(world):
    return {
        "gitlab": GITLAB,
        "jenkins": JENKINS.replace(
            "sh 'python -m tools.deploy dist", 'sh "DEPLOY_TOKEN=${DEPLOY_TOKEN} python -m tools.deploy dist'
        ).replace("--to production'", '--to production"'),
    }


@failing("q4", because="a stage has no section sh", slow=True)
def forgets_the_steps(world):
    return {
        "gitlab": GITLAB,
        "jenkins": JENKINS.replace("stage('Test') {", "stage('Test') {\n            sh 'git --version'"),
    }


@untouched("q4")
def neither_dialect(world):
    return {"gitlab": ..., "jenkins": ...}


# q5 ----------------------------------------------------------------------------------------------------------------

registry = load_lab_file(LAB, "registry")
NAME = registry.NAME


def promote(client, version, score):
    champion = registry.alias(client, "champion")
    if version == champion:
        return False
    try:
        if champion is not None and score(version) >= score(champion):
            return False
        score(version)
    except registry.ModelError:
        return False
    if champion is not None:
        client.set_registered_model_alias(NAME, "previous", champion)
    client.set_registered_model_alias(NAME, "champion", version)
    return True


def rollback(client):
    previous = registry.alias(client, "previous")
    if previous is not None:
        client.set_registered_model_alias(NAME, "champion", previous)
        client.delete_registered_model_alias(NAME, "previous")


@passing("q5", slow=True)
def two_aliases(world):
    return {"promote": promote, "rollback": rollback}


@passing("q5", slow=True)
def with_the_client_alone(world):
    from mlflow.exceptions import MlflowException

    def named(client, alias):
        try:
            return client.get_model_version_by_alias(NAME, alias).version
        except MlflowException:
            return None

    def up(client, version, score):
        now = named(client, "champion")
        try:
            new = score(version)
        except Exception:
            return False
        old = float("inf") if now is None else score(now)
        if new < old:
            if now:
                client.set_registered_model_alias(NAME, "previous", now)
            client.set_registered_model_alias(NAME, "champion", version)
        return new < old

    def back(client):
        if before := named(client, "previous"):
            client.set_registered_model_alias(NAME, "champion", before)
            client.delete_registered_model_alias(NAME, "previous")

    return {"promote": up, "rollback": back}


@failing("q5", because="Compare the two scores", slow=True)
def promotes_whatever_comes(world):
    def up(client, version, score):
        score(version)
        client.set_registered_model_alias(NAME, "champion", version)
        return True

    return {"promote": up, "rollback": rollback}


@failing("q5", because="Compare the two scores", slow=True)
def takes_the_higher_score(world):
    return {"promote": lambda c, v, score: promote(c, v, lambda one: -score(one)), "rollback": rollback}


@failing("q5", because="can't be loaded", slow=True)
def trusts_every_file(world):
    def up(client, version, score):
        champion = registry.alias(client, "champion")
        if champion is not None and score(version) >= score(champion):
            return False
        return promote(client, version, score)

    return {"promote": up, "rollback": rollback}


@failing("q5", because="the number before", slow=True)
def goes_one_number_back(world):
    def back(client):
        now = int(registry.alias(client, "champion"))
        if now > 1:
            client.set_registered_model_alias(NAME, "champion", str(now - 1))

    return {"promote": promote, "rollback": back}


@failing("q5", because="not “none”", slow=True)
def swaps_the_two(world):
    def back(client):
        now, before = registry.alias(client, "champion"), registry.alias(client, "previous")
        if before is not None:
            client.set_registered_model_alias(NAME, "champion", before)
            client.set_registered_model_alias(NAME, "previous", now)

    return {"promote": promote, "rollback": back}


@failing("q5", because="previous names", slow=True)
def forgets_who_was_before(world):
    def up(client, version, score):
        champion = registry.alias(client, "champion")
        try:
            if champion is not None and score(version) >= score(champion):
                return False
        except registry.ModelError:
            return False
        client.set_registered_model_alias(NAME, "champion", version)
        return True

    return {"promote": up, "rollback": rollback}


@failing("q5", because="your function raised", slow=True)
def expects_a_champion(world):
    def up(client, version, score):
        client.get_model_version_by_alias(NAME, "champion")
        return promote(client, version, score)

    return {"promote": up, "rollback": rollback}


@failing("q5", because="does not hold all versions", slow=True)
def deletes_the_bad_version(world):
    def back(client):
        now = registry.alias(client, "champion")
        before = registry.alias(client, "previous")
        rollback(client)
        if (
            before is not None
            and len(client.search_model_versions(f"name='{NAME}'")) == 5
            and BACK.setdefault(world.seed, 0)
        ):
            client.delete_model_version(NAME, now)
        BACK[world.seed] = 1

    BACK.clear()
    return {"promote": promote, "rollback": back}


BACK = {}


@untouched("q5")
def no_promotion(world):
    def up(client, version, score): ...

    def back(client): ...

    return {"promote": up, "rollback": back}


# q6 ----------------------------------------------------------------------------------------------------------------

STAGING = DEPLOY.replace(
    "      - run: python -m tools.deploy dist/ontime.zip --to production", "      - run: python -m tools.deploy dist/ontime.zip --to staging"
) + "      - run: python -m tools.smoke staging\n"  # fmt: skip
DELIVERY = (
    f"{TESTED}  staging:\n    needs: test\n{MAIN_ONLY}    environment: staging\n{STAGING}"
    f"  production:\n    needs: staging\n    environment: production\n{DEPLOY}"
)


@passing("q6", slow=True)
def staging_then_a_yes(world):
    return DELIVERY


@passing("q6", slow=True)
def environment_with_an_address(world):
    return DELIVERY.replace(
        "    environment: production\n",
        f"{MAIN_ONLY}    environment:\n      name: production\n      url: https://ontime.example.org\n    concurrency: production\n",
    ).replace("needs: staging", "needs: [test, staging]")


@failing("q6", because="nobody had approved", slow=True)
def deploys_at_once(world):
    return DELIVERY.replace("    environment: production\n", "")


@failing("q6", because="no job of the environment staging", slow=True)
def forgets_the_environment_of_staging(world):
    return DELIVERY.replace("    environment: staging\n", "")


@failing("q6", because="nobody had approved", slow=True)
def another_environment(world):
    return DELIVERY.replace("environment: production", "environment: prod")


@failing("q6", because="does not even start in staging", slow=True)
def beside_staging(world):
    return DELIVERY.replace("needs: staging\n", f"needs: test\n{MAIN_ONLY}")


@failing("q6", because="does not even start in staging", slow=True)
def no_smoke_test(world):
    return DELIVERY.replace("      - run: python -m tools.smoke staging\n", "")


@failing("q6", because="nothing was deployed to staging", slow=True)
def asks_for_staging_as_well(world):
    return DELIVERY.replace("environment: staging", "environment: production")


@failing("q6", because="lint error was deployed to staging", slow=True)
def lints_beside_it(world):
    lint = (
        DELIVERY.split("  staging:\n")[0]
        .split("jobs:\n")[1]
        .replace("  test:\n", "  lint:\n")
        .split("      - run: pytest")[0]
    )
    return DELIVERY.replace("      - run: ruff check .\n", "").replace(
        "  staging:\n", f"{lint}  staging:\n", 1
    )


@failing("q6", because="feature/main was deployed to staging", slow=True)
def stages_every_branch(world):
    return DELIVERY.replace(MAIN_ONLY, "", 1)


@failing("q6", because="built 2 times", slow=True)
def builds_for_production(world):
    last = DEPLOY.replace(
        f"      - uses: {DOWNLOAD}\n        with:\n          name: package\n          path: dist\n",
        "      - run: python -m tools.build dist/ontime.zip\n",
    )
    return DELIVERY.replace(f"    environment: production\n{DEPLOY}", f"    environment: production\n{last}")


@untouched("q6")
def no_approval(world):
    return ...


# quiz --------------------------------------------------------------------------------------------------------------

CHOSEN = {"delivery": "b", "pipe": "c", "artifact": "a", "revert": "b", "red": "c"}


@passing("quiz")
def five_letters(world):
    return CHOSEN


@failing("quiz", because="pipe")
def trusts_the_pipe(world):
    return CHOSEN | {"pipe": "a"}


@failing("quiz", because="section 7")
def takes_delivery_for_deployment(world):
    return CHOSEN | {"delivery": "a"}


@failing("quiz", because="section 4")
def guesses_throughout(world):
    return dict.fromkeys(CHOSEN, "d")


@untouched("quiz")
def no_letters(world):
    return dict.fromkeys(CHOSEN, ...)


# drill -------------------------------------------------------------------------------------------------------------

red_main = load_lab_file(LAB, "red_main")
project = load_lab_file(LAB, "project")
token = load_lab_file(LAB, "exercises").token


@cache
def planted(world) -> Path:
    """The incident as it is paged, laid out once a world."""
    return red_main.plant_red(world, Path(tempfile.mkdtemp(dir=ROOM.name)) / "red", token(world))


def desk_of(world):
    folder = Path(tempfile.mkdtemp(dir=ROOM.name)) / "red"
    shutil.copytree(planted(world), folder, symlinks=True)
    return red_main.Desk(folder)


def found_by_bisection(desk) -> str:
    """The culprit; the answers to one world share what one bisection of it has found."""
    head = desk.git("rev-parse", "main")
    if head not in FOUND:
        FOUND[head] = bisected(desk)
    return FOUND[head]


FOUND = {}


def bisected(desk) -> str:
    good = desk.git("rev-list", "-n", "1", "--tags=deploy/*")
    desk.git("bisect", "start", "main", good)
    desk.git("bisect", "run", "env", "PYTEST_DISABLE_PLUGIN_AUTOLOAD=1", sys.executable, "-m", "pytest", "-q")
    culprit = desk.git("rev-parse", "bisect/bad")
    desk.git("bisect", "reset")
    return culprit


def git(repository, *arguments):
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def moment(text):
    return datetime.fromisoformat(text)


def live_since(repository, sha):
    """The time of the first deployment that contains a commit."""
    when = git(
        repository, "for-each-ref", "--contains", sha, "--sort=taggerdate", "--format=%(taggerdate:iso-strict)", "refs/tags/deploy"
    )  # fmt: skip
    return moment(when[0]) if when else None


def metrics(repository):
    leads = []
    for line in git(repository, "log", "--format=%H %cI", "main"):
        sha, at = line.split()
        if live := live_since(repository, sha):
            leads.append((live - moment(at)).total_seconds() / 3600)
    restores = []
    for line in git(repository, "log", "--format=%H %b", "--grep=This reverts commit", "main"):
        if "This reverts commit" in line:
            revert, bad = line.split()[0], line.rstrip(".").split()[-1]
            began = moment(git(repository, "show", "-s", "--format=%cI", bad)[0])
            restores.append((live_since(repository, revert) - began).total_seconds() / 3600)
    return {"lead_time_hours": statistics.median(leads), "time_to_restore_hours": statistics.median(restores)}


def answered(desk, culprit, measure=metrics):
    return {"folder": desk.folder, "culprit": culprit, "metrics": measure}


def restored(world, measure=metrics):
    desk = desk_of(world)
    culprit = found_by_bisection(desk)
    desk.git("revert", "--no-edit", culprit)
    desk.git("push", "-q", "origin", "main")
    assert desk.ci().conclusion == "success"
    return answered(desk, culprit, measure)


@passing("drill", slow=True)
def bisects_and_reverts(world):
    return restored(world)


@passing("drill", slow=True)
def reads_the_log_of_one_line(world):
    desk = desk_of(world)
    bad = next(entry for entry in red_main.story(world).entries if entry.bad)
    culprit = desk.git("log", "--format=%h", "--fixed-strings", f"--grep={bad.message}")
    desk.git("revert", "--no-commit", culprit)
    full = desk.git("rev-parse", culprit)
    desk.git("commit", "-q", "-m", f"Take the rule back\n\nIt broke main.\n\nThis reverts commit {full}.")
    desk.git("push", "-q", "origin", "HEAD:main")
    desk.ci()

    def measure(repository):
        order = [line.split() for line in git(repository, "rev-list", "--reverse", "--timestamp", "main")]
        place = {sha: number for number, (_at, sha) in enumerate(order)}
        deployments = [
            (place[line.split()[1]], int(line.split()[0]))
            for line in git(
                repository,
                "for-each-ref",
                "--sort=taggerdate",
                "--format=%(taggerdate:unix) %(*objectname)",
                "refs/tags/deploy/",
            )
        ]
        first = {}
        for upto, at in deployments:
            for number in range(upto + 1):
                first.setdefault(number, at)
        leads = [(first[n] - int(at)) / 3600 for n, (at, _sha) in enumerate(order) if n in first]
        (undone,) = [
            line
            for line in git(repository, "log", "--format=%B", "main")
            if line.startswith("This reverts commit")
        ]
        bad_sha = undone.split()[3].rstrip(".")
        (revert,) = git(repository, "log", "--format=%H", "--grep", bad_sha, "main")
        return {
            "lead_time_hours": statistics.median(leads),
            "time_to_restore_hours": (first[place[revert]] - int(order[place[bad_sha]][0])) / 3600,
        }

    return answered(desk, culprit, measure)


@failing("drill", because="still has what broke it", slow=True)
def reverts_the_first_red_head(world):
    desk = desk_of(world)
    red = next(line for line in (desk.folder / "ci.log").read_text().splitlines() if "red" in line)
    head = red.split("head ")[1].split(":")[0]
    desk.git("revert", "--no-edit", head)
    desk.git("push", "-q", "origin", "main")
    return answered(desk, head)


@failing("drill", because="rewritten", slow=True)
def resets_to_the_last_deployment(world):
    desk = desk_of(world)
    culprit = found_by_bisection(desk)
    desk.git("reset", "-q", "--hard", desk.git("rev-list", "-n", "1", "--tags=deploy/*"))
    desk.git("push", "-q", "--force", "origin", "main")
    desk.ci()
    return answered(desk, culprit)


@failing("drill", because="still has what broke it", slow=True)
def changes_the_tests(world):
    desk = desk_of(world)
    culprit = found_by_bisection(desk)
    for test in (desk.clone / "tests").glob("test_*.py"):
        test.write_text("def test_nothing():\n    assert True\n")
    desk.git("commit", "-q", "-a", "-m", "Mend the tests")
    desk.git("push", "-q", "origin", "main")
    desk.ci()
    return answered(desk, culprit)


@failing("drill", because="no commit says that it reverts", slow=True)
def mends_by_hand(world):
    desk = desk_of(world)
    culprit = found_by_bisection(desk)
    project.write(desk.clone, red_main.final(world)[1])
    desk.git("commit", "-q", "-a", "-m", "Mend it")
    desk.git("push", "-q", "origin", "main")
    desk.ci()
    return answered(desk, culprit)


@failing("drill", because="what was live before", slow=True)
def forgets_to_deploy(world):
    desk = desk_of(world)
    culprit = found_by_bisection(desk)
    desk.git("revert", "--no-edit", culprit)
    desk.git("push", "-q", "origin", "main")
    return answered(desk, culprit)


@failing("drill", because="reach origin", slow=True)
def keeps_the_revert_at_home(world):
    desk = desk_of(world)
    culprit = found_by_bisection(desk)
    desk.git("revert", "--no-edit", culprit)
    return answered(desk, culprit)


@failing("drill", because="did not break main", slow=True)
def names_the_wrong_commit(world):
    right = restored(world)
    return right | {"culprit": git(right["folder"] / "clone", "rev-parse", "main~2")[0]}


@failing("drill", because="the mean", slow=True)
def takes_the_mean(world):
    def measure(repository):
        leads = []
        for line in git(repository, "log", "--format=%H %cI", "main"):
            sha, at = line.split()
            if live := live_since(repository, sha):
                leads.append((live - moment(at)).total_seconds() / 3600)
        return metrics(repository) | {"lead_time_hours": statistics.mean(leads)}

    return restored(world, measure)


@failing("drill", because="begins with the revert", slow=True)
def counts_from_the_revert(world):
    def measure(repository):
        (line,) = git(repository, "log", "--format=%H %cI", "--grep=This reverts commit", "main")
        sha, at = line.split()
        hours = (live_since(repository, sha) - moment(at)).total_seconds() / 3600
        return metrics(repository) | {"time_to_restore_hours": hours}

    return restored(world, measure)


@untouched("drill")
def nobody_came(world):
    def measure(repository): ...

    return {"folder": Path(ROOM.name), "culprit": ..., "metrics": measure}
