"""A small reader of a declarative Jenkinsfile: it checks its structure and executes its `sh` steps here.

This is no Jenkins. It reads the declarative form (pipeline, agent, options, environment with credentials, stages, when, steps,
post, parallel) and of the steps sh, echo, input, stash, unstash, archiveArtifacts, junit, dir, timeout, retry, withCredentials,
checkout and deleteDir; Groovy beyond that (script blocks, expressions, shared libraries) it refuses in one sentence. A Jenkins server reads
the same file when docker compose is up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flightschool.errors import FlightSchoolError

from .project import git, write
from .runner import Run, Sites, Step, checkout, environment, execute, leaks, lines, workplace

TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
      | (?P<text>'''(?:[^\\]|\\.)*?'''|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
      | (?P<name>[A-Za-z_][\w.]*)
      | (?P<number>\d+)
      | (?P<sign>[{}()\[\],:=])""",
    re.VERBOSE | re.DOTALL,
)
QUIET = {"archiveArtifacts", "junit", "checkout", "deleteDir", "cleanWs", "stash", "unstash", "milestone"}
AROUND = {"timeout", "retry", "dir", "timestamps", "ansiColor", "lock", "catchError", "warnError"}
SECTIONS = {"agent", "environment", "options", "stages", "post", "triggers", "parameters", "tools"}
OF_A_STAGE = {
    "agent",
    "environment",
    "options",
    "steps",
    "stages",
    "parallel",
    "post",
    "when",
    "input",
    "tools",
    "failFast",
}


class JenkinsfileError(FlightSchoolError):
    """The file can't be read as a declarative pipeline; the message says where."""


@dataclass
class Call:
    """A step or a section: `sh 'make'`, `stage('Test') { … }`. Texts keep their quotes, which mean something in Groovy."""

    name: str
    arguments: list[Any] = field(default_factory=list)
    named: dict[str, Any] = field(default_factory=dict)
    body: list[Call] | None = None
    line: int = 0

    def part(self, name: str) -> Call | None:
        """The section of that name in the body."""
        return next((call for call in self.body or [] if call.name == name), None)


@dataclass(frozen=True)
class Text:
    """A text of Groovy: with double quotes Groovy itself puts values in, before any shell sees them."""

    value: str
    groovy: bool


class Reader:
    """Reads calls of a Jenkinsfile, one after the other."""

    def __init__(self, source: str) -> None:
        self.tokens: list[tuple[str, str, int]] = []
        at, line = 0, 1
        while at < len(source):
            found = TOKEN.match(source, at)
            if not found:
                raise JenkinsfileError(
                    f"Line {line}: {source[at : at + 20].splitlines()[0]!r} is not declarative syntax that is read here."
                )
            kind = str(found.lastgroup)
            if kind != "space":
                self.tokens.append((kind, found[0], line))
            line += found[0].count("\n")
            at = found.end()
        self.at = 0

    def peek(self, ahead: int = 0) -> tuple[str, str, int]:
        """A token to come."""
        place = self.at + ahead
        return (
            self.tokens[place]
            if place < len(self.tokens)
            else ("end", "", self.tokens[-1][2] if self.tokens else 1)
        )

    def take(self, expected: str = "") -> tuple[str, str, int]:
        """The next token, which must be `expected` where that is given."""
        kind, text, line = self.peek()
        if expected and text != expected:
            raise JenkinsfileError(f"Line {line}: {expected} was expected and {text or 'the end'} found.")
        self.at += 1
        return kind, text, line

    def calls(self, depth: int = 0) -> list[Call]:
        """Calls up to the closing brace."""
        if depth > 20:
            raise JenkinsfileError("The blocks are nested too deeply.")
        found = []
        while self.peek()[1] != "}" and self.peek()[0] != "end":
            found.append(self.call(depth))
        return found

    def call(self, depth: int) -> Call:
        """One call with its arguments and its block."""
        kind, name, line = self.take()
        if kind != "name":
            raise JenkinsfileError(
                f"Line {line}: the name of a step or section was expected and {name} found."
            )
        made = Call(name, line=line)
        if self.peek()[1] == "=":  # NAME = 'value', of an environment
            self.take("=")
            made.arguments.append(self.value(depth))
            return made
        if self.peek()[1] == "(":
            self.take("(")
            self.arguments(made, ")", depth)
            self.take(")")
        elif self.peek()[2] == line and (
            self.peek()[0] in ("text", "number", "name") or self.peek()[1] == "["
        ):
            self.arguments(made, "", depth)
        if self.peek()[1] == "{":
            self.take("{")
            made.body = self.calls(depth + 1)
            self.take("}")
        return made

    def arguments(self, made: Call, end: str, depth: int) -> None:
        """Arguments up to `end`, or to the last comma."""
        while self.peek()[1] != end and self.peek()[0] != "end":
            if self.peek()[0] == "name" and self.peek(1)[1] == ":":
                name = self.take()[1]
                self.take(":")
                made.named[name] = self.value(depth)
            else:
                made.arguments.append(self.value(depth))
            if self.peek()[1] != ",":
                return
            self.take(",")

    def value(self, depth: int) -> Any:
        """A text, a number, a list, a word, or a call such as credentials('token')."""
        kind, text, line = self.peek()
        if kind == "text":
            self.take()
            quotes = 3 if text[:3] in ("'''", '"""') else 1
            inner = text[quotes:-quotes]
            return Text(
                re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), inner, flags=re.DOTALL),
                text[0] == '"',
            )
        if kind == "number":
            return int(self.take()[1])
        if text == "[":
            self.take("[")
            holder = Call("list")
            self.arguments(holder, "]", depth)
            self.take("]")
            return holder
        if kind == "name":
            if self.peek(1)[1] == "(" and depth < 20:
                return self.call(depth + 1)
            return self.take()[1]
        raise JenkinsfileError(f"Line {line}: a value was expected and {text or 'the end'} found.")


