"""A server that takes posted JSON, checks it and keeps it for whoever started it: what receivers have in common.

    python -m flightschool.services.servers.receiver slack 8000

is the server itself; its token comes by the environment. Who posts sees the real service's answers; who has the token
reads and clears what came, at `/received/TOKEN`.
"""

import hmac
import json
import os
import secrets
import sys
import time
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from typing import Any, ClassVar, NamedTuple

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.services.base import LOOPBACK, PythonService, Unavailable

TOKEN = "FLIGHTSCHOOL_RECEIVER_TOKEN"  # noqa: S105 - a variable's name
KEPT = 10_000
"""Posts that are kept; of more the oldest go."""
LARGEST = 2**20
"""Bytes of a post; a larger one is refused with 413."""


class Answer(NamedTuple):
    """What to say to a post, and what of it to keep (None: nothing)."""

    status: int
    body: str
    kept: Any = None


class Receiver(PythonService):
    """The class of the module whose function `answer(path, token, content_type, body)` the server calls.

    The module's `prepare()`, if it has one, is called first, so that the first post does not wait for imports.
    """

    told: ClassVar[tuple[str, ...]] = ("token",)

    def __init__(self) -> None:
        super().__init__()
        self.token = secrets.token_urlsafe(24)

    @property
    @abstractmethod
    def url(self) -> str:
        """What a client is told."""

    def command(self, port: int) -> Sequence[str]:
        return self.python("-m", __name__, self.name, str(port))

    def environment(self) -> Mapping[str, str]:
        return {TOKEN: self.token}

    def answers(self) -> bool:
        status, body = self.request(f"/received/{self.token}?last=0")
        return status == 200 and json.loads(body) == []

    def received(self) -> list[dict[str, Any]]:
        """What was kept, the oldest first: `at` (seconds since 1970) and `content`.

        Raises:
            Unavailable: it does not run.
        """
        found: list[dict[str, Any]] = json.loads(self._own("GET"))
        return found

    def clear(self) -> None:
        """Forget what came."""
        self._own("DELETE")

    def _own(self, method: str) -> bytes:
        try:
            status, body = self.request(f"/received/{self.token}", method=method)
        except OSError as error:
            raise Unavailable(
                _("{label} is not running: start it with services.{name}().").format(
                    label=self.label, name=self.name
                )
            ) from error
        if status != 200:
            raise FlightSchoolError(
                _("At {endpoint} there is another receiver by now.").format(endpoint=self.endpoint)
            )
        return body


Judge = Callable[[str, str, str, bytes], Answer]


class Door(BaseHTTPRequestHandler):
    """The requests of those who post and of those who read."""

    judge: ClassVar[Judge]
    token: ClassVar[str]
    posts: ClassVar[deque[dict[str, Any]]] = deque(maxlen=KEPT)
    timeout = 10.0  # of a client that says nothing
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST:
            self.close_connection = True
            # Else the client would see a broken connection instead of the answer.
            self.rfile.read(min(int(length), 8 * LARGEST) if length.isdecimal() else 0)
            self._reply(413 if length.isdecimal() else 411, "")
            return
        said = type(self).judge(
            self.path, self.token, self.headers.get("Content-Type", ""), self.rfile.read(int(length))
        )
        if said.kept is not None:
            self.posts.append({"at": time.time(), "content": said.kept})
        self._reply(said.status, said.body)

    def do_GET(self) -> None:
        path, _mark, query = self.path.partition("?")
        if self._mine(path):
            self._reply(200, json.dumps([] if query == "last=0" else list(self.posts)), "application/json")

    def do_DELETE(self) -> None:
        if self._mine(self.path):
            self.posts.clear()
            self._reply(200, "")

    def _mine(self, path: str) -> bool:
        if hmac.compare_digest(path.encode(), f"/received/{self.token}".encode()):
            return True
        self._reply(404, "")
        return False

    def _reply(self, status: int, text: str, kind: str = "text/plain; charset=utf-8") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        # The address is the secret, so the log has the verb and the status alone.
        if self.command != "GET":
            self.log_message("%s %s", self.command, str(code))


def main(kind: str, port: int) -> None:
    """Serve until killed."""
    module = import_module(f"flightschool.services.servers.{kind}")
    judge: Judge = module.answer
    if hasattr(module, "prepare"):
        module.prepare()
    Door.judge, Door.token = staticmethod(judge), os.environ[TOKEN]
    ThreadingHTTPServer((LOOPBACK, port), Door).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
