"""The judges of module 04, with their reference answers. Never in reach of a graded learner's process."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import yaml

from flightschool.curriculum import Verdict, judge
from flightschool.i18n import translations
from flightschool.learn.quizzes import letters

from . import changes, project, red_main

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flightschool.data import World

_ = translations("04_ci_cd")

Said = tuple[str, str]
"""What was found, and what to try next."""


def failed(wanted: str, said: Said) -> Verdict:
    """The verdict on an answer of which that is said."""
    return Verdict.failed(expected=wanted, found=said[0], try_next=said[1])


def part(evidence: Any, *names: str) -> Any:
    """A part of evidence that may have any form; None when it is not there."""
    for name in names:
        evidence = evidence.get(name) if isinstance(evidence, dict) else None
    return evidence


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in what should be a list of objects."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def words(value: Any, most: int = 160) -> str:
    """Text from the evidence, short enough to be read."""
    return " ".join(str(value).split())[:most] if isinstance(value, str) else ""


def package(tree: Mapping[str, str]) -> str:
    """The SHA-256 that `tools/build.py` gives for these files."""
    rooms, kept = ("ontime", "dbt", "dags", "data"), (".py", ".sql", ".yml", ".json", ".csv")
    names = sorted(
        (name for name in tree if name.split("/")[0] in rooms and name.endswith(kept)),
        key=lambda name: PurePosixPath(name).parts,
    )
    contents = {name: tree[name].encode() for name in names}
    contents["label.json"] = json.dumps({"name": "ontime", "version": "1.4.0"}).encode()
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as target:
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            target.writestr(entry, content)
    return hashlib.sha256(written.getvalue()).hexdigest()


def conclusion(run: Any) -> str:
    """How a run ended; empty when the evidence does not say."""
    found = part(run, "conclusion")
    return found if found in ("success", "failure", "none", "waiting") else ""


def deployed(run: Any, to: str = "production") -> list[dict[str, Any]]:
    """What a run deployed to a site."""
    return [one for one in objects(part(run, "deployments")) if one.get("to") == to]


def jobs_of(workflow: Any) -> dict[str, dict[str, Any]]:
    """The jobs of a workflow's text; none when it can't be read."""
    try:
        tree = yaml.safe_load(workflow) if isinstance(workflow, str) and len(workflow) < 30_000 else None
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    jobs = tree.get("jobs") if isinstance(tree, dict) else None
    return {
        str(name): job
        for name, job in (jobs.items() if isinstance(jobs, dict) else ())
        if isinstance(job, dict)
    }


def places_of(workflow: Any) -> set[str]:
    """The environments of a workflow's jobs."""
    places = [job.get("environment") for job in jobs_of(workflow).values()]
    return {str(place.get("name") if isinstance(place, dict) else place) for place in places}


def steps_of(workflow: Any) -> list[dict[str, Any]]:
    """All steps of a workflow's text."""
    return [step for job in jobs_of(workflow).values() for step in objects(job.get("steps"))]


def brief(step: Any) -> str:
    """How a step is compared: the first characters of what it says."""
    return " ".join(str(step).split())[:60]


def contradiction(evidence: Any) -> Said | None:
    """Whether the runs speak of jobs or steps that the text does not have: then they are not runs of it."""
    workflow, runs = part(evidence, "workflow"), part(evidence, "runs")
    jobs = jobs_of(workflow)
    if not isinstance(runs, dict) or not runs:
        return _("There are no runs of your workflow."), _("Hand the text of the workflow to the check.")
    known = {"The reviewer's approval"}
    for job in jobs.values():
        for step in objects(job.get("steps")):
            known |= {brief(step.get(key)) for key in ("name", "run", "uses") if key in step}
    for run in runs.values():
        if part(run, "problem") and conclusion(run) == "none":
            continue
        ran = part(run, "jobs")
        strange = [name for name in ran if name not in jobs] if isinstance(ran, dict) else ["?"]
        steps = part(run, "steps")
        for step in steps if isinstance(steps, list) else []:
            name = step[1] if isinstance(step, list) and len(step) == 3 else None
            if not isinstance(name, str) or ("${{" not in str(known) and brief(name) not in known):
                strange.append(words(name))
        if strange:
            return (
                _("The runs have a job or step that is not in the workflow: {name}.").format(
                    name=words(strange[0], 60)
                ),
                _("Check the text of the workflow that you ran."),
            )
    return None


def unreadable(evidence: Any) -> Said | None:
    """What act itself says of a workflow of which it ran nothing."""
    runs = part(evidence, "runs")
    found = list(runs.values()) if isinstance(runs, dict) else []
    problems = [words(part(run, "problem")) for run in found if conclusion(run) != "success"]
    jobs = jobs_of(part(evidence, "workflow"))
    if not jobs:
        return (
            _("The workflow has no jobs that can be read. {problem}")
            .format(problem=next(iter(problems), ""))
            .strip(),
            _("Look at the indentation: jobs: at the margin, then the job's name, then runs-on and steps."),
        )
    if found and all(not part(run, "jobs") for run in found):
        problem = next((one for one in problems if one), _("no job was started on any event"))
        return (
            _("The runner started none of your jobs: {problem}.").format(problem=problem.rstrip(".")),
            _("Which events does `on:` name? Which machine does `runs-on:` name? Then read the message."),
        )
    return None


