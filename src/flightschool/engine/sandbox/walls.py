"""The steps by which a process shuts itself in. `enter` and `Warden` put them in order.

Three small roles stand around a learner's code, for each has one thing that the others must not have:

    watcher   stays outside the walls, holds no more than the clock and the report.
    init      process 1 of the new namespaces, without rights. Builds the walls, then reaps. When it ends, the kernel ends all inside.
    learner   runs the code.

The watcher dies with its parent, init with the watcher, the rest with init: nobody has to clean up.

Memory is inherited: what was in the process that forked can be read by the learner's code, whatever the walls. It must therefore
never have held a secret seed, a judge or reference, another submission, a token, or the grader's environment: start it by
exec with a clean environment, flush its streams before it forks, and let it import only what the learner may read. (The strings of the initial environment are
overwritten all the same.) Nor must it have threads, and it must fork in its main thread, whose end would end what it forked.
"""

import fcntl
import os
import re
import resource
import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from flightschool.engine.sandbox import cgroup, filesystem, kernel, syscall_filter
from flightschool.engine.sandbox.policy import HOME, Network, NoSandbox, Policy
from flightschool.i18n import _

UIDS = 0x70000000
"""As root, a run takes this user id plus its watcher's process id: nobody's, and no other run's, so that limits are counted,
and signals kept, a run at a time. Above what systemd gives to containers (systemd.io/UIDS-GIDS)."""
SETTINGS = {
    "user.max_user_namespaces": ("0", "10000"),
    "kernel.unprivileged_userns_clone": ("0", "1"),
    "kernel.apparmor_restrict_unprivileged_userns": ("1", "0"),
}
"""Of the kernel, that forbid user namespaces: the value that does, and one that allows them."""
INSIDE = 1000
"""The user id inside, where a user namespace translates."""


def prepare(policy: Policy) -> None:
    """Do once, before any fork, what does not depend on the run.

    Raises:
        NoSandbox: this can't work here, whatever the rights.
        FlightSchoolError: a readable path does not exist.
    """
    if sys.platform != "linux":
        raise NoSandbox(
            _("Learners' code can only be walled in on Linux; here is {os}.").format(os=sys.platform)
        )
    if not syscall_filter.supported():
        raise NoSandbox(
            _(
                "There is no system call filter for {machine} machines, so learners' code can't be walled in."
            ).format(machine=kernel.MACHINE)
        )
    filesystem.plan(policy)
    syscall_filter.program(counted=cgroup.places() is not None)


def follow(parent: int) -> None:
    """Let a fork end with its parent, and not run its handlers of signals."""
    kernel.die_with(parent)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)


def gain_rights() -> bool:
    """Get the rights to build: root has them, others as the maker of a user namespace. Whether one was needed.

    Raises:
        NoSandbox: none can be made. It says what to do.
    """
    if os.geteuid() == 0 and _all_users() and _administers():
        return False
    try:
        own_users()
    except OSError as error:
        raise NoSandbox(
            _("user namespaces are forbidden here: {error}; {advice}").format(error=error, advice=_advice())
        ) from error
    return True


def _all_users() -> bool:
    """Whether every user id exists here; not so for the root of a container without privileges."""
    first, _outside, count = Path("/proc/self/uid_map").read_text().split()[:3]
    return first == "0" and int(count) > 2**31


def _administers() -> bool:
    """Whether this process has CAP_SYS_ADMIN; the root of a container seldom has."""
    found = re.search(r"^CapEff:\s*(\w+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return found is not None and bool(int(found[1], 16) >> 21 & 1)


def _advice() -> str:
    """What to do where user namespaces are forbidden, by the setting that forbids them where one does."""
    for setting, (forbids, allows) in SETTINGS.items():
        with suppress(OSError):  # not every kernel has each
            if Path("/proc/sys", *setting.split(".")).read_text().strip() == forbids:
                return _("let an administrator run: sysctl -w {setting}={value}").format(
                    setting=setting, value=allows
                )
    return _(
        "in a container, start that with --privileged, or with --security-opt seccomp=unconfined and "
        "--security-opt apparmor=unconfined; elsewhere grade as root"
    )


def own_users() -> None:
    """A user namespace in which this user is a plain one, INSIDE, and its maker has all rights."""
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER)
    for name, text in {
        "setgroups": "deny",
        "uid_map": f"{INSIDE} {uid} 1",
        "gid_map": f"{INSIDE} {gid} 1",
    }.items():
        Path(f"/proc/self/{name}").write_text(text)


