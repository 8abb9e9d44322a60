"""`dvc repro` after each of several changes, in one process: `python repro_session.py task.json`, run in the project's folder.

The task is `{"log": file in which the scripts note their runs, "steps": [[name, {path: text}]]}`. The last line says what ran after each step.
"""

import json
import sys
from pathlib import Path


def main(task: Path) -> None:
    """Make each change, reproduce, count; stop at the first failure."""
    from dvc.cli import main as dvc
    from dvc.repo import Repo

    wanted = json.loads(task.read_text(encoding="utf-8"))
    log = Path(wanted["log"])
    failed = bool(dvc(["init", "--quiet"]))
    ran: list[list[str]] = []
    for _name, files in [] if failed else wanted["steps"]:
        for path, text in files.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text, encoding="utf-8")
        log.write_text("")
        failed = bool(dvc(["repro"]))
        ran.append(log.read_text().split())
        if failed:
            break
    metrics: dict[str, object] = {}
    if not failed:
        with Repo() as repo:
            found = repo.metrics.show().get("", {}).get("data", {})
        metrics = {path: value.get("data") for path, value in found.items()}
    sys.stdout.write("\nreport: " + json.dumps({"ran": ran, "metrics": metrics, "failed": failed}) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
