"""Google Cloud Storage's JSON API, by the gcp-storage-emulator."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from flightschool.i18n import _
from flightschool.services.base import LOOPBACK, PythonService

if TYPE_CHECKING:
    from pyarrow.fs import GcsFileSystem

PROJECT = "flightschool"


class GoogleStorage(PythonService):
    """An emulator of Google Cloud Storage, in memory, without authentication."""

    name = "gcs"

    @property
    def label(self) -> str:
        return _("Google Cloud Storage (emulator)")

    def command(self, port: int) -> Sequence[str]:
        options = ["--host", LOOPBACK, "--port", str(port), "--in-memory", "--quiet"]
        return self.python("-m", "gcp_storage_emulator", "start", *options)

    def answers(self) -> bool:
        status, body = self.request(f"/storage/v1/b?project={PROJECT}")
        return status == 200 and b"storage#buckets" in body

    def env(self) -> dict[str, str]:
        """Variables that point Google's client libraries here."""
        return {"STORAGE_EMULATOR_HOST": self.endpoint, "GOOGLE_CLOUD_PROJECT": PROJECT}

    @property
    def storage_options(self) -> dict[str, str]:
        """What pandas, fsspec and gcsfs want for `gs://…`."""
        return {"endpoint_url": self.endpoint, "token": "anon", "project": PROJECT}

    def filesystem(self) -> "GcsFileSystem":
        """The buckets as a pyarrow filesystem: `bucket/path`."""
        from pyarrow.fs import GcsFileSystem

        return GcsFileSystem(
            anonymous=True,
            scheme="http",
            endpoint_override=f"{self.host}:{self.port}",
            project_id=PROJECT,
            retry_time_limit=timedelta(seconds=10),
        )
