"""`enter`: what a freshly forked child calls to shut itself in before it runs a learner's code.

Three processes come of it, for each has one thing that the others must not have:

    watcher   the child that called. Stays outside, holds no more than the clock and the report, and never returns.
    init      process 1 of the new namespaces, without rights. Reaps. When it ends, the kernel ends all in the namespace.
    learner   returns from `enter`, and runs the code.

The watcher dies with the template, init with the watcher, the rest with init: nobody has to clean up.

Memory is inherited: what was in the template can be read by the learner's code, whatever the walls. A template must therefore
never have held a secret seed, a judge or reference, another submission, a token, or the grader's environment: start it by
exec with a clean environment, flush its streams before it forks, and let it import only what the learner may read. (The strings of the initial environment are
overwritten all the same.) Nor must it have threads, and it must fork in its main thread, whose end would end the watcher.
"""

import errno
import fcntl
import json
import os
import resource
import select
import signal
import socket
import stat
import struct
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from flightschool.engine.sandbox import cgroup, filesystem, kernel, syscall_filter
from flightschool.engine.sandbox.policy import HOME, Ending, Network, NoSandbox, Policy, Report
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _

TICK = 0.05
"""Seconds between two looks at the clock and the tree's memory."""
REFUSED = 125
"""Exit status of the watcher when the walls could not be built."""
UIDS = 0x70000000
"""As root, a run takes this user id plus its watcher's process id: nobody's, and no other run's, so that limits are counted,
and signals kept, a run at a time. Above what systemd gives to containers (systemd.io/UIDS-GIDS)."""
INSIDE = 1000
"""The user id inside, where a user namespace translates."""


def prepare(policy: Policy) -> None:
    """Do once, in the template, what does not depend on the run.

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


def enter(policy: Policy, *, keep: Iterable[int] = (1, 2), report: int | None = None) -> None:
    """Shut this process in. It returns in a child behind the walls, or not at all: without walls, nothing runs.

    Call it in a freshly forked child with one thread. What the caller's parent then sees ends with the learner's exit status
    (128 and the number, for a signal; REFUSED when the walls could not be built). Killing it kills all.

    Args:
        policy: the walls and limits.
        keep: file descriptors that stay open inside, such as a pipe for answers. Not a folder's, through which one could climb.
            A file's can be read and written again through /proc as far as its permissions go: hand in pipes.
        report: where the watcher writes a Report at the end, for `read_report`. Never open inside.
    """
    begin = time.monotonic()
    try:
        prepare(policy)
        kept = _allowed(keep, report)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.set_wakeup_fd(-1)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        kernel.forget_initial_environment()
        used = _data()
        uid = gid = UIDS + os.getpid()
        if os.geteuid() != 0 or not _all_users():
            uid, gid = _own_users()
        kernel.unshare(kernel.CLONE_NEWPID)
        ours, theirs = os.pipe()
        go, start = os.pipe()
        init = os.fork()
    except Exception as error:
        _say(report, Report(Ending.KILLED, REFUSED, time.monotonic() - begin, 0, _because(error)))
        os._exit(REFUSED)
    if init:
        os.close(theirs)
        os.close(go)
        # while init builds: to move a process into a group may take the kernel some milliseconds
        try:
            group = _grouped(policy, init)
            with suppress(BrokenPipeError):  # it could not build, and says so
                os.write(start, b"\1" if group else b"\0")
            _watch(policy, init, ours, group, report, begin)
        finally:  # whatever happens: outside the walls nothing goes on, and with the watcher all ends
            os._exit(REFUSED)
    os.close(ours)
    os.close(start)
    try:
        _shut(policy, kept, theirs, go, uid, gid, used)
        learner = os.fork()
    except BaseException as error:
        os.write(theirs, json.dumps({"refused": _because(error)}).encode())
        os._exit(REFUSED)
    if learner:
        try:
            _reap(learner, theirs)
        finally:
            os._exit(REFUSED)
    os.close(theirs)
    os.setsid()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 1)  # its own /proc/self is its own again; init stays closed to it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def read_report(descriptor: int) -> Report:
    """The Report that a watcher wrote; waits for it. Without one the watcher was killed, and so was all else."""
    with open(descriptor, "rb", closefd=False) as file:
        text = file.read()
    if not text:
        return Report(Ending.KILLED, 128 + signal.SIGKILL, 0.0, 0)
    fields = json.loads(text)
    return Report(**{**fields, "ending": Ending(fields["ending"])})


def _allowed(keep: Iterable[int], report: int | None) -> set[int]:
    kept = set(keep) - {0}
    for one in kept:
        if one == report or stat.S_ISDIR(os.fstat(one).st_mode):
            raise OSError(
                errno.EINVAL, f"file descriptor {one} can't be kept: it is a folder's, or the report's"
            )
    return kept


def _because(error: BaseException) -> str:
    return str(error) if isinstance(error, FlightSchoolError) else f"{type(error).__name__}: {error}"


def _data() -> int:
    """Bytes of this process that RLIMIT_DATA counts."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    return 0


def _all_users() -> bool:
    """Whether every user id exists here; not so for the root of a container without privileges."""
    first, _outside, count = Path("/proc/self/uid_map").read_text().split()[:3]
    return first == "0" and int(count) > 2**31


def _own_users() -> tuple[int, int]:
    """A user namespace in which this user is a plain one, and its maker has the rights to build."""
    uid, gid = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER)
    for name, text in {
        "setgroups": "deny",
        "uid_map": f"{INSIDE} {uid} 1",
        "gid_map": f"{INSIDE} {gid} 1",
    }.items():
        Path(f"/proc/self/{name}").write_text(text)
    return INSIDE, INSIDE