def lets_pass(workflow: Any) -> str:
    """How a workflow's text may hide a failed command; empty when no usual way is seen."""
    for job in jobs_of(workflow).values():
        if job.get("continue-on-error"):
            return _("Your job has continue-on-error: it may fail, and the run is green.")
    for step in steps_of(workflow):
        run = step.get("run") if isinstance(step.get("run"), str) else ""
        if step.get("continue-on-error"):
            return _("A step has continue-on-error: it may fail, and the job goes on.")
        if re.search(r"\|\|\s*(true|:|echo)\b", run) or "--exit-zero" in run:
            return _("A command is followed by || true, or told to exit with zero: it can't fail.")
        if re.search(r"[^|]\|[^|]", run) and not ("pipefail" in run or step.get("shell") == "bash"):
            return _(
                "A command is piped into another: without pipefail only the last one's exit status counts."
            )
        if re.search(r";\s*exit 0|set \+e", run):
            return _("A step ends with exit 0, or goes on after an error: it can't fail.")
    return ""


# q1 ----------------------------------------------------------------------------------------------------------------


@judge("q1")
def workflow_that_runs(evidence: Any, world: World) -> Verdict:
    """It runs on both events and all branches, lets the good commit pass, stops two bad ones, and asks for no more rights than it needs."""
    wanted = _(
        "A workflow that runs ruff and pytest on every push and pull request, is green for a good commit and red for a bad one."
    )
    if said := first_trouble(evidence):
        return failed(wanted, said)
    findings = [
        one for one in objects(part(evidence, "findings")) if one.get("severity") in ("High", "Medium")
    ]
    if too_many_rights(part(evidence, "workflow")):
        findings.append({"ident": "excessive-permissions", "says": _("it may write to the repository")})
    if any(
        part(step, "with", "persist-credentials") is True for step in steps_of(part(evidence, "workflow"))
    ):
        findings.append({"ident": "artipacked", "says": _("the checkout keeps its token")})
    if findings or not isinstance(part(evidence, "findings"), list):
        first = findings[0] if findings else {}
        return Verdict.partly(
            0.6,
            expected=_(
                "A workflow in which zizmor finds nothing of medium or high severity, with read rights only."
            ),
            found=_(
                "It runs and it stops bad commits. A security review finds {n}, first {ident}: {says}."
            ).format(
                n=len(findings), ident=words(first.get("ident"), 40), says=words(first.get("says"), 100)
            ),
            try_next=advice(words(first.get("ident"), 40)),
        )
    return Verdict.passed(
        _(
            "A runner executed it: green for the good commit, red for the failing test and the lint error, on branches, on main and for pull requests, with read rights only. "
            "A professional would now protect main, so that nothing is merged which this run has not passed."
        )
    )


def too_many_rights(workflow: Any) -> bool:
    """Whether a workflow's text asks for the right to write."""
    try:
        tree = yaml.safe_load(workflow) if isinstance(workflow, str) and len(workflow) < 30_000 else None
    except (yaml.YAMLError, RecursionError, ValueError):
        return False
    blocks = [tree, *jobs_of(workflow).values()] if isinstance(tree, dict) else []
    return any(
        asked == "write-all" or (isinstance(asked, dict) and "write" in map(str, asked.values()))
        for asked in (block.get("permissions") for block in blocks)
    )


def first_trouble(evidence: Any) -> Said | None:
    """The first thing that is wrong with the runs of q1."""
    if said := unreadable(evidence):
        return said
    if said := contradiction(evidence):
        return said
    workflow = part(evidence, "workflow")

    def run(name: str) -> Any:
        return part(evidence, "runs", name)

    for name, what in (
        ("pushed to a branch", _("A commit pushed to a branch started no job.")),
        ("a pull request", _("A pull request started no job.")),
        ("pushed to main", _("A commit pushed to main started no job.")),
    ):
        if conclusion(run(name)) == "none" or not part(run(name), "jobs"):
            return what, _(
                "Look at `on:`. push and pull_request without a list of branches mean every branch."
            )
    if not any(str(step.get("uses", "")).startswith("actions/checkout@") for step in steps_of(workflow)):
        return (
            _(
                "There is no checkout: your job began in an empty folder, and there was nothing to test in it."
            ),
            _("Let the first step be a checkout of the repository."),
        )
    for name in ("pushed to a branch", "a pull request", "pushed to main"):
        if conclusion(run(name)) != "success":
            return (
                _("The good commit ({name}) is red: {step}.").format(name=name, step=failed_step(run(name))),
                _("Run that command yourself in the repository. Does it fail there, too?"),
            )
    for name, what in (
        ("a failing test", _("A commit whose unit test fails is green.")),
        ("a lint error", _("A commit with a lint error is green.")),
    ):
        if conclusion(run(name)) != "failure":
            hidden = lets_pass(workflow)
            return (
                f"{what} {hidden}".strip(),
                _("Which step should have seen it, and with which exit status did it end?"),
            )
    return None


