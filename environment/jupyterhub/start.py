"""What a hub starts for a learner: the workspace is laid out as `flightschool lab` does it, then the hub's own server.

The hub says by its environment where the server listens and who may enter; arguments are handed on to it.
"""

from __future__ import annotations

import os
import sys

from flightschool import paths
from flightschool.i18n import language
from flightschool.learn.homepage import write_index
from flightschool.learn.lab import quieten
from flightschool.workspace import lay_out


def main(arguments: list[str]) -> None:
    """Lay out the workspace and become jupyterhub-singleuser."""
    shelf = paths.NOTEBOOKS if language() == "en" else paths.NOTEBOOKS / language()
    for line in lay_out(shelf, paths.WORKSPACE):
        sys.stderr.write(f"{line}\n")
    write_index(paths.WORKSPACE)
    quieten()
    settings = {
        "ServerApp.root_dir": paths.WORKSPACE,
        "LabApp.app_settings_dir": paths.ROOT / "environment" / "jupyterlab",
        "LabApp.news_url": None,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LanguageServerManager.autodetect": False,
    }
    command = [
        "jupyterhub-singleuser",
        *(f"--{name}={value}" for name, value in settings.items()),
        *arguments,
    ]
    os.execvp(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
