"""`enter`: what a freshly forked child calls to shut itself in. It forks twice, so it is for small processes: `run`'s, a judge's."""

import errno
import json
import os
import select
import signal
import socket
import stat
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NoReturn

from flightschool.engine.sandbox import cgroup, kernel, walls
from flightschool.engine.sandbox.policy import Policy
from flightschool.engine.sandbox.watch import (
    BUILDING,
    REFUSED,
    TICK,
    Watch,
    because,
    data,
    held,
    refusal,
    write_report,
)


def enter(policy: Policy, *, keep: Iterable[int] = (1, 2), report: int | None = None) -> None:
    """Shut this process in. It returns in a child behind the walls, or not at all: without walls, nothing runs.

    Call it in a freshly forked child with one thread: that becomes the watcher. What its parent then sees ends with the
    learner's exit status (128 and the number, for a signal; REFUSED when the walls could not be built). Killing it kills all.

    Args:
        policy: the walls and limits.
        keep: file descriptors that stay open inside, such as a pipe for answers. Not a folder's, through which one could climb.
            A file's can be read and written again through /proc as far as its permissions go: hand in pipes.
        report: where the watcher writes a Report at the end, for `read_report`. Never open inside.
    """
    begin = time.monotonic()
    try:
        walls.prepare(policy)
        kept = _allowed(keep, report)
        walls.follow(os.getppid())
        kernel.forget_initial_environment()
        before = data()
        uid = walls.INSIDE if walls.gain_rights() else walls.UIDS + os.getpid()
        kernel.unshare(kernel.CLONE_NEWPID)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        group = cgroup.group(policy.memory + policy.writable, policy.processes + 1)
        init = os.fork()
    except Exception as error:
        write_report(report, refusal(error, begin))
        os._exit(REFUSED)
    if init:
        try:
            theirs.close()
            _watch(policy, init, ours, group, report, begin)
        finally:  # whatever happens: outside the walls nothing goes on, and with the watcher all ends
            os._exit(REFUSED)
    try:
        ours.close()
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        counted = group is not None and cgroup.join(group.entrances)
        walls.build(policy, uid)
        walls.renounce(policy, uid, kept | {theirs.fileno()}, before, counted=counted)
        theirs.send(json.dumps({"counted": counted}).encode())  # fails when the watcher is gone
        learner = os.fork()
    except BaseException as error:
        with suppress(OSError):  # the watcher is gone
            theirs.send(json.dumps({"refused": because(error)}).encode())
        os._exit(REFUSED)
    if learner:
        try:
            _reap(learner, theirs)
        finally:
            os._exit(REFUSED)
    theirs.close()
    os.setsid()
    walls.open_up()


def _allowed(keep: Iterable[int], report: int | None) -> set[int]:
    kept = set(keep) - {0}
    for one in kept:
        if one == report or stat.S_ISDIR(os.fstat(one).st_mode):
            raise OSError(
                errno.EINVAL, f"file descriptor {one} can't be kept: it is a folder's, or the report's"
            )
    return kept


def _reap(learner: int, status: socket.socket) -> NoReturn:
    """Init's whole life: bury the dead, and end with the learner."""
    os.closerange(0, status.fileno())
    os.closerange(status.fileno() + 1, 4096)
    while True:
        try:
            pid, ended, usage = os.wait4(-1, 0)
        except ChildProcessError:
            os._exit(0)
        if pid == learner:
            code, cpu = os.waitstatus_to_exitcode(ended), usage.ru_utime + usage.ru_stime
            status.send(json.dumps({"code": code, "cpu": cpu}).encode())
            os._exit(0)


def _watch(
    policy: Policy,
    init: int,
    status: socket.socket,
    group: cgroup.Group | None,
    report: int | None,
    begin: float,
) -> NoReturn:
    """The watcher's whole life: look at clock and memory, end all, say how it was."""
    own = {status.fileno(), *([report] if report is not None else [])}
    walls.close(own | set(group.entrances if group else ()))
    ended = os.pidfd_open(init)
    status.settimeout(BUILDING)
    built, ending = _heard(status), None
    made = refusal(built.get("refused", "init did not answer"), begin)
    watch = Watch(policy, group if built.get("counted") else None, 2 * held(init), policy.wall)
    if "counted" in built:
        while ending is None and not select.select([ended], [], [], TICK)[0]:
            ending = watch.look(init)
    os.kill(init, signal.SIGKILL)
    os.waitpid(init, 0)  # returns when the kernel has ended all in the namespace
    if "counted" in built:
        said = _heard(status)
        made = watch.report(int(said.get("code", -signal.SIGKILL)), said.get("cpu", 0.0), ending)
        if "refused" in said:
            made = refusal(said["refused"], begin)
    write_report(report, made)
    if group is not None:
        group.remove()
    os._exit(made.status & 0xFF)


def _heard(status: socket.socket) -> dict[str, Any]:
    """What init says next; nothing when it has ended, or has hung."""
    try:
        found: dict[str, Any] = json.loads(status.recv(4096) or b"{}")
    except TimeoutError:
        return {}
    return found
