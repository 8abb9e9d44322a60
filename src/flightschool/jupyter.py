"""JupyterLab as `python -m flightschool.jupyter`: the same, but its process ends when the server has ended.

Now and then a worker thread of anyio outlives the server's event loop, and Python waits for it for ever after Ctrl-C.
"""

import atexit
import os
import sys

from jupyterlab.labapp import main  # type: ignore[import-untyped]

if __name__ == "__main__":
    status = 0
    try:
        main()
    except SystemExit as asked:
        status = asked.code if isinstance(asked.code, int) else int(asked.code is not None)
        if isinstance(asked.code, str):
            sys.stderr.write(f"{asked.code}\n")
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
