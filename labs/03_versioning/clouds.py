"""Three clouds behind one interface: S3, Google Cloud Storage and Azure Blob through fsspec, as many of them as can be had here.

S3 is answered by moto, Google's by the gcp-storage-emulator, Azure's by Azurite. They show each service's requests, not its durability, speed or price.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import fsspec

from flightschool import services
from flightschool.i18n import translations

_ = translations("03_versioning")


@dataclass(frozen=True)
class Cloud:
    """One object store with a bucket of our own in it. `why` says in one line why it can't be had; then `root` is empty."""

    name: str
    label: str
    root: str
    options: dict[str, Any]
    why: str = ""

    def files(self) -> fsspec.AbstractFileSystem:
        """Its file system, with no listing of earlier remembered."""
        fs, _path = fsspec.core.url_to_fs(
            self.root, skip_instance_cache=True, use_listings_cache=False, **self.options
        )
        return fs


def clouds() -> list[Cloud]:
    """S3, Google Cloud Storage and Azure Blob, each with a fresh bucket, or with the reason why it is skipped."""
    return [_opened(name, label, scheme, start) for name, label, scheme, start in KINDS]


def memory() -> Cloud:
    """A store in this process's memory, by the same interface: handy for tests."""
    return Cloud("memory", _("this process's memory"), f"memory://store-{uuid4().hex}/store", {})


def _opened(name: str, label: str, scheme: str, start: Callable[[], Any]) -> Cloud:
    try:
        service = start()
    except services.Unavailable as skipped:
        return Cloud(name, label, "", {}, why=str(skipped))
    if scheme == "gs":
        # gcsfs's newer class asks for the bucket's kind by gRPC, which an emulator does not speak, and waits a minute for each answer.
        from gcsfs.core import GCSFileSystem

        fsspec.register_implementation(scheme, GCSFileSystem, clobber=True)
    bucket = f"store-{uuid4().hex}"
    options = service.storage_options
    if name == "s3":  # s3fs asks for a region in a way that S3 refuses for its first one
        service.client().create_bucket(Bucket=bucket)
    else:
        fsspec.filesystem(scheme, **options).mkdir(bucket)
    return Cloud(name, label, f"{scheme}://{bucket}/store", options)


KINDS: tuple[tuple[str, str, str, Callable[[], Any]], ...] = (
    ("s3", "Amazon S3", "s3", services.s3),
    ("gcs", "Google Cloud Storage", "gs", lambda: services.gcs()),
    ("azure", "Azure Blob Storage", "az", lambda: services.azure()),
)
