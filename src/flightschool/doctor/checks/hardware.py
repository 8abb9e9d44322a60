"""Memory, disk, limits, ports, clock and kind of the machine."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator
from pathlib import Path

from flightschool.doctor.findings import NOTE, PROBLEM, WARNING, Finding
from flightschool.doctor.machine import Machine
from flightschool.i18n import _

GIB = 2**30
NEEDED = 2.5 * GIB
"""Memory of the hungriest module so far, by the README's table."""
TOTAL = 4 * GIB
"""That, a browser and the system."""
FILES = 1024
"""What Linux gives a process by default."""
FEW_FILES = 256
"""What macOS gives: Jupyter asks for more by itself, from there on."""
LAB = 8888
DAY = 86_400
SANE = (1_767_225_600, 2_398_377_600)
"""2026 and 2046: a clock outside of them was never set."""
PUBLISHED = re.compile(r"\b127\.0\.0\.1:(?:\$\{(\w+):-(\d+)\}|(\d+)):\d+")


def memory(machine: Machine) -> Iterator[Finding]:
    """Whether the hungriest module fits."""
    total, free = machine.memory()
    said = {"total": total / GIB, "free": free / GIB, "needed": NEEDED / GIB}
    shows = "top -l 1 -o mem -n 10" if machine.mac else "ps -eo pid,rss,args --sort=-rss | head"
    if total < TOTAL:
        sentence = _("There are {total:.1f} GiB of memory, and modules need up to {needed:.1f}.")
        command = shows
        if machine.wsl:
            command = (
                'powershell.exe -Command \'Add-Content "$env:USERPROFILE\\.wslconfig" "[wsl2]","memory=6GB"; '
                "wsl --shutdown'"
            )
        yield Finding(PROBLEM if total < NEEDED else WARNING, sentence.format(**said), command)
    elif free < NEEDED:
        sentence = _(
            "Only {free:.1f} of {total:.1f} GiB of memory are free, and modules need up to {needed:.1f}: end what the "
            "command shows on top."
        )
        yield Finding(WARNING, sentence.format(**said), shows)


def disk(machine: Machine) -> Iterator[Finding]:
    """Whether set-up, and what modules write, find room."""
    bootstrap = machine.bootstrap
    place = bootstrap.VENV.parent
    need = bootstrap.DISK_UPDATE if bootstrap.STAMP.is_file() else bootstrap.DISK_COLD
    for folder, bytes_ in {place: need, machine.state: bootstrap.DISK_UPDATE}.items():
        free = machine.free_disk(folder)
        if free < bytes_:
            sentence = _("The disk that holds {folder} has {free:.1f} GiB free and {need:.1f} are needed.")
            uv = bootstrap.TOOLS / "bin" / "uv"
            command = f"{shlex.quote(str(uv))} cache clean" if uv.exists() else "pip cache purge"
            yield Finding(
                PROBLEM, sentence.format(folder=folder, free=free / GIB, need=bytes_ / GIB), command
            )
            return


def files(machine: Machine) -> Iterator[Finding]:
    """How many files a process may have open: Jupyter, Spark and Airflow need hundreds."""
    now, most = machine.open_files()
    if now >= (FEW_FILES if machine.mac else FILES):
        return
    if most >= FILES:
        command = f"ulimit -n {min(most, 4096)}"
    elif machine.mac:
        command = "sudo launchctl limit maxfiles 4096 65536"
    else:
        command = f"{machine.admin('prlimit')} --pid $$ --nofile=4096:65536"
    sentence = _("A process may have only {now} files open, and servers need {enough}.")
    yield Finding(PROBLEM if now < FEW_FILES else WARNING, sentence.format(now=now, enough=FILES), command)


def published(compose: str, env: dict[str, str]) -> list[int]:
    """The ports of this machine that a compose file publishes."""
    found = (
        int(fixed or env.get(variable, default)) for variable, default, fixed in PUBLISHED.findall(compose)
    )
    return list(dict.fromkeys(found))


