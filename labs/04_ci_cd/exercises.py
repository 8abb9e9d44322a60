"""The exercises of module 04: what is asked, the hints, and the probes that turn answers into evidence."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flightschool.curriculum import NotAttempted, exercise
from flightschool.errors import FlightSchoolError
from flightschool.i18n import translations
from flightschool.learn.stubs import untouched

from . import changes, gitlab, jenkins, project, red_main, registry, runner

if TYPE_CHECKING:
    from flightschool.data import World

_ = translations("04_ci_cd")

# The lab's files import each other by name, as a notebook imports them.
if (here := str(Path(__file__).parent)) not in sys.path:
    sys.path.insert(0, here)

LONGEST = 20_000
"""Characters of a workflow; nobody reviews a longer one."""


@contextmanager
def folder() -> Iterator[Path]:
    """A folder for the length of a probe."""
    with tempfile.TemporaryDirectory(prefix="flightschool-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@cache
def room() -> Path:
    """A folder for this process, in which repositories are kept."""
    place = tempfile.mkdtemp(prefix="flightschool-repositories-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    return Path(place)


@cache
def repository(world: World) -> Path:
    """The team's repository with every proposed change on a branch of its own, made once a world."""
    place = Path(tempfile.mkdtemp(dir=room())) / "ontime"
    project.start(world, place)
    for number, change in enumerate(changes.series(world)):
        project.branch(place, f"change-{number:02}", change.contents, change.message, number)
    for make in (changes.documented, changes.unit, changes.lint, changes.sql, changes.breaks_on_site):
        change = changes.one(world, make)
        project.branch(place, f"one-{make.__name__}", change.contents, change.message, 20)
    return place


def token(world: World) -> str:
    """The sites' token, another one in each world."""
    return f"tok-{world.rng('deploy token').getrandbits(96):024x}"


def text_of(answer: Any, what: str) -> str:
    """The answer as the text of a file. Raises FlightSchoolError when it is none."""
    if untouched(answer) or (isinstance(answer, str) and not answer.strip()):
        raise NotAttempted
    if not isinstance(answer, str):
        raise FlightSchoolError(_("Give the text of {what}, as a str.").format(what=what))
    if len(answer) > LONGEST:
        raise FlightSchoolError(
            _("{what} is longer than {n:,} characters; ours has some sixty lines.").format(
                what=what, n=LONGEST
            )
        )
    return answer


@exercise(
    "q1",
    title=_("A workflow that a runner executes"),
    points=2,
    hints=(
        _("A workflow answers three questions: on which events, on which machine, which steps. Which of them does your run lack?"),
        _("A job begins in an empty folder: the first step is a checkout. A step fails when its last command does, and only then stops the job."),
        _("on: lists push and pull_request without branches; permissions: contents: read; uses: actions/checkout@ and forty hex digits, with persist-credentials: false."),
        _("name, on: [push, pull_request], permissions, jobs: test: runs-on: ubuntu-latest, steps: a checkout, - run: ruff …, - run: pytest …"),
    ),
)  # fmt: skip
def workflow_that_runs(answer: Any, world: World) -> Any:
    """The workflow on a good commit, pushed and as a pull request, and on two bad ones; and what zizmor says."""
    workflow = text_of(answer, _("the workflow"))
    place = repository(world)
    asked = {
        "pushed to a branch": {"ref": "one-documented"},
        "a pull request": {"ref": "one-documented", "event": "pull_request"},
        "pushed to main": {"ref": "main"},
        "a failing test": {"ref": "one-unit"},
        "a lint error": {"ref": "one-lint"},
    }
    done = runner.runs([{"repository": place, "workflow": workflow, **one} for one in asked.values()])
    return {
        "workflow": workflow,
        "runs": {name: one.plain() for name, one in zip(asked, done, strict=True)},
        "findings": runner.zizmor(workflow),
    }


