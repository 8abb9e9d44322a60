"""The lab of module 04: the repository is sound, the runners tell green from red, nothing of ours leaks into a run."""

import os
import queue
import re
import shutil
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from labs.kit import answers

from flightschool.curriculum import Outcome, load_lab_file
from flightschool.data import World
from flightschool.learn import Lab, Page
from flightschool.paths import LABS, ROOT
from flightschool.services import StartError, Unavailable

LAB = LABS / "04_ci_cd"
SEEDS = (0, 1, 42, 20130208, 99991)
TOKEN = "tok-0123456789abcdef"

changes, delivery, drill, exercises, gitlab, jenkins, judges, project, red_main, registry, runner = (
    load_lab_file(LAB, name)
    for name in (
        *("changes", "delivery_demos", "drill", "exercises", "gitlab", "jenkins", "judges"),
        *("project", "red_main", "registry", "runner"),
    )
)
TEAM = red_main.TEAM.read_text()


@pytest.fixture(scope="module")
def repository():
    return exercises.repository(World(0))


@pytest.fixture
def sites(tmp_path):
    return runner.Sites(tmp_path / "sites", TOKEN)


# --- the repository and what is proposed


@pytest.mark.parametrize("seed", SEEDS)
def test_the_repository_is_the_same_for_the_same_seed(seed, tmp_path):
    one, two = (project.start(World(seed), tmp_path / name) for name in "ab")
    heads = {project.git(place, "rev-parse", "HEAD") for place in (one, two)}
    assert len(heads) == 1
    rows = project.flights(World(seed))
    assert len(rows) == project.ROWS
    keys = [tuple(row[name] for name in ("carrier", "flight", "origin", "sched_dep_time")) for row in rows]
    assert len(set(keys)) == len(keys)
    assert sum(not row["dep_time"] for row in rows) >= 2


@pytest.mark.parametrize("seed", SEEDS)
def test_each_kind_of_change_is_proposed_once(seed):
    series = changes.series(World(seed))
    kinds = [change.kind for change in series]
    assert kinds.count(changes.GOOD) == 4
    assert set(kinds) - {changes.GOOD} == set(judges.MISTAKES)
    assert len(series) == 12
    tree = project.files(World(seed))
    for change in series:
        assert any(tree.get(path) != text for path, text in change.contents.items()), change


def test_the_judge_knows_the_package_that_the_team_builds(repository, tmp_path):
    clone = tmp_path / "clone"
    project.git(tmp_path, "clone", "-q", str(repository), str(clone))
    built = subprocess.run(
        [sys.executable, "-m", "tools.build", "dist/x.zip"],
        cwd=clone,
        capture_output=True,
        text=True,
        check=True,
    )
    assert built.stdout.strip() == judges.package(project.files(World(0)))


@pytest.mark.slow
def test_the_teams_own_tests_pass_with_spark_too(repository, tmp_path):
    clone = tmp_path / "clone"
    project.git(tmp_path, "clone", "-q", str(repository), str(clone))
    for mark in ("not spark", "spark"):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-m", mark],
            cwd=clone,
            env=runner.environment(tmp_path, {}),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout[-2000:]
    assert "1 passed" in done.stdout


# --- the runner


def test_the_teams_workflow_deploys_main_and_nothing_else(repository, sites):
    green = runner.run(repository, TEAM, sites=sites)
    assert green.conclusion == "success", green.log
    assert [one["to"] for one in green.deployments] == ["production"]
    assert sites.current("production") == green.deployments[0]["digest"][:12]
    assert green.leaks == ()
    red = runner.run(repository, TEAM, commit="one-unit", sites=sites)
    assert red.conclusion == "failure"
    assert red.jobs["test"] == "failure"
    assert red.deployments == ()
    assert runner.zizmor(TEAM) == []


def test_nothing_of_our_environment_reaches_a_step(repository, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "do-not-show")
    workflow = TEAM.replace("- run: ruff check .", "- run: env")
    run = runner.run(repository, workflow)
    assert "GITHUB_SHA=" in run.log
    assert "do-not-show" not in run.log
    assert str(ROOT / ".flightschool") not in run.log


@pytest.mark.parametrize(
    ("on", "event", "ref", "expected"),
    [
        ("[push]", "push", "x", True),
        ("{push: {branches: [main]}}", "push", "x", False),
        ("{push: {branches: [main, 'feature/**']}}", "push", "feature/a/b", True),
        ("{push: {branches: ['*']}}", "push", "feature/a", False),
        ("{push: {branches-ignore: [main]}}", "push", "main", False),
        ("{push: {tags: [v1]}}", "push", "main", False),
        ("{pull_request: {branches: [main]}}", "pull_request", "x", True),
        ("{pull_request: {branches: [develop]}}", "pull_request", "x", False),
    ],
)
def test_lists_of_branches_are_read(on, event, ref, expected):
    assert runner.wanted(f"on: {on}\njobs: {{}}\n", event, ref) is expected