def failed_step(run: Any) -> str:
    """The step that failed, or what the runner complained of."""
    steps = part(run, "steps")
    for step in steps if isinstance(steps, list) else []:
        if isinstance(step, list) and len(step) == 3 and step[2] == "failure":
            return _("the step {name} failed").format(name=words(step[1], 70))
    return words(part(run, "problem")) or _("no step says why")


def advice(ident: str) -> str:
    """What to do about a finding of zizmor."""
    return {
        "unpinned-uses": _("A tag such as v4 can be moved to other code tomorrow. Pin the action to the 40 hex digits of a commit, with the version as a comment."),
        "artipacked": _("The checkout leaves a token in .git/config for all later steps: with: persist-credentials: false."),
        "excessive-permissions": _("Without permissions: the token may do what the repository's default allows. Testing needs contents: read."),
        "template-injection": _("An expression in a run: is pasted into the script. Hand it over by env: and use the variable."),
    }.get(ident, _("Run `zizmor --offline` on the file; each finding links to its explanation."))  # fmt: skip


# q2 ----------------------------------------------------------------------------------------------------------------

MISTAKES = {
    "lint": (_("a lint error"), _("Which command reads the code without running it?")),
    "unit": (
        _("a failing unit test"),
        _("Which command runs the tests, and does its exit status reach the job?"),
    ),
    "duplicate": (
        _("one flight twice, with two arrivals"),
        _(
            "Two rows of one flight need not be equal. Which columns name a flight, and which merely describe it?"
        ),
    ),
    "null": (
        _("a flight without a value that no flight can lack"),
        _("Go through the columns one by one: can a flight be scheduled without it?"),
    ),
    "schema": (
        _("a file that breaks the contract"),
        _("Which command compares the file with data/contract.json?"),
    ),
    "sql": (
        _("a model that does not execute"),
        _("SQL is only known to be right when it has been executed."),
    ),
    "build": (_("a build that gives other bytes each time"), _("Build twice, and compare.")),
    "skipped": (
        _("a failing test that is skipped"),
        _("For pytest a skipped test is no failure. Where does it say so, and who reads that?"),
    ),
}


@judge("q2")
def gate(evidence: Any, world: World) -> Verdict:
    """The share of bad commits that were stopped, if no good one was."""
    wanted = _("Four good commits are green, and eight bad ones, each of another kind, are red.")
    if said := unreadable(evidence) or contradiction(evidence):
        return failed(wanted, said)
    blocked, through = [], []
    for number, change in enumerate(changes.series(world)):
        ended = conclusion(part(evidence, "runs", f"change-{number:02}"))
        if change.kind == changes.GOOD and ended != "success":
            blocked.append((change, part(evidence, "runs", f"change-{number:02}")))
        if change.kind != changes.GOOD and ended != "failure":
            through.append(change)
    if len(blocked) == len(changes.GOOD_ONES):
        return Verdict.failed(
            expected=wanted,
            found=_("Every good commit is stopped: {step}.").format(step=failed_step(blocked[0][1])),
            try_next=_(
                "Look at a flight that was cancelled: it never departed. Which columns may be empty for it?"
            )
            if "filled" in failed_step(blocked[0][1])
            else _("Run that command on main, where all is well. A gate that is always closed is a wall."),
        )
    if blocked:
        change, run = blocked[0]
        return Verdict.failed(
            expected=wanted,
            found=_("A good commit is stopped: “{message}”, {step}.").format(
                message=change.message, step=failed_step(run)
            ),
            try_next=_(
                "What does this commit do, and why is it right? Then ask what your check takes for wrong."
            ),
        )
    if not through:
        return Verdict.passed(
            _(
                "Eight of eight bad commits were stopped, and four of four good ones passed: on a series that you had not seen. "
                "A professional would look at each false alarm as at a bug: people switch off a gate that cries wolf."
            )
        )
    kinds = [one.kind for one in through]
    found = _("{n} of {total} bad commits went through: {kinds}.").format(
        n=len(through), total=len(changes.BAD_ONES), kinds=", ".join(MISTAKES[kind][0] for kind in kinds)
    )
    hidden = lets_pass(part(evidence, "workflow"))
    said = {
        "expected": wanted,
        "found": f"{found} {hidden}".strip(),
        "try_next": MISTAKES[kinds[0]][1],
    }
    stopped = len(changes.BAD_ONES) - len(through)
    return Verdict.partly(stopped / len(changes.BAD_ONES), **said) if stopped >= 3 else Verdict.failed(**said)


# q3 ----------------------------------------------------------------------------------------------------------------


