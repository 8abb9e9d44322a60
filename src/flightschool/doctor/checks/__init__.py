"""All checks by name, in the order in which things are looked at; each yields what it finds."""

from __future__ import annotations

from collections.abc import Mapping

from flightschool.doctor.checks import checkout, hardware, shell, tools
from flightschool.doctor.examination import Check

CHECKS: Mapping[str, Check] = {
    "python": tools.python,
    "java": tools.java,
    "lock": checkout.lock,
    "packages": tools.packages,
    "sandbox": tools.sandbox,
    "docker": tools.docker,
    "git": tools.git,
    "memory": hardware.memory,
    "disk": hardware.disk,
    "files": hardware.files,
    "ports": hardware.ports,
    "clock": hardware.clock,
    "wsl": hardware.wsl,
    "arm": hardware.arm,
    "proxy": shell.proxy,
    "certificates": shell.certificates,
    "locale": shell.locale,
    "shadows": shell.shadows,
    "data": checkout.data,
    "notebooks": checkout.notebooks,
    "state": checkout.state,
    "leftovers": checkout.leftovers,
}
