"""The images of a trial, made where no registry of images is in reach: bases by mmdebstrap, the rest by their Dockerfiles."""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path

from engine import Engine, TrialError, mirror, run

HERE = Path(__file__).resolve().parent
DEBIAN = "flightschool-trial/debian:bookworm"
CERTIFICATES = Path("/usr/local/share/ca-certificates")
"""Certificates of the machine's own, such as a proxy's: builds must trust what the machine trusts."""
CONFIGURATION = (Path("/etc/pip.conf"), Path("/etc/uv/uv.toml"))
"""How the machine reaches its package index. They get into the bases, which stay on this machine, and into no Dockerfile."""
LABEL = "flightschool.trial"


def bases(engine: Engine, dockerfile: Path) -> None:
    """Debian, and Python under the very tag that the course's Dockerfile and module 05's ask for.

    The Python is Debian's own (3.11.2), whatever the tag says: Dockerfiles are built unchanged, on an older patch release. As in the
    public image it is `python` in /usr/local/bin, and pip may install into it.
    """
    tag = re.search(r"^ARG PYTHON=(.*)$", dockerfile.read_text(), re.MULTILINE)
    if tag is None:
        raise TrialError(f"{dockerfile} has no line ARG PYTHON=…: nothing says which base it is made from.")
    mine = _made_of()
    if not _is(engine, DEBIAN, mine):
        _debian(engine, mine)
    _derived(
        engine,
        f"python:{tag[1]}",
        mine,
        "apt-get update && apt-get install -y --no-install-recommends python3 python3-pip python3-venv"
        " && rm -rf /var/lib/apt/lists/* /usr/lib/python3*/EXTERNALLY-MANAGED"
        " && ln -s /usr/bin/python3 /usr/local/bin/python && ln -s /usr/bin/pip3 /usr/local/bin/pip",
    )


def servers(engine: Engine) -> None:
    """PostgreSQL and the Prometheus family, from Debian."""
    for name, tag in {"postgres": "15", "prometheus": "bookworm"}.items():
        image = f"flightschool-trial/{name}:{tag}"
        engine(
            "build", "--quiet", "--tag", image, "--file", HERE / f"images/{name}.Dockerfile", HERE / "images"
        )


def lab(engine: Engine, checkout: Path, image: str, log: Path) -> None:
    """The course's own image, by its own Dockerfile."""
    dockerfile = checkout / "environment/Dockerfile"
    engine("build", "--progress=plain", "--tag", image, "--file", dockerfile, checkout, log=log)


def _debian(engine: Engine, label: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "root.tar"
        run(
            "mmdebstrap",
            "--variant=minbase",
            "--include=ca-certificates",
            "bookworm",
            root,
            mirror(),
        )
        path = "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        engine("import", "--change", path, root, f"{DEBIAN}-bare")
        context = Path(place) / "context"
        (context / "certificates").mkdir(parents=True)
        for one in _configuration():
            inside = context / ("certificates" if one.parent == CERTIFICATES else ".") / one.name
            inside.write_bytes(one.read_bytes())
        lines = [
            f"FROM {DEBIAN}-bare",
            f"LABEL {LABEL}={label}",
            "COPY . /tmp/machine",
            "RUN cp -r /tmp/machine/certificates/. /usr/local/share/ca-certificates/ && update-ca-certificates"
            " && if [ -e /tmp/machine/pip.conf ]; then cp /tmp/machine/pip.conf /etc/; fi"
            " && if [ -e /tmp/machine/uv.toml ]; then mkdir -p /etc/uv && cp /tmp/machine/uv.toml /etc/uv/; fi"
            " && rm -rf /tmp/machine",
            "ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt",
        ]
        (context / "Dockerfile").write_text("\n".join(lines))
        engine("build", "--quiet", "--tag", DEBIAN, context)


def _derived(engine: Engine, image: str, label: str, step: str) -> None:
    if not _is(engine, image, label):
        text = f"FROM {DEBIAN}\nRUN {step}\n"
        engine("build", "--quiet", "--tag", image, "-", input=text)


def _is(engine: Engine, image: str, label: str) -> bool:
    listed = engine("image", "ls", "--quiet", "--filter", f"label={LABEL}={label}", image)
    return bool(listed.strip())


def _made_of() -> str:
    """A digest of what decides the bases, but for Debian's updates: empty the cache for those."""
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for one in _configuration():
        digest.update(one.read_bytes())
    return digest.hexdigest()[:16]


def _configuration() -> list[Path]:
    own = sorted(CERTIFICATES.glob("*.crt")) if CERTIFICATES.is_dir() else []
    return [*own, *(one for one in CONFIGURATION if one.is_file())]
