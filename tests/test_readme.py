"""Every command of the README is executed; a command that no test here knows makes this red."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest
from labs.kit import draft

from flightschool import paths
from flightschool.curriculum import modules

README = (paths.ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.split("#")[0].strip()
    for block in re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
    if line.split("#")[0].strip()
]
ELSEWHERE = {
    "make test": "it is what runs this",
    "make run": "tests/notebooks/test_solutions.py executes it",
    "make build": "tests/notebooks/test_generated.py executes it",
    'make grade GRADE="submissions --module 01"': "tests/flightschool/grading/test_grading_end_to_end.py executes it",
    "make attack": "tests/security/test_attacks.py executes what it does",
}


def finish(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        shlex.split(command),
        cwd=paths.ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=900,
    )


def answer_of(url: str, token: str) -> bytes:
    """What the server says; it prints its URL a moment before it listens."""
    request = urllib.request.Request(url, headers={"Authorization": f"token {token}"})
    end = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.read()
        except urllib.error.URLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def test_every_command_is_known():
    known = {*ELSEWHERE, "make lab", "make bench", "make help"}
    assert set(COMMANDS) == known


def test_help_names_every_command():
    said = finish("make help").stdout
    for command in COMMANDS:
        assert " ".join(command.split()[:2]) in said


def test_lab_prints_a_url_that_answers_and_ends_at_one_ctrl_c(tmp_path):
    environment = {
        **os.environ,
        "FLIGHTSCHOOL_WORKSPACE": str(tmp_path / "workspace"),
        "FLIGHTSCHOOL_STATE": str(tmp_path),
    }
    command = ["make", "--no-print-directory", "lab", "LAB=--no-browser --port 8890"]
    lab = subprocess.Popen(
        command, cwd=paths.ROOT, env=environment, text=True, stderr=subprocess.PIPE, start_new_session=True
    )
    assert lab.stderr is not None
    url = None
    try:
        for line in lab.stderr:
            if found := re.search(r"(http://127\.0\.0\.1:\d+)/lab\S*\?token=(\w+)", line):
                url, token = found.groups()
                break
        assert url, "JupyterLab printed no URL"
        names = {item["name"] for item in json.loads(answer_of(f"{url}/api/contents/", token))["content"]}
        assert {f"{module.id}.ipynb" for module in modules()} <= names
        os.killpg(lab.pid, signal.SIGINT)
        rest = lab.stderr.read()
        assert lab.wait(20) in (0, 2, -signal.SIGINT), rest  # make dies of the signal, too, or says 2
        assert "Traceback" not in rest
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(f"{url}/api", timeout=5)
    finally:
        if lab.poll() is None:
            os.killpg(lab.pid, signal.SIGKILL)


@pytest.mark.slow
def test_bench_measures_and_keeps_what_it_measured():
    began = time.time()
    done = finish("make bench", BENCH="setup --runs 1")
    assert done.returncode == 0, done.stderr[-4000:]
    kept = paths.BUILD / "benchmarks" / "setup.json"
    assert kept.stat().st_mtime > began
    assert "figures" in json.loads(kept.read_text())


def test_the_table_names_every_module():
    for module in modules():
        if draft(module.id):
            continue
        assert f"`{module.id}`" in README or f"{module.number} · {module.title}" in README


def test_links_lead_somewhere():
    for target in re.findall(
        r"\]\(([^)#]+)\)|`((?:solutions|labs|datasets|docs|workspace)/[\w./]*)`", README
    ):
        path = target[0] or target[1]
        if not path.startswith(("http", "workspace")):
            assert (paths.ROOT / path).exists(), path
