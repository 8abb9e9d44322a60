"""What there is to see inside: a root of its own, in memory, with the allowed paths bound into it."""

# It is built for each run, and a Path for each entry would make that half as long again.
# ruff: noqa: PTH102, PTH211
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flightschool.engine.sandbox import kernel
from flightschool.engine.sandbox.policy import HOME, Policy
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = (
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)
"""Of /etc; besides, what is called java… there."""
DEVICES = ("full", "null", "random", "urandom", "zero")
MOUNTPOINT = "/proc"
"""Where the new root is built: a folder that every Linux has and from which nothing is bound."""
STORE = "/dev"
"""Where the writable tmpfs is mounted whole: in the old root, with which it is let go."""
INODES = 100_000
"""How many files may be made inside: each costs the machine about 1 KB."""
WRITABLE = {HOME: "home", "/tmp": "tmp", "/var/tmp": "var", "/dev/shm": "shm"}  # noqa: S108
"""Where, and by which name in the store."""
ALWAYS = ("/dev", "/dev/pts", "/etc", "/home", "/proc", "/var", *WRITABLE)
"""Folders that there are whatever the policy."""


@dataclass(frozen=True)
class Plan:
    """What to make in the new root beside ALWAYS, in this order: folders, links (name, target), empty files, binds."""

    folders: tuple[str, ...]
    links: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    binds: tuple[str, ...]


@lru_cache(maxsize=64)
def plan(policy: Policy) -> Plan:
    """What the policy's paths come to. Computed once: call it in the template, too, so that a child finds it done.

    Raises:
        FlightSchoolError: a readable path does not exist.
    """
    given = [os.fspath(path) for path in policy.readable]
    for path in given:
        if path in (MOUNTPOINT, STORE) or path.startswith((f"{MOUNTPOINT}/", f"{STORE}/")):
            raise FlightSchoolError(
                _("{path} can't be made readable in a sandbox: it has a {folder} of its own.").format(
                    path=path, folder=f"/{Path(path).parts[1]}"
                )
            )
        if not os.path.lexists(path):
            raise FlightSchoolError(
                _("{path} can't be made readable in a sandbox: it does not exist.").format(path=path)
            )
    java = [os.fspath(path) for path in Path("/etc").glob("java*")]
    wanted = sorted({*given, *(path for path in (*SYSTEM, *SETTINGS, *java) if os.path.lexists(path))})
    folders, links, files, binds = set[str](), [], [], []
    for path in wanted:
        if any(path.startswith(f"{other}/") for other in wanted):
            continue  # it is seen with the other
        folders.update(map(str, list(Path(path).parents)[:-1]))
        if Path(path).is_symlink():
            links.append((path, os.fspath(Path(path).readlink())))
            continue
        binds.append(path)
        if Path(path).is_dir():
            folders.add(path)
        else:
            files.append(path)
    return Plan(tuple(sorted(folders - set(ALWAYS))), tuple(links), tuple(files), tuple(binds))


def build(policy: Policy, uid: int, gid: int) -> None:
    """Build the new root and go into it. This process must have a mount, pid and user (or root's) namespace of its own.

    Raises:
        OSError: the kernel does not allow it.
    """
    top, made = MOUNTPOINT, plan(policy)
    kernel.mount("", "/", kernel.MS_REC | kernel.MS_PRIVATE)
    kernel.mount("tmpfs", top, kernel.MS_NOSUID, "mode=0755,size=1m,nr_inodes=4096")
    for folder in sorted(ALWAYS):
        os.mkdir(top + folder)
    for name in DEVICES:
        _empty(f"{top}/dev/{name}")
        kernel.bind(f"/dev/{name}", f"{top}/dev/{name}", kernel.ATTR_NOSUID)
    # after the devices, for it hides theirs; before the rest, for a readable path may lie below one of these places
    _writable(top, policy.writable, uid, gid)
    for folder in made.folders:
        os.mkdir(top + folder)
    for name, target in made.links:
        os.symlink(target, top + name)
    for name in made.files:
        _empty(top + name)
    _settings(top, uid, gid)
    for path in made.binds:
        kernel.bind(path, top + path, kernel.ATTR_RDONLY | kernel.ATTR_NOSUID | kernel.ATTR_NODEV)
    kernel.mount(
        "devpts",
        f"{top}/dev/pts",
        kernel.MS_NOSUID | kernel.MS_NOEXEC,
        "newinstance,ptmxmode=0666,mode=0620",
    )
    kernel.mount("proc", f"{top}/proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
    kernel.set_attributes(top, kernel.ATTR_RDONLY | kernel.ATTR_NOSUID | kernel.ATTR_NODEV)
    kernel.pivot_root(top)


def _settings(top: str, uid: int, gid: int) -> None:
    for name, text in {
        "passwd": f"learner:x:{uid}:{gid}:learner:{HOME}:/bin/sh\n",
        "group": f"learner:x:{gid}:\n",
        "hosts": "127.0.0.1 localhost flightschool\n::1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }.items():
        _write(f"{top}/etc/{name}", text)
    for name, target in {
        "fd": "/proc/self/fd",
        "stdin": "/proc/self/fd/0",
        "stdout": "/proc/self/fd/1",
        "stderr": "/proc/self/fd/2",
        "ptmx": "pts/ptmx",
    }.items():
        os.symlink(target, f"{top}/dev/{name}")


def _writable(top: str, size: int, uid: int, gid: int) -> None:
    """One tmpfs, seen at each place that may be written, so that one size bounds them all."""
    kernel.mount(
        "tmpfs", STORE, kernel.MS_NOSUID | kernel.MS_NODEV, f"mode=0711,size={size},nr_inodes={INODES}"
    )
    for place, name in WRITABLE.items():
        os.mkdir(f"{STORE}/{name}", 0o700)
        os.chown(f"{STORE}/{name}", uid, gid)
        kernel.bind(f"{STORE}/{name}", top + place, 0)


def _empty(path: str) -> None:
    os.mknod(path, 0o644)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)