@pytest.mark.parametrize(
    "text", ["", "x", "jobs: [", "jobs:\n  a: 3\n", "on: push\njobs:\n  a:\n    steps: []\n"]
)
def test_what_is_no_workflow_gets_a_sentence(text, repository):
    run = runner.run(repository, text)
    assert run.conclusion != "success"
    evidence = {"workflow": text, "runs": {"pushed to main": run.plain()}, "findings": []}
    verdict = judges.workflow_that_runs(evidence, World(0))
    assert verdict.outcome is Outcome.FAILED
    assert verdict.try_next


def test_a_workflow_that_hangs_is_stopped(repository, monkeypatch):
    monkeypatch.setattr(runner, "TIMEOUT", 2)
    run = runner.run(repository, TEAM.replace("ruff check .", "sleep 600"))
    assert run.conclusion == "failure"
    assert "stopped after" in run.problem
    assert run.seconds < 20


@pytest.mark.parametrize("disguise", [TOKEN, TOKEN[::-1], "dG9rLTAxMjM0NTY3ODlhYmNkZWY="])
def test_a_token_is_found_in_its_usual_disguises(disguise, tmp_path):
    assert list(runner.leaks(TOKEN, {"the log": f"a {disguise} b"}, {})) == ["the log"]
    (tmp_path / "file").write_text(disguise)
    assert list(runner.leaks(TOKEN, {}, {"a folder": tmp_path})) == ["a folder"]
    assert list(runner.leaks(TOKEN, {"the log": "nothing"}, {})) == []


# --- the readers


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no jobs"),
        ("a: [", "no YAML"),
        ("a: {stage: test}", "has no script"),
        ("a: {script: [x], stage: nowhere}", "no stage nowhere"),
        ("a: {script: [x], trigger: y}", "does not know trigger"),
        ("a: {extends: .b, script: [x]}", "there is no .b"),
        ("include: x.yml", "include"),
    ],
)
def test_what_gitlab_would_refuse_is_refused(text, says):
    with pytest.raises(gitlab.PipelineError, match=re.escape(says)):
        gitlab.pipeline(text)


@pytest.mark.parametrize(
    ("condition", "branch", "expected"),
    [
        ('$CI_COMMIT_BRANCH == "main"', "main", True),
        ('$CI_COMMIT_BRANCH == "main"', "feature/main", False),
        ("$CI_COMMIT_BRANCH =~ /^feature/", "feature/main", True),
        ("$CI_COMMIT_BRANCH != $CI_DEFAULT_BRANCH", "x", True),
        ('$CI_COMMIT_BRANCH == "x" || $CI_COMMIT_BRANCH == "main"', "main", True),
        ('$CI_COMMIT_TAG && $CI_COMMIT_BRANCH == "main"', "main", False),
    ],
)
def test_rules_are_read_as_gitlab_reads_them(condition, branch, expected):
    assert gitlab.holds(condition, {"CI_COMMIT_BRANCH": branch, "CI_DEFAULT_BRANCH": "main"}) is expected


def test_a_manual_job_waits(repository, sites):
    text = "a: {script: ['true']}\nb: {stage: deploy, when: manual, script: ['true']}\n"
    assert dict(gitlab.run(repository, text, sites=sites).jobs) == {"a": "success", "b": "waiting"}
    assert dict(gitlab.run(repository, text, sites=sites, manual=True).jobs) == {
        "a": "success",
        "b": "success",
    }


def test_gitlab_ci_local_agrees(repository, sites):
    try:
        well, said = gitlab.by_gitlab_ci_local(repository, answers("04_ci_cd").GITLAB, sites)
    except Unavailable as why:
        pytest.skip(str(why))
    assert well, said
    assert sites.deployments()[0]["digest"] == judges.package(project.files(World(0)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("node { sh 'x' }", "pipeline { … }"),
        ("pipeline { stages { stage('a') { steps { sh 'x' } } } }", "no agent"),
        ("pipeline { agent any }", "no stages"),
        ("pipeline { agent any\n stages { stage('a') { sh 'x' } } }", "Line 2: a stage has no section sh"),
        ("pipeline { agent any\n stages { stage('a') { steps { sh 'x' } } }", "} was expected"),
        ("pipeline { agent any\n stages { stage('a') { } } }", "no steps"),
        ("pipeline { agent any\n steps { sh 'x' } }", "no section steps"),
        ("pipeline { agent any\n ? }", "Line 2"),
    ],
)
def test_what_jenkins_would_refuse_is_refused(text, says):
    with pytest.raises(jenkins.JenkinsfileError, match=re.escape(says)):
        jenkins.pipeline(text)


