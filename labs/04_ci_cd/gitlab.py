"""A small reader of `.gitlab-ci.yml`: it executes a pipeline's jobs here, in the order that GitLab would.

It knows what these pipelines need: stages, script, before_script, default, variables, extends, needs, artifacts, rules (if,
when), only/except, when (manual, always, never), allow_failure, environment, workflow. Anything else it refuses in
one sentence. `image`, `tags`, `timeout`, `retry`, `interruptible`, `cache` and `coverage` change nothing here.

`by_gitlab_ci_local` has the tool of that name, which knows all of GitLab's language, run the same file where npm can install it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from flightschool.errors import FlightSchoolError

from .project import git, write
from .runner import Run, Sites, Step, checkout, environment, execute, leaks, lines, workplace

TOP = {"stages", "default", "variables", "workflow", "image", "cache", "include", "spec"}
KNOWN = {
    *(
        "stage",
        "script",
        "before_script",
        "after_script",
        "variables",
        "extends",
        "needs",
        "dependencies",
        "artifacts",
    ),
    *("rules", "only", "except", "when", "allow_failure", "environment"),
}
IGNORED = {"image", "tags", "timeout", "retry", "interruptible", "cache", "coverage", "services"}
STAGES = ("build", "test", "deploy")


class PipelineError(FlightSchoolError):
    """The file can't be read as a pipeline; the message says which line of it."""


def pipeline(text: str) -> dict[str, dict[str, Any]]:
    """The jobs of a file by name, complete, in the order of their stages.

    Raises:
        PipelineError: it is no pipeline, or has a key that this reader does not know.
    """
    try:
        tree = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise PipelineError(f".gitlab-ci.yml is no YAML: {str(error).splitlines()[0]}.") from None
    if not isinstance(tree, dict):
        raise PipelineError(".gitlab-ci.yml holds no jobs.")
    if "include" in tree:
        raise PipelineError("include is not read here: write the jobs into this file.")
    default = tree.get("default") if isinstance(tree.get("default"), dict) else {}
    stages = [".pre", *map(str, tree.get("stages") or STAGES), ".post"]
    found: dict[str, dict[str, Any]] = {}
    for name, own in tree.items():
        if str(name) in TOP or str(name).startswith("."):
            continue
        if not isinstance(own, dict):
            raise PipelineError(f"{name} is no job: a job is a mapping with a script.")
        job = {**default, **inherited(tree, own)}
        if unknown := set(map(str, job)) - KNOWN - IGNORED:
            raise PipelineError(f"{name}: this reader does not know {', '.join(sorted(unknown))}.")
        if not job.get("script"):
            raise PipelineError(f"{name} has no script.")
        if str(job.setdefault("stage", "test")) not in stages:
            raise PipelineError(
                f"{name}: there is no stage {job['stage']}; the stages are {', '.join(stages[1:-1])}."
            )
        found[str(name)] = job
    if not found:
        raise PipelineError(".gitlab-ci.yml holds no jobs.")
    return dict(sorted(found.items(), key=lambda item: stages.index(str(item[1]["stage"]))))


