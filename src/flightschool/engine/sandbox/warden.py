"""A warden: has walled processes forked out of a big one, each at the price of one fork of it and one of a small one.

A fork of a process that has imported much costs milliseconds, so that only the learner's is one:

    warden    forked while the process is small, and the watcher of all runs: makes an init for each, lets the learner be born,
              looks at clock and memory, ends the run when the caller lets go, and tells how it ended.
    stem      a fork of the big process, made once (see `stem`). With the rights that building takes, it forks the learners,
              each straight into the process namespace of its init.

Both die with the big process, and the runs with the warden (see `walls`). What is said about memory there holds for the stem:
of a run it is handed descriptors, and no data.
"""

import errno
import os
import select
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, NoReturn

from flightschool.engine.sandbox import cgroup, kernel, stem, walls, wire
from flightschool.engine.sandbox.policy import Policy, Report
from flightschool.engine.sandbox.turns import Steps, Turns, Wait
from flightschool.engine.sandbox.watch import BUILDING, REFUSED, TICK, Watch, because, data, held, refusal
from flightschool.errors import FlightSchoolError

NAME, INIT = "warden", "init"
"""What ps calls it, and an init."""
LATE = 2.0
"""Seconds beyond the policy's wall time, which counts from when the learner is ready: a caller that keeps the time itself
comes first."""
LEAVING = 2.0
"""Seconds for a control group to be empty when its processes are gone."""

Begin = dict[str, Any]
"""What a caller says first to a learner; its `policy` is one, as `Policy.plain` gives it."""
Begun = Callable[[socket.socket], tuple[Begin, str] | None]
Told = Callable[[Report, str], bytes]


class Warden:
    """Make it before the process imports what makes it big.

    Args:
        begun: reads from a run's channel what the caller says first to the learner, and a token that the learner is not to
            know; None when the caller has gone.
        told: what the caller is sent at the end, from the report and the token: a learner can write into the channel, too.
    """

    def __init__(self, begun: Begun, told: Told) -> None:
        self._orders, orders = wire.pair()
        self._cradle, births = wire.pair()
        parent = os.getpid()
        self.processes = [os.fork()]
        """Process ids of warden and, from the first run on, stem. Without one of them no more runs are had."""
        if self.processes == [0]:
            try:
                _guard(parent, orders, births, begun, told)
            finally:
                os._exit(1)
        orders.close()
        births.close()

    def watch(self, channel: socket.socket) -> tuple[Begin, socket.socket] | None:
        """Start a run for the caller at the other end of the channel.

        Returns as a fork does: None here, and in the learner, behind its walls, what the caller said first, and the channel.

        Raises:
            OSError: the warden is gone.
        """
        if len(self.processes) == 1:
            parent, born = os.getpid(), None
            child = os.fork()
            if child == 0:
                try:
                    born = stem.bear(parent, self._cradle)
                finally:
                    if born is None:
                        os._exit(1)
                return born
            self.processes.append(child)
        wire.send(self._orders, {}, [channel.fileno()])
        return None

    def end(self) -> None:
        """Let them end, and all runs with them, and wait for it, so that what they used of the processor adds up."""
        self.let_go()
        for process in self.processes:
            with suppress(ChildProcessError):
                os.waitpid(process, 0)

    def let_go(self) -> None:
        """In another fork of the process: close what leads to the warden and the stem."""
        self._orders.close()
        self._cradle.close()


def _guard(parent: int, orders: socket.socket, births: socket.socket, begun: Begun, told: Told) -> NoReturn:
    """The warden's whole life."""
    walls.follow(parent)
    kernel.name(NAME)
    os.setsid()
    kernel.forget_initial_environment()
    walls.close({2, orders.fileno(), births.fileno()})
    runs = _Runs(births, begun, told)
    turns = Turns()
    while True:
        turns.run(orders.fileno())
        _order, (channel,) = wire.receive(orders)
        turns.start(runs.attend(socket.socket(fileno=channel)))