@judge("q3")
def deployment(evidence: Any, world: World) -> Verdict:
    """Deployed once from main and never else; the tested package; no secret in reach."""
    wanted = _(
        "A good commit on main is tested and its package deployed to production; nothing else is deployed."
    )
    said = (
        unreadable(evidence)
        or contradiction(evidence)
        or wrongly_deployed(evidence)
        or not_the_tested(evidence, world)
        or emptied(evidence)
    )
    if said:
        return failed(wanted, said)
    return Verdict.passed(
        _(
            "Production has the very package that was tested, it came from main after the tests, and the token is in no log, artifact or site. "
            "A professional would let the site know its deployer by a short-lived identity (OIDC) instead of a token that must be kept."
        )
    )


def wrongly_deployed(evidence: Any) -> Said | None:
    """A deployment that should not have been, or one that should and was not."""
    workflow = part(evidence, "workflow")

    def run(name: str) -> Any:
        return part(evidence, "runs", name)

    for name, what, green in (
        (
            "bad",
            _("A commit whose test fails was deployed to production."),
            _("A commit on main whose test fails is green."),
        ),
        (
            "untidy",
            _("A commit with a lint error was deployed to production."),
            _("A commit on main with a lint error is green."),
        ),
    ):
        if deployed(run(name)):
            return (
                f"{what} {why_untested(workflow)}".strip(),
                _(
                    "Jobs begin side by side. What must be over, and how must it have ended, before this one begins?"
                ),
            )
        if conclusion(run(name)) != "failure":
            return (
                f"{green} {lets_pass(workflow)}".strip(),
                _("The deploying job can only wait for a job that fails when a check does."),
            )
    for name, what in (
        ("branch", _("A commit on the branch feature/main was deployed to production.")),
        ("pull request", _("A pull request was deployed to production, before anybody had merged it.")),
        ("by hand", _("Started by hand on a branch, the workflow deployed that branch to production.")),
    ):
        if deployed(run(name)):
            return what, _(
                "Print github.ref and github.event_name of that run. Exactly which value means main?"
            )
    for name, what in (
        ("branch", _("On a branch")),
        ("pull request", _("For a pull request")),
    ):
        if conclusion(run(name)) != "success":
            return (
                _("{where} nothing was tested, or the good commit is red: {step}.").format(
                    where=what, step=failed_step(run(name))
                ),
                _("The condition belongs to the deploying job alone; the tests run for everybody."),
            )
    if conclusion(run("main")) != "success" or not deployed(run("main")):
        return (
            _("The good commit on main was not deployed to production: {step}.").format(
                step=failed_step(run("main"))
            ),
            _(
                "Each job has a folder of its own: does the deploying one have the repository, the package and the token?"
            ),
        )
    return None


def emptied(evidence: Any) -> Said | None:
    """A checkout after a download: at GitHub it empties the folder first, which the runner of the lab does not."""
    for name, job in jobs_of(part(evidence, "workflow")).items():
        uses = [str(step.get("uses", "")).split("@")[0] for step in objects(job.get("steps"))]
        _before, _first, after = " ".join(uses).partition("actions/download-artifact")
        if "actions/checkout" in after:
            return (
                _(
                    "The job {name} downloads the package and then checks the repository out: a checkout empties the folder."
                ).format(name=words(name, 40)),
                _("Check out first, download afterwards."),
            )
    return None


def why_untested(workflow: Any) -> str:
    """Why a deployment did not wait for the tests, as the text says it."""
    for job in jobs_of(workflow).values():
        text = str(job.get("steps", ""))
        if "tools.deploy" in text:
            condition = str(job.get("if", ""))
            if re.search(r"always\(\)|failure\(\)|!cancelled\(\)", condition):
                return _("Its condition ({condition}) holds after a failure, too.").format(
                    condition=words(condition, 60)
                )
            if not job.get("needs") and "pytest" not in text:
                return _("The job needs no other.")
    return lets_pass(workflow)


def not_the_tested(evidence: Any, world: World) -> Said | None:
    """A package that is not the one that was tested, or a token that can be read."""
    run = part(evidence, "runs", "main")
    builds, live = objects(part(run, "builds")), deployed(run)
    expected = package(project.files(world))
    if len(live) > 1:
        return (
            _("One push deployed to production {n} times.").format(n=len(live)),
            _("One job deploys, once. Does another job, or a matrix, do it as well?"),
        )
    if live[0].get("digest") != expected:
        return (
            _("What was deployed is not the package of this commit."),
            _("Which file does tools.build write in the tested job, and which one does tools.deploy get?"),
        )
    if not any(one.get("digest") == expected and one.get("job") != live[0].get("job") for one in builds):
        return (
            _(
                "The package that was deployed was built in the deploying job: nobody has tested these very bytes."
            ),
            _("Build once, in the job that tests; upload the package there and download it here."),
        )
    if any(one.get("job") == live[0].get("job") for one in builds):
        return (
            _(
                "The deploying job built the package again. Today the bytes are equal; with the next compiler they are not."
            ),
            _("Deploy what download-artifact brings, and build nothing."),
        )
    return leaked(part(evidence, "runs"))