def test_input_waits_for_a_person(repository, sites):
    text = "pipeline { agent any\n stages { stage('a') { steps { input 'Go?'\n sh 'true' } } } }"
    assert jenkins.run(repository, text, sites=sites).conclusion == "waiting"
    assert jenkins.run(repository, text, sites=sites, approved=True).conclusion == "success"


def test_gitlab_hands_on_what_the_job_does_not_refuse(repository, sites):
    text = """
a: {script: ['echo 1 > one.txt'], artifacts: {paths: [one.txt]}}
b: {stage: deploy, needs: [{job: a, artifacts: %s}], script: [cat one.txt]}
"""
    assert gitlab.run(repository, text % "true", sites=sites).conclusion == "success"
    assert gitlab.run(repository, text % "false", sites=sites).jobs["b"] == "failure"


# --- deliveries


def test_a_release_goes_live_by_one_link(tmp_path):
    for version in ("1", "2", "1"):
        (tmp_path / version / "dags").mkdir(parents=True, exist_ok=True)
        delivery.point(tmp_path / "bundle", tmp_path / version)
        assert (tmp_path / "bundle" / "ontime").resolve() == tmp_path / version / "dags"
    assert [path.name for path in (tmp_path / "bundle").iterdir()] == ["ontime"]


@pytest.mark.parametrize("error", [Unavailable("no Java"), StartError("no port")])
def test_a_server_that_can_not_be_warmed_says_so_to_who_asks(error, monkeypatch):
    raised, threads = [], queue.Queue()
    monkeypatch.setattr(threading, "excepthook", raised.append)

    def start(folder):
        threads.put((threading.current_thread(), folder))
        raise error

    delivery.warm(start, "dags")
    thread, folder = threads.get(timeout=5)
    thread.join(5)
    assert folder == "dags"
    assert raised == []


# --- models


@pytest.mark.parametrize("seed", SEEDS)
def test_candidates_are_as_good_as_they_are_called(seed):
    models, flights = registry.candidates(World(seed))
    scores = [registry.brier(models[name], flights) for name in ("best", "good", "middling", "poor")]
    assert scores == sorted(scores)
    assert min(b - a for a, b in pairwise(scores)) > 0.005


# --- the drill


@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_red_head_is_innocent(seed, tmp_path):
    world = World(seed)
    told = red_main.story(world)
    shas = red_main.history(world, tmp_path / "red")
    bad = shas[1 + next(n for n, entry in enumerate(told.entries) if entry.bad)]
    log = red_main.ci_log(told, shas)
    red = [line for line in log.splitlines() if ": red" in line]
    assert red, log
    assert bad[:9] not in red[0]
    assert "no runner available" in log
    red_tree, right = red_main.final(world)
    head = {name: project.git(tmp_path / "red", "rev-parse", f"main:{name}") for name in red_tree}
    assert head == {name: judges.blob(text) for name, text in red_tree.items()}
    assert red_tree != right


@pytest.mark.parametrize("seed", SEEDS)
def test_the_mistakes_in_counting_give_other_figures(seed):
    for number in range(2):
        right, mistakes = judges.figures(World(seed), f"history {number}")
        for name, wrong in mistakes.items():
            assert any(abs(value - right[name]) > 0.02 for _said, value in wrong), name


def test_the_page_can_be_taken_back():
    lab = Lab("04_ci_cd", seed=3)
    page = drill.plant(lab)
    assert isinstance(page, Page)
    red = lab.workdir / "red"
    assert (red / "sites" / "production" / "current").exists()
    assert (red / "clone" / "ontime" / "rules.py").is_file()
    drill.restore(lab)
    assert not red.exists()


def test_the_incident_can_be_moved(tmp_path):
    """As into the walls of a graded run."""
    red_main.plant_red(World(0), tmp_path / "here", TOKEN)
    shutil.move(tmp_path / "here", tmp_path / "there")
    desk = red_main.Desk(tmp_path / "there")
    desk.git("fetch", "-q", "origin")
    assert desk.ci().conclusion == "failure"


# --- from a terminal


@pytest.mark.slow
def test_from_a_terminal(tmp_path):
    code = re.search(r"```sh\n(.*?)```", (LAB / "README.md").read_text(), re.DOTALL)[1]
    environment = {**os.environ, "FLIGHTSCHOOL_STATE": str(tmp_path)}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    done = subprocess.run(["bash", "-ec", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    green, red = done.stdout.splitlines()
    assert green.startswith("main success")
    assert green.endswith("deployed: 1")
    assert red.startswith("bad failure")
    assert red.endswith("deployed: 0")
