"""What the shell hands to every program: proxies, certificates, language, and what shadows the course's Python."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from flightschool.doctor.findings import NOTE, PROBLEM, WARNING, Finding
from flightschool.doctor.machine import Machine
from flightschool.i18n import _

LOOPBACK = ("127.0.0.1", "localhost")
BUNDLES = (
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
)


def proxy(machine: Machine) -> Iterator[Finding]:
    """A proxy that would also be asked for the servers on this very machine."""
    env = machine.env
    names = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
    used = [name for name in names if env.get(name)]
    exempt = [part.strip() for part in env.get("no_proxy", env.get("NO_PROXY", "")).split(",")]
    missing = [] if "*" in exempt else [host for host in LOOPBACK if host not in exempt]
    if not used or not missing:
        return
    value = ",".join([*filter(None, exempt), *missing])
    sentence = _(
        "{name} is set and NO_PROXY does not except {hosts}: requests to the labs' own servers go to the proxy."
    )
    quoted = shlex.quote(value)
    yield Finding(
        WARNING,
        sentence.format(name=used[0], hosts=", ".join(missing)),
        f"export NO_PROXY={quoted} no_proxy={quoted}",
    )


def certificates(machine: Machine) -> Iterator[Finding]:
    """Certificate files that are named and not there: every download fails then."""
    for name in BUNDLES:
        value = machine.env.get(name)
        if value and not Path(value).exists():
            sentence = _("{name} names {value}, which does not exist: secure connections will fail.")
            yield Finding(PROBLEM, sentence.format(name=name, value=value), f"unset {name}")


def locale(machine: Machine) -> Iterator[Finding]:
    """A language setting without UTF-8: Java, Git and shells then mangle what is not ASCII."""
    names = ("LC_ALL", "LC_CTYPE", "LANG")
    name = next((name for name in names if machine.env.get(name)), None)
    value = machine.env[name] if name else ""
    if "utf8" in value.lower().replace("-", "") or (machine.mac and not value):
        return
    said = f"{name}={value}" if name else _("LANG is not set")
    sentence = _("The locale is not UTF-8 ({said}): names and texts that are not ASCII come out wrong.")
    utf8 = "en_US.UTF-8" if machine.mac else "C.UTF-8"
    yield Finding(WARNING, sentence.format(said=said), f"export {name or 'LANG'}={utf8}")


def shadows(machine: Machine) -> Iterator[Finding]:
    """Variables that put another Python, Spark or environment before the course's."""
    env = machine.env
    for name, why in {
        "PYTHONHOME": _("no other Python than that one starts"),
        "PYTHONPATH": _("modules there come before the course's"),
        "SPARK_HOME": _("Spark is taken from there, whatever its version"),
    }.items():
        if value := env.get(name):
            severity = PROBLEM if name == "PYTHONHOME" else WARNING
            sentence = _("{name} is set ({value}): {why}.")
            yield Finding(severity, sentence.format(name=name, value=value, why=why), f"unset {name}")
    other = env.get("VIRTUAL_ENV")
    if other and Path(other).resolve() != machine.bootstrap.VENV.resolve():
        sentence = _("Another virtual environment is active ({path}): its programs come before the course's.")
        yield Finding(WARNING, sentence.format(path=other), "deactivate")
    if conda := env.get("CONDA_PREFIX"):
        sentence = _("A conda environment is active ({path}): its programs come before the course's.")
        yield Finding(WARNING, sentence.format(path=conda), "conda deactivate")
    if env.get("PYTHONDONTWRITEBYTECODE"):
        sentence = _("PYTHONDONTWRITEBYTECODE is set: every import takes up to three times as long.")
        yield Finding(NOTE, sentence, "unset PYTHONDONTWRITEBYTECODE")