def pipeline(source: str) -> Call:
    """The file's pipeline, its structure checked as `declarative-linter` checks it.

    Raises:
        JenkinsfileError: it is no declarative pipeline, or uses what is not read here.
    """
    reader = Reader(source)
    calls = reader.calls()
    if reader.peek()[0] != "end":
        raise JenkinsfileError(f"Line {reader.peek()[2]}: a brace too many.")
    if len(calls) != 1 or calls[0].name != "pipeline" or calls[0].body is None:
        raise JenkinsfileError("A declarative Jenkinsfile is one block: pipeline { … }.")
    whole = calls[0]
    if unknown := [call for call in whole.body or [] if call.name not in SECTIONS]:
        raise JenkinsfileError(f"Line {unknown[0].line}: pipeline has no section {unknown[0].name}.")
    if whole.part("agent") is None:
        raise JenkinsfileError("The pipeline has no agent: say where it runs, such as agent any.")
    stages = whole.part("stages")
    if stages is None or not stages.body:
        raise JenkinsfileError("The pipeline has no stages.")
    for stage in flat(stages):
        if stage.name != "stage" or not stage.arguments:
            raise JenkinsfileError(f"Line {stage.line}: in stages stand stages: stage('Test') {{ … }}.")
        if unknown := [call for call in stage.body or [] if call.name not in OF_A_STAGE]:
            raise JenkinsfileError(
                f"Line {unknown[0].line}: a stage has no section {unknown[0].name}; steps stand in steps {{ … }}."
            )
        if not any(stage.part(name) for name in ("steps", "stages", "parallel")):
            raise JenkinsfileError(f"Line {stage.line}: the stage has no steps.")
    return whole


def flat(stages: Call) -> list[Call]:
    """All stages, those within others too."""
    found = []
    for stage in stages.body or []:
        found.append(stage)
        for name in ("stages", "parallel"):
            if stage.name == "stage" and (inner := stage.part(name)):
                found += flat(inner)
    return found


class Stopped(Exception):
    """A step failed, or waits."""


