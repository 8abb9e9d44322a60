"""The examination: every check by itself, several at a time, none able to stop another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from flightschool.doctor.findings import SEVERITIES, WARNING, Examination, Finding
from flightschool.doctor.machine import Machine
from flightschool.i18n import _

Check = Callable[[Machine], Iterable[Finding]]
AT_ONCE = 4
"""Most of them wait for another program. More at once would need more open files than a broken machine may have."""
DEADLINE = 15.0
"""Seconds after which a check that hangs (a dead network folder, say) is given up."""


def examine(machine: Machine, checks: Mapping[str, Check], deadline: float = DEADLINE) -> Examination:
    """Run all checks. One that raises or hangs is a finding of its own: what it would have said is not known."""
    began = time.monotonic()
    turn = threading.Semaphore(AT_ONCE)
    found: dict[str, list[Finding]] = {}

    def carry_out(name: str, check: Check) -> None:
        with turn:
            try:
                mine = list(check(machine))
            except Exception as error:
                mine = [_unknown(f"{type(error).__name__}: {error}".rstrip(": "))]
            found[name] = mine

    # Daemons: one that hangs must not keep the program from ending.
    threads = [
        threading.Thread(target=carry_out, args=item, name=item[0], daemon=True) for item in checks.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, began + deadline - time.monotonic()))
    late = [_unknown(_("no answer within {seconds:g} s").format(seconds=deadline))]
    findings = [replace(finding, check=name) for name in checks for finding in list(found.get(name, late))]
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return Examination(tuple(checks), tuple(findings), time.monotonic() - began)


def _unknown(why: str) -> Finding:
    return Finding(WARNING, _("Could not be checked ({why}).").format(why=" ".join(why.split())))
