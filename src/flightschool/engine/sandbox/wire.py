"""Messages between the processes around a run: a JSON object, and file descriptors along with it."""

import errno
import json
import socket
from collections.abc import Iterable, Mapping
from typing import Any

from flightschool.errors import FlightSchoolError

LONGEST = 2**18
"""Bytes of a message."""
_DESCRIPTORS = 16


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends between which a message is sent, and comes, whole."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def send(end: socket.socket, message: Mapping[str, Any], descriptors: Iterable[int] = ()) -> None:
    """Send a message.

    Raises:
        OSError: the other is gone, or the message is too long.
    """
    socket.send_fds(end, [json.dumps(message).encode()], list(descriptors))


def receive(end: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message, and its descriptors.

    Raises:
        FlightSchoolError: it says why something was refused.
        OSError: none came: the other is gone.
    """
    text, descriptors, flags, _address = socket.recv_fds(end, LONGEST, _DESCRIPTORS)
    if not text or flags & socket.MSG_TRUNC:
        raise OSError(errno.EPROTO, "a process ended while the walls were built")
    message: dict[str, Any] = json.loads(text)
    if "refused" in message:
        raise FlightSchoolError(message["refused"])
    return message, descriptors
