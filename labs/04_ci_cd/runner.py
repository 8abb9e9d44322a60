"""A GitHub runner on this machine: `act` executes a workflow's steps on a clone of the repository.

What differs from GitHub: jobs run here and not in a fresh virtual machine (each in a clean folder of its own, though); the
actions that keep artifacts and set Python up are stood in for by those of `standins/`; a job whose environment needs an
approval gets a first step that asks for it. act does not read the branches under `on:`, so this file does. Nothing of the machine's environment reaches a step but the PATH.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from flightschool.errors import FlightSchoolError

from .project import git, write

STANDINS = Path(__file__).with_name("standins")
WORKFLOW = ".github/workflows/ci.yml"
TIMEOUT = 50
"""Seconds that one run may take."""
AT_ONCE = 2
"""Runs side by side."""
LOG = 6000
"""Characters of a log that are kept: its end, where a run says why it failed."""
PROTECTED = "production"
"""The environment whose jobs wait for a reviewer."""


class RunnerError(FlightSchoolError):
    """The runner can't work: its program is missing."""


@dataclass(frozen=True)
class Step:
    """One step of a job: its result is success, failure or skipped."""

    job: str
    name: str
    result: str


@dataclass(frozen=True)
class Run:
    """What a workflow did for one commit. `conclusion` is success, failure, or `none` when no job was started.

    `builds` and `deployments` are what the repository's own tools noted: which job built or deployed what (SHA-256).
    """

    ref: str
    event: str
    conclusion: str
    jobs: Mapping[str, str]
    steps: tuple[Step, ...]
    log: str
    problem: str
    builds: tuple[Mapping[str, str], ...]
    deployments: tuple[Mapping[str, str], ...]
    leaks: tuple[str, ...]
    seconds: float

    def plain(self) -> dict[str, Any]:
        """As evidence: plain data, without the seconds."""
        return {
            "ref": self.ref,
            "event": self.event,
            "conclusion": self.conclusion,
            "jobs": dict(self.jobs),
            "steps": [[step.job, step.name[:80], step.result] for step in self.steps],
            "problem": self.problem,
            "builds": [dict(one) for one in self.builds],
            "deployments": [dict(one) for one in self.deployments],
            "leaks": list(self.leaks),
        }


@dataclass
class Sites:
    """The machines to which a run can deploy: folders `staging` and `production`, with the token that they want."""

    folder: Path
    token: str
    seen: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        for name in ("staging", "production"):
            site = self.folder / name
            (site / "releases").mkdir(parents=True, exist_ok=True)
            (site / "token.sha256").write_text(hashlib.sha256(self.token.encode()).hexdigest())

    def deployments(self) -> list[dict[str, str]]:
        """What was deployed where, oldest first within each site."""
        return [
            entry
            for name in ("staging", "production")
            for entry in lines(self.folder / name / "deployments.jsonl")
        ]

    def current(self, name: str) -> str:
        """The first twelve digits of what a site runs; empty when nothing was deployed there."""
        pointer = self.folder / name / "current"
        return pointer.readlink().name if pointer.is_symlink() else ""


def lines(path: Path) -> list[dict[str, str]]:
    """The objects of a file of JSON lines; what is none is left out."""
    found = []
    for line in path.read_text(errors="replace").splitlines() if path.is_file() else []:
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                found.append({str(name): str(value) for name, value in entry.items()})
    return found


def program() -> str:
    """The path of act. Raises RunnerError when it is not installed."""
    found = Path(sys.executable).with_name("act")
    if found.is_file():
        return str(found)
    if elsewhere := shutil.which("act"):
        return elsewhere
    raise RunnerError("act is not installed: run `make lab`, or environment/setup.")


def environment(home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """What a step finds in its environment: this Python's tools on the PATH, and nothing of ours."""
    kept = {name: os.environ[name] for name in ("JAVA_HOME", "LANG", "TZ") if name in os.environ}
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
        # The runner's Python has many plugins of pytest, which the team's does not.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "RUFF_NO_CACHE": "true",
        "NO_COLOR": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **more,
    }


def checkout(place: Path, repository: Path, ref: str, commit: str = "") -> Path:
    """A clone in `place` of the last commit of the branch `commit`, as if it had been pushed to `ref`; by default of `ref` itself."""
    clone = place / "ontime"
    git(place, "clone", "-q", "--shared", "--branch", commit or ref, str(repository), str(clone))
    git(clone, "checkout", "-q", "-B", ref)
    return clone


