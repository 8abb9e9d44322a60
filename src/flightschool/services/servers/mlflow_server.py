"""`mlflow server`, with uvicorn in this process instead of a second one that imports everything again.

python mlflow_server.py --host 127.0.0.1 --port PORT --workers 1 …
"""

import gc
import os
import sys
from typing import Any

gc.disable()  # what is imported stays: to look for garbage in it takes a fifth of the time
import mlflow.server  # noqa: E402
import mlflow.server.fastapi_app  # noqa: E402
import uvicorn.main  # noqa: E402
from mlflow.cli import cli  # noqa: E402

gc.freeze()
gc.enable()


def here(command: list[str], *, extra_env: dict[str, str], **_how: Any) -> None:
    """Be the command `python -m uvicorn …` that MLflow would start."""
    if command[1:3] != ["-m", "uvicorn"]:
        sys.exit(f"MLflow starts its server by {command[:3]}, not by uvicorn as expected")
    os.environ |= extra_env
    uvicorn.main.main(command[3:])  # ends this process when it has served


def main() -> None:
    """Serve until a signal comes."""
    setattr(mlflow.server, "_exec_cmd", here)  # noqa: B010
    cli(["server", *sys.argv[1:]])


if __name__ == "__main__":
    main()
