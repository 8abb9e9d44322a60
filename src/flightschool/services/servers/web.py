"""A web application of a lab, as a server of its own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.services.base import LOOPBACK, PythonService


class Web(PythonService):
    """An ASGI application under uvicorn, one worker.

    Args:
        app: `module:attribute`, as uvicorn wants it.
        cwd: the folder in which it runs and from which the module is imported.
        ready: a path whose GET must answer below 400.
        env: variables for it beside ours.
        name: names the log.

    Raises:
        FlightSchoolError: the folder is not there.
    """

    def __init__(
        self,
        app: str,
        cwd: Path,
        *,
        ready: str = "/",
        env: Mapping[str, str] | None = None,
        name: str = "web",
    ) -> None:
        super().__init__()
        if not cwd.is_dir():
            raise FlightSchoolError(
                _("There is no folder {folder} to serve {app} from.").format(folder=cwd, app=app)
            )
        self.app, self.cwd, self.path, self.name = app, cwd, ready, name
        self.env = dict(env or {})

    @property
    def label(self) -> str:
        return _("Web application {app}").format(app=self.app)

    @property
    def folder(self) -> Path:
        return self.cwd

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return self.endpoint

    def command(self, port: int) -> Sequence[str]:
        options = [
            "--host",
            LOOPBACK,
            "--port",
            str(port),
            "--timeout-graceful-shutdown",
            "1",
            "--no-use-colors",
        ]
        return self.python("-m", "uvicorn", self.app, "--app-dir", str(self.cwd), *options)

    def environment(self) -> Mapping[str, str]:
        return self.env

    def answers(self) -> bool:
        status, _body = self.request(self.path)
        return status < 400