def run(
    repository: Path,
    workflow: str,
    *,
    ref: str = "main",
    commit: str = "",
    event: str = "push",
    sites: Sites | None = None,
    approved: bool | None = None,
) -> Run:
    """Execute a workflow on the last commit of a branch.

    Args:
        repository: a git repository; it is cloned, so that the run changes nothing in it.
        workflow: the text of the workflow.
        ref: the branch; for a pull request the one that is to be merged into `main`.
        commit: the branch whose last commit it is, as if it had been pushed to `ref`; by default `ref` itself.
        event: push, pull_request or workflow_dispatch.
        sites: where it may deploy; the workflow finds their token as the secret DEPLOY_TOKEN.
        approved: what the reviewer says to jobs of the environment `production`; None: nobody is asked.

    Raises:
        RunnerError: act is not installed.
    """
    started = time.perf_counter()
    act = program()
    if not wanted(workflow, event, ref):
        return Run(ref, event, "none", {}, (), "", "", (), (), (), 0.0)
    with workplace() as place:
        clone = checkout(place, repository, ref, commit)
        artifacts, book = place / "artifacts", place / "builds.jsonl"
        artifacts.mkdir()
        git(clone, "remote", "set-url", "origin", "https://github.com/airports/ontime.git")
        shutil.rmtree(clone / ".github", ignore_errors=True)
        write(clone, {WORKFLOW: held(workflow, approved) if approved is not None else workflow})
        sites = sites or Sites(place / "sites", "none-needed")
        before = len(sites.deployments())
        (place / "event.json").write_text(json.dumps(payload(event, ref)))
        command = [act, event, "-P", "ubuntu-latest=-self-hosted", "--json", "--no-cache-server"]
        command += ["--action-cache-path", str(place / "cache"), "--eventpath", str(place / "event.json")]
        command += ["-P", "ubuntu-24.04=-self-hosted", "-P", "ubuntu-22.04=-self-hosted"]
        command += [
            "--secret-file",
            str(place / "secrets"),
            "--env-file",
            "",
            "--var-file",
            "",
            "--input-file",
            "",
        ]
        for use in standins(workflow):
            command += ["--local-repository", use]
        (place / "secrets").write_text(f"DEPLOY_TOKEN={sites.token}\n")
        (place / "secrets").chmod(0o600)
        variables = {"SITES": str(sites.folder), "ARTIFACTS": str(artifacts), "BUILD_BOOK": str(book)}
        output, ended = execute(command, clone, environment(place, variables))
        jobs, steps, log, problem = read(output)
        ran = set(jobs.values()) - {"skipped"}
        conclusion = "none" if not ran else "success" if ran == {"success"} else "failure"
        if ended is None:
            conclusion, problem = "failure", f"the run was stopped after {TIMEOUT} s"
        elif ended and conclusion != "failure":
            conclusion = "failure"
        return Run(
            ref,
            event,
            conclusion,
            jobs,
            tuple(steps),
            log[-LOG:],
            problem,
            tuple(lines(book)),
            tuple(sites.deployments()[before:] if before else sites.deployments()),
            tuple(
                leaks(
                    sites.token,
                    {"the log": output},
                    {"an artifact": artifacts, "what was deployed": sites.folder},
                )
            ),
            time.perf_counter() - started,
        )


def runs(jobs: Sequence[Mapping[str, Any]]) -> list[Run]:
    """Several runs, two at a time; each is the keyword arguments of `run`."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda job: run(**job), jobs))


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """A folder for one run. Not in the way of a slow child that still writes as we clear up."""
    place = Path(tempfile.mkdtemp(prefix="flightschool-run-"))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def execute(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> tuple[str, int | None]:
    """Output and exit status of a command; None when it took too long. Nothing of it is left running."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            ended: int | None = process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            ended = None
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.seek(0)
        return output.read(4_000_000).decode(errors="replace"), ended


def payload(event: str, ref: str) -> dict[str, Any]:
    """What GitHub tells a workflow of its event."""
    repository = {"default_branch": "main", "full_name": "airports/ontime"}
    if event == "pull_request":
        pull = {"number": 7, "head": {"ref": ref}, "base": {"ref": "main"}}
        return {"action": "synchronize", "number": 7, "pull_request": pull, "repository": repository}
    return {"ref": f"refs/heads/{ref}", "repository": repository}