def build(policy: Policy, uid: int) -> None:
    """Make the namespaces, but for that of processes, and what there is in them.

    Raises:
        OSError: the kernel does not allow it.
    """
    kernel.unshare(
        kernel.CLONE_NEWNS
        | kernel.CLONE_NEWIPC
        | kernel.CLONE_NEWNET
        | kernel.CLONE_NEWUTS
        | kernel.CLONE_NEWCGROUP
    )
    socket.sethostname("flightschool")
    if policy.network == Network.LOOPBACK:
        _loopback()
    os.umask(0o022)
    filesystem.build(policy, uid, uid)
    if (
        uid == INSIDE
    ):  # once more: a namespace of this run alone counts its processes, and owns none of the others
        own_users()


def _loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        up_and_running = 0x41
        fcntl.ioctl(one, 0x8914, struct.pack("16sh14x", b"lo", up_and_running))  # SIOCSIFFLAGS


def spaces(uid: int) -> list[int]:
    """Descriptors of this process's namespaces, in an order in which one with the rights can go into them."""
    names = ("ipc", "uts", "net", "cgroup", "mnt", *(["user"] if uid == INSIDE else []))
    return [os.open(f"/proc/self/ns/{name}", os.O_RDONLY | os.O_CLOEXEC) for name in names]


def renounce(policy: Policy, uid: int, kept: set[int], before: int, *, counted: bool) -> None:
    """Give up all rights, within what `build` made. There is no way back.

    Args:
        policy: the limits, and the variables inside.
        uid: the user to become; INSIDE where the user namespace has done that.
        kept: file descriptors that stay open.
        before: bytes of data that the process was forked with.
        counted: a control group counts the memory.

    Raises:
        OSError: the kernel does not allow it.
    """
    os.umask(0o022)
    os.chdir(HOME)
    os.setsid()
    close(kept)
    _limit(policy, before)
    kernel.drop_bounding_set()
    if uid != INSIDE:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of user forgets it
    os.environ.clear()
    os.environ.update(policy.variables())
    time.tzset()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    syscall_filter.apply(syscall_filter.program(counted=counted))


def open_up() -> None:
    """A learner's own: its /proc/self, which stays closed in init, and Ctrl-C."""
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def close(kept: set[int]) -> None:
    """Close all descriptors but these; 0, 1 and 2 lead to /dev/null then."""
    null = os.open("/dev/null", os.O_RDWR)
    for standard in {0, 1, 2} - kept:
        os.dup2(null, standard)
    edges = [2, *sorted(one for one in kept if one > 2), os.sysconf("SC_OPEN_MAX")]
    for low, high in pairwise(edges):
        os.closerange(low + 1, high)


def _limit(policy: Policy, before: int) -> None:
    processes = policy.processes + 1  # init counts as well
    for what, soft, hard in (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_CPU, policy.cpu, policy.cpu + 1),
        (resource.RLIMIT_DATA, before + policy.memory, before + policy.memory),
        (resource.RLIMIT_FSIZE, policy.file_size, policy.file_size),
        (resource.RLIMIT_MEMLOCK, 2**16, 2**16),
        (resource.RLIMIT_MSGQUEUE, 0, 0),
        (resource.RLIMIT_NOFILE, policy.open_files, policy.open_files),
        (resource.RLIMIT_NPROC, processes, processes),
        (resource.RLIMIT_RTPRIO, 0, 0),
        (resource.RLIMIT_SIGPENDING, 1024, 1024),
    ):
        _soft, most = resource.getrlimit(what)
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(what, (soft, hard))
