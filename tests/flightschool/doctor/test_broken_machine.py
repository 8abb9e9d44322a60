"""A machine on which five and more things are broken for real: a process of its own finds them all."""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from doctored import stage

from flightschool.doctor.report import Report


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the checkout in which set-up has just ended."""
    root = stage(tmp_path / "checkout")
    program = "import sys; sys.path.insert(0, sys.argv[1]); import bootstrap; bootstrap.STAMP.write_text(bootstrap.fingerprint())"
    subprocess.run(
        [sys.executable, "-I", "-c", program, root / "environment"],
        env={name: value for name, value in os.environ.items() if name != "FLIGHTSCHOOL_VENV"},
        check=True,
    )
    return root


def examined(root: Path, *options: str, files: int = 4096, **env: str) -> subprocess.CompletedProcess[str]:
    """`flightschool doctor` on that checkout, in a clean environment."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, 4096))

    home = {
        "HOME": str(root),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
    }
    return subprocess.run(
        [sys.executable, "-m", "flightschool", "doctor", *options],
        env={
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "FLIGHTSCHOOL_HOME": str(root),
            "COLUMNS": "120",
            **home,
            **env,
        },
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=limit,
        check=False,
    )


@pytest.mark.skipif(not shutil.which("java"), reason="there is no Java here")
def test_before_anything_is_broken_there_is_no_problem(checkout):
    done = examined(checkout, "--json")
    read = Report.model_validate_json(done.stdout)
    assert [one for one in read.findings if one.severity == "problem"] == []
    assert not {"java", "data", "locale", "files", "lock"} & {one.check for one in read.findings}
    assert done.returncode == 0


def test_all_that_is_broken_is_found_with_its_command(checkout):
    march = checkout / "datasets/flights/2013-03.parquet"
    march.write_bytes(march.read_bytes()[:-100])
    (checkout / ".venv/flightschool-setup").write_text("of last term\n")
    with socket.socket() as somebody:
        somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            somebody.bind(("127.0.0.1", 8888))
            somebody.listen()
        except OSError:
            pass  # taken by another program already: so much the better
        broken = {
            "JAVA_HOME": str(checkout / "no-jdk"),
            "LC_ALL": "C",
            "SSL_CERT_FILE": str(checkout / "no.pem"),
        }
        done = examined(checkout, "--json", files=64, **broken)
        shown = examined(checkout, files=64, **broken)
    assert (done.returncode, done.stderr) == (1, "")
    found = {one["check"]: one for one in json.loads(done.stdout)["findings"]}
    for check, (severity, command) in {
        "java": ("problem", "unset JAVA_HOME"),
        "data": ("problem", f"git -C {checkout} restore datasets/flights/2013-03.parquet"),
        "files": ("problem", "ulimit -n 4096"),
        "certificates": ("problem", "unset SSL_CERT_FILE"),
        "locale": ("warning", "export LC_ALL=C.UTF-8"),
        "lock": ("warning", f"{checkout}/environment/setup"),
        "ports": ("note", None),
    }.items():
        assert found[check]["severity"] == severity, check
        assert found[check]["command"] == command if command else found[check]["command"], check
    assert shown.returncode == 1
    assert "Traceback" not in shown.stdout + shown.stderr
    for one in found.values():
        assert one["command"] is None or any(
            line.endswith(one["command"]) for line in shown.stdout.splitlines()
        ), one


def test_the_commands_mend_it(checkout):
    """What can be mended without touching this machine is: by the very commands that were given."""
    subprocess.run(["git", "init", "-q", checkout], check=True)
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", "-C", checkout, "add", "datasets"], check=True)
    subprocess.run(["git", "-C", checkout, *identity, "commit", "-qm", "Data"], check=True)
    (checkout / "datasets/airlines.parquet").write_bytes(b"")
    broken = {"JAVA_HOME": "/no/jdk", "LC_ALL": "C"}
    first = json.loads(examined(checkout, "--json", files=64, **broken).stdout)
    chosen = [one for one in first["findings"] if one["check"] in ("data", "java", "locale", "files")]
    assert len(chosen) == 4
    script = " && ".join(
        [one["command"] for one in chosen] + [f'"{sys.executable}" -m flightschool doctor --json']
    )
    again = subprocess.run(
        ["bash", "-c", f"ulimit -S -n 64; {script}"],
        env={"PATH": os.environ["PATH"], "HOME": str(checkout), "FLIGHTSCHOOL_HOME": str(checkout), **broken},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert again.stdout, again.stderr
    left = {one["check"] for one in json.loads(again.stdout)["findings"]}
    assert not left & {one["check"] for one in chosen}, again.stdout


def test_it_takes_less_than_three_seconds(checkout):
    seconds = min(json.loads(examined(checkout, "--json").stdout)["seconds"] for _ in range(3))
    assert seconds < 3
