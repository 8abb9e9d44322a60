"""docs/workshop.md: its blocks are executed, or named here with the reason why not; and the files it speaks of."""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from flightschool.doctor.report import Report

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs/workshop.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
HUB = ROOT / "environment/jupyterhub"
VALUES = yaml.safe_load((HUB / "values.yaml").read_text())
NOT_RUN = {
    "git clone ": "installs to /srv; test_setup.py runs environment/setup",
    "ssh -N -L ": "needs a second machine",
    "docker build ": "needs an image registry; the files are read below",
    "/srv/flightschool/.tools/bin/uv pip ": "changes a shared environment; the pins are read below",
}


def block(begin: str) -> str:
    """The one block that begins so."""
    (found,) = [text for _language, text in BLOCKS if text.startswith(begin)]
    return found


def test_every_block_is_run_or_has_a_reason() -> None:
    known = ["environment/doctor", "export FLIGHTSCHOOL_WORKSPACE", "c.Spawner.cmd", *NOT_RUN]
    assert GUIDE.count("```") == 2 * len(BLOCKS)
    assert sorted(
        text[: len(begin)] for begin in known for _language, text in BLOCKS if text.startswith(begin)
    ) == (sorted(known))
    assert len(known) == len(BLOCKS)
    for language, text in BLOCKS:
        if language == "sh":
            subprocess.run(["bash", "-n", "-c", text], check=True)


def test_the_doctor_examines() -> None:
    command = block("environment/doctor").strip() + " --json"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    read = Report.model_validate_json(done.stdout)
    assert done.returncode == (0 if read.healthy else 1)