def ports(machine: Machine) -> Iterator[Finding]:
    """Ports that JupyterLab and, where there is Docker, compose want and others have."""
    wanted = [LAB]
    if machine.which("docker"):
        wanted += published((machine.root / "docker-compose.yml").read_text("utf-8"), dict(machine.env))
    busy = [port for port in dict.fromkeys(wanted) if machine.taken(port)]
    if not busy:
        return
    ours = ""
    if len(wanted) > 1:
        listing = machine.run(
            [
                "docker",
                "ps",
                "--filter",
                "label=com.docker.compose.project=flightschool",
                "--format",
                "{{.Ports}}",
            ]
        )
        ours = listing.output if listing.status == 0 else ""
    for port in busy:
        if f":{port}->" in ours:
            continue
        known = machine.holder(port)
        if known and "-m flightschool" in known[1]:
            continue
        if known:
            command = f"kill {known[0]}"
        elif machine.mac:
            command = f"lsof -nP -iTCP:{port} -sTCP:LISTEN"
        else:
            command = machine.admin(f"ss -ltnp 'sport = :{port}'")
        who = known[1][:60] if known else _("another program")
        if port == LAB:
            sentence = _("Port {port} is taken by {who}; JupyterLab will take the next free one.")
        else:
            sentence = _("Port {port} is taken by {who}, and docker compose can't publish a server there.")
        yield Finding(NOTE if port == LAB else WARNING, sentence.format(port=port, who=who), command)


def clock(machine: Machine) -> Iterator[Finding]:
    """Whether the clock is years off, or behind the files that it dated itself."""
    said = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(machine.now))
    if machine.mac:
        command = "sudo sntp -sS time.apple.com"
    elif machine.wsl:
        command = machine.admin("hwclock -s")
    else:
        command = machine.admin("timedatectl set-ntp true")
    if not SANE[0] <= machine.now < SANE[1]:
        sentence = _("The clock says {said}, which can't be: certificates, tokens and schedules will fail.")
        yield Finding(PROBLEM, sentence.format(said=said), command)
        return
    dated = {path: path.stat().st_mtime for path in _dated(machine.root)}
    newest = max(dated, key=lambda path: dated[path], default=None)
    if newest is not None and dated[newest] > machine.now + DAY:
        sentence = _("The clock says {said}, and {path} was written days later: it is behind.")
        yield Finding(PROBLEM, sentence.format(said=said, path=newest.relative_to(machine.root)), command)


def _dated(root: Path) -> Iterator[Path]:
    """Files that came with the checkout."""
    for pattern in ("*", "environment/*", "notebooks/*.ipynb", "datasets/*/*.parquet"):
        yield from (path for path in root.glob(pattern) if path.is_file())


def wsl(machine: Machine) -> Iterator[Finding]:
    """WSL 1 lacks what servers need; a checkout on a Windows drive is slow."""
    if not machine.wsl:
        return
    if "wsl2" not in machine.kernel.lower() and machine.kernel.startswith("4.4."):
        name = machine.env.get("WSL_DISTRO_NAME", "Ubuntu")
        sentence = _("This is WSL 1, which can't run the servers: change to WSL 2, from PowerShell.")
        yield Finding(PROBLEM, sentence, f"wsl.exe --set-version {shlex.quote(name)} 2")
    if re.match(r"/mnt/[a-z]/", str(machine.root)):
        sentence = _(
            "The course lies on a Windows drive ({root}), where every file takes many times longer: copy it to Linux and "
            "work there."
        )
        command = f"cp -r {shlex.quote(str(machine.root))} ~/"
        yield Finding(WARNING, sentence.format(root=machine.root), command)


def arm(machine: Machine) -> Iterator[Finding]:
    """What the lock leaves out on Linux on ARM."""
    if not machine.linux or machine.arch not in ("aarch64", "arm64"):
        return
    text = (machine.root / "environment" / "requirements.in").read_text("utf-8")
    missing = re.findall(r"^([\w-]+)[^;\n]*;[^#\n]*platform_machine == 'x86_64'", text, re.MULTILINE)
    if missing:
        sentence = _(
            "On Linux on ARM there is no {names}: the cells that need it are skipped and say so; nothing else differs."
        )
        yield Finding(NOTE, sentence.format(names=", ".join(missing)))
