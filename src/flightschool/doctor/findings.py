"""What checks find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

VERSION = 1
"""Of the shape of `Examination.plain`; docs/doctor.schema.json says it."""
PROBLEM, WARNING, NOTE = "problem", "warning", "note"
SEVERITIES = (PROBLEM, WARNING, NOTE)
"""Worst first: something will not work; something may not, or is slow; good to know."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be."""

    severity: str
    sentence: str
    command: str | None = None
    """Mends it, or shows what to end; None where no command on this machine can."""
    check: str = ""
    """Who found it; filled in by the examination."""


@dataclass(frozen=True)
class Examination:
    """All that was looked at, and all that was found, worst first."""

    checks: tuple[str, ...]
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def healthy(self) -> bool:
        """Whether there is no problem; warnings and notes may be."""
        return all(finding.severity != PROBLEM for finding in self.findings)

    @property
    def fine(self) -> int:
        """How many checks found nothing."""
        return len(self.checks) - len({finding.check for finding in self.findings})

    def plain(self) -> dict[str, Any]:
        """As `--json` prints it."""
        found = [
            {
                "check": finding.check,
                "severity": finding.severity,
                "sentence": finding.sentence,
                "command": finding.command,
            }
            for finding in self.findings
        ]
        return {
            "version": VERSION,
            "healthy": self.healthy,
            "checks": list(self.checks),
            "findings": found,
            "seconds": round(self.seconds, 3),
        }
