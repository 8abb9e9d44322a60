"""The compose file run for real, where an engine can be had: environment/containers does it, this reads what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from environment.compose_file import CONTAINERS, ROOT, SERVICES, job, trial

SWITCH = "FLIGHTSCHOOL_CONTAINERS"
"""`on` runs the trial: it installs packages, and takes minutes, two cores and 20 GB of disk."""


def why_not() -> str:
    """Why the trial can't run here; empty where it can."""
    if os.environ.get(SWITCH) != "on":
        return f"{SWITCH}=on runs the compose file in a Docker engine of its own, as root on Debian"
    return str(trial().engines.unfit())


def test_trial_names_services_of_the_compose_file() -> None:
    ran = trial().RUN
    assert set(ran) <= set(SERVICES)
    assert len(set(ran)) == len(ran)
    for name in ran:
        assert set(SERVICES[name].get("depends_on", {})) <= set(ran), name


def test_trial_refuses_in_one_sentence_where_it_cannot_run(tmp_path: Path) -> None:
    """As a user without rights."""
    prefix = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    command = [
        *prefix,
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(CONTAINERS)!r}); import engine; print(engine.unfit())",
    ]
    said = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd="/", env={"PATH": os.environ["PATH"]}
    )
    assert re.fullmatch(r"the trial in containers .+\n", said.stdout)


def test_what_cannot_be_had_is_told_from_what_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the exit code, so that the one is skipped and the other is not."""
    trial_, engines = trial(), trial().engines
    monkeypatch.setattr(engines, "unfit", lambda: "")

    def failing(*_: object) -> None:
        raise engines.TrialError("`apt-get update` failed with 100: no network")

    monkeypatch.setattr(engines, "install", failing)
    monkeypatch.setattr(engines.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**12))
    assert trial_.main(["--cache", str(tmp_path)]) == os.EX_UNAVAILABLE
    assert "no network" in capsys.readouterr().err
    monkeypatch.setattr(engines, "room", failing)  # where it is no question of what can be had
    assert trial_.main(["--cache", str(tmp_path)]) == 1
    monkeypatch.undo()
    monkeypatch.setattr(engines.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**9))
    with pytest.raises(engines.UnavailableError, match=r"has 1 GB free, .* want 25 GB"):
        engines.room(tmp_path)


def test_override_replaces_images_and_commands_only() -> None:
    """Nothing that guards a service may be lost on the way to the trial."""
    text = (CONTAINERS / "override.yml").read_text()
    keys = set(re.findall(r"^    (\w+):", text, re.MULTILINE))
    assert keys <= {"image", "entrypoint", "command", "healthcheck", "user"}
    replaced = re.findall(r"^  ([\w-]+):", text, re.MULTILINE)
    assert set(replaced) <= set(trial().RUN)


def test_what_takes_too_long_ends_with_all_that_it_started() -> None:
    """A step of its own fault; one for which the trial had no time left can't be had."""
    engines = trial().engines
    began = time.monotonic()
    with (
        pytest.raises(engines.TrialError, match=r"took longer than 0 s: a nap") as late,
        engines.Clock.of(60).at_most(0.3, "a nap"),
    ):
        engines.run("sh", "-c", "sleep 61.25 & sleep 61.25")
    assert not isinstance(late.value, engines.UnavailableError)
    with (
        pytest.raises(engines.UnavailableError, match=r"the 0 s of the trial were over .*: a nap"),
        engines.Clock.of(0.3).at_most(60, "a nap"),
    ):
        engines.run("sleep", "61.25")
    assert time.monotonic() - began < 30
    running = psutil.process_iter(["cmdline", "status"])  # of one that has ended there is no command
    assert not [one for one in running if "61.25" in (one.info["cmdline"] or ())]
    with engines.Clock.of(60).at_most(0.3, "quick"):
        pass
    time.sleep(0.4)  # nothing rings afterwards


STAGES = ("docker", "core", "grading")
"""The stages that a test run takes when it is asked to; the others are started by hand."""
BUDGET = 720
"""Seconds for all of them, images included. What is not done by then is skipped, and says so."""
DONE = {
    "core": r"^02_data_lifecycle: ok$",
    "docker": r"^docker: \d+ tests passed, none skipped$",
    "grading": r"^grading: \d+ marks the same as behind this machine's own walls",
}
"""What each says at its end."""


@pytest.fixture(scope="module")
def trialled() -> SimpleNamespace:
    """What the trial said, and how it ended: it is run once."""
    if why := why_not():
        pytest.skip(f"not run: {why}")
    stages = [part for stage in STAGES for part in ("--only", stage)]
    command = [sys.executable, CONTAINERS, "--within", str(BUDGET), *stages]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        said, problem = process.communicate(timeout=BUDGET + 300)
    except BaseException:
        process.terminate()  # it takes down what it has started
        process.wait(180)
        raise
    sys.stdout.write(said + problem)
    return SimpleNamespace(said=said, problem=problem.strip(), code=process.returncode)


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_stage_is_passed_and_leaves_nothing(stage: str, trialled: SimpleNamespace) -> None:
    assert not Path("/sys/class/net", trial().engines.BRIDGE).exists()
    if f"trial: stage {stage} passed\n" not in trialled.said:
        if trialled.code == os.EX_UNAVAILABLE:
            pytest.skip(f"not run: {trialled.problem.splitlines()[-1]}")
        pytest.fail(trialled.said[-3000:] + trialled.problem[-3000:])
    services, checks = trial().STAGES.get(stage, ((), ()))
    assert not services or f"trial: healthy: {' '.join(services)} · " in trialled.said
    for wanted in (*(f"^{check}: " for check in checks), DONE[stage]):
        assert re.search(wanted, trialled.said, re.MULTILINE), wanted


def test_every_server_is_run_or_named_as_not_run() -> None:
    text = (ROOT / "docs/compose.md").read_text()
    found = re.search(r"^## Written, validated, not run\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    named = re.findall(r"^- `([\w-]+)`", found[1], re.MULTILINE)
    assert named == [name for name in SERVICES if name not in trial().RUN and not job(SERVICES[name])]
