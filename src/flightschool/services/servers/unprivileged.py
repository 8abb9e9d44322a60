"""Run a command as another user, for servers that refuse to run as root.

    python unprivileged.py UID GID COMMAND…

The guardian's parent-death signal is lost when a process changes its user, so it is set again.
"""

import ctypes  # here, since that user may have no way to Python's library
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(uid: int, gid: int, *command: str) -> None:
    """Become that user, then that command."""
    parent = os.getppid()
    library = ctypes.CDLL(None)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    os.umask(0o077)
    if sys.platform == "linux":
        library.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the system call
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
