"""Several DVC commands in one process: `python dvc_session.py '[["add", "data.csv"], ["push"]]'`. The first that fails is the last."""

import json
import sys


def main(commands: list[list[str]]) -> int:
    """Run them one after the other; the status of the last that ran."""
    from dvc.cli import main as dvc

    for command in commands:
        if status := dvc(command):
            return int(status)
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