def _grouped(policy: Policy, init: int) -> cgroup.Group | None:
    """Init in a control group of its own; None where none can be had: looking replaces it."""
    where = cgroup.places()
    if where is None:
        return None
    group = None
    try:
        group = cgroup.Group(where, policy.memory + policy.writable, policy.processes + 1)
        group.add(init)
    except OSError:
        if group is not None:
            group.remove()
        return None
    return group


def _shut(policy: Policy, kept: set[int], status: int, go: int, uid: int, gid: int, used: int) -> None:
    """All that init does before it has no rights any more, and waits for the watcher's word."""
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
    filesystem.build(policy, uid, gid)
    os.chdir(HOME)
    os.setsid()
    _close(kept | {status, go})
    # init counts as well, and in a user namespace the watcher, who made it
    _limit(policy, used, policy.processes + (2 if uid == INSIDE else 1))
    kernel.drop_bounding_set()
    if uid != INSIDE:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    kernel.drop_capabilities()
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of user forgets it
    os.environ.clear()
    os.environ.update(policy.variables())
    time.tzset()
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    counted = os.read(go, 1)
    if not counted:
        raise OSError(errno.ESRCH, "the watcher is gone")
    os.close(go)
    syscall_filter.apply(syscall_filter.program(counted=counted == b"\1"))


def _loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        up_and_running = 0x41
        fcntl.ioctl(one, 0x8914, struct.pack("16sh14x", b"lo", up_and_running))  # SIOCSIFFLAGS


def _close(kept: set[int]) -> None:
    """Close all descriptors but these; 0, 1 and 2 lead to /dev/null then."""
    null = os.open("/dev/null", os.O_RDWR)
    for standard in {0, 1, 2} - kept:
        os.dup2(null, standard)
    edges = [2, *sorted(one for one in kept if one > 2), os.sysconf("SC_OPEN_MAX")]
    for low, high in pairwise(edges):
        os.closerange(low + 1, high)


def _limit(policy: Policy, used: int, processes: int) -> None:
    for what, soft, hard in (
        (resource.RLIMIT_CORE, 0, 0),
        (resource.RLIMIT_CPU, policy.cpu, policy.cpu + 1),
        (resource.RLIMIT_DATA, used + policy.memory, used + policy.memory),
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


def _reap(learner: int, status: int) -> NoReturn:
    """Init's whole life: bury the dead, and end with the learner."""
    os.closerange(0, status)
    os.closerange(status + 1, 4096)
    while True:
        try:
            pid, ended, usage = os.wait4(-1, 0)
        except ChildProcessError:
            os._exit(0)
        if pid == learner:
            code = os.waitstatus_to_exitcode(ended)
            seconds = usage.ru_utime + usage.ru_stime
            os.write(status, json.dumps({"code": code, "cpu": seconds}).encode())
            os._exit(0)


def _watch(
    policy: Policy, init: int, status: int, group: cgroup.Group | None, report: int | None, begin: float
) -> NoReturn:
    """The watcher's whole life: look at clock and memory, end all, say how it was."""
    own = {status, *([report] if report is not None else []), *(group.entrances if group else [])}
    _close(own)
    base = _held(init)
    allowance = policy.memory + 2 * base  # init and learner hold the template's pages
    peak, ending = 0, None
    ended = os.pidfd_open(init)
    while not select.select([ended], [], [], TICK)[0]:
        if group is not None:
            full = group.out_of_memory()
        else:
            held = sum(map(_held, _tree(init)))
            peak = max(peak, held - 2 * base)
            full = held > allowance
        if full:
            ending = Ending.OUT_OF_MEMORY
        elif time.monotonic() - begin > policy.wall:
            ending = Ending.TIMED_OUT
        if ending:
            os.kill(init, signal.SIGKILL)
            break
    os.waitpid(init, 0)  # returns when the kernel has ended all in the namespace
    said = json.loads(os.read(status, 4096) or b"{}")
    code = int(said.get("code", -signal.SIGKILL))
    number = 128 - code if code < 0 else code
    if group is not None:
        if group.out_of_memory():
            ending = Ending.OUT_OF_MEMORY
        peak = group.peak()
    if ending is None:
        if code == -signal.SIGXCPU or (code == -signal.SIGKILL and said.get("cpu", 0) >= policy.cpu):
            ending = Ending.TIMED_OUT
        else:
            ending = Ending.KILLED if code < 0 else Ending.EXITED
    refused = str(said.get("refused", ""))
    if refused:
        ending, number = Ending.KILLED, REFUSED
    _say(report, Report(ending, number, time.monotonic() - begin, peak, refused))
    if group is not None:
        group.remove()
    os._exit(number & 0xFF)


def _say(report: int | None, what: Report) -> None:
    if report is not None:
        with suppress(OSError):  # nobody listens any more
            os.write(report, json.dumps(asdict(what)).encode())
        os.close(report)


def _tree(top: int) -> Iterable[int]:
    """A process and all that descend from it, through whichever thread."""
    todo = [top]
    while todo:
        pid = todo.pop()
        yield pid
        with suppress(OSError):  # it has ended meanwhile
            for thread in Path(f"/proc/{pid}/task").iterdir():
                todo += map(int, (thread / "children").read_bytes().split())


def _held(pid: int) -> int:
    """Bytes of memory that a process holds for itself or shares without a file."""
    total = 0
    with suppress(OSError), open(f"/proc/{pid}/status", "rb") as file:  # noqa: PTH123
        for line in file:
            if line.startswith((b"RssAnon:", b"RssShmem:")):
                total += int(line.split()[1]) * 1024
    return total
