"""An examination as a person reads it: by rich as a table, or plain where there is no rich."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from flightschool.doctor.findings import SEVERITIES, Examination
from flightschool.i18n import _

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {"problem": "bold red", "warning": "yellow", "note": "cyan"}


def words() -> dict[str, str]:
    """Severities as they are called."""
    return {"problem": _("problem"), "warning": _("warning"), "note": _("note")}


def summary(examination: Examination) -> str:
    """The last line."""
    if not examination.findings:
        return _("All {count} checks are fine.").format(count=len(examination.checks))
    counted = Counter(finding.severity for finding in examination.findings)
    found = ", ".join(f"{words()[name]}: {counted[name]}" for name in SEVERITIES if counted[name])
    return _("{found}. {fine} of {count} checks are fine.").format(
        found=found, fine=examination.fine, count=len(examination.checks)
    )


def show(examination: Examination, console: Console | None = None) -> None:
    """Print it on standard output: what is wrong as a table, then the commands, whole and each on its own line."""
    try:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        sys.stdout.write(plain(examination))
        return
    console = console or Console()
    if examination.findings:
        table = Table(_("severity"), _("check"), _("what is wrong"))
        for finding in examination.findings:
            severity = Text(words()[finding.severity], style=STYLES[finding.severity])
            table.add_row(severity, finding.check, Text(finding.sentence))
        console.print(table)
    if any(finding.command for finding in examination.findings):
        console.print(_("What mends it:"))
    for finding in examination.findings:
        if finding.command:
            # Not in the table: there it would be broken into lines that can't be copied.
            line = Text.assemble(f"  {finding.check:12} ", (finding.command, "bold"))
            console.print(line, soft_wrap=True)
    console.print(summary(examination), highlight=False)


def plain(examination: Examination) -> str:
    """The same without rich."""
    lines = []
    for finding in examination.findings:
        lines.append(f"{words()[finding.severity]}: {finding.check}: {finding.sentence}")
        if finding.command:
            lines.append(f"    {finding.command}")
    return "\n".join([*lines, summary(examination)]) + "\n"
