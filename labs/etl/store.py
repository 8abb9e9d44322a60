"""A store: a folder on a disk or a prefix in a bucket, behind the few calls that the ETL needs.

The one promise the rest is built on: `Store.write` is all or nothing. On S3 a PUT is; on a disk the bytes go
to a temporary file that is then renamed over the old one. A *folder* can't be replaced in one step on S3 (a
rename there copies and deletes object by object), so nothing here offers that.
"""

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import fsspec
from botocore.exceptions import BotoCoreError
from fsspec.implementations.local import LocalFileSystem

from etl.errors import StoreUnavailable

STAGING = ".tmp"
STALE_SECONDS = 24 * 3600


class Store:
    """Objects under one root, by key (``raw/flights/…``).

    The root is a path or an fsspec URL such as ``s3://bucket/lake``. Endpoint and credentials of a bucket come
    from where boto looks for them (``AWS_ENDPOINT_URL``, ``AWS_ACCESS_KEY_ID``, a profile, the machine's role).
    """

    def __init__(self, root: str | Path) -> None:
        self.root = str(root).rstrip("/") or "/"
        try:
            self._fs, base = fsspec.core.url_to_fs(self.root, **_options(self.root))
        except (ValueError, ImportError) as error:
            raise StoreUnavailable(f"{self.root} can't be used as a store: {error}.") from None
        self._base = str(base).rstrip("/")
        self._local = isinstance(self._fs, LocalFileSystem)

    def __repr__(self) -> str:
        return f"Store({self.root!r})"

    def url(self, key: str) -> str:
        """The full name of an object, for messages and other tools."""
        return f"{self.root}/{key}"

    def read(self, key: str) -> bytes:
        """The object's bytes. Raises FileNotFoundError, StoreUnavailable."""
        with self._reaching("read", key):
            return bytes(self._fs.cat_file(self._path(key)))

    def write(self, key: str, data: bytes) -> None:
        """Put the object there in one step, over an older one or not. Raises StoreUnavailable."""
        with self._reaching("written", key):
            try:
                if self._local:
                    self._write_local(Path(self._path(key)), data)
                else:
                    self._fs.pipe_file(self._path(key), data)
            except FileNotFoundError as error:
                raise OSError(str(error)) from None

    def remove(self, key: str) -> None:
        """Remove an object, or a folder and all in it; nothing happens when it is not there."""
        with self._reaching("removed", key), suppress(FileNotFoundError):
            self._fs.rm(self._path(key), recursive=True)

    def names(self, key: str) -> list[str]:
        """What lies directly in a folder, sorted; empty when there is no such folder."""
        with self._reaching("listed", key):
            try:
                found = self._fs.ls(self._path(key), detail=False)
            except FileNotFoundError:
                return []
        return sorted(str(path).rstrip("/").rpartition("/")[2] for path in found)

    @contextmanager
    def local_copy(self, key: str) -> Iterator[Path]:
        """A copy of the object as a file on this machine, for a reader that can't reach the store itself.

        It stays the same while it is read, and its path holds nothing that Spark takes for a pattern.
        """
        data = self.read(key)
        with tempfile.TemporaryDirectory(prefix="etl-") as folder:
            path = Path(folder) / key.rpartition("/")[2]
            path.write_bytes(data)
            yield path

    def sweep(self) -> None:
        """Remove temporary files that a killed writer left more than a day ago."""
        staging = Path(self._base) / STAGING
        if not self._local or not staging.is_dir():
            return
        for path in staging.iterdir():
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - STALE_SECONDS:
                    path.unlink()

    def _path(self, key: str) -> str:
        return f"{self._base}/{key}"

    def _write_local(self, target: Path, data: bytes) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(self._base) / STAGING
        staging.mkdir(exist_ok=True)
        temporary = staging / f"{target.name}.{uuid.uuid4().hex}"
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        # The rename itself survives a power cut only when the folder is on the disk as well.
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @contextmanager
    def _reaching(self, verb: str, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except (OSError, BotoCoreError, shutil.Error) as error:
            cause = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise StoreUnavailable(f"{self.url(key)} could not be {verb}: {cause.rstrip('.')}.") from error


def _options(root: str) -> dict[str, Any]:
    if not root.startswith(("s3://", "s3a://")):
        return {}
    # One request an object: read in parallel ranges, it could be half the old and half the new one.
    options: dict[str, Any] = {"use_listings_cache": False, "max_concurrency": 1}
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        # boto would find it as well; but fsspec keeps clients by their options, and a server may move.
        options["endpoint_url"] = endpoint
        # A server of one's own has one host name, not one for each bucket.
        options["config_kwargs"] = {"s3": {"addressing_style": "path"}}
    return options
