"""Branches of a whole lake by lakeFS: its REST API for repositories, branches, commits and merges, its S3 gateway for the objects.

    lake = LakeFS.of_compose()
    flights = lake.repository("flights", "s3://a-bucket/flights")
    flights.branch("night-2013-02-08")
    flights.put("night-2013-02-08", "raw/flights.csv", content)
    flights.commit("night-2013-02-08", "Flights of 8 February")
    flights.merge("night-2013-02-08", "main")

lakeFS has a server in docker compose only. https://docs.lakefs.io/reference/api/
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flightschool.errors import FlightSchoolError
from flightschool.i18n import translations

_ = translations("03_versioning")


class LakeError(FlightSchoolError):
    """lakeFS refused a request; the message holds its reason."""


@dataclass(frozen=True)
class LakeFS:
    """A lakeFS server, with the key of one of its users. A key is shown by nobody's `repr`."""

    endpoint: str
    key: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def of_compose(cls) -> LakeFS:
        """The server of docker compose, with the key from `.env`. Raises Unavailable, which says how to start it."""
        from flightschool import services
        from flightschool.services import compose

        server = services.lakefs()
        known = compose.settings()
        return cls(
            server.endpoint, known.get("LAKEFS_ACCESS_KEY_ID", ""), known.get("LAKEFS_SECRET_ACCESS_KEY", "")
        )

    def repository(self, name: str, namespace: str) -> LakeRepository:
        """A new repository with the branch main, which keeps its objects below `namespace`, such as s3://bucket/prefix."""
        self.call(
            "POST", "/repositories", {"name": name, "storage_namespace": namespace, "default_branch": "main"}
        )
        return LakeRepository(self, name)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request of the REST API; the JSON of the answer, None when there is none. Raises LakeError and OSError."""
        request = urllib.request.Request(f"{self.endpoint}/api/v1{path}", method=method)  # noqa: S310 - lakeFS, by HTTP
        request.add_header(
            "Authorization", "Basic " + b64encode(f"{self.key}:{self.secret}".encode()).decode()
        )
        data = None
        if body is not None:
            request.add_header("Content-Type", "application/json")
            data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=30) as answer:  # noqa: S310 - as above
                text = answer.read()
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            try:
                said = json.loads(said)["message"]
            except (ValueError, KeyError, TypeError):
                said = said[:200]
            raise LakeError(
                _("lakeFS refused {method} {path} ({status}): {said}").format(
                    method=method, path=path, status=error.code, said=said
                )
            ) from None
        return json.loads(text) if text else None

    def s3(self) -> Any:
        """The S3 gateway: a boto3 client whose buckets are repositories and whose keys begin with a branch."""
        import boto3
        from botocore.config import Config

        account = {
            "aws_access_key_id": self.key,
            "aws_secret_access_key": self.secret,
            "region_name": "us-east-1",
        }
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            config=Config(proxies={}, s3={"addressing_style": "path"}),
            **account,
        )


@dataclass(frozen=True)
class LakeRepository:
    """One repository: a lake with branches."""

    lake: LakeFS
    name: str

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        return self.lake.call(method, f"/repositories/{self.name}{path}", body)

    def branch(self, name: str, source: str = "main") -> None:
        """A new branch: a name, no copy of any object."""
        self._call("POST", "/branches", {"name": name, "source": source})

    def put(self, branch: str, path: str, content: bytes) -> None:
        """Write one object on a branch, by the S3 gateway."""
        self.lake.s3().put_object(Bucket=self.name, Key=f"{branch}/{path}", Body=content)

    def get(self, ref: str, path: str) -> bytes:
        """One object as of a branch or a commit."""
        content: bytes = self.lake.s3().get_object(Bucket=self.name, Key=f"{ref}/{path}")["Body"].read()
        return content

    def commit(self, branch: str, message: str) -> str:
        """Commit what was written on a branch; returns the commit's name."""
        return str(self._call("POST", f"/branches/{branch}/commits", {"message": message})["id"])

    def merge(self, source: str, into: str = "main") -> str:
        """Merge a branch, all objects at once; returns the merge's name. Raises LakeError on a conflict."""
        return str(
            self._call("POST", f"/refs/{source}/merge/{into}", {"message": f"Publish {source}"})["reference"]
        )

    def revert(self, branch: str, commit: str) -> None:
        """Undo one commit by a new one. A merge is undone against its first parent."""
        self._call("POST", f"/branches/{branch}/revert", {"ref": commit, "parent_number": 1})

    def delete_branch(self, name: str) -> None:
        """Forget a branch and what was only there."""
        self._call("DELETE", f"/branches/{name}")


def publish(
    repository: LakeRepository,
    name: str,
    files: dict[str, bytes],
    audit: Callable[[Callable[[str], bytes]], list[str]],
) -> bool:
    """Write, audit, publish, as with Iceberg: files come to main together, and only when `audit` finds nothing.

    `audit` gets a function that reads an object of the branch, and returns sentences. Whether it was published is returned.
    """
    repository.branch(name)
    try:
        for path, content in files.items():
            repository.put(name, path, content)
        repository.commit(name, f"Write {name}")
        if audit(lambda path: repository.get(name, path)):
            return False
        repository.merge(name)
        return True
    finally:
        repository.delete_branch(name)
