"""HDFS, which exists in docker compose only, reached by WebHDFS."""

import http.client
import json
import os
from dataclasses import dataclass
from typing import Self

from flightschool.i18n import _
from flightschool.services.base import LOOPBACK, Unavailable, request

PORT = "FLIGHTSCHOOL_HDFS_PORT"
DEFAULT_PORT = 9870


@dataclass(frozen=True)
class Hdfs:
    """The name node of compose. It is not ours: `stop()` leaves it running."""

    port: int

    @property
    def label(self) -> str:
        """What this is, in words for a learner."""
        return _("HDFS (docker compose)")

    @property
    def endpoint(self) -> str:
        """The WebHDFS root, such as `http://127.0.0.1:9870/webhdfs/v1`."""
        return f"http://{LOOPBACK}:{self.port}/webhdfs/v1"

    def stop(self) -> None:
        """Nothing: compose started it, compose stops it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()


def hdfs() -> Hdfs:
    """HDFS, when compose serves it on this machine (port $FLIGHTSCHOOL_HDFS_PORT, 9870 when unset).

    Raises:
        Unavailable: it does not answer as WebHDFS; the message is the command that starts it.
    """
    given = os.environ.get(PORT, "")
    if given and not given.isdecimal():
        raise Unavailable(_("{name} is {value}, not a port number.").format(name=PORT, value=given))
    port = int(given or DEFAULT_PORT)
    try:
        status, body = request(port, "/webhdfs/v1/?op=LISTSTATUS", timeout=2)
        served = status == 200 and "FileStatuses" in json.loads(body)
    except (OSError, http.client.HTTPException, ValueError):
        served = False
    if not served:
        raise Unavailable(_("HDFS is not running; start it with: docker compose --profile hdfs up -d --wait"))
    return Hdfs(port)
