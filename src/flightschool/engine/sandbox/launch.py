"""The clean process that `run` starts: it reads what is asked, goes behind the walls, and becomes the command."""

import json
import os
import sys

from flightschool.engine.sandbox.entering import enter
from flightschool.engine.sandbox.policy import Policy

NOT_FOUND = 127
"""Exit status where there is no such command, as a shell has it."""


def main(report: int) -> None:
    """Standard input holds the command and the policy, as JSON."""
    asked = json.load(sys.stdin)
    command = [str(word) for word in asked["command"]]
    enter(Policy.of(asked["policy"]), report=report)
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(NOT_FOUND)
