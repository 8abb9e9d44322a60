"""Each check both ways: silent where all is well, and one finding with its command where it is not."""

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from doctored import GIB, answering

from flightschool import paths
from flightschool.doctor.checks import CHECKS, checkout, hardware, tools
from flightschool.doctor.machine import MISSING, TOO_SLOW, Done

WSL2 = "5.15.153.1-microsoft-standard-WSL2"


def found(check, machine):
    """The severity, sentence and command of the one finding."""
    (finding,) = CHECKS[check](machine)
    return finding.severity, finding.sentence, finding.command


@pytest.mark.parametrize("name", CHECKS)
def test_nothing_is_found_where_nothing_is_wrong(name, machine, monkeypatch):
    if name == "sandbox":
        pretend_walls(monkeypatch, "")
    if name == "leftovers":
        no_orphans(monkeypatch)
    assert list(CHECKS[name](machine)) == []


def no_orphans(monkeypatch):
    """Other tests, and other people, may have servers here."""
    monkeypatch.setattr(checkout, "_orphans", lambda: iter(()))


# --- Python, Java, packages


def test_python_that_is_not_there(machine):
    (machine.root / ".venv/bin/python").unlink()
    severity, sentence, command = found("python", machine)
    assert severity == "problem"
    assert "not set up" in sentence
    assert command == f"{machine.root}/environment/setup"
    assert list(checkout.lock(machine)) == [], "said once is enough"


@pytest.mark.parametrize(
    ("program", "says"),
    [
        ("exit 3", "does not start (3)"),
        ("echo 'libpython3.11.so: cannot open' >&2; exit 127", "cannot open"),
        ("echo 3.13", "has 3.13"),
        ("echo 3.11; echo rich nbformat", "lacks rich, nbformat"),
    ],
)
def test_python_that_is_broken_is_made_anew(machine, program, says):
    (machine.root / ".venv/bin/python").write_text(f"#!/bin/sh\n{program}\n")
    severity, sentence, command = found("python", machine)
    assert severity == "problem"
    assert says in sentence
    assert command == f"rm -rf {machine.root}/.venv && {machine.root}/environment/setup"


def test_java_home_that_points_nowhere(sick):
    severity, sentence, command = found("java", sick({"JAVA_HOME": "/no/such/java"}))
    assert (severity, command) == ("problem", "unset JAVA_HOME")
    assert "/no/such/java" in sentence


@pytest.mark.parametrize(("version", "says"), [(0, "Java is missing"), (11, "Java 11 is too old")])
def test_java_that_is_missing_or_old(machine, monkeypatch, version, says):
    monkeypatch.setattr(machine.bootstrap, "java_version", lambda: version)
    severity, sentence, command = found("java", machine)
    assert severity == "problem"
    assert says in sentence
    assert command.startswith("sudo sh -c 'apt-get update")
    assert "openjdk-17-jre-headless" in command


def test_old_java_in_java_home(sick, tmp_path, monkeypatch):
    (tmp_path / "jdk/bin").mkdir(parents=True)
    (tmp_path / "jdk/bin/java").touch()
    machine = sick({"JAVA_HOME": str(tmp_path / "jdk")})
    monkeypatch.setattr(machine.bootstrap, "java_version", lambda: 8)
    assert found("java", machine)[2] == "unset JAVA_HOME"


@pytest.mark.parametrize(("need", "expected"), [(True, "problem"), (False, "note")])
def test_system_packages_that_are_missing(machine, monkeypatch, need, expected):
    bootstrap = machine.bootstrap
    one = bootstrap.SystemPackage(("no-such",), None, ("no-such",), need, "a test")
    monkeypatch.setattr(bootstrap, "missing_packages", lambda: [one])
    severity, sentence, command = found("packages", machine)
    assert severity == expected
    assert "no-such (a test)" in sentence
    assert command.endswith("install -y --no-install-recommends no-such'")


# --- Docker, Git, sandbox