@exercise(
    "q2",
    title=_("A gate for eight kinds of mistakes"),
    points=4,
    hints=(
        _("Take the list of commands in the repository's README, and ask of each planted mistake: which command would have seen it?"),
        _("Two of the checks want columns. Which columns together name a flight, even one that was put on again? Which columns may be empty, and why?"),
        _("A skipped test is no failed test: let pytest write a report and look into it. A build is reproducible when two builds are equal: sha256sum, cmp."),
        _("- run: pytest --junitxml report.xml · - run: python -m tools.check skipped … · unique … flight_date carrier flight origin and one more · filled: the same and dest · build twice, then cmp"),
    ),
)  # fmt: skip
def gate(answer: Any, world: World) -> Any:
    """The workflow on twelve proposed commits, four of them good."""
    workflow = text_of(answer, _("the workflow"))
    place = repository(world)
    refs = [f"change-{number:02}" for number in range(len(changes.series(world)))]
    done = runner.runs([{"repository": place, "workflow": workflow, "ref": ref} for ref in refs])
    return {"workflow": workflow, "runs": {ref: one.plain() for ref, one in zip(refs, done, strict=True)}}


def deployed(workflow: str, world: World, asked: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The workflow's runs as they were asked for, in plain data, each with sites of its own to deploy to."""
    place = repository(world)
    with folder() as sites:
        done = runner.runs(
            [
                {
                    "repository": place,
                    "workflow": workflow,
                    "sites": runner.Sites(sites / str(n), token(world)),
                    **one,
                }
                for n, one in enumerate(asked.values())
            ]
        )
    return {name: one.plain() for name, one in zip(asked, done, strict=True)}


@exercise(
    "q3",
    title=_("Deploy only after the tests, and only from main"),
    points=3,
    hints=(
        _("Two jobs begin at the same time unless one says that it needs the other. On which of your runs was something deployed?"),
        _("A condition belongs to the deploying job: which event, and exactly which ref? A pull request has a ref of its own."),
        _("needs: …, if: github.event_name == … && github.ref == …; the package goes from job to job by upload-artifact and download-artifact."),
        _("deploy: needs: test, if: … == 'refs/heads/main', steps: checkout, download-artifact (name, path: dist), python -m tools.deploy dist/ontime.zip --to production with env: DEPLOY_TOKEN: secrets.…"),
    ),
)  # fmt: skip
def deployment(answer: Any, world: World) -> Any:
    """What the workflow deploys when a commit is pushed to main, to a branch, is a pull request, is bad, or by hand."""
    workflow = text_of(answer, _("the workflow"))
    asked = {
        "main": {"ref": "main"},
        "branch": {"ref": "feature/main", "commit": "one-documented"},
        "pull request": {"ref": "feature/main", "commit": "one-documented", "event": "pull_request"},
        "bad": {"ref": "main", "commit": "one-unit"},
        "untidy": {"ref": "main", "commit": "one-lint"},
        "by hand": {"ref": "feature/main", "commit": "one-documented", "event": "workflow_dispatch"},
    }
    return {"workflow": workflow, "runs": deployed(workflow, world, asked)}


@exercise(
    "q4",
    title=_("The same pipeline in GitLab CI and in a Jenkinsfile"),
    points=4,
    hints=(
        _("Write your workflow's jobs in one column and look for the word of the other tool: job and stage, needs and order, if and rules and when, secret and variable and credentials."),
        _("GitLab gives each job a clean folder and passes on what artifacts: names. Jenkins keeps one workspace; stages follow each other, and a failed one stops the rest."),
        _("GitLab: rules: - if: $CI_COMMIT_BRANCH == \"main\"; the token is a CI/CD variable and is just there. Jenkins: when { branch 'main' }, environment { DEPLOY_TOKEN = credentials('deploy-token') }."),
        _("test: stage: test, script: [ruff …, pytest …, build …], artifacts: paths: [dist/] · pipeline { agent any; stages { stage('Test') { steps { sh '…' } } stage('Deploy') { when … environment … steps { sh '…' } } } }"),
    ),
)  # fmt: skip
def three_dialects(answer: Any, world: World) -> Any:
    """Both pipelines on main, on a branch, and with two bad commits on main."""
    if not isinstance(answer, dict) or not {"gitlab", "jenkins"} <= answer.keys():
        raise FlightSchoolError(
            _("Give both: {'gitlab': the text of .gitlab-ci.yml, 'jenkins': of the Jenkinsfile}.")
        )
    if all(untouched(answer[name]) for name in ("gitlab", "jenkins")):
        raise NotAttempted
    place = repository(world)
    asked = {
        "main": {"ref": "main"},
        "branch": {"ref": "feature/main", "commit": "one-documented"},
        "a failing test": {"ref": "main", "commit": "one-unit"},
        "a lint error": {"ref": "main", "commit": "one-lint"},
    }
    readers: dict[str, Any] = {"gitlab": gitlab, "jenkins": jenkins}
    texts = {name: answer[name][:LONGEST] if isinstance(answer[name], str) else "" for name in readers}
    with folder() as sites, ThreadPoolExecutor(runner.AT_ONCE) as pool:

        def run(name: str, case: str) -> dict[str, Any]:
            own = runner.Sites(sites / f"{name} {case}", token(world))
            return readers[name].run(place, texts[name], sites=own, **asked[case]).plain()

        done = {name: {case: pool.submit(run, name, case) for case in asked} for name in readers}
        return {
            name: {"text": text, "runs": {case: one.result() for case, one in done[name].items()}}
            for name, text in texts.items()
        }


@exercise(
    "q5",
    title=_("Promote a model, and roll it back"),
    points=4,
    hints=(
        _("An alias is a name that points to one version. Which two names does a rollback need, and who writes the second?"),
        _("Score first, write last: a version that can't be loaded, or is no better, leaves both aliases as they are."),
        _("registry.alias(client, 'champion') gives a version or None; client.set_registered_model_alias(name, alias, version), client.delete_registered_model_alias(name, alias)."),
        _("champion = …; try: better = champion is None or score(version) < score(champion), except registry.ModelError: return False; then previous = champion, champion = version. Rollback: champion = previous, and previous …"),
    ),
)  # fmt: skip
def promotion(answer: Any, world: World) -> Any:
    """Aliases and the served version after each of eleven steps, of which some must change nothing."""
    if not isinstance(answer, dict) or not {"promote", "rollback"} <= answer.keys():
        raise FlightSchoolError(_("Give both functions: {'promote': …, 'rollback': …}."))
    promote, rollback = answer["promote"], answer["rollback"]
    if untouched(promote) and untouched(rollback):
        raise NotAttempted
    models, flights = registry.candidates(world)
    steps: list[dict[str, Any]] = []
    with folder() as place:
        client = registry.local_client(ready_registry(place))
        versions = {
            name: registry.register(client, models[name], place / "artifacts")
            for name in red_main.mixed(world, list(models))
        }
        app = registry.create_app(client)

        def score(version: Any) -> float:
            return registry.brier(registry.load(client, str(version)), flights)

        for action, name in PLAYED:
            note: dict[str, Any] = {"action": action, "model": name}
            try:
                if action == "promote":
                    note["returned"] = promote(client, versions[name], score) is True
                else:
                    rollback(client)
            except Exception as error:
                note["raised"] = f"{type(error).__name__}: {error}"[:200]
            for alias in (registry.CHAMPION, registry.PREVIOUS):
                note[alias] = model_named(versions, registry.alias(client, alias))
            status, body = registry.ask(app)
            note["served"] = model_named(versions, body.get("version")) if status == 200 else None
            steps.append(note)
        left = {str(one.version) for one in client.search_model_versions(f"name='{registry.NAME}'")}
    return {"steps": steps, "versions left": len(left), "versions": len(versions)}


PLAYED = (
    ("promote", "middling"), ("promote", "poor"), ("promote", "broken"), ("promote", "good"), ("promote", "best"),
    ("promote", "best"), ("rollback", ""), ("rollback", ""), ("promote", "middling"), ("promote", "best"), ("rollback", ""),
)  # fmt: skip
"""What happens to the registry, one after the other."""


def model_named(versions: dict[str, str], version: Any) -> str | None:
    """Which model a version is; None for none."""
    return next((name for name, one in versions.items() if one == str(version)), None)


def ready_registry(place: Path) -> Path:
    """A folder with MLflow's tables, copied from those that this process made once."""
    shutil.copy(migrated() / "mlflow.db", place / "mlflow.db")
    return place


@cache
def migrated() -> Path:
    """A folder with MLflow's empty tables; to make them takes some seconds."""
    place = room() / "registry"
    registry.local_client(place).search_registered_models()
    return place


@exercise(
    "q6",
    title=_("Delivery, and deployment after an approval"),
    points=3,
    hints=(
        _("Three jobs: what may happen by itself, and what waits for a person? GitHub asks for the approval of an environment, not of a job."),
        _("A job names its environment; the approval is a rule of the environment `production`. What must have happened in staging before anybody is asked?"),
        _("staging: needs: test, environment: staging, deploy and smoke. production: needs: staging, environment: production, and the very same artifact."),
        _("production: needs: staging, if: as for staging, environment: production, steps: checkout, download-artifact …, python -m tools.deploy dist/ontime.zip --to production"),
    ),
)  # fmt: skip
def approval(answer: Any, world: World) -> Any:
    """The workflow before and after a reviewer's yes, on a branch, with a package that fails in staging, and a bad commit."""
    workflow = text_of(answer, _("the workflow"))
    asked = {
        "waiting": {"ref": "main", "approved": False},
        "approved": {"ref": "main", "approved": True},
        "branch": {"ref": "feature/main", "commit": "one-documented", "approved": True},
        "fails in staging": {"ref": "main", "commit": "one-breaks_on_site", "approved": True},
        "bad": {"ref": "main", "commit": "one-unit", "approved": True},
        "untidy": {"ref": "main", "commit": "one-lint", "approved": True},
    }
    return {"workflow": workflow, "runs": deployed(workflow, world, asked)}


@exercise(
    "drill",
    title=_("main is red"),
    points=4,
    hints=(
        _("Read red/ci.log: is the head of the first red run the first commit that was not tested? What did the runner do with the pushes before it?"),
        _("Between the last green head and the head of main lies the culprit. Halving finds it in four steps: git bisect, and a command that says good or bad."),
        _("git bisect start BAD GOOD; git bisect run CMD…; then git bisect reset; git revert --no-edit SHA; git push origin main; desk.ci()."),
        _("Lead time: for each commit on main the first deploy/* tag that contains it (git tag --contains --sort=taggerdate), tag's taggerdate less the commit's date, median. Restore: from the date of the commit named in “This reverts commit …” to the first tag that contains the revert."),
    ),
)  # fmt: skip
def main_is_red(answer: Any, world: World) -> Any:
    """The culprit that was named, the state of origin and production, and the metrics of two other histories."""
    if not isinstance(answer, dict) or not {"folder", "culprit", "metrics"} <= answer.keys():
        raise FlightSchoolError(
            _("Give all three: {'folder': the folder red, 'culprit': a SHA, 'metrics': your function}.")
        )
    if untouched(answer["metrics"]) and untouched(answer["culprit"]):
        raise NotAttempted
    place = Path(answer["folder"])
    origin = place / "origin.git"
    evidence: dict[str, Any] = {"culprit": str(answer["culprit"]).strip()}
    if not origin.is_dir():
        raise FlightSchoolError(_("There is no origin.git in {folder}.").format(folder=place))
    evidence["commits"] = [
        line.split(" ", 1) for line in project.git(origin, "log", "--format=%H %s", "main").splitlines()
    ]
    evidence["reverts"] = [
        line.removeprefix("This reverts commit ").rstrip(".")
        for line in project.git(origin, "log", "--format=%b", "main").splitlines()
        if line.startswith("This reverts commit ")
    ]
    evidence["files"] = {
        name: project.git(origin, "rev-parse", f"main:{name}")
        for name in project.git(origin, "ls-tree", "-r", "--name-only", "main").splitlines()[:200]
    }
    evidence["live"] = runner.lines(place / "sites" / "production" / "deployments.jsonl")
    evidence["metrics"] = []
    for number in range(2):
        with folder() as other:
            if untouched(answer["metrics"]):
                continue
            repository = other / "ontime"
            shutil.copytree(told(world, number), repository)
            evidence["metrics"].append(answer["metrics"](repository))
    return evidence


@cache
def told(world: World, number: int) -> Path:
    """A history with a red main that was restored, on which metrics are tried; made once a world."""
    place = Path(tempfile.mkdtemp(dir=room())) / "ontime"
    red_main.history(world, place, f"history {number}", restored=True)
    return place


@exercise(
    "quiz",
    title=_("What stays"),
    points=1,
    hints=(
        _("Each question belongs to one section; go back to its first cell."),
        _("Ask of each choice: which of today's twelve commits would have reached production?"),
        _("Delivery: who presses the button? A pipe: whose exit status counts? An artifact: what was tested? A revert: what stays in the history? A red main: which commit?"),
    ),
)  # fmt: skip
def quiz(answer: Any, world: World) -> Any:
    """The letters chosen."""
    if not isinstance(answer, dict):
        raise FlightSchoolError(_("Give a letter for each question: {'pipe': 'b', …}."))
    return {
        str(name): str(choice).strip().lower() if isinstance(choice, str) else None
        for name, choice in answer.items()
    }
