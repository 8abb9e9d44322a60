"""The learner's workspace: copies of the notebooks, and the JupyterLab that opens them.

A learner works on copies, so that answers survive an update of the course and notebooks/ stays as it was generated.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import typer

from flightschool import paths
from flightschool.errors import FlightSchoolError
from flightschool.i18n import _, language
from flightschool.learn.homepage import fingerprint, write_index
from flightschool.learn.lab import quieten

_ORIGINALS = ".originals"
_TRIES = 20
LOOPBACK = "127.0.0.1"


def start(port: int, browser: bool | None, ip: str = LOOPBACK) -> None:
    """Lay out the workspace and become JupyterLab on 127.0.0.1.

    Prints its URL and replaces this process, so that Ctrl-C goes to Jupyter. `browser` None opens one where there is
    a screen. `ip` is for a container, whose publisher decides what reaches it.
    Raises FlightSchoolError when no port is free.
    """
    opened = first_free(port)
    if opened != port:
        typer.echo(_("Port {port} is in use; JupyterLab takes {opened}.").format(port=port, opened=opened))
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        typer.echo(
            _(
                "Java was not found, so the Spark cells will not run; set-up prints the command that installs it."
            )
        )
    shelf = paths.NOTEBOOKS if language() == "en" else paths.NOTEBOOKS / language()
    for line in lay_out(shelf, paths.WORKSPACE):
        typer.echo(line)
    write_index(paths.WORKSPACE)
    quieten()
    if browser is None:
        browser = bool(
            os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin"
        )
    command = [
        sys.executable,
        "-m",
        "flightschool.jupyter",
        f"--ServerApp.ip={ip}",
        f"--ServerApp.port={opened}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={paths.WORKSPACE}",
        f"--ServerApp.open_browser={browser}",
        "--ServerApp.answer_yes=True",  # one Ctrl-C ends it
        "--KernelManager.transport_encryption=auto",
        "--LanguageServerManager.autodetect=False",  # none is installed, which it would say at length
        f"--LabApp.app_settings_dir={paths.ROOT / 'environment' / 'jupyterlab'}",
        f"--LabApp.workspaces_dir={paths.STATE / 'jupyterlab'}",  # the course's tabs, apart from your other work
        "--LabApp.default_url=/lab/tree/index.ipynb",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Jupyter refuses root unless told; on loopback and with a token it is the same machine either way.
        command.append("--ServerApp.allow_root=True")
    if sys.platform == "win32":
        sys.exit(subprocess.call(command))  # there exec would return to the shell at once
    os.execv(sys.executable, command)  # noqa: S606


def first_free(port: int) -> int:
    """`port`, or the first free one of the twenty from there on. Raises FlightSchoolError when none is."""
    last = min(port + _TRIES, 65536) - 1
    for candidate in range(port, last + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, candidate))
            except OSError:
                continue
            return candidate
    raise FlightSchoolError(
        _(
            "No port from {first} to {last} can be had: choose another with `flightschool lab --port 9000`."
        ).format(first=port, last=last)
    )


def lay_out(notebooks: Path, workspace: Path) -> list[str]:
    """Copy the notebooks that the workspace lacks or holds unchanged; return what to tell the learner.

    What a learner changed is never overwritten: a newer version is laid beside it as `NN_topic.new.ipynb`, with
    the learner's answers in it.
    """
    originals = workspace / _ORIGINALS
    originals.mkdir(parents=True, exist_ok=True)
    said = []
    for source in sorted(notebooks.glob("*.ipynb")):
        mine, original = workspace / source.name, originals / source.name
        newest = source.read_bytes()
        known = original.read_bytes() if original.exists() else None
        if mine.exists() and known == newest:
            continue
        if not mine.exists() or _said(mine) in (_said(original), _said(source)):
            _copy(source, mine)
        else:
            said.append(_lay_beside(source, mine, original))
        _copy(source, original)
    return said


def _lay_beside(source: Path, mine: Path, original: Path) -> str:
    from flightschool.publish import carry_answers

    beside = mine.with_name(f"{source.stem}.new.ipynb")
    said = _("{name} has a newer version: yours is kept, and the new one is beside it as {beside}{answers}.")
    try:
        carried = carry_answers(mine, source, beside, base=original)
    except FlightSchoolError:  # not readable as a notebook, or its original is lost
        _copy(source, beside)
        carried = ()
    answers = _(", with your answers to {names}").format(names=", ".join(carried)) if carried else ""
    return said.format(name=source.name, beside=beside.name, answers=answers)


def _said(path: Path) -> str:
    """What a notebook's cells say. JupyterLab stores other bytes when a notebook was merely opened or run."""
    try:
        return fingerprint(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError):
        return f"unreadable: {path}"


def _copy(source: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name}.tmp")
    shutil.copyfile(source, temporary)
    temporary.replace(target)
