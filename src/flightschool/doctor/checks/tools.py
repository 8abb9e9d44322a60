"""Programs that the course calls: Python, Java, Docker, Git, the system's packages, the grader's sandbox."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from flightschool.doctor.findings import NOTE, PROBLEM, WARNING, Finding
from flightschool.doctor.machine import TOO_SLOW, Machine
from flightschool.i18n import _

PYTHONS = ("3.11", "3.12")
ESSENTIAL = ("typer", "rich", "pydantic", "nbformat", "flightschool")
"""Without these not even the command line starts."""


def python(machine: Machine) -> Iterator[Finding]:
    """Whether the course's own Python is there, is of the right version, and finds its packages."""
    venv = machine.bootstrap.VENV
    setup = shlex.quote(str(machine.root / "environment" / "setup"))
    interpreter = machine.bootstrap.python_of(venv)
    anew = f"rm -rf {shlex.quote(str(venv))} && {setup}"
    if not interpreter.exists():
        sentence = _("The course is not set up: there is no Python in {venv}.")
        yield Finding(PROBLEM, sentence.format(venv=venv), setup)
        return
    program = (
        "import sys; from importlib.util import find_spec; print('%d.%d' % sys.version_info[:2]); "
        "print(*[name for name in sys.argv[1:] if find_spec(name) is None])"
    )
    done = machine.run([str(interpreter), "-I", "-c", program, *ESSENTIAL])
    version, _newline, missing = done.output.partition("\n")
    if done.status == TOO_SLOW:
        raise TimeoutError(interpreter)
    if done.status:
        why = done.output.split("\n")[-1] or done.status
        sentence = _("The Python in {venv} does not start ({why}).")
        yield Finding(PROBLEM, sentence.format(venv=venv, why=why), anew)
    elif version not in PYTHONS:
        sentence = _("The course needs Python {versions}, and {venv} has {version}.")
        yield Finding(
            PROBLEM, sentence.format(versions=" or ".join(PYTHONS), venv=venv, version=version), anew
        )
    elif missing:
        sentence = _("The environment in {venv} is broken: it lacks {names}.")
        yield Finding(PROBLEM, sentence.format(venv=venv, names=", ".join(missing.split())), anew)


def java(machine: Machine) -> Iterator[Finding]:
    """Whether Spark finds a Java that is new enough."""
    bootstrap = machine.bootstrap
    home = machine.env.get("JAVA_HOME")
    if home and not (Path(home) / "bin" / "java").exists():
        sentence = _("JAVA_HOME names {home}, where there is no Java: Spark will not start.")
        yield Finding(PROBLEM, sentence.format(home=home), "unset JAVA_HOME")
        return
    version = bootstrap.java_version()
    if version >= bootstrap.JAVA:
        return
    needed = [package for package in bootstrap.system_packages() if package.probes == ("java",)]
    sentence = (
        _("Java {version} is too old: Spark needs {needed} or newer.")
        if version
        else _("Java is missing: Spark needs {needed} or newer.")
    )
    command = "unset JAVA_HOME" if home and version else _typed(machine, needed)
    yield Finding(PROBLEM, sentence.format(version=version, needed=bootstrap.JAVA), command)


def packages(machine: Machine) -> Iterator[Finding]:
    """System packages that are listed in environment/system-packages.txt and missing; Java has its own check."""
    missing = [one for one in machine.bootstrap.missing_packages() if one.probes != ("java",)]
    for required in (True, False):
        some = [package for package in missing if package.required is required]
        if some:
            sentence = _("System packages are missing: {names}.")
            names = "; ".join(f"{package.apt[0]} ({package.purpose})" for package in some)
            yield Finding(PROBLEM if required else NOTE, sentence.format(names=names), _typed(machine, some))


def _typed(machine: Machine, missing: list[object]) -> str | None:
    """The one command that installs these packages; None where this system's package manager is not known."""
    command = machine.bootstrap.system_command(missing)
    if command is None or machine.user == 0:
        return command  # type: ignore[no-any-return]
    return machine.bootstrap.as_typed(command)  # type: ignore[no-any-return]