def leaked(runs: Any) -> Said | None:
    """Where the token can be read."""
    for run in runs.values() if isinstance(runs, dict) else ():
        where = part(run, "leaks")
        if not isinstance(where, list) or where:
            return (
                _("The deploy token can be read in {where}.").format(
                    where=words(where[0], 60) if isinstance(where, list) else "?"
                ),
                _(
                    "A secret goes to one step by env:, and from there nowhere: not into a file, not into a text that is printed."
                ),
            )
    return None


# q4 ----------------------------------------------------------------------------------------------------------------


@judge("q4")
def three_dialects(evidence: Any, world: World) -> Verdict:
    """Both pipelines test everything, deploy the tested package from main only; half the points for one."""
    names = {"gitlab": "GitLab CI", "jenkins": "Jenkins"}
    found = {tool: dialect(part(evidence, tool), tool, world) for tool in names}
    wrong = {tool: said for tool, said in found.items() if said}
    wanted = _(
        "In both tools: ruff and pytest run for every branch; a good commit on main is deployed, as the package that was built once."
    )
    if not wrong:
        return Verdict.passed(
            _(
                "One pipeline in three dialects: the same commands, the same gate, the same package. "
                "A professional keeps the commands in the repository, so that the pipeline's file stays short and can be exchanged."
            )
        )
    tool, said = next(iter(wrong.items()))
    text = f"{names[tool]}: {said[0]}"
    if len(wrong) == 1:
        return Verdict.partly(0.5, expected=wanted, found=text, try_next=said[1])
    other = list(wrong.values())[1]
    return Verdict.failed(expected=wanted, found=f"{text} {names['jenkins']}: {other[0]}", try_next=said[1])


def dialect(found: Any, tool: str, world: World) -> Said | None:
    """What is wrong with one of the two pipelines first."""

    def run(name: str) -> Any:
        return part(found, "runs", name)

    text = part(found, "text")
    if not isinstance(text, str) or not text.strip():
        return _("there is no text."), _("Give the text of both files.")
    if problem := words(part(run("main"), "problem")):
        return problem, _("Compare the structure with the example in the notebook, block by block.")
    for name, what in (("a failing test", _("fails a test")), ("a lint error", _("has a lint error"))):
        if deployed(run(name)):
            return (
                _("a commit on main that {what} was deployed.").format(what=what),
                _("What makes the deployment wait, and does the failed command fail its job?"),
            )
        if conclusion(run(name)) != "failure":
            return (
                _("a commit on main that {what} is not stopped.").format(what=what),
                _(
                    "Is that check among the commands, and does its exit status reach the job? Look for a pipe, || true and allow_failure."
                ),
            )
    if deployed(run("branch")):
        return (
            _("a commit on the branch feature/main was deployed."),
            _("GitLab: rules with if. Jenkins: when with branch. Which branch is meant, exactly?"),
        )
    if conclusion(run("branch")) != "success":
        return (
            _("the good commit on a branch is not green ({ended}).").format(
                ended=conclusion(run("branch")) or "?"
            ),
            _("Tests run on every branch; only the deployment has a condition."),
        )
    live, builds = deployed(run("main")), objects(part(run("main"), "builds"))
    if conclusion(run("main")) != "success" or len(live) != 1:
        return (
            _("the good commit on main was deployed {n} times, and the pipeline's end is: {ended}.").format(
                n=len(live), ended=conclusion(run("main")) or "?"
            ),
            _("Does the deploying job have the package, and the token in DEPLOY_TOKEN?"),
        )
    expected = package(project.files(world))
    if live[0].get("digest") != expected or not any(one.get("digest") == expected for one in builds):
        return _("what was deployed is not the package of this commit."), _(
            "Build once, and hand the file on."
        )
    if len(builds) > 1 or any(one.get("job") == live[0].get("job") for one in builds):
        return (
            _("the package was built again for the deployment: the tested bytes are others."),
            _(
                "Build in the testing stage; GitLab hands dist/ on as an artifact, Jenkins keeps it in the workspace."
            ),
        )
    if said := leaked(part(found, "runs")):
        return said[0][0].lower() + said[0][1:], _(
            "In Jenkins a single-quoted sh leaves the variable to the shell. In no tool print it."
        )
    return None


# q5 ----------------------------------------------------------------------------------------------------------------

RIGHT_STEPS = (
    ("promote", "middling", True, "middling", None),
    ("promote", "poor", False, "middling", None),
    ("promote", "broken", False, "middling", None),
    ("promote", "good", True, "good", "middling"),
    ("promote", "best", True, "best", "good"),
    ("promote", "best", False, "best", "good"),
    ("rollback", "", None, "good", None),
    ("rollback", "", None, "good", None),
    ("promote", "middling", False, "good", None),
    ("promote", "best", True, "best", "good"),
    ("rollback", "", None, "good", None),
)
"""Action, model, what promote returns, and what champion and previous name afterwards."""