def test_two_learners_on_one_machine_do_not_meet(tmp_path: Path) -> None:
    command = block("export FLIGHTSCHOOL_WORKSPACE").replace(
        "/srv/flightschool/.venv/bin/flightschool", f'exec "{sys.executable}" -m flightschool'
    )
    assert "exec" in command
    labs, addresses = [], []
    try:
        for name in ("ada", "bob"):
            home = tmp_path / name
            home.mkdir()
            env = {name: value for name, value in os.environ.items() if not name.startswith("FLIGHTSCHOOL_")}
            lab = subprocess.Popen(
                ["bash", "-c", command],
                env={**env, "HOME": str(home)},
                text=True,
                stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            labs.append(lab)
            assert lab.stderr is not None
            lines = iter(lab.stderr)
            urls = (re.search(r"http://127\.0\.0\.1:(\d+)/lab\S*\?token=(\w+)", line) for line in lines)
            addresses.append(next(url for url in urls if url).groups())
            threading.Thread(target=lab.stderr.read, daemon=True).start()
            assert (home / "flightschool/01_dataops_intro.ipynb").is_file()
        (ada, token), (bob, other) = addresses
        assert ada != bob
        assert token != other
        for port, right, wrong in ((ada, token, other), (bob, other, token)):
            assert status(port, right) == 200
            assert status(port, wrong) == 403
    finally:
        for lab in labs:
            os.killpg(lab.pid, signal.SIGINT)
        for lab in labs:
            try:
                lab.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(lab.pid, signal.SIGKILL)


def status(port: str, token: str) -> int:
    """How a lab answers somebody with that token."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/contents/", headers={"Authorization": f"token {token}"}
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _attempt in range(100):
        try:
            with opener.open(request, timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except urllib.error.URLError:
            threading.Event().wait(0.1)  # it prints its address a moment before it listens
    raise AssertionError(port)


# --- JupyterHub


def test_values_are_safe_and_fit() -> None:
    hub, learner = VALUES["hub"]["config"], VALUES["singleuser"]
    assert hub["JupyterHub"]["authenticator_class"] == "nativeauthenticator.NativeAuthenticator"
    assert hub["NativeAuthenticator"]["open_signup"] is False
    assert not re.search(r"password: |token: |secret: ", (HUB / "values.yaml").read_text())
    assert re.fullmatch(r"\d+\.\d+\.\d+", learner["image"]["tag"])
    assert learner["image"]["name"] in (HUB / "Dockerfile").read_text()
    assert VALUES["proxy"]["service"]["type"] == "ClusterIP"
    assert learner["memory"] == {"guarantee": "2.5G", "limit": "4G"}
    home = learner["storage"]["homeMountPath"]
    dockerfile = (ROOT / "environment/Dockerfile").read_text()
    assert f"FLIGHTSCHOOL_VENV={home}" not in dockerfile, "the volume would hide the environment"
    assert all(value.startswith(f"{home}/") for value in learner["extraEnv"].values())
    assert learner["cmd"][1] == f"/flightschool/{(HUB / 'start.py').relative_to(ROOT)}"
    chart = re.findall(r"--version (\S+)", GUIDE + (HUB / "values.yaml").read_text())
    assert chart == ["4.4.0", "4.4.0"]


def test_what_the_hub_needs_is_pinned_with_hashes() -> None:
    wanted = re.findall(r"^(\S+==\S+)$", (HUB / "requirements.in").read_text(), re.MULTILINE)
    pinned = re.findall(r"^(\S+==\S+) \\$", (HUB / "requirements.txt").read_text(), re.MULTILINE)
    assert sorted(wanted) == pinned
    assert "--require-hashes" in (HUB / "Dockerfile").read_text()
    locked = (ROOT / "environment/requirements.lock").read_text()
    assert not [pin for pin in pinned if re.search(rf"^{pin.split('==')[0]}==", locked, re.MULTILINE)]


@pytest.mark.parametrize("given", [[], ["--debug"]])
def test_a_hub_starts_a_server_in_a_laid_out_workspace(tmp_path: Path, given: list[str]) -> None:
    """jupyterhub-singleuser itself is not part of the environment: a script says how it was called."""
    called = tmp_path / "called"
    program = tmp_path / "bin/jupyterhub-singleuser"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{called}"\n')
    program.chmod(0o755)
    workspace = tmp_path / "workspace"
    env = {
        **os.environ,
        "PATH": f"{program.parent}:/usr/bin:/bin",
        "FLIGHTSCHOOL_WORKSPACE": str(workspace),
        "FLIGHTSCHOOL_STATE": str(tmp_path / "state"),
    }
    subprocess.run([sys.executable, HUB / "start.py", *given], env=env, check=True)
    arguments = called.read_text().splitlines()
    assert f"--ServerApp.root_dir={workspace}" in arguments
    assert arguments[len(arguments) - len(given) :] == given
    assert {"index.ipynb", "01_dataops_intro.ipynb"} <= {path.name for path in workspace.iterdir()}


def test_the_littlest_hub_is_configured() -> None:
    text = block("c.Spawner.cmd")
    ast.parse(text)
    spawner = SimpleNamespace()
    exec(compile(text, "workshop.md", "exec"), {"c": SimpleNamespace(Spawner=spawner)})
    assert [(ROOT / Path(word).relative_to("/srv/flightschool")).name for word in spawner.cmd] == [
        "python",
        "start.py",
    ]
    ada = SimpleNamespace(user=SimpleNamespace(name="ada"))
    assert spawner.environment["FLIGHTSCHOOL_WORKSPACE"](ada) == "/home/ada/flightschool"


def test_links_and_anchors_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^\w ]", "", line[3:]).lower().replace(" ", "-")
        for line in GUIDE.splitlines()
        if line[:3] == "## "
    }
    for target in re.findall(r"\]\(([^)]+)\)", GUIDE):
        if target.startswith("#"):
            assert target[1:] in headings or target[1:] == "codespaces", target
        elif not target.startswith("http"):
            assert (ROOT / "docs" / target).exists(), target
    assert not (ROOT / ".binder").exists(), "the guide says so"
