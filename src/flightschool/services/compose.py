"""Docker compose's servers, found without asking Docker: by the settings of compose and one request to a port.

Compose is set up in this checkout when `.env` is there, which `environment/dotenv` makes and compose insists on. Then,
and only then, a server that also exists embedded is looked for at its published port, and taken when it answers as
what it should be, with the password of `.env` where it has one. In a container of compose the host is the other
container's name. A closed port on loopback costs a fraction of a millisecond; `FLIGHTSCHOOL_COMPOSE=off` asks nobody.
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flightschool import paths
from flightschool.i18n import _
from flightschool.services.base import LOOPBACK, Service, Unavailable, occupied

if TYPE_CHECKING:
    from flightschool.services.registry import Compose, Server

INSIDE = "FLIGHTSCHOOL_INSIDE_COMPOSE"
SWITCH = "FLIGHTSCHOOL_COMPOSE"


class Composed(Service):
    """A server that exists in compose only: an address that answers as it should. `stop()` leaves it running."""

    def __init__(self, server: "Server") -> None:
        super().__init__()
        assert server.compose is not None
        self.name, self.what, self.compose = server.name, server.what, server.compose
        self.how = server.how()

    @property
    def label(self) -> str:
        return _("{what} (docker compose)").format(what=self.what)

    @property
    def endpoint(self) -> str:
        """Where its clients reach it, such as `http://127.0.0.1:9870/webhdfs/v1` for HDFS."""
        return super().endpoint + self.compose.root

    def command(self, port: int) -> Sequence[str]:
        raise Unavailable(self.how)

    def answers(self) -> bool:
        return self.running  # `find` asks for the proof


def settings() -> dict[str, str]:
    """What compose knows: `.env`, and over it our environment."""
    found = {}
    try:
        lines = (paths.ROOT / ".env").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    for line in lines:
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("'\"")
    return found | os.environ


def find(server: "Server") -> Service | None:
    """The server that compose runs for that row, when one answers; None otherwise.

    Raises:
        Unavailable: the port in the settings is none.
    """
    known = settings()
    if server.compose is None or known.get(SWITCH) == "off":
        return None
    variable = f"FLIGHTSCHOOL_{server.name.upper().replace('-', '_')}_PORT"
    given = known.get(variable, "")
    if given and not given.isdecimal():
        raise Unavailable(_("{name} is {value}, not a port number.").format(name=variable, value=given))
    inside = bool(known.get(INSIDE))
    if server.embedded and not (given or inside or (paths.ROOT / ".env").is_file()):
        return None
    row = server.compose
    host, port = LOOPBACK, int(given or row.port)
    if inside:
        host, port = row.service, row.inner or row.port
    if not port or not occupied(port, host):
        return None
    service = server.standin().at(host, port, {}, by="docker compose")
    service.at_compose(known)
    return service if _proved(service, row) and service.ready() else None


def _proved(service: Service, row: "Compose") -> bool:
    """Whether what answers there is the product that it should be."""
    if not row.proof:
        return True
    try:
        _status, body = service.request(row.path, timeout=2)
    except OSError:
        return False
    return row.proof.encode() in body.replace(b'": ', b'":')