@judge("q5")
def promotion(evidence: Any, world: World) -> Verdict:
    """Eleven steps, after each of which the aliases and the served version are known."""
    wanted = _(
        "Only a better version that can be loaded becomes champion; a rollback brings back the one before, and a second rollback changes nothing."
    )
    steps = objects(part(evidence, "steps"))
    if said := wrong_step(steps) or deleted(evidence):
        return failed(wanted, said)
    return Verdict.passed(
        _(
            "A promotion and a rollback are one write each, the service followed both without a release, and a worse or broken version changed nothing. "
            "A professional would let the new version answer a part of the requests first, and compare what it says with what came true."
        )
    )


def wrong_step(steps: list[dict[str, Any]]) -> Said | None:
    """The first step after which something is not as it should be."""
    names = {
        "poor": _("a version worse than the champion"),
        "broken": _("a version whose file can't be loaded"),
        "middling": _("a version worse than the champion"),
        "good": _("a better version"),
        "best": _("a better version"),
    }
    for number, (action, model, returned, champion, previous) in enumerate(RIGHT_STEPS):
        step = steps[number] if number < len(steps) else {}
        first = number == 0
        what = (
            _("Step {n}, the first promotion of all").format(n=1)
            if first
            else _("Step {n}, the champion promoted again").format(n=number + 1)
            if number == 5
            else _("Step {n}, a promotion of {what}").format(n=number + 1, what=names.get(model, ""))
            if action == "promote"
            else _("Step {n}, a second rollback").format(n=number + 1)
            if number == 7
            else _("Step {n}, a rollback").format(n=number + 1)
        )
        if raised := words(step.get("raised"), 120):
            return (
                _("{what}: your function raised {error}.").format(what=what, error=raised),
                _(
                    "An alias that names nothing, and a version that can't be loaded, are ordinary cases: what should happen then?"
                ),
            )
        if step.get("champion") != champion:
            return (
                _("{what}: the champion is the model “{found}” afterwards, not “{right}”.").format(
                    what=what, found=words(step.get("champion")) or _("none"), right=champion
                ),
                cause(action, model, number),
            )
        if step.get("served") != champion:
            return (
                _("{what}: the alias is right, and the service does not answer with that version.").format(
                    what=what
                ),
                _(
                    "The service asks the alias champion at each request. Is the version that it names still there?"
                ),
            )
        if returned is not None and step.get("returned") is not returned:
            return (
                _("{what}: promote returned {found}.").format(what=what, found=str(step.get("returned"))),
                _("It returns True when the champion changed, else False."),
            )
        if step.get("previous") != previous:
            return (
                _("{what}: previous names “{found}” afterwards, not “{right}”.").format(
                    what=what, found=words(step.get("previous")) or _("none"), right=previous or _("none")
                ),
                _(
                    "previous names the version to which a rollback goes. What was champion before this step, and did anything change?"
                ),
            )
    return None


def cause(action: str, model: str, number: int) -> str:
    """What to look at when the wrong version is champion."""
    if action == "promote" and model == "broken":
        return _("Load and score before you write anything.")
    if action == "promote" and model in ("poor", "middling") and number:
        return _("Compare the two scores. Which is better, the higher or the lower one?")
    if action == "promote":
        return _(
            "Score the version and the champion, if there is one, and move the alias when the version is better."
        )
    if number == 7:
        return _("After a rollback there is nothing to go back to. What does previous name then?")
    return _("Which version was champion before? That need not be the number before.")


def deleted(evidence: Any) -> Said | None:
    """Versions that are gone from the registry."""
    left, made = part(evidence, "versions left"), part(evidence, "versions")
    if not isinstance(left, int) or left != made or made != len({one[1] for one in RIGHT_STEPS if one[1]}):
        return (
            _("The registry does not hold all versions any more."),
            _("A rollback moves a name. A version that is gone can't be looked at in the morning."),
        )
    return None


# q6 ----------------------------------------------------------------------------------------------------------------


@judge("q6")
def approval(evidence: Any, world: World) -> Verdict:
    """Staging by itself, production after a yes, the same package in both."""
    wanted = _(
        "A good commit on main is in staging by itself, and in production when a reviewer has said yes: the same package, after a smoke test."
    )
    said = (
        unreadable(evidence)
        or contradiction(evidence)
        or approved_wrongly(evidence, world)
        or emptied(evidence)
    )
    if said:
        return failed(wanted, said)
    return Verdict.passed(
        _(
            "Everything up to the button is automatic, the button is a person's, and what goes live is what staging has tried. This is continuous delivery; without the approval it is continuous deployment. "
            "A professional measures how long changes wait for the yes, and drops the approval where it never says no."
        )
    )


