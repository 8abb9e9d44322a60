"""The machine as the checks see it: a small value, so that a test can make one that is broken."""

from __future__ import annotations

import errno
import importlib.util
import os
import platform
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from flightschool import paths

PATIENCE = 4.0
"""Seconds that a command of another program gets."""
MISSING, TOO_SLOW = 127, 124
"""Exit status of a command that is not there, and of one that did not answer; as a shell and `timeout` have them."""
_loading = threading.Lock()


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    output: str
    """Standard output; standard error where there was none."""


def run(command: Sequence[str]) -> Done:
    """Run a command without input; one that is missing or hangs is an exit status, too."""
    try:
        done = subprocess.run(
            list(command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Done(TOO_SLOW, "")
    except OSError as error:
        return Done(MISSING, str(error.strerror))
    said = done.stdout.strip() or done.stderr.strip()
    return Done(done.returncode, said.decode(errors="replace"))


def memory() -> tuple[int, int]:
    """Bytes of memory that we may use at most, and that are free now; a container's limit counts."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    free = total
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
    v2, v1 = Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup/memory/memory")
    for limit, used in ((f"{v2}.max", f"{v2}.current"), (f"{v1}.limit_in_bytes", f"{v1}.usage_in_bytes")):
        if Path(limit).is_file() and (text := Path(limit).read_text().strip()).isdecimal():
            if int(text) < total:
                total = int(text)
                free = min(free, total - int(Path(used).read_text()))
            break
    return total, free


def free_disk(path: Path) -> int:
    """Bytes free on the disk that holds the path, or will hold it."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def open_files() -> tuple[int, int]:
    """How many files a process may have open, now and at most; a very high number where there is no limit."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return tuple(sys.maxsize if limit == resource.RLIM_INFINITY else limit for limit in (soft, hard))  # type: ignore[return-value]


def taken(port: int) -> bool:
    """Whether a program serves on that port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
        return False


def holder(port: int) -> tuple[int, str] | None:
    """Process id and command line of the program that serves on that port; None where that is not ours to know."""
    try:
        import psutil

        for one in psutil.net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.pid:
                return one.pid, " ".join(psutil.Process(one.pid).cmdline())
    except Exception:  # not installed, not allowed, or it has just ended: a name would be nice, no more
        return None
    return None


@dataclass(frozen=True)
class Machine:
    """Where the course is, and what is around it."""

    root: Path = field(default_factory=lambda: paths.ROOT)
    state: Path = field(default_factory=lambda: paths.STATE)
    workspace: Path = field(default_factory=lambda: paths.WORKSPACE)
    env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    system: str = sys.platform
    arch: str = field(default_factory=platform.machine)
    kernel: str = field(default_factory=platform.release)
    user: int = field(default_factory=lambda: os.geteuid() if hasattr(os, "geteuid") else 1)
    now: float = field(default_factory=time.time)
    run: Callable[[Sequence[str]], Done] = run
    memory: Callable[[], tuple[int, int]] = memory
    free_disk: Callable[[Path], int] = free_disk
    open_files: Callable[[], tuple[int, int]] = open_files
    taken: Callable[[int], bool] = taken
    holder: Callable[[int], tuple[int, str] | None] = holder

    @property
    def linux(self) -> bool:
        """WSL is Linux, too."""
        return self.system.startswith("linux")

    @property
    def mac(self) -> bool:
        """Whether brew installs things here."""
        return self.system == "darwin"

    @property
    def wsl(self) -> bool:
        """Whether this Linux lives in Windows."""
        return self.linux and "microsoft" in self.kernel.lower()

    @property
    def bootstrap(self) -> ModuleType:
        """The checkout's own environment/bootstrap.py: set-up and doctor must not disagree."""
        with _loading:
            return _load(self.root / "environment" / "bootstrap.py")

    def which(self, program: str) -> str | None:
        """Where the shell finds it."""
        return shutil.which(program, path=self.env.get("PATH", ""))

    def admin(self, command: str) -> str:
        """The command as somebody types it who may not do it as they are."""
        return command if self.user == 0 else f"sudo {command}"

    def install(self, apt: str, brew: str) -> str:
        """The command that installs a package."""
        return f"brew install {brew}" if self.mac else self.admin(f"apt-get install -y {apt}")


@lru_cache(maxsize=8)
def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("flightschool_bootstrap", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their module
    spec.loader.exec_module(module)
    return module
