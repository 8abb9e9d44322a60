"""Run several commands as one: when one ends, all end, and its status is ours.

    python together.py '[["server", "--port", "1"], ["worker"]]' '[0, 1]'

The second list says, a command each, on which port of 127.0.0.1 somebody must take connections before it is
started; 0 waits for nothing. All stay in our process group, so the signal that ends us reaches them too.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time


def taken(port: int) -> bool:
    """Whether somebody takes connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def main(commands: list[list[str]], after: list[int]) -> int:
    """Start them, wait for the first that ends, end the others."""
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: None)
    waiting = list(zip(commands, after, strict=True))
    running: list[subprocess.Popen[bytes]] = []
    status: int | None = None
    while status is None:
        for one in [one for one in waiting if not one[1] or taken(one[1])]:
            waiting.remove(one)
            running.append(subprocess.Popen(one[0]))
        time.sleep(0.05)
        status = next((code for child in running if (code := child.poll()) is not None), None)
    os.killpg(0, signal.SIGTERM)
    for child in running:
        child.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]), json.loads(sys.argv[2])))