def approved_wrongly(evidence: Any, world: World) -> Said | None:
    """The first thing that is wrong with who deploys what when."""
    expected = package(project.files(world))

    def run(name: str) -> Any:
        return part(evidence, "runs", name)

    if deployed(run("waiting")):
        return (
            _("Production was deployed although nobody had approved."),
            _(
                "The approval is asked for by the environment called production. Which job names it, and is it that which deploys?"
            ),
        )
    if not deployed(run("waiting"), "staging"):
        return (
            _("While the approval was missing nothing was deployed to staging: {step}.").format(
                step=failed_step(run("waiting"))
            ),
            _("Staging needs the tests alone; nobody is asked for it. Is there a job of its own for it?"),
        )
    for name, what in (
        ("branch", _("A commit on the branch feature/main")),
        ("bad", _("A commit whose test fails")),
        ("untidy", _("A commit with a lint error")),
    ):
        for site in ("staging", "production"):
            if deployed(run(name), site):
                return (
                    _("{what} was deployed to {site}.").format(what=what, site=site),
                    _("Both deploying jobs want the condition and the needs: an approval is no test."),
                )
    if conclusion(run("branch")) != "success":
        return (
            _("On a branch the good commit is not green: {step}.").format(step=failed_step(run("branch"))),
            _("Only the deploying jobs have a condition."),
        )
    if deployed(run("fails in staging")):
        return (
            _("A package that does not even start in staging was deployed to production."),
            _("What does `python -m tools.smoke staging` say, and which job needs it to be well?"),
        )
    if not deployed(run("fails in staging"), "staging"):
        return (
            _("A package that passes its tests did not reach staging: {step}.").format(
                step=failed_step(run("fails in staging"))
            ),
            _("The smoke test comes after the deployment to staging: it asks what is there."),
        )
    yes = run("approved")
    if not deployed(yes):
        return (
            _("After the reviewer's yes production has nothing: {step}.").format(step=failed_step(yes)),
            _("Does the last job have the package and the token, and does it name production in --to?"),
        )
    for site in ("staging", "production"):
        if {one.get("digest") for one in deployed(yes, site)} != {expected}:
            return (
                _("What {site} has is not the package of this commit.").format(site=site),
                _("One artifact, uploaded once, is deployed twice."),
            )
    places = {str(one.get("job")) for site in ("staging", "production") for one in deployed(yes, site)}
    if len(objects(part(yes, "builds"))) != 1 or any(
        str(one.get("job")) in places for one in objects(part(yes, "builds"))
    ):
        return (
            _("The package was built {n} times: what is approved must be what was tried in staging.").format(
                n=len(objects(part(yes, "builds")))
            ),
            _("Build once, in the job that tests, and download that artifact in both jobs."),
        )
    if "staging" not in places_of(part(evidence, "workflow")):
        return (
            _("What is deployed to staging is deployed by no job of the environment staging."),
            _("An environment has its own secrets and its own history of deployments: name it in the job."),
        )
    return leaked(part(evidence, "runs"))


# quiz --------------------------------------------------------------------------------------------------------------

RIGHT = {"delivery": "b", "pipe": "c", "artifact": "a", "revert": "b", "red": "c"}
SECTIONS = {
    "delivery": _("section 7"),
    "pipe": _("section 3"),
    "artifact": _("section 4"),
    "revert": _("the drill"),
    "red": _("the drill"),
}


@judge("quiz")
def quiz(evidence: Any, world: World) -> Verdict:
    """A letter a question."""
    return letters(
        evidence,
        RIGHT,
        passed=_(
            "All five. A professional would now ask of their own team's pipeline which of today's twelve commits it would have stopped."
        ),
        back=lambda wrong: _("Go back to {sections}.").format(
            sections=", ".join(dict.fromkeys(SECTIONS[name] for name in wrong))
        ),
    )


# drill -------------------------------------------------------------------------------------------------------------


@judge("drill")
def main_is_red(evidence: Any, world: World) -> Verdict:
    """The culprit, main and production as they should be, history intact, and the metrics of other histories."""
    wanted = _(
        "The bad commit is reverted on main, nothing else is lost or rewritten, production has main's head, and both figures are right on other histories."
    )
    if said := not_restored(evidence, world) or wrong_metrics(part(evidence, "metrics"), world):
        return failed(wanted, said)
    return Verdict.passed(
        _(
            "main is green, production has it, everybody's later work is there, and the history says what was undone and why. Your figures come from the repository, so that nobody has to fill in a form. "
            "A professional would now ask why the runner could be off for hours without anybody being told."
        )
    )


