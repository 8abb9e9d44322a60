"""The doctor without a command line of ours, for `environment/doctor`: any Python from 3.9 on runs it."""

from __future__ import annotations

import json
import sys

from flightschool.doctor.checks import CHECKS
from flightschool.doctor.examination import examine
from flightschool.doctor.machine import Machine
from flightschool.doctor.show import show
from flightschool.i18n import _


def report(as_json: bool) -> int:
    """Examine this machine and print what was found; the exit code is 1 when there is a problem."""
    examination = examine(Machine(), CHECKS)
    if as_json:
        sys.stdout.write(json.dumps(examination.plain(), indent=2, ensure_ascii=False) + "\n")
    else:
        show(examination)
    return 0 if examination.healthy else 1


def main(arguments: list[str]) -> int:
    """`environment/doctor [--json]`."""
    if arguments not in ([], ["--json"]):
        sys.stderr.write(_("The only option is --json.") + "\n")
        return 2
    return report(as_json=bool(arguments))