class Build:
    """One build of a pipeline in one workspace."""

    def __init__(
        self, place: Path, workspace: Path, ref: str, sites: Sites, approved: bool, variables: dict[str, str]
    ) -> None:
        self.place, self.workspace, self.ref, self.sites, self.approved = (
            place,
            workspace,
            ref,
            sites,
            approved,
        )
        self.variables = variables
        self.results: dict[str, str] = {}
        self.steps: list[Step] = []
        self.log: list[str] = []
        self.exposed = False

    def whole(self, pipeline: Call) -> str:
        """Execute it; success, failure, or waiting (for a person)."""
        ended = "success"
        given = self.environment(pipeline, {})
        try:
            for stage in (pipeline.part("stages") or Call("stages")).body or []:
                self.stage(stage, given)
        except Stopped as stopped:
            ended = str(stopped)
        self.post(pipeline, ended, given)
        return ended

    def stage(self, stage: Call, outer: Mapping[str, str]) -> None:
        """One stage with those within it."""
        name = said(stage.arguments[0])
        if (when := stage.part("when")) and not all(self.condition(one) for one in when.body or []):
            self.results[name] = "skipped"
            return
        given = {**self.environment(stage, outer), "STAGE_NAME": name}
        ended = "success"
        try:
            if stage.part("input"):
                self.ask()
            for inner in ("stages", "parallel"):
                for other in (stage.part(inner) or Call("")).body or []:
                    self.stage(other, given)
            for step in (stage.part("steps") or Call("")).body or []:
                self.step(step, name, given)
        except Stopped as stopped:
            ended = str(stopped)
        self.results[name] = ended
        self.post(stage, ended, given)
        if ended != "success":
            raise Stopped(ended)

    def step(self, step: Call, stage: str, given: Mapping[str, str]) -> None:
        """One step of a stage."""
        if step.name == "sh":
            text = step.arguments[0] if step.arguments else step.named.get("script")
            if not isinstance(text, Text):
                raise JenkinsfileError(f"Line {step.line}: sh wants a text.")
            self.shell(text, stage, given)
        elif step.name == "echo":
            self.log.append(said(step.arguments[0]) if step.arguments else "")
        elif step.name == "input":
            self.ask()
        elif step.name == "error":
            raise Stopped("failure")
        elif step.name == "withCredentials":
            inner = dict(given)
            for one in (
                step.arguments[0].arguments if step.arguments and isinstance(step.arguments[0], Call) else []
            ):
                if isinstance(one, Call) and "variable" in one.named:
                    inner[said(one.named["variable"])] = self.secret(one.named.get("credentialsId"))
            for other in step.body or []:
                self.step(other, stage, inner)
        elif step.name in AROUND:
            for other in step.body or []:
                self.step(other, stage, given)
        elif step.name not in QUIET:
            raise JenkinsfileError(f"Line {step.line}: the step {step.name} is not read here.")

    def shell(self, text: Text, stage: str, given: Mapping[str, str]) -> None:
        """A `sh` step: bash -xe, as Jenkins calls it; no pipefail."""
        script = text.value
        if text.groovy:
            for name, content in given.items():
                for form in (f"${{{name}}}", f"${name}", f"${{env.{name}}}"):
                    if form in script and content == self.sites.token:
                        self.exposed = True
                    script = script.replace(form, content)
        write(self.place, {"step.sh": script})
        output, ended = execute(
            ["bash", "-xe", str(self.place / "step.sh")],
            self.workspace,
            environment(self.place, {**self.variables, **given}),
        )
        self.log.append(output.replace(self.sites.token, "****"))
        self.steps.append(Step(stage, text.value.strip(), "success" if ended == 0 else "failure"))
        if ended != 0:
            raise Stopped("failure")

    def ask(self) -> None:
        """The step `input`: a person says yes, or has not said anything yet."""
        if not self.approved:
            raise Stopped("waiting")

    def secret(self, id: Any) -> str:
        """The credential that Jenkins keeps under an id."""
        if said(id) != "deploy-token":
            raise JenkinsfileError(
                f"There are no credentials {said(id)!r}: Jenkins keeps the token as 'deploy-token'."
            )
        return self.sites.token

    def environment(self, block: Call, outer: Mapping[str, str]) -> dict[str, str]:
        """Variables of an environment section, with the outer ones."""
        found = dict(outer)
        for one in (block.part("environment") or Call("")).body or []:
            content = one.arguments[0] if one.arguments else Text("", False)
            if isinstance(content, Call) and content.name == "credentials":
                found[one.name] = self.secret(content.arguments[0] if content.arguments else "")
            else:
                found[one.name] = said(content)
        return found

    def condition(self, one: Call) -> bool:
        """A condition of `when`."""
        if one.name == "branch":
            pattern = said(one.arguments[0] if one.arguments else one.named.get("pattern", ""))
            return bool(re.fullmatch(re.escape(pattern).replace(r"\*", "[^/]*"), self.ref))
        if one.name in ("not", "allOf", "anyOf"):
            inner = [self.condition(other) for other in one.body or []]
            return (
                not inner[0]
                if one.name == "not" and inner
                else any(inner)
                if one.name == "anyOf"
                else all(inner)
            )
        if one.name == "beforeAgent" or one.name == "beforeInput":
            return True
        raise JenkinsfileError(
            f"Line {one.line}: the condition {one.name} is not read here; branch, not, allOf and anyOf are."
        )

    def post(self, block: Call, ended: str, given: Mapping[str, str]) -> None:
        """The steps after a stage or the pipeline, by how it ended."""
        for one in (block.part("post") or Call("")).body or []:
            if one.name in ("always", "cleanup") or one.name == ended:
                for step in one.body or []:
                    self.step(step, "post", {"STAGE_NAME": "post", **given})


def said(value: Any) -> str:
    """A value as text."""
    return value.value if isinstance(value, Text) else str(value)


def run(
    repository: Path,
    source: str,
    *,
    ref: str = "main",
    commit: str = "",
    sites: Sites,
    approved: bool = False,
) -> Run:
    """Execute the Jenkinsfile on the last commit of `commit`, as pushed to the branch `ref` of a multibranch job."""
    with workplace() as place:
        clone = checkout(place, repository, ref, commit)
        book, before = place / "builds.jsonl", len(sites.deployments())
        variables = {
            "BRANCH_NAME": ref,
            "GIT_COMMIT": git(clone, "rev-parse", "HEAD"),
            "JENKINS_URL": "http://127.0.0.1/",
            "SITES": str(sites.folder),
            "BUILD_BOOK": str(book),
        }
        build = Build(place, clone, ref, sites, approved, variables)
        problem = ""
        try:
            conclusion = build.whole(pipeline(source))
        except JenkinsfileError as error:
            conclusion, problem = "none", str(error)
        log = "\n".join(build.log)
        found = list(
            leaks(
                sites.token,
                {"the log": log},
                {"an artifact": clone / "dist", "what was deployed": sites.folder},
            )
        )
        if build.exposed:
            found.append("a double-quoted sh, into which Groovy put it")
        return Run(
            ref, "push", conclusion, build.results, tuple(build.steps), log[-6000:], problem,
            tuple(lines(book)), tuple(sites.deployments()[before:]), tuple(found), 0.0,
        )  # fmt: skip
