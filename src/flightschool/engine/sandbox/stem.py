"""The stem: a fork of a big process, made once, from which the learners are forked, behind the walls that their init has built."""

import errno
import json
import os
import select
import socket
from contextlib import suppress
from typing import Any

from flightschool.engine.sandbox import cgroup, kernel, walls, wire
from flightschool.engine.sandbox.policy import Policy
from flightschool.engine.sandbox.watch import BUILDING, REFUSED, because, data, held

NAME, LEARNER = "stem", "python"
"""What ps calls it, and a learner."""


def bear(parent: int, cradle: socket.socket) -> tuple[dict[str, Any], socket.socket]:
    """The stem's whole life. It returns in the learners, with what `_born` gives.

    Args:
        parent: with which it ends.
        cradle: first brings the user namespace that has the rights to build, where one is needed. Then each message
            orders a learner: its process namespace, what it is spoken to over, and where its end is told.
    """
    walls.follow(parent)
    kernel.name(NAME)
    kernel.forget_initial_environment()
    walls.close({2, cradle.fileno()})
    _ready, users = wire.receive(cradle)
    for one in users:
        kernel.setns(one)
        os.close(one)
        walls.follow(parent)  # other rights make it forget
    before = data()
    living: dict[int, tuple[int, int]] = {}
    poll = select.poll()
    poll.register(cradle, select.POLLIN)
    while True:
        for descriptor, _event in poll.poll():
            if descriptor in living:
                poll.unregister(descriptor)
                os.close(descriptor)
                _tell_end(*living.pop(descriptor))
                continue
            _order, (space, birth, teller) = wire.receive(cradle)
            try:
                # So it stays until the next: nothing else is forked here, and out of a user namespace no way leads back.
                kernel.setns(space, kernel.CLONE_NEWPID)
                learner = os.fork()
            except OSError as error:
                _tell(teller, refused=because(error))
                os.close(teller)
            else:
                if learner == 0:
                    return _born(birth, before)
                _tell(teller, pid=learner)
                ended = os.pidfd_open(learner)
                poll.register(ended, select.POLLIN)
                living[ended] = learner, teller
            os.close(birth)
            os.close(space)


def _tell_end(learner: int, teller: int) -> None:
    _pid, status, usage = os.wait4(learner, 0)
    _tell(teller, code=os.waitstatus_to_exitcode(status), cpu=usage.ru_utime + usage.ru_stime)
    os.close(teller)


def _tell(teller: int, **message: Any) -> None:
    with suppress(OSError):  # the warden is gone
        os.write(teller, json.dumps(message).encode())


def _born(birth: int, before: int) -> tuple[dict[str, Any], socket.socket]:
    """The learner goes where its init is. Returns behind the walls, or not at all.

    Returns:
        What the caller said first, and the channel to it.
    """
    with socket.socket(fileno=birth) as end:
        try:
            kernel.name(LEARNER)
            end.settimeout(BUILDING)
            asked, (channel, *places) = wire.receive(end)
            policy, entrances = Policy.of(asked["begin"]["policy"]), asked["entrances"]
            if not cgroup.join(places[:entrances]):
                raise OSError(errno.EACCES, "it can't go into its control group")
            for space in places[entrances:]:
                kernel.setns(space)
            walls.renounce(policy, asked["uid"], {channel, birth}, before, counted=asked["counted"])
            wire.send(end, {"held": 0 if asked["counted"] else held()})  # fails when the warden is gone
            walls.open_up()
        except BaseException as error:
            _tell(birth, refused=because(error))
            os._exit(REFUSED)
    return asked["begin"], socket.socket(fileno=channel)
