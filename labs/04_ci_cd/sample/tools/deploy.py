"""Puts a package to work: unpacked by its digest into the site's folder, then made current in one step."""

import argparse
import hashlib
import hmac
import json
import os
import sys
import zipfile
from pathlib import Path


def deploy(package: Path, site: Path) -> str:
    """Deploy the package, and return its SHA-256. Raises PermissionError without the right token."""
    token = os.environ.get("DEPLOY_TOKEN", "")
    expected = (site / "token.sha256").read_text().strip()
    if not hmac.compare_digest(hashlib.sha256(token.encode()).hexdigest(), expected):
        raise PermissionError(f"{site.name} refuses: DEPLOY_TOKEN is not its token")
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    release = site / "releases" / digest[:12]
    with zipfile.ZipFile(package) as content:
        content.extractall(release)
    fresh = site / f".current-{os.getpid()}"
    fresh.symlink_to(Path("releases") / digest[:12])
    fresh.replace(site / "current")
    names = ("GITHUB_JOB", "CI_JOB_NAME", "STAGE_NAME")
    job = next((os.environ[name] for name in names if name in os.environ), "")
    with (site / "deployments.jsonl").open("a") as log:
        log.write(json.dumps({"to": site.name, "digest": digest, "job": job}) + "\n")
    return digest


def main() -> int:
    """Deploy from the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.deploy", description=__doc__)
    parser.add_argument("package", type=Path)
    parser.add_argument("--to", required=True, choices=["staging", "production"])
    given = parser.parse_args()
    try:
        digest = deploy(given.package, Path(os.environ["SITES"]) / given.to)
    except KeyError:
        print("deploy: SITES does not say where the sites are", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    print(f"{given.to} has {digest[:12]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
