"""A Docker engine of one's own for a trial: installed from Debian when it is missing, started, and gone afterwards."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

BRIDGE = "fstrial0"
ADDRESS = "172.31.255.1/24"
POOL = "base=172.31.248.0/22,size=26"
"""Of our bridge and of compose's networks: a corner of the private range that other engines don't use by default."""
COMPOSE_RELEASE = "trixie"
"""The Debian release whose docker-compose is version 2, for those whose own is version 1."""
CAP_NET_ADMIN, CAP_SYS_ADMIN = 12, 21
GB = 10**9
LARGE, LEAST = 25 * GB, 8 * GB
"""Of free disk, for a first trial, and for one more."""
LOCK = Path("/run/flightschool-trial.lock")
APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")


class TrialError(Exception):
    """The trial can't go on; the message says in a sentence why."""


class UnavailableError(TrialError):
    """What the trial needs from outside can't be had here: no fault of the course."""


@contextmanager
def had() -> Iterator[None]:
    """What fails in here can't be had on this machine. Raises UnavailableError."""
    try:
        yield
    except TrialError as error:
        raise UnavailableError(str(error)) from error


@dataclass(frozen=True)
class Clock:
    """When a trial must be over, by `time.monotonic`; `seconds` are what it was given."""

    seconds: float
    end: float

    @classmethod
    def of(cls, seconds: float) -> Clock:
        """From now on."""
        return cls(seconds, time.monotonic() + seconds)

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() >= self.end

    @contextmanager
    def at_most(self, seconds: float, what: str) -> Iterator[None]:
        """Interrupt what is done in here after so many seconds, or when the trial must be over. Not to be nested.

        Raises:
            TrialError: it took longer.
            UnavailableError: it might have been done in time, but the trial's own time was up.
        """
        left = self.end - time.monotonic()

        def late(_signum: int, _frame: object) -> NoReturn:
            if left < seconds:
                raise UnavailableError(
                    f"the {self.seconds:.0f} s of the trial were over before this was done: {what}."
                )
            raise TrialError(f"this took longer than {seconds:.0f} s: {what}.")

        before = signal.signal(signal.SIGALRM, late)
        signal.setitimer(signal.ITIMER_REAL, max(min(seconds, left), 0.001))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def room(cache: Path) -> None:
    """See that the images find place.

    Raises:
        UnavailableError: they don't.
    """
    wanted = LEAST if (cache / "engine").exists() else LARGE
    free = shutil.disk_usage(cache).free
    if free < wanted:
        raise UnavailableError(
            f"{cache} has {free / GB:.0f} GB free, and the trial's images want {wanted / GB:.0f} GB."
        )


def unfit() -> str:
    """Why no engine can be had here, in one line; empty where it can."""
    if sys.platform != "linux" or not shutil.which("apt-get"):
        return "the trial in containers makes its images from Debian's packages, and here is no Debian"
    if os.geteuid() != 0:
        return "the trial in containers starts a Docker engine of its own, which takes root"
    if not all(_may(number) for number in (CAP_NET_ADMIN, CAP_SYS_ADMIN)):
        return (
            "the trial in containers needs the rights to mount and to make networks, which root has not here"
        )
    return ""


def _may(capability: int) -> bool:
    found = re.search(r"^CapEff:\s*(\w+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return found is not None and bool(int(found[1], 16) >> capability & 1)


def run(*command: str | Path, log: Path | None = None, **options: object) -> str:
    """Standard output of a command; interrupted, it ends with all that it started.

    Raises:
        TrialError: it failed; with the last lines that it said.
    """
    text = options.pop("input", None)
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.PIPE if text is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
        **options,
    )
    try:
        output, errors = process.communicate(text)
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if log:
        log.write_text(output + errors)
    if process.returncode:
        said = " | ".join((errors or output).strip().splitlines()[-6:])
        raise TrialError(f"`{' '.join(map(str, command))[:200]}` failed with {process.returncode}: {said}")
    return output


def install() -> None:
    """Debian's engine and mmdebstrap, when they are missing."""
    wanted = {"dockerd": "docker.io", "mmdebstrap": "mmdebstrap", "iptables": "iptables"}
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    missing = [package for program, package in wanted.items() if not shutil.which(program, path=path)]
    if missing:
        # Debian would start the engine at once and at every boot: masked, and in runlevel 1, it stays down.
        unit = Path("/etc/systemd/system/docker.service")
        if "docker.io" in missing and not unit.exists():
            unit.parent.mkdir(parents=True, exist_ok=True)
            unit.symlink_to("/dev/null")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        run(*APT, "update")
        run(*APT, "install", "-y", "--no-install-recommends", *missing, env=quiet)


def mirror() -> str:
    """Where this machine gets Debian from."""
    listed = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(COMPONENT)", "Created-By: Packages")
    for line in listed.splitlines():
        address, component = line.split()[:2]
        if component == "main" and "security" not in address:
            return address
    raise TrialError("apt has no source of Debian's main packages: run apt-get update, then try again.")