def docker(machine: Machine) -> Iterator[Finding]:
    """Docker, for the servers that run in containers only; the course itself does without."""
    if machine.which("docker") is None:
        sentence = _("Docker is not installed: the servers that exist only as containers are skipped.")
        if machine.mac:
            command: str | None = "brew install --cask docker"
        else:
            command = machine.admin("apt-get install -y docker.io")
        yield Finding(NOTE, sentence, command)
        return
    engine = machine.run(["docker", "version", "--format", "{{.Server.Version}}"])
    if engine.status:
        if "permission denied" in engine.output.lower():
            sentence = _(
                "Docker is there, but not for you: your user is not in its group (log in again after it)."
            )
            command = 'sudo usermod -aG docker "$(id -un)"'
        else:
            sentence = _("Docker is installed and its engine does not answer.")
            command = "open -a Docker" if machine.mac else machine.admin("service docker start")
        yield Finding(WARNING, sentence, command)
    compose = machine.run(["docker", "compose", "version", "--short"])
    if compose.status or not compose.output.lstrip("v").startswith(("2", "3", "4", "5")):
        sentence = _("Docker has no compose 2 (`docker compose`), which `make up` needs.")
        yield Finding(WARNING, sentence, _compose(machine))


def _compose(machine: Machine, release: Path = Path("/etc/os-release")) -> str:
    """What installs compose 2: distributions call it differently, and Debian before 13 has only version 1."""
    known = dict(
        re.findall(r"^(\w+)=\"?([^\"\n]*)", release.read_text() if release.is_file() else "", re.MULTILINE)
    )
    if "ubuntu" in f"{known.get('ID')} {known.get('ID_LIKE')}":
        return machine.install("docker-compose-v2", "docker-compose")
    if machine.mac or (known.get("ID") == "debian" and float(known.get("VERSION_ID", 13)) >= 13):
        return machine.install("docker-compose", "docker-compose")
    return f"curl -fsSL https://get.docker.com -o get-docker.sh && {machine.admin('sh get-docker.sh')}"


def git(machine: Machine) -> Iterator[Finding]:
    """Git, and the name that commits carry."""
    if machine.which("git") is None:
        sentence = _(
            "Git is missing: the course is updated with it, and modules version code and data with it."
        )
        yield Finding(PROBLEM, sentence, machine.install("git", "git"))
        return
    here = ["git", "-C", str(machine.root)]
    known = {
        key: machine.env.get(f"GIT_AUTHOR_{key.upper()}")
        or machine.run([*here, "config", f"user.{key}"]).output
        for key in ("name", "email")
    }
    if not all(known.values()):
        sentence = _("Git does not know who you are, and refuses to commit.")
        command = (
            'git config --global user.name "Your Name" && git config --global user.email you@example.org'
        )
        yield Finding(WARNING, sentence, command)
    if "dubious ownership" in (said := machine.run([*here, "rev-parse", "--git-dir"])).output and said.status:
        sentence = _("The checkout belongs to another user, and Git refuses to work in it.")
        safe = shlex.quote(str(machine.root))
        yield Finding(WARNING, sentence, f"git config --global --add safe.directory {safe}")


SWITCHES = {
    "kernel/unprivileged_userns_clone": ("0", "kernel.unprivileged_userns_clone=1"),
    "kernel/apparmor_restrict_unprivileged_userns": ("1", "kernel.apparmor_restrict_unprivileged_userns=0"),
    "user/max_user_namespaces": ("0", "user.max_user_namespaces=15000"),
}
"""What forbids user namespaces, by the file below /proc/sys that says so, and the setting that allows them."""


def sandbox(machine: Machine) -> Iterator[Finding]:
    """Whether a grader can wall in submissions; learners need none of it."""
    if not machine.linux:
        sentence = _("Submissions can be graded on Linux only; everything else works here.")
        yield Finding(NOTE, sentence)
        return
    from flightschool.engine.sandbox import available

    walls = available().walls
    if walls:
        sentence = _("Only for instructors: submissions can't be graded safely here. {walls}")
        yield Finding(NOTE, sentence.format(walls=walls), _allow(machine))


def _allow(machine: Machine, switches: Path = Path("/proc/sys")) -> str | None:
    for name, (forbidden, setting) in SWITCHES.items():
        file = switches / name
        if file.is_file() and file.read_text().strip() == forbidden:
            return machine.admin(f"sysctl -w {setting}")
    return None
