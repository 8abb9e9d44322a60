"""Sets the course up: uv, .venv from the hash-pinned lock, byte code, system packages.

Run by environment/setup, with nothing but the standard library of Python 3.9 or newer. It can be run again at any
time: what is done is left alone (a stamp, written last, holds a hash of all that went in), what was interrupted is
made anew from the package cache, what fails says so in one sentence.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
LOCK = HERE / "requirements.lock"
UV_LOCK = HERE / "uv.txt"
PACKAGES = HERE / "system-packages.txt"
TOOLS = ROOT / ".tools"
VENV = Path(os.environ.get("FLIGHTSCHOOL_VENV") or ROOT / ".venv").absolute()
STAMP = VENV / "flightschool-setup"

PYTHON = "cpython>=3.11,<3.13"
JAVA = 17
GIB = 2**30
# Environment and byte code were measured (3.3 GiB); the package cache beside them is taken to have grown as they have.
DISK_COLD = 6.5 * GIB
DISK_UPDATE = 1.0 * GIB

# Never or rarely imported by the course: half of all files (plotly alone has 15,000). Python compiles one of them
# when it is first imported; compiling all of them here would take longer than everything else together.
LEFT_UNCOMPILED = (
    "PIL|altair|cfnlint|confluent_kafka|debugpy|dns|faker/providers|fontTools|graphql|libcst|litestar|moto|mpmath|"
    "mypy|mypyc|networkx|nltk|opentelemetry|pip|plotly|pygments|setuptools|statsmodels|sympy"
)


class SetupError(Exception):
    """Set-up cannot go on; the message says in a sentence what is wrong and what to do."""


# --- the steps


def main() -> int:
    """Do what is still to do; returns the exit code."""
    try:
        if STAMP.is_file() and STAMP.read_text() == fingerprint() and python_of(VENV).exists():
            require_java()
            return 0
        check_machine()
        with one_at_a_time():
            set_up()
    except SetupError as error:
        say(f"\n{error}")
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted. Nothing is lost: the same command goes on from here.")
        return 130
    return 0


def set_up() -> None:
    """All steps in order; the stamp is written when the Python side is whole."""
    began = time.monotonic()
    # Downloading and unpacking, beside what mostly computes: the two take hardly longer than one.
    system = begin_system_packages()
    known = STAMP.read_text() if STAMP.is_file() else None
    if known != fingerprint() or not python_of(VENV).exists():
        uv = bring_uv()
        if known is None or not python_of(VENV).exists():
            make_venv(uv)
        STAMP.unlink(missing_ok=True)
        install(uv)
        compile_bytecode()
        part = STAMP.with_suffix(".part")
        part.write_text(fingerprint())
        part.replace(STAMP)
    finish_system_packages(system)
    say(f"Set up in {time.monotonic() - began:.0f} s.")
    require_java()


def fingerprint() -> str:
    """SHA-256 of all that decides what .venv holds, the checkout's place included: scripts in .venv name it."""
    digest = hashlib.sha256(f"{ROOT}\n{VENV}\n{sys.platform}\n".encode())
    for path in (LOCK, UV_LOCK, ROOT / "pyproject.toml", Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest() + "\n"


def check_machine() -> None:
    """Find out before the first byte is written whether there is room, and leave, to write."""
    place = VENV.parent
    for folder in {ROOT, place}:
        if not os.access(folder, os.W_OK):
            raise SetupError(
                f"{folder} is not writable for you: give yourself the right to write there, or clone the repository to "
                "a folder of your own."
            )
    need = DISK_UPDATE if STAMP.is_file() else DISK_COLD
    free = shutil.disk_usage(place).free
    if free < need:
        raise SetupError(
            f"The disk that holds {place} has {free / GIB:.1f} GiB free and set-up needs {need / GIB:.1f} GiB: free some "
            "space, or clone the repository to a larger disk."
        )


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the set-up lock; a second set-up of the same checkout waits for the first."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another set-up of this checkout is running; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def bring_uv() -> Path:
    """Path of the pinned uv, installed into .tools/ by whatever installer this Python has."""
    uv = TOOLS / "bin" / "uv"
    pinned = re.search(r"^uv==(\S+)", UV_LOCK.read_text(), re.MULTILINE)
    assert pinned is not None, "environment/uv.txt pins uv"
    with contextlib.suppress(OSError):
        if output([uv, "--version"]).split()[1:2] == [pinned[1]]:
            return uv
    for installer in installers():
        run(
            "the installer uv",
            [*installer, "--require-hashes", "--target", TOOLS, "--upgrade", "-r", UV_LOCK],
        )
        return uv
    raise SetupError(
        f"{sys.executable} has neither pip nor venv with pip: install one (Debian, Ubuntu: sudo apt-get install "
        "python3-venv), then run the same command again."
    )


def installers() -> Iterator[list[str | Path]]:
    """Commands that can install a wheel, best first; Debian's Python often has neither pip nor ensurepip."""
    quiet = ["install", "--quiet", "--no-deps", "--disable-pip-version-check", "--no-warn-script-location"]
    if succeeds([sys.executable, "-m", "pip", "--version"]):
        yield [sys.executable, "-m", "pip", *quiet]
    elif succeeds([sys.executable, "-m", "venv", "--clear", TOOLS / "pip"]):
        yield [python_of(TOOLS / "pip"), "-m", "pip", *quiet]
    elif uv := shutil.which("uv"):
        yield [uv, "pip", "install", "--quiet", "--no-deps", "--python", sys.executable]


def make_venv(uv: Path) -> None:
    """Make .venv from scratch; whatever an interrupted set-up left in it is not to be trusted."""
    if (
        VENV != ROOT / ".venv"
        and VENV.exists()
        and not (VENV / "pyvenv.cfg").exists()
        and any(VENV.iterdir())
    ):
        raise SetupError(
            f"{VENV} is not a virtual environment: move it away or set FLIGHTSCHOOL_VENV to another folder."
        )
    try:
        run(
            "Python for the course",
            [uv, "venv", "--clear", "--python-preference", "system", "--python", PYTHON, VENV],
        )
    except SetupError as error:
        raise SetupError(
            f"{error}\nNo Python 3.11 or 3.12 was found here, and none could be downloaded: install one (Debian 12: sudo "
            "apt-get install python3.11; macOS: brew install python@3.11), then run the same command again."
        ) from None


def install(uv: Path) -> None:
    """Bring .venv to exactly what the lock says, every file checked by its hash, and add the course itself."""
    python = python_of(VENV)
    sync: list[str | Path] = [
        uv,
        "pip",
        "sync",
        "--python",
        python,
        "--require-hashes",
        "--build-constraints",
        LOCK,
        LOCK,
    ]
    run("packages from the lock", sync)
    # Its build backend is in the lock: with it there is nothing to fetch at this point.
    course: list[str | Path] = [
        uv,
        "pip",
        "install",
        "--python",
        python,
        "--offline",
        "--no-deps",
        "--no-build-isolation",
        "-e",
        ROOT,
    ]
    run("the course", course)


def compile_bytecode() -> None:
    """Compile what the course imports, on all cores: without it first imports take up to three times as long."""
    program = (
        "import compileall, re, sys, sysconfig\n"
        "site = re.escape(sysconfig.get_path('purelib'))\n"
        "skip = re.compile(f'{site}/(?:(?:{sys.argv[1]})/|.*/tests?/)')\n"
        "compileall.compile_dir(sysconfig.get_path('purelib'), maxlevels=40, quiet=2, rx=skip, workers=0)\n"
    )
    # A file that does not compile (templates, other Pythons' syntax) is no failure: nothing imports it.
    run("byte code", [python_of(VENV), "-I", "-c", program, LEFT_UNCOMPILED])


# --- system packages


@dataclass(frozen=True)
class SystemPackage:
    """One line of system-packages.txt."""

    apt: tuple[str, ...]
    brew: str | None
    probes: tuple[str, ...]
    required: bool
    purpose: str

    @property
    def present(self) -> bool:
        """Whether one of its commands is there (for Java: new enough)."""
        if self.probes == ("java",):
            return java_version() >= JAVA
        return any(
            shutil.which(probe, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") for probe in self.probes
        )


def system_packages() -> list[SystemPackage]:
    """What system-packages.txt lists."""
    found = []
    for line in PACKAGES.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            apt, brew, probes, need, purpose = line.split(maxsplit=4)
            brews = None if brew == "-" else brew
            found.append(
                SystemPackage(
                    tuple(apt.split("|")), brews, tuple(probes.split("|")), need == "required", purpose
                )
            )
    return found


def missing_packages() -> list[SystemPackage]:
    """What the list names and this machine has not."""
    return [package for package in system_packages() if not package.present]


def begin_system_packages() -> Step | None:
    """Start to install what is missing, where that is allowed without asking."""
    command = system_command(missing_packages()) if shutil.which("apt-get") else None
    if command is None:
        return None
    if os.geteuid() == 0:
        prefix = []
    elif succeeds(["sudo", "-n", "true"]):
        prefix = ["sudo", "-n"]
    else:
        return None
    # In a session of its own: Ctrl-C must not hit dpkg halfway through a package.
    return Step("system packages", [*prefix, "sh", "-c", command], detached=True)


def finish_system_packages(step: Step | None) -> None:
    """Wait for the installation, if there is one; name what is missing still, with the one command."""
    if step:
        try:
            step.finish()
        except SetupError as error:
            say(f"{error}\nThe system packages were not all installed.")
    missing = missing_packages()
    command = system_command(missing)
    if missing and command:
        say("These system packages are missing:")
        for package in missing:
            say(f"  {package.apt[0]:26} {package.purpose}")
        say(f"One command installs them:\n  {as_typed(command)}")


def system_command(missing: Sequence[SystemPackage]) -> str | None:
    """One shell line that installs these packages, or None where neither apt nor brew can."""
    if sys.platform == "darwin":
        brews = [package.brew for package in missing if package.brew]
        return "brew install " + " ".join(brews) if brews else None
    names = [name for package in missing if (name := known_to_apt(package.apt))]
    if not names:
        return None
    # Debian starts a packaged server at once, and again at every boot, on all interfaces: masked, and in runlevel 1
    # (for systems without systemd), it stays down and the course starts its own on loopback.
    masked = [f"/etc/systemd/system/{name}.service" for name in names if name.startswith("prometheus")]
    mask = (
        f"mkdir -p /etc/systemd/system && for unit in {' '.join(masked)}; do ln -sf /dev/null $unit; done && "
    )
    # A set-up that was interrupted may have left apt at work: wait for it.
    apt = "DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -o DPkg::Lock::Timeout=300"
    install = f"{apt} install -y --no-install-recommends {' '.join(names)}"
    return f"{mask if masked else ''}apt-get update -qq && {install}"


def as_typed(command: str) -> str:
    """The command as a person types it: with sudo where that is needed."""
    return command if command.startswith("brew") else f"sudo sh -c {shlex.quote(command)}"


def known_to_apt(names: Sequence[str]) -> str | None:
    """The first of these names that the distribution has; the first of all where apt can't be asked."""
    if not shutil.which("apt-cache") or not output(["apt-cache", "policy", "bash"]).strip():
        return names[0]
    for name in names:
        if "Candidate: (none)" not in (policy := output(["apt-cache", "policy", name])) and policy.strip():
            return name
    return None


def java_version() -> int:
    """Feature version of the Java that Spark will use, 0 when there is none."""
    home = os.environ.get("JAVA_HOME")
    java = Path(home) / "bin" / "java" if home else shutil.which("java")
    try:
        # macOS has a `java` that only says where to get one: hence run it rather than look for it.
        text = subprocess.run([str(java), "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return 0
    version = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(version[1]) if version else 0


def require_java() -> None:
    """Java is the one system package without which the course does not fly."""
    version = java_version()
    if version >= JAVA:
        return
    command = system_command([package for package in system_packages() if package.required])
    how = as_typed(command) if command else f"your system's own package of a Java {JAVA} runtime"
    state = f"Java {version} is too old" if version else "Java is missing"
    raise SetupError(
        f"{state}: Spark needs Java {JAVA} or newer (JAVA_HOME, or java on PATH). Install it:\n  {how}"
    )


# --- running commands


def say(text: str, end: str = "\n") -> None:
    """Tell the person at the terminal; standard output stays free for what the command after set-up prints."""
    sys.stderr.write(text + end)
    sys.stderr.flush()


def python_of(venv: Path) -> Path:
    """The interpreter of a virtual environment."""
    return venv / "bin" / "python"


def child_environment() -> dict[str, str]:
    """The user's environment (proxies, certificates, their index) without what would bend an install."""
    bent = ("PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "CONDA_PREFIX")
    return {name: value for name, value in os.environ.items() if name not in bent}


def succeeds(command: Sequence[str | Path]) -> bool:
    """Whether the command is there and exits with 0."""
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, env=child_environment(), check=False
        )
    except OSError:
        return False
    return done.returncode == 0


def output(command: Sequence[str | Path]) -> str:
    """Standard output of the command, whatever its exit code."""
    parts = [str(part) for part in command]
    return subprocess.run(parts, capture_output=True, text=True, env=child_environment(), check=False).stdout


class Step:
    """A command under way: it tells what it does, how long it has taken and, when it fails, its last lines.

    What the command says goes to a file in .tools/: it outlives us, so that one that runs on after Ctrl-C is not
    stopped by a broken pipe.
    """

    def __init__(self, what: str, command: Sequence[str | Path], *, detached: bool = False) -> None:
        self.what = what
        self.began = time.monotonic()
        self.detached = detached
        TOOLS.mkdir(exist_ok=True)
        self.log = TOOLS / f"{what.replace(' ', '-')}.log"
        with self.log.open("w") as log:
            self.child = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=child_environment(),
                start_new_session=detached,
            )

    def finish(self) -> None:
        """Wait for the end, showing progress; SetupError when the command failed."""
        lively = sys.stderr.isatty()
        try:
            while self.child.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.child.wait(0.5)
                if lively:
                    now = f"  … {self.what}, {time.monotonic() - self.began:.0f} s  {' '.join(self.said()[-1:])}"
                    say(f"\r\033[K{now[: shutil.get_terminal_size().columns - 1]}", end="")
        except KeyboardInterrupt:
            if not self.detached:
                self.child.terminate()
                self.child.wait()
            raise
        failed = self.child.returncode != 0
        clear, sign = "\r\033[K" if lively else "", "failed:" if failed else "done:"
        say(f"{clear}  {sign} {self.what}, {time.monotonic() - self.began:.1f} s")
        if failed:
            raise SetupError(
                "\n".join([*self.said()[-8:], f"This step failed: {self.what} (all it said: {self.log})."])
            )

    def said(self) -> list[str]:
        """The lines so far; without the one for each package with which uv ends: neither progress nor an error."""
        lines = (line.strip() for line in self.log.read_text(errors="replace").splitlines())
        return [line for line in lines if line and not re.match(r"[+~-] ", line)]


def run(what: str, command: Sequence[str | Path]) -> None:
    """One step from beginning to end; SetupError when it fails."""
    Step(what, command).finish()


if __name__ == "__main__":
    sys.exit(main())