def test_docker_that_is_not_installed_is_a_note(sick):
    severity, _sentence, command = found("docker", sick({"PATH": "/nowhere"}))
    assert (severity, command) == ("note", "sudo apt-get install -y docker.io")
    assert found("docker", sick({"PATH": "/nowhere"}, system="darwin"))[2] == "brew install --cask docker"


@pytest.mark.parametrize(
    ("answer", "command"),
    [
        (Done(1, "permission denied while trying to connect"), 'sudo usermod -aG docker "$(id -un)"'),
        (Done(1, "Cannot connect to the Docker daemon"), "sudo service docker start"),
        (Done(TOO_SLOW, ""), "sudo service docker start"),
    ],
)
def test_docker_whose_engine_does_not_answer(sick, answer, command):
    said = found("docker", sick(run=answering({"docker version": answer})))
    assert (said[0], said[2]) == ("warning", command)


@pytest.mark.parametrize("answer", [Done(0, "1.29.2"), Done(1, "unknown flag: --short")])
def test_docker_without_compose_2(sick, answer, tmp_path):
    machine = sick(run=answering({"docker compose": answer}))
    severity, sentence, command = found("docker", machine)
    assert severity == "warning"
    assert "compose 2" in sentence
    assert command
    release = tmp_path / "os-release"
    for text, installs in {
        'ID=ubuntu\nVERSION_ID="24.04"': "docker-compose-v2",
        'ID=linuxmint\nID_LIKE="ubuntu debian"': "docker-compose-v2",
        'ID=debian\nVERSION_ID="13"': "apt-get install -y docker-compose",
        'ID=debian\nVERSION_ID="12"': "get.docker.com",
    }.items():
        release.write_text(text)
        assert installs in tools._compose(machine, release)


def test_git_that_is_missing_or_does_not_know_you_or_mistrusts(sick):
    severity, _sentence, command = found("git", sick({"PATH": "/nowhere"}))
    assert (severity, command) == ("problem", "sudo apt-get install -y git")
    severity, _sentence, command = found("git", sick(run=answering({"git config": Done(1, "")})))
    assert severity == "warning"
    assert command.startswith('git config --global user.name "')
    named = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org"}
    assert not list(tools.git(sick(named, run=answering({"git config": Done(1, "")}))))
    dubious = Done(128, "fatal: detected dubious ownership in repository")
    assert "safe.directory" in found("git", sick(run=answering({"git rev-parse": dubious})))[2]


def pretend_walls(monkeypatch, why):
    sandbox = importlib.import_module("flightschool.engine.sandbox")
    support = sandbox.Support(walls=why, bubblewrap="", containers=(), counted=True)
    monkeypatch.setattr(sandbox, "available", lambda: support)


def test_sandbox_that_can_not_be_had(machine, sick, monkeypatch, tmp_path):
    pretend_walls(monkeypatch, "Not permitted.")
    severity, sentence, _command = found("sandbox", machine)
    assert severity == "note"
    assert "Not permitted." in sentence
    assert found("sandbox", sick(system="darwin"))[0] == "note"
    assert tools._allow(machine, tmp_path) is None
    for name, (forbidden, setting) in tools.SWITCHES.items():
        file = tmp_path / setting / name
        file.parent.mkdir(parents=True)
        file.write_text(f"{forbidden}\n")
        assert tools._allow(machine, tmp_path / setting) == f"sudo sysctl -w {setting}"


# --- the machine


@pytest.mark.parametrize(
    ("total", "free", "expected"), [(2, 1, "problem"), (3.5, 3, "warning"), (16, 1, "warning")]
)
def test_memory(sick, total, free, expected):
    severity, sentence, command = found("memory", sick(memory=lambda: (int(total * GIB), free * GIB)))
    assert severity == expected
    assert "GiB" in sentence
    assert command.startswith("ps ")
    if total < 4:
        wsl = sick(memory=lambda: (int(total * GIB), GIB), kernel=WSL2)
        assert ".wslconfig" in found("memory", wsl)[2]