class _Runs:
    """What all runs have in common."""

    def __init__(self, births: socket.socket, begun: Begun, told: Told) -> None:
        self._births, self._begun, self._told = births, begun, told
        self._translated, self._refused = False, ""
        self._data = data()
        try:
            self._translated = walls.gain_rights()
            users = [os.open("/proc/self/ns/user", os.O_RDONLY | os.O_CLOEXEC)] if self._translated else []
            wire.send(births, {}, users)
        except (OSError, FlightSchoolError) as error:
            self._refused = because(error)

    def attend(self, channel: socket.socket) -> Steps[None]:
        """One run, from what the caller says first to what it is told at last."""
        since = monotonic()
        with channel:
            yield Wait({channel.fileno(): select.POLLIN})
            said = self._begun(channel)
            if said is None:
                return
            (begin, token), group = said, None
            try:
                if self._refused:
                    raise FlightSchoolError(self._refused)
                policy = Policy.of(begin["policy"])
                walls.prepare(policy)
                group = cgroup.group(policy.memory + policy.writable, policy.processes + 1)
                report = yield from self._run(policy, begin, group, channel)
            except Exception as error:
                report = refusal(error, since)
            if group is not None:
                yield from _removed(group)
            yield from _sent(channel, self._told(report, token))

    def _run(
        self, policy: Policy, begin: Begin, group: cgroup.Group | None, channel: socket.socket
    ) -> Steps[Report]:
        """One run, from init's birth to its end.

        Raises:
            OSError, FlightSchoolError: the walls could not be built. No code was run.
        """
        status, theirs = wire.pair()
        init = kernel.fork(kernel.CLONE_NEWPID)
        if init == 0:
            try:
                _init(policy, self._translated, self._data, group, theirs)
            finally:
                os._exit(REFUSED)
        ended, told = os.pidfd_open(init), None
        try:
            with status:
                theirs.close()
                said, (space,) = yield from _received(status)
                uid = int(said["uid"])
                told, birth = self._ordered(space)  # the stem forks while init builds
                with birth:
                    try:
                        learner = int((yield from _received(told))[0]["pid"])
                    except FlightSchoolError:
                        # No fork goes into the namespace of an init that has ended: ask that why.
                        yield from _received(status)
                        raise
                    said, spaces = yield from _received(status)
                    counted = bool(said["counted"])
                    entrances = group.entrances if group is not None and counted else []
                    asked = {"begin": begin, "uid": uid, "counted": counted, "entrances": len(entrances)}
                    wire.send(birth, asked, [channel.fileno(), *entrances, *spaces])
                    for one in spaces:
                        os.close(one)
                    ready, _none = yield from _received(birth)
            before = 0 if counted else held(init) + int(ready["held"])
            watch = Watch(policy, group if counted else None, before, policy.wall + LATE)
            code, cpu, ending = -signal.SIGKILL.value, 0.0, None
            events = {told.fileno(): select.POLLIN, channel.fileno(): select.POLLRDHUP}
            while ending is None:
                if happened := (yield Wait(events, monotonic() + TICK)):
                    if told.fileno() in happened:
                        with suppress(OSError):  # the stem is gone, and takes all with it
                            end = wire.receive(told)[0]
                            code, cpu = int(end["code"]), float(end["cpu"])
                    break
                ending = watch.look(init, learner)
        finally:
            os.kill(init, signal.SIGKILL)
            yield Wait({ended: select.POLLIN})  # the kernel has ended all in the namespace then
            os.waitpid(init, 0)
            os.close(ended)
            if told is not None:
                told.close()
        return watch.report(code, cpu, ending)

    def _ordered(self, space: int) -> tuple[socket.socket, socket.socket]:
        """Order a learner in a process namespace: the ends on which the stem tells of it, and on which it is spoken to."""
        (told, teller), (birth, newborn) = wire.pair(), wire.pair()
        with teller, newborn:
            wire.send(self._births, {}, [space, newborn.fileno(), teller.fileno()])
        os.close(space)
        return told, birth


def _init(
    policy: Policy, translated: bool, before: int, group: cgroup.Group | None, status: socket.socket
) -> NoReturn:
    """Init's whole life."""
    try:
        walls.close({status.fileno(), *(group.entrances if group else ())})
        kernel.name(INIT)
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries what is left to it
        uid = walls.INSIDE if translated else walls.UIDS + int(os.readlink("/proc/self"))  # noqa: PTH115
        space = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        wire.send(status, {"uid": uid}, [space])
        counted = group is not None and cgroup.join(group.entrances)
        walls.build(policy, uid)
        spaces = walls.spaces(uid)
        walls.renounce(policy, uid, {status.fileno(), *spaces}, before, counted=counted)
        wire.send(status, {"counted": counted}, spaces)  # fails when the warden is gone
    except BaseException as error:
        wire.send(status, {"refused": because(error)})
        os._exit(REFUSED)
    os.closerange(3, 4096)
    while True:
        signal.pause()


def _received(end: socket.socket) -> Steps[tuple[dict[str, Any], list[int]]]:
    """`wire.receive`, waited for.

    Raises:
        FlightSchoolError, OSError: as that; the latter also when nothing comes.
    """
    if not (yield Wait({end.fileno(): select.POLLIN}, monotonic() + BUILDING)):
        raise OSError(errno.ETIMEDOUT, "a process hung while the walls were built")
    return wire.receive(end)


def _removed(group: cgroup.Group) -> Steps[None]:
    give_up = monotonic() + LEAVING
    while not group.removed() and monotonic() < give_up:
        yield Wait({}, monotonic() + 0.001)


def _sent(channel: socket.socket, message: bytes) -> Steps[None]:
    """Send all, as fast as it is read. The channel itself must stay as it is: what the learner left of itself shares its mode."""
    with suppress(OSError):  # nobody listens any more
        while message:
            try:
                message = message[channel.send(message, socket.MSG_DONTWAIT) :]
            except BlockingIOError:
                yield Wait({channel.fileno(): select.POLLOUT})
