"""The compose file run for real, where an engine can be had: environment/containers does it, this reads what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

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
    monkeypatch.setattr(trial_.signal, "signal", lambda *_: None)

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


STAGES = ("core", "grading")
"""The stages that a test run takes when it is asked to; `platform` is started by hand."""


@pytest.mark.slow
def test_profiles_become_healthy_are_used_and_leave_nothing() -> None:
    if why := why_not():
        pytest.skip(f"not run: {why}")
    said = ""
    for stage in STAGES:
        command = [sys.executable, CONTAINERS, "--only", stage]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=2400)
        sys.stdout.write(done.stdout)
        if done.returncode == os.EX_UNAVAILABLE:
            pytest.skip(f"not run: {done.stderr.strip().splitlines()[-1]}")
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        assert re.search(r"^trial: all passed · \d+ s$", done.stdout, re.MULTILINE)
        said += done.stdout
    for stage in STAGES:
        services, checks = trial().STAGES.get(stage, ((), (stage,)))
        assert not services or f"trial: healthy: {' '.join(services)} · " in said, stage
        for check in checks:
            assert re.search(rf"^{check}: ", said, re.MULTILINE), check
    assert "02_data_lifecycle" in said
    assert not Path("/sys/class/net", trial().engines.BRIDGE).exists()


def test_every_server_is_run_or_named_as_not_run() -> None:
    text = (ROOT / "docs/compose.md").read_text()
    found = re.search(r"^## Written, validated, not run\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    named = re.findall(r"^- `([\w-]+)`", found[1], re.MULTILINE)
    assert named == [name for name in SERVICES if name not in trial().RUN and not job(SERVICES[name])]