def inherited(tree: Mapping[str, Any], own: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """A job with what it extends."""
    whole: dict[str, Any] = {}
    parents = own.get("extends") or []
    for parent in [parents] if isinstance(parents, str) else parents:
        if not isinstance(tree.get(parent), dict) or depth > 5:
            raise PipelineError(f"extends: there is no {parent}.")
        whole |= inherited(tree, tree[parent], depth + 1)
    return whole | {name: value for name, value in own.items() if name != "extends"}


def run(
    repository: Path,
    text: str,
    *,
    ref: str = "main",
    commit: str = "",
    sites: Sites,
    manual: bool = False,
) -> Run:
    """Execute the pipeline on the last commit of `commit`, as pushed to the branch `ref`; manual jobs when told to."""
    try:
        jobs = pipeline(text)
    except PipelineError as error:
        return Run(ref, "push", "none", {}, (), "", str(error), (), (), (), 0.0)
    tree = yaml.safe_load(text)
    with workplace() as place:
        clone = checkout(place, repository, ref, commit)
        kept, book, before = place / "artifacts", place / "builds.jsonl", len(sites.deployments())
        kept.mkdir()
        variables = {
            "CI": "true",
            "GITLAB_CI": "true",
            "CI_COMMIT_BRANCH": ref,
            "CI_COMMIT_REF_NAME": ref,
            "CI_COMMIT_REF_SLUG": re.sub(r"[^a-z0-9]", "-", ref.lower()),
            "CI_DEFAULT_BRANCH": "main",
            "CI_PIPELINE_SOURCE": "push",
            "CI_COMMIT_SHA": git(clone, "rev-parse", "HEAD"),
            "CI_COMMIT_SHORT_SHA": git(clone, "rev-parse", "--short=8", "HEAD"),
            "SITES": str(sites.folder),
            "BUILD_BOOK": str(book),
            **texts(tree.get("variables")),
        }
        secret = {"DEPLOY_TOKEN": sites.token}
        results: dict[str, str] = {}
        steps: list[Step] = []
        log: list[str] = []
        workflow = tree.get("workflow")
        if isinstance(workflow, dict) and chosen({"rules": workflow.get("rules")}, variables)[0] == "never":
            jobs = {}
        for name, job in jobs.items():
            when, allowed = chosen(job, variables)
            if when == "never":
                continue
            failed = [other for other in before_it(job, jobs, results) if results.get(other) == "failure"]
            waits = [
                other
                for other in before_it(job, jobs, results)
                if results.get(other) in ("waiting", "skipped")
            ]
            if when == "manual" and not manual:
                results[name] = "waiting"
                continue
            if (failed or waits) and when != "always" and not (when == "on_failure" and failed):
                results[name] = "skipped"
                continue
            if when == "on_failure" and not failed:
                continue
            folder = place / "jobs" / re.sub(r"\W", "-", name)
            shutil.copytree(clone, folder, symlinks=True)
            for other in sources(job, jobs, results):
                if (kept / other).is_dir():
                    shutil.copytree(kept / other, folder, dirs_exist_ok=True)
            script = [*listed(job.get("before_script")), *listed(job["script"])]
            own = {
                **variables,
                **texts(job.get("variables")),
                "CI_JOB_NAME": name,
                "CI_JOB_STAGE": str(job["stage"]),
                **secret,
            }
            write(place, {"job.sh": "\n".join(["set -eo pipefail", *script]) + "\n"})
            output, ended = execute(["bash", str(place / "job.sh")], folder, environment(place, own))
            output = output.replace(sites.token, "[MASKED]")
            log.append(f"--- {name}\n{output}")
            results[name] = "success" if ended == 0 else "allowed" if allowed else "failure"
            steps += [Step(name, line, results[name]) for line in script]
            paths = (
                (job.get("artifacts") or {}).get("paths", [])
                if isinstance(job.get("artifacts"), dict)
                else []
            )
            if ended == 0:
                keep(folder, kept / name, listed(paths))
        conclusion = "none" if not results else "failure" if "failure" in results.values() else "success"
        whole = "\n".join(log)
        found = tuple(
            leaks(sites.token, {"the log": whole}, {"an artifact": kept, "what was deployed": sites.folder})
        )
        return Run(
            ref, "push", conclusion, results, tuple(steps), whole[-6000:], "",
            tuple(lines(book)), tuple(sites.deployments()[before:]), found, 0.0,
        )  # fmt: skip


def by_gitlab_ci_local(repository: Path, text: str, sites: Sites) -> tuple[bool, str]:
    """Whether gitlab-ci-local ran the pipeline on `main` to a good end, and its output.

    Raises:
        Unavailable: it is not installed, or rsync is not, with which it copies the repository.
    """
    from flightschool.services import Unavailable, npm

    if not shutil.which("rsync"):
        raise Unavailable("gitlab-ci-local needs rsync: install the package rsync, then run this cell again.")
    tool = npm.installed("gitlab-ci-local") / "src" / "index.js"
    with workplace() as place:
        clone = place / "ontime"
        git(place, "clone", "-q", "--branch", "main", str(repository), str(clone))
        git(clone, "remote", "set-url", "origin", "https://gitlab.com/airports/ontime.git")
        write(clone, {".gitlab-ci.yml": text})
        command = [str(npm.node()), str(tool), "--shell-executor-no-image", "--home", str(place)]
        variables = {"DEPLOY_TOKEN": sites.token, "SITES": str(sites.folder)}
        for name, content in variables.items():
            command += ["--variable", f"{name}={content}"]
        output, ended = execute(command, clone, environment(place, {"NO_COLOR": "1"}))
    return ended == 0, output.replace(sites.token, "[MASKED]")


def listed(value: Any) -> list[str]:
    """A list of lines, however it was written."""
    if value is None:
        return []
    return (
        [value]
        if isinstance(value, str)
        else [str(line) for line in value if not isinstance(line, (dict, list))]
    )


def texts(value: Any) -> dict[str, str]:
    """Variables as text; one may be given with a description."""
    if not isinstance(value, dict):
        return {}
    return {str(k): str(v.get("value", "") if isinstance(v, dict) else v) for k, v in value.items()}


def before_it(job: Mapping[str, Any], jobs: Mapping[str, Any], results: Mapping[str, str]) -> list[str]:
    """The jobs for which a job waits: those that it needs, or all of earlier stages."""
    if job.get("needs") is not None:
        return [str(need.get("job") if isinstance(need, dict) else need) for need in job["needs"]]
    return [name for name in results if jobs[name]["stage"] != job["stage"]]


def sources(job: Mapping[str, Any], jobs: Mapping[str, Any], results: Mapping[str, str]) -> list[str]:
    """The jobs whose artifacts a job gets."""
    wanted = job.get("dependencies")
    kept_back = {
        str(need.get("job"))
        for need in job.get("needs") or ()
        if isinstance(need, dict) and need.get("artifacts") is False
    }
    before = [str(one) for one in wanted] if isinstance(wanted, list) else before_it(job, jobs, results)
    return [name for name in before if name not in kept_back]


def keep(folder: Path, target: Path, paths: list[str]) -> None:
    """Copy what the patterns name, at its place."""
    for pattern in paths:
        if pattern.startswith("/") or ".." in pattern:
            continue
        for found in folder.glob(pattern.rstrip("/")):
            place = target / found.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            if found.is_dir():
                shutil.copytree(found, place, dirs_exist_ok=True)
            else:
                shutil.copy2(found, place)


def chosen(job: Mapping[str, Any], variables: Mapping[str, str]) -> tuple[str, bool]:
    """When a job runs (on_success, manual, always, on_failure, never), and whether it may fail."""
    when, allowed = str(job.get("when") or "on_success"), job.get("allow_failure") is True
    rules = job.get("rules")
    if isinstance(rules, list):
        for rule in rules:
            if isinstance(rule, dict) and ("if" not in rule or holds(str(rule["if"]), variables)):
                return str(rule.get("when") or when), rule.get("allow_failure", allowed) is True
        return "never", allowed
    if (only := refs(job.get("only"))) is not None and not any(matches(one, variables) for one in only):
        return "never", allowed
    if (but := refs(job.get("except"))) is not None and any(matches(one, variables) for one in but):
        return "never", allowed
    return when, allowed


def refs(value: Any) -> list[str] | None:
    """The refs of an `only` or `except`; None when there is none."""
    if isinstance(value, dict):
        value = value.get("refs")
    return None if value is None else listed(value)


def matches(one: str, variables: Mapping[str, str]) -> bool:
    """Whether a ref of `only` is the branch that was pushed."""
    if len(one) > 2 and one.startswith("/") and one.endswith("/"):
        return bool(re.search(one[1:-1], variables["CI_COMMIT_BRANCH"]))
    return one in ("branches", "pushes") or one == variables["CI_COMMIT_BRANCH"]


def holds(condition: str, variables: Mapping[str, str]) -> bool:
    """Whether an `if` of GitLab's rules holds: ==, !=, =~, !~, &&, ||, a bare variable.

    Raises:
        PipelineError: it is written in another way.
    """
    if "||" in condition:
        return any(holds(part, variables) for part in condition.split("||"))
    if "&&" in condition:
        return all(holds(part, variables) for part in condition.split("&&"))
    condition = condition.strip().strip("()").strip()
    if bare := re.fullmatch(r"\$(\w+)", condition):
        return bool(variables.get(bare[1]))
    found = re.fullmatch(r"(\S+)\s*(==|!=|=~|!~)\s*(\S.*)", condition)
    if not found:
        return False
    left, sign, right = value(found[1], variables), found[2], found[3].strip()
    if sign in ("=~", "!~"):
        pattern = re.fullmatch(r"/(.*)/i?", right)
        hit = bool(pattern and left is not None and re.search(pattern[1], left))
        return hit if sign == "=~" else not hit
    same = left == value(right, variables)
    return same if sign == "==" else not same


def value(term: str, variables: Mapping[str, str]) -> str | None:
    """What a term of a condition stands for."""
    if term.startswith("$"):
        return variables.get(term[1:].strip("{}"))
    return None if term == "null" else term.strip("\"'")