def blob(text: str) -> str:
    """The name that git gives to a file's content."""
    content = text.encode()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def not_restored(evidence: Any, world: World) -> Said | None:
    """What is still wrong with main or production."""
    told = red_main.story(world)
    bad = next(entry for entry in told.entries if entry.bad)
    commits = part(evidence, "commits")
    known = {
        one[1]: one[0] for one in reversed(commits if isinstance(commits, list) else [])
        if isinstance(one, list) and len(one) == 2 and all(isinstance(item, str) for item in one)
    }  # fmt: skip
    if missing := [entry for entry in told.entries if entry.message not in known]:
        return (
            _("main on origin has lost the commit “{message}”: its history was rewritten.").format(
                message=missing[-1].message
            ),
            _("Others have that history. A revert adds a commit that undoes; it takes none away."),
        )
    culprit = known[bad.message]
    red, right = red_main.final(world)
    files = part(evidence, "files")
    files = files if isinstance(files, dict) else {}
    broken = [name for name in bad.contents if files.get(name) == blob(red[name])]
    if broken:
        return (
            _("On origin's main {file} still has what broke it.").format(file=broken[0]),
            _("Was the right commit reverted, and did the revert reach origin?"),
        )
    reverted = part(evidence, "reverts")
    reverted = [one for one in reverted if isinstance(one, str)] if isinstance(reverted, list) else []
    differing = sorted(
        name
        for name in right
        if name.split("/")[0] in ("ontime", "tests", "tools", "dbt", "dags", "data", ".github")
        and files.get(name) != blob(right[name])
    )
    if differing:
        return (
            _("{file} on main is neither as it was nor as it should be.").format(file=differing[0]),
            _(
                "Compare with the head of main before your repair: only the bad commit's change may be gone, and the tests stay."
            ),
        )
    if culprit not in reverted:
        return (
            _("main has the right files again, and no commit says that it reverts {sha}.").format(
                sha=culprit[:9]
            ),
            _(
                "git revert writes “This reverts commit …” into the message: people and metrics look for that line."
            ),
        )
    named = part(evidence, "culprit")
    if not isinstance(named, str) or len(named) < 7 or not culprit.startswith(named):
        return (
            _("The commit that you name did not break main: on it the test ran as on the one before."),
            _("The first bad commit is bad and its parent is good. Try both."),
        )
    live = [one.get("digest") for one in objects(part(evidence, "live"))]
    if not live or live[-1] != package(right):
        return (
            _("main is right, and production still has what was live before."),
            _("Let the runner do what it does at a push: desk.ci(), and read how it ended."),
        )
    return None


def wrong_metrics(found: Any, world: World) -> Said | None:
    """What is wrong with the figures of other histories."""
    given = found if isinstance(found, list) else []
    for number in range(2):
        one = given[number] if number < len(given) and isinstance(given[number], dict) else {}
        right, mistakes = figures(world, f"history {number}")
        for name, value in right.items():
            hours = one.get(name)
            if isinstance(hours, bool) or not isinstance(hours, (int, float)) or abs(hours - value) > 0.02:
                why = next(
                    (
                        said
                        for said, wrong in mistakes.get(name, ())
                        if isinstance(hours, (int, float)) and abs(hours - wrong) <= 0.02
                    ),
                    _(
                        "Take one commit of your clone and follow it by hand to the tag that first contains it."
                    ),
                )
                return (
                    _("On another history {name} is {hours}.").format(
                        name=name, hours=f"{hours:.2f}" if isinstance(hours, (int, float)) else _("not given")
                    ),
                    why,
                )
    return None


@cache
def figures(world: World, purpose: str) -> tuple[dict[str, float], dict[str, list[tuple[str, float]]]]:
    """Lead time and time to restore of a history, in hours, and what usual mistakes make of them."""
    import statistics
    import tempfile
    from datetime import datetime
    from pathlib import Path

    with tempfile.TemporaryDirectory(prefix="flightschool-") as place:
        folder = Path(place) / "ontime"
        red_main.history(world, folder, purpose, restored=True)
        log = [
            line.split("\t")
            for line in project.git(folder, "log", "--reverse", "--format=%H\t%cI\t%s", "main").splitlines()
        ]
        tags = [
            line.split("\t")
            for line in project.git(
                folder,
                "for-each-ref",
                "--sort=taggerdate",
                "--format=%(*objectname)\t%(taggerdate:iso-strict)",
                "refs/tags/deploy",
            ).splitlines()
        ]
    order = {sha: number for number, (sha, _at, _subject) in enumerate(log)}
    at = {sha: datetime.fromisoformat(moment) for sha, moment, _subject in log}
    live = [(order[sha], datetime.fromisoformat(moment)) for sha, moment in tags]

    def first_live(sha: str) -> datetime | None:
        return next((moment for number, moment in live if number >= order[sha]), None)

    def hours(later: datetime, earlier: datetime) -> float:
        return (later - earlier).total_seconds() / 3600

    leads = [hours(moment, at[sha]) for sha in order if (moment := first_live(sha))]
    subject = next(title for _sha, _at, title in log if title.startswith("Revert "))
    revert = next(sha for sha, _at, title in log if title == subject)
    bad = next(sha for sha, _at, title in log if f'Revert "{title}"' == subject)
    back = first_live(revert)
    assert back is not None
    heads = [hours(moment, at[log[number][0]]) for number, moment in live]
    right = {"lead_time_hours": statistics.median(leads), "time_to_restore_hours": hours(back, at[bad])}
    mistakes = {
        "lead_time_hours": [
            (
                _(
                    "That is the mean. One change that waited for a week pulls it up; the usual figure is the median."
                ),
                statistics.fmean(leads),
            ),
            (
                _(
                    "These are the commits that carry a tag. A deployment carries every commit since the one before."
                ),
                statistics.median(heads),
            ),
        ],
        "time_to_restore_hours": [
            (
                _("That begins with the revert. Users were waiting since the bad commit."),
                hours(back, at[revert]),
            ),
            (
                _("That ends with the revert. Nothing is restored before it is live."),
                hours(at[revert], at[bad]),
            ),
        ],
    }
    return right, mistakes