def test_disk(sick, machine):
    severity, sentence, command = found("disk", sick(free_disk=lambda _path: GIB // 2))
    assert severity == "problem"
    assert "0.5 GiB free and 1.0 are needed" in sentence
    assert command == "pip cache purge"
    machine.bootstrap.STAMP.unlink()
    needed = f"{machine.bootstrap.DISK_COLD / GIB:.1f} are needed"
    assert needed in found("disk", sick(free_disk=lambda _path: 2 * GIB))[1]


@pytest.mark.parametrize(
    ("limits", "user", "expected", "command"),
    [
        ((64, 64), 0, "problem", "prlimit --pid $$ --nofile=4096:65536"),
        ((64, 65536), 1000, "problem", "ulimit -n 4096"),
        ((512, 2048), 1000, "warning", "ulimit -n 2048"),
        ((64, 64), 1000, "problem", "sudo prlimit --pid $$ --nofile=4096:65536"),
    ],
)
def test_file_limits(sick, limits, user, expected, command):
    said = found("files", sick(open_files=lambda: limits, user=user))
    assert said[0] == expected
    assert said[2].startswith(command)
    assert not list(hardware.files(sick(open_files=lambda: (256, 10240), system="darwin")))


def test_every_port_that_compose_publishes_is_known():
    services = yaml.safe_load((paths.ROOT / "docker-compose.yml").read_text())["services"].values()
    mapped = [str(port) for service in services for port in service.get("ports", [])]
    names = [text.split(":")[1].strip("${") if "${" in text else None for text in mapped]
    expected = {
        int(text.split(":-")[1].split("}")[0] if name else text.split(":")[1])
        for text, name in zip(mapped, names, strict=True)
    }
    text = (paths.ROOT / "docker-compose.yml").read_text()
    assert set(hardware.published(text, {})) == expected
    assert 9 in hardware.published(text, {"FLIGHTSCHOOL_PORT": "9"})


def test_ports(sick):
    severity, sentence, command = found("ports", sick(taken=lambda port: port == 8888))
    assert severity == "note"
    assert "8888 is taken by another program" in sentence
    assert command == "sudo ss -ltnp 'sport = :8888'"
    held = {"taken": lambda port: port == 9870, "holder": lambda port: (4711, "nc -l")}
    severity, sentence, command = found("ports", sick(**held))
    assert (severity, command) == ("warning", "kill 4711")
    assert "9870 is taken by nc -l" in sentence
    assert not list(hardware.ports(sick({"PATH": "/nowhere"}, **held))), "without Docker nobody wants it"
    compose = answering({"docker ps": Done(0, "127.0.0.1:9870->9870/tcp")})
    assert not list(hardware.ports(sick(**held, run=compose))), "compose itself has it"
    ours = {**held, "holder": lambda port: (1, "python -m flightschool.jupyter")}
    assert not list(hardware.ports(sick(**ours)))
    other = {**held, "holder": lambda port: (1, "python /home/ada/flightschool/server.py")}
    assert found("ports", sick(**other))[2] == "kill 1"


@pytest.mark.parametrize("years", [-5, 30])
def test_clock_outside_of_all_sense(sick, years):
    severity, sentence, command = found("clock", sick(now=hardware.SANE[0] + years * 365 * 86400))
    assert (severity, command) == ("problem", "sudo timedatectl set-ntp true")
    assert "can't be" in sentence


def test_clock_behind_the_files(machine, sick):
    later = time.time() + 5 * 86400
    os.utime(machine.root / "pyproject.toml", (later, later))
    severity, sentence, _command = found("clock", machine)
    assert severity == "problem"
    assert "pyproject.toml was written days later" in sentence
    assert found("clock", sick(kernel=WSL2))[2] == "sudo hwclock -s"


def test_wsl(sick, machine):
    severity, _sentence, command = found(
        "wsl", sick({"WSL_DISTRO_NAME": "Debian"}, kernel="4.4.0-19041-Microsoft")
    )
    assert (severity, command) == ("problem", "wsl.exe --set-version Debian 2")
    assert not list(hardware.wsl(sick(kernel=WSL2)))
    severity, _sentence, command = found("wsl", sick(kernel=WSL2, root=Path("/mnt/c/my course")))
    assert (severity, command) == ("warning", "cp -r '/mnt/c/my course' ~/")


def test_arm(sick):
    severity, sentence, command = found("arm", sick(arch="aarch64"))
    assert (severity, command) == ("note", None)
    assert "pantab" in sentence
    assert not list(hardware.arm(sick(arch="arm64", system="darwin")))


# --- the shell


@pytest.mark.parametrize("name", ["HTTP_PROXY", "https_proxy"])
def test_proxy(sick, name):
    proxy = {name: "http://proxy:3128"}
    severity, sentence, command = found("proxy", sick({**proxy, "NO_PROXY": "intranet"}))
    assert severity == "warning"
    assert sentence.startswith(name)
    assert command == "export NO_PROXY=intranet,127.0.0.1,localhost no_proxy=intranet,127.0.0.1,localhost"
    for exempt in ("localhost, 127.0.0.1", "*"):
        assert not list(CHECKS["proxy"](sick({**proxy, "no_proxy": exempt})))


def test_certificates(sick, tmp_path):
    severity, sentence, command = found("certificates", sick({"SSL_CERT_FILE": "/no/such.pem"}))
    assert (severity, command) == ("problem", "unset SSL_CERT_FILE")
    assert "/no/such.pem" in sentence
    assert not list(CHECKS["certificates"](sick({"REQUESTS_CA_BUNDLE": str(tmp_path)})))


@pytest.mark.parametrize(
    ("env", "command"),
    [
        ({"LC_ALL": "C"}, "export LC_ALL=C.UTF-8"),
        ({"LANG": "POSIX"}, "export LANG=C.UTF-8"),
        ({"LC_CTYPE": "de_DE.ISO-8859-1"}, "export LC_CTYPE=C.UTF-8"),
        ({"LANG": ""}, "export LANG=C.UTF-8"),
    ],
)
def test_locale(sick, env, command):
    said = found("locale", sick(env))
    assert (said[0], said[2]) == ("warning", command)
    assert not list(CHECKS["locale"](sick({"LC_ALL": "de_DE.utf8"})))


@pytest.mark.parametrize(
    ("name", "value", "severity", "command"),
    [
        ("PYTHONPATH", "/x", "warning", "unset PYTHONPATH"),
        ("PYTHONHOME", "/x", "problem", "unset PYTHONHOME"),
        ("SPARK_HOME", "/x", "warning", "unset SPARK_HOME"),
        ("VIRTUAL_ENV", "/x", "warning", "deactivate"),
        ("CONDA_PREFIX", "/x", "warning", "conda deactivate"),
        ("PYTHONDONTWRITEBYTECODE", "1", "note", "unset PYTHONDONTWRITEBYTECODE"),
    ],
)
def test_shadows(sick, machine, name, value, severity, command):
    said = found("shadows", sick({name: value}))
    assert (said[0], said[2]) == (severity, command)
    assert not list(CHECKS["shadows"](sick({"VIRTUAL_ENV": str(machine.root / ".venv")})))


# --- the checkout


def test_lock(machine):
    stamp = machine.bootstrap.STAMP
    stamp.write_text("of an older lock\n")
    severity, _sentence, command = found("lock", machine)
    assert (severity, command) == ("warning", f"{machine.root}/environment/setup")
    stamp.unlink()
    severity, sentence, _command = found("lock", machine)
    assert severity == "problem"
    assert "not finished" in sentence


def test_data(machine):
    january = machine.root / "datasets/flights/2013-01.parquet"
    january.write_bytes(january.read_bytes()[:1000])
    severity, sentence, command = found("data", machine)
    assert severity == "problem"
    assert "datasets/flights/2013-01.parquet" in sentence
    assert command == f"git -C {machine.root} restore datasets/flights/2013-01.parquet"
    for path in january.parent.iterdir():
        path.unlink()
    severity, sentence, command = found("data", machine)
    assert "9 more" in sentence
    assert command.endswith("restore datasets/")
    (machine.root / "datasets/datapackage.json").write_text("{")
    assert found("data", machine)[2].endswith("restore datasets/datapackage.json")


def test_notebooks(machine):
    notebook = sorted((machine.root / "notebooks").glob("*.ipynb"))[0]
    notebook.write_bytes(notebook.read_bytes().replace(b"flights", b"fights", 1))
    severity, sentence, command = found("notebooks", machine)
    assert severity == "warning"
    assert f"notebooks/{notebook.name}" in sentence
    assert command == f"make -C {machine.root} build"


def test_a_notebook_is_pristine_when_publish_says_so(machine):
    from flightschool.publish import shelf

    for path in (machine.root / "notebooks").glob("*.ipynb"):
        data = path.read_bytes()
        for one in (data, data + b" ", data.replace(b'"sha256"', b'"sha255"'), data.replace(b"a", b"b", 1)):
            assert checkout.pristine(one) == shelf.pristine(one)
        assert checkout.pristine(data)


def test_state(machine, sick, monkeypatch):
    monkeypatch.setattr(os, "access", lambda place, mode: Path(place) != machine.state)
    machine.state.mkdir()
    mine = sick(user=machine.state.stat().st_uid)
    severity, sentence, command = found("state", mine)
    assert (severity, command) == ("problem", f"chmod u+rwx {machine.state}")
    assert str(machine.state) in sentence
    assert found("state", sick(user=4711))[2] == f'sudo chown -R "$(id -u)" {machine.state}'
    machine.state.rmdir()
    machine.state.touch()
    assert found("state", machine)[2] == f"mv {machine.state} {machine.state}.old"


def test_leftovers_on_record(machine, monkeypatch):
    no_orphans(monkeypatch)
    running = machine.state / "services" / "running"
    running.mkdir(parents=True)
    ended = subprocess.Popen(["true"])
    ended.wait()
    (running / "s3-up.json").write_text(f'{{"keeper": [{ended.pid}, 1.0]}}')
    assert found("leftovers", machine)[::2] == ("note", "flightschool status")
    import psutil

    me = psutil.Process()
    (running / "s3-up.json").write_text(f'{{"keeper": [{me.pid}, {me.create_time()!r}]}}')
    assert not list(checkout.leftovers(machine))


def test_leftovers_that_run(machine, tmp_path):
    def ours(findings):
        return [one for one in findings if "some-server" in one.sentence]

    ended = subprocess.Popen(["true"])
    ended.wait()
    script = tmp_path / "flightschool/services/guardian.py"
    script.parent.mkdir(parents=True)
    script.write_text("import time; time.sleep(60)")
    left = subprocess.Popen([sys.executable, script, str(ended.pid), "2.0", "15", "/opt/some-server"])
    try:
        end = time.monotonic() + 10
        while not (said := ours(checkout.leftovers(machine))) and time.monotonic() < end:
            time.sleep(0.05)
        (finding,) = said
        assert finding.command == f"kill -CONT {left.pid}; kill {left.pid}"
        subprocess.run(finding.command, shell=True, check=True)
        assert left.wait(10) == -signal.SIGTERM
    finally:
        left.kill()
        left.wait()


def test_state_that_has_grown(machine, monkeypatch):
    (machine.state / "stages").mkdir(parents=True)
    (machine.state / "stages" / "big").write_bytes(b"x" * 4096)
    monkeypatch.setattr(checkout, "LARGE", 4000)
    no_orphans(monkeypatch)
    severity, sentence, command = found("leftovers", machine)
    assert (severity, command) == ("note", f"rm -r {machine.state}/stages")
    assert "stages" in sentence


def test_a_missing_program_and_a_slow_one_are_an_exit_status(monkeypatch):
    from flightschool.doctor import machine as module

    monkeypatch.setattr(module, "PATIENCE", 0.1)
    assert module.run(["no-such-program"]).status == MISSING
    assert module.run(["sleep", "10"]).status == TOO_SLOW