def zizmor(workflow: str) -> list[dict[str, str]]:
    """What the security linter finds in a workflow: ident, severity, description; the gravest first."""
    program = Path(sys.executable).with_name("zizmor")
    with workplace() as place:
        write(place, {WORKFLOW: workflow})
        done = subprocess.run(
            [str(program), "--offline", "--no-progress", "--format", "json", WORKFLOW],
            cwd=place,
            env={"PATH": os.environ.get("PATH", ""), "HOME": str(place), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        found = json.loads(done.stdout)
    except ValueError:
        return []
    order = ("High", "Medium", "Low", "Informational", "Unknown")
    findings = [
        {"ident": one["ident"], "severity": one["determinations"]["severity"], "says": one["desc"]}
        for one in found
    ]
    return sorted(findings, key=lambda one: order.index(one["severity"]))


def wanted(workflow: str, event: str, ref: str) -> bool:
    """Whether the event's lists of branches, where it has any, let this one pass. For a pull request that is `main`."""
    tree = parsed(workflow)
    on = tree.get("on", tree.get(True))  # YAML 1.1 takes the key `on` for a truth
    rules = on.get(event) if isinstance(on, dict) else None
    if not isinstance(rules, dict):
        return True
    branch = "main" if event == "pull_request" else ref

    def among(patterns: Any) -> bool:
        hit = False
        for pattern in [patterns] if isinstance(patterns, str) else patterns or ():
            bare = str(pattern).removeprefix("!")
            form = re.escape(bare).replace(r"\*\*", ".*").replace(r"\*", "[^/]*").replace(r"\?", ".")
            if re.fullmatch(form, branch):
                hit = not str(pattern).startswith("!")
        return hit

    if "branches" in rules:
        return among(rules["branches"])
    if "branches-ignore" in rules:
        return not among(rules["branches-ignore"])
    return not ("tags" in rules and event == "push")


def parsed(workflow: str) -> dict[Any, Any]:
    """The workflow as YAML has it; empty when it is none."""
    try:
        tree = yaml.safe_load(workflow)
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    return tree if isinstance(tree, dict) else {}


def standins(workflow: str) -> list[str]:
    """Which actions of the workflow are stood in for, as act's `--local-repository` wants it."""
    uses = set(re.findall(r"actions/(upload-artifact|download-artifact|setup-python)@([\w.\-]+)", workflow))
    return [f"actions/{name}@{version}={STANDINS / name}" for name, version in sorted(uses)]


def held(workflow: str, approved: bool) -> str:
    """The workflow with a first step in each job of the protected environment, which asks for the approval."""
    tree = parsed(workflow)
    jobs = tree.get("jobs")
    if not isinstance(jobs, dict):
        return workflow
    for job in jobs.values():
        place = job.get("environment") if isinstance(job, dict) else None
        name = place.get("name") if isinstance(place, dict) else place
        if name == PROTECTED and isinstance(job.get("steps"), list):
            say = "echo approved" if approved else "echo waiting for an approval; exit 1"
            job["steps"].insert(0, {"name": "The reviewer's approval", "run": say})
    if True in tree:  # the key `on`
        tree["on"] = tree.pop(True)
    return yaml.safe_dump(tree, sort_keys=False)


def read(output: str) -> tuple[dict[str, str], list[Step], str, str]:
    """Jobs with their results, steps, the log, and act's own complaint, of its output."""
    jobs: dict[str, str] = {}
    steps: list[Step] = []
    log: list[str] = []
    problem = ""
    for line in output.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            if line.startswith("Error:"):
                problem = problem or line.removeprefix("Error:").strip()
            log.append(line)
            continue
        job, said = str(entry.get("jobID", "")), str(entry.get("msg", ""))
        if entry.get("raw_output"):
            log.append(f"{job} | {said.rstrip()}")
        elif job:
            jobs.setdefault(job, "running")
        if "jobResult" in entry:
            jobs[job] = str(entry["jobResult"])
        if "stepResult" in entry and entry.get("stage") == "Main" and len(entry.get("stepID", ())) == 1:
            steps.append(Step(job, str(entry.get("step", "")), str(entry["stepResult"])))
    # A job that was left out because of its `if` says so by no result at all.
    jobs = {job: "skipped" if result == "running" else result for job, result in jobs.items()}
    return jobs, steps, "\n".join(log), problem


def leaks(token: str, texts: Mapping[str, str], folders: Mapping[str, Path]) -> Iterable[str]:
    """Where a token can be read: plain, backwards, or in base64."""
    import base64

    forms = (token, token[::-1], base64.b64encode(token.encode()).decode().rstrip("="))
    needles = [form.encode() for form in forms]
    for where, text in texts.items():
        bare = re.sub(r"\s|\\n", "", text).encode()
        if any(needle in bare for needle in needles):
            yield where
    for where, folder in folders.items():
        contents = (
            path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink()
        )
        if any(needle in content for content in contents for needle in needles):
            yield where