def compose(cache: Path) -> Path:
    """A folder with Compose 2 as a plugin of Docker's client; unpacked from Debian's package, not installed."""
    plugins = cache / "client" / "cli-plugins"
    plugin = plugins / "docker-compose"
    if not os.access(plugin, os.X_OK):
        with tempfile.TemporaryDirectory() as place:
            apt = Path(place)
            (apt / "lists/partial").mkdir(parents=True)
            (apt / "cache/archives/partial").mkdir(parents=True)
            keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
            (apt / "sources.list").write_text(f"deb [signed-by={keys}] {mirror()} {COMPOSE_RELEASE} main\n")
            private = {
                "Dir::Etc::SourceList": apt / "sources.list",
                "Dir::Etc::SourceParts": "/dev/null",
                "Dir::State::Lists": apt / "lists",
                "Dir::Cache": apt / "cache",
                "APT::Sandbox::User": "root",
            }
            options = [part for name, value in private.items() for part in ("-o", f"{name}={value}")]
            run("apt-get", *options, "-qq", "update")
            run("apt-get", *options, "-qq", "download", "docker-compose", cwd=place)
            [package] = apt.glob("docker-compose_*.deb")
            run("dpkg", "-x", package, apt / "unpacked")
            [program] = (apt / "unpacked").rglob("cli-plugins/docker-compose")
            plugins.mkdir(parents=True, exist_ok=True)
            shutil.copy(program, plugin.with_suffix(".part"))
            plugin.with_suffix(".part").replace(plugin)
    return plugins.parent


@dataclass
class Engine:
    """A running engine and its client."""

    socket: Path
    config: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Of a process that talks to it."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("DOCKER", "COMPOSE"))
        }
        ours = {
            "DOCKER_HOST": f"unix://{self.socket}",
            "DOCKER_CONFIG": str(self.config),
            "DOCKER_BUILDKIT": "1",
        }
        return {**kept, **ours, **self.extra}

    @property
    def client(self) -> str:
        """Debian's client first: another may want a builder that is not there."""
        return next(
            str(found)
            for found in ("/usr/bin/docker", shutil.which("docker"))
            if found and Path(found).exists()
        )

    def __call__(self, *arguments: str | Path, log: Path | None = None, **options: object) -> str:
        """Standard output of `docker ARGUMENTS`. Raises TrialError."""
        return run(self.client, *arguments, log=log, env=self.environment, **options)

    def has(self, image: str) -> bool:
        """Whether there is such an image."""
        return bool(self("image", "ls", "--quiet", image).strip())

    def left_over(self) -> list[str]:
        """Containers, volumes and networks of compose that are still there."""
        return [
            *self("ps", "--all", "--format", "container {{.Names}}").splitlines(),
            *self("volume", "ls", "--format", "volume {{.Name}}").splitlines(),
            *self(
                "network",
                "ls",
                "--filter",
                "label=com.docker.compose.project",
                "--format",
                "network {{.Name}}",
            ).splitlines(),
        ]


@contextmanager
def alone(clock: Clock) -> Iterator[None]:
    """One trial at a time on this machine, for they share a bridge's name: a second one waits."""
    with LOCK.open("w") as lock:
        with clock.at_most(3600, "another trial's end awaited"), had():
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def running(cache: Path, config: Path, clock: Clock) -> Iterator[Engine]:
    """Our own engine: its images in `cache`, its socket in a folder for root alone; stopped, with its bridge, at the end."""
    rules = _rules()
    place = Path(tempfile.mkdtemp(prefix="flightschool-engine-"))
    socket = place / "docker.sock"
    log = cache / "engine.log"
    if Path("/sys/class/net", BRIDGE).exists():  # a trial was killed
        run("ip", "link", "delete", BRIDGE)
    with had():
        run("ip", "link", "add", BRIDGE, "type", "bridge")
    process: subprocess.Popen[bytes] | None = None
    try:
        run("ip", "address", "add", ADDRESS, "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")
        command = [
            # It ends with us, whatever ends us.
            "setpriv",
            "--pdeathsig=SIGTERM",
            "dockerd",
            f"--host=unix://{socket}",
            "--group=root",
            "--storage-driver=overlay2",  # without it there would be a whole copy for each layer
            f"--data-root={cache / 'engine'}",
            f"--exec-root={place / 'exec'}",
            f"--pidfile={place / 'pid'}",
            f"--bridge={BRIDGE}",
            f"--default-address-pool={POOL}",
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, env=_path(), start_new_session=True
            )
        engine = Engine(socket, config)
        with clock.at_most(90, "Docker's engine started"), had():
            _await(engine, process, log)
        yield engine
    finally:
        if process is not None:
            _end(process)
        with suppress(TrialError):
            run("ip", "link", "delete", BRIDGE)
        _restore(rules)
        _unmount(place)
        _unmount(cache)  # an engine that failed leaves its own folder mounted on itself
        shutil.rmtree(place, ignore_errors=True)


def _path() -> dict[str, str]:
    return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}


def _await(engine: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with suppress(TrialError):
            engine("version", "--format", "{{.Server.Version}}")
            return
        time.sleep(0.1)
    said = [line for line in log.read_text().splitlines() if "level=info" not in line]
    raise UnavailableError(f"Docker's engine did not start: {' | '.join(said[-2:])}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _rules() -> str | None:
    """The packet filter's rules, where no other engine looks after them; None where one does."""
    try:
        rules = run("iptables-save", env=_path())
    except (TrialError, FileNotFoundError):
        return None
    return None if "DOCKER" in rules else rules


def _restore(rules: str | None) -> None:
    if rules is not None:
        empty = "*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\nCOMMIT\n*nat\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\nCOMMIT\n"
        with suppress(TrialError):
            run("iptables-restore", input=rules if "*nat" in rules else empty + rules, env=_path())


def _unmount(place: Path) -> None:
    for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
        if (mounted := line.split()[1]).startswith(f"{place}/"):
            subprocess.run(["umount", "--lazy", mounted], check=False, capture_output=True)


def described(engine: Engine, arguments: Sequence[str | Path]) -> list[dict[str, object]]:
    """What `docker inspect ARGUMENTS` says."""
    found: list[dict[str, object]] = json.loads(engine("inspect", *arguments))
    return found
