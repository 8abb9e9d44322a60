"""JupyterLab over the learner's own workspace.

A learner works on copies in `workspace/`, so that answers survive an update of the course and notebooks/ stays as it was generated.
"""

from __future__ import annotations

import hashlib
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
from flightschool.i18n import _
from flightschool.learn.lab import quieten

WORKSPACE = paths.ROOT / "workspace"
_RECORD = ".copied.json"
_TRIES = 20


def start(port: int, browser: bool | None) -> None:
    """Lay out the workspace and become JupyterLab on 127.0.0.1.

    Prints its URL and replaces this process, so Ctrl-C goes to Jupyter. Raises FlightSchoolError when no port is free.
    """
    opened = first_free(port)
    if opened != port:
        typer.echo(_("Port {port} is in use; JupyterLab takes {opened}.").format(port=port, opened=opened))
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        typer.echo(
            _(
                "Java was not found, so the Spark cells will not run; `make lab` prints the command that installs it."
            )
        )
    for line in lay_out(paths.NOTEBOOKS, WORKSPACE):
        typer.echo(line)
    quieten()
    if browser is None:
        browser = bool(
            os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin"
        )
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={opened}",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={WORKSPACE}",
        f"--ServerApp.open_browser={browser}",
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
    for candidate in range(port, min(port + _TRIES, 65536)):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", candidate))
            except OSError:
                continue
            return candidate
    raise FlightSchoolError(
        _(
            "No port from {first} to {last} is free or allowed: close a JupyterLab, or choose another with `flightschool lab --port 9000`."
        ).format(first=port, last=min(port + _TRIES, 65536) - 1)
    )


def lay_out(notebooks: Path, workspace: Path) -> list[str]:
    """Copy the notebooks that the workspace lacks or has unchanged; say which newer ones it keeps back.

    What a learner changed is never overwritten: a newer version is laid beside it as `NN_topic.new.ipynb`.
    """
    workspace.mkdir(parents=True, exist_ok=True)
    record_file = workspace / _RECORD
    try:
        record: dict[str, str] = json.loads(record_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = {}  # then every copy counts as changed, and is kept
    said = []
    for source in sorted(notebooks.glob("*.ipynb")):
        new = _digest(source)
        mine = workspace / source.name
        if record.get(source.name) == new and mine.exists():
            continue
        if not mine.exists() or _digest(mine) in (record.get(source.name), new):
            _copy(source, mine)
        else:
            beside = mine.with_name(f"{source.stem}.new.ipynb")
            _copy(source, beside)
            said.append(
                _(
                    "{name} has a newer version; yours is kept, and the new one is beside it as {beside}."
                ).format(name=source.name, beside=beside.name)
            )
        record[source.name] = new
    temporary = record_file.with_suffix(".tmp")
    temporary.write_text(json.dumps(record, indent=1, sort_keys=True), encoding="utf-8")
    temporary.replace(record_file)
    return said


def _copy(source: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.name}.tmp")
    shutil.copyfile(source, temporary)
    temporary.replace(target)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
