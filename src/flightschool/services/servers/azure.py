"""Azure Blob Storage, by Azurite."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from typing import TYPE_CHECKING
from urllib.parse import quote

from flightschool.i18n import _
from flightschool.services import npm
from flightschool.services.base import LOOPBACK, Service

if TYPE_CHECKING:
    from pyarrow.fs import AzureFileSystem

ACCOUNT = "flightschool"
API = "2024-11-04"


class AzureBlob(Service):
    """Azurite's blob service, in memory, with one account whose key is made anew at each start.

    It comes from npm when first asked for. Queues and tables are not served.
    """

    name = "azure"
    told = ("key",)

    def __init__(self) -> None:
        super().__init__()
        self.key = base64.b64encode(secrets.token_bytes(64)).decode()

    @property
    def label(self) -> str:
        return _("Azure Blob Storage (Azurite)")

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}:{self.port}/{ACCOUNT}"

    @property
    def connection_string(self) -> str:
        """What Azure's client libraries want; the key is in it."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={self.key};"
            f"BlobEndpoint={self.endpoint};"
        )

    @property
    def storage_options(self) -> dict[str, str]:
        """What pandas, fsspec and adlfs want for `az://…`."""
        return {"connection_string": self.connection_string}

    def filesystem(self) -> "AzureFileSystem":
        """The blobs as a pyarrow filesystem: `container/path`."""
        from pyarrow.fs import AzureFileSystem

        place = f"{self.host}:{self.port}"
        return AzureFileSystem(
            ACCOUNT,
            account_key=self.key,
            blob_storage_authority=place,
            dfs_storage_authority=place,
            blob_storage_scheme="http",
            dfs_storage_scheme="http",
        )

    def command(self, port: int) -> Sequence[str]:
        main = npm.installed("azurite") / "dist" / "src" / "blob" / "main.js"
        where = ["--blobHost", LOOPBACK, "--blobPort", str(port)]
        kept = ["--inMemoryPersistence", "--extentMemoryLimit", "1024"]
        quiet = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        return [str(npm.node()), str(main), *where, *kept, *quiet]

    def environment(self) -> Mapping[str, str]:
        return {"AZURITE_ACCOUNTS": f"{ACCOUNT}:{self.key}"}

    def answers(self) -> bool:
        status, body = self.send("GET", "", {"comp": "list"})
        return status == 200 and b"EnumerationResults" in body

    def send(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, bytes]:
        """One request of Azure's REST API, signed with the account's key; status and body. Raises OSError.

        `path` is `container/blob`. How it is signed:
        https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
        """
        query = dict(query or {})
        target = f"/{ACCOUNT}/{quote(path)}"
        own = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": API}
        if method == "PUT" and body:
            own["x-ms-blob-type"] = "BlockBlob"
        lines = [method, "", "", str(len(body) or ""), *[""] * 8]
        lines += [f"{name}:{own[name]}" for name in sorted(own)]
        lines += [f"/{ACCOUNT}{target}", *(f"{name}:{query[name]}" for name in sorted(query))]
        key = base64.b64decode(self.key)
        signature = hmac.digest(key, "\n".join(lines).encode(), hashlib.sha256)
        headers = {**own, "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(signature).decode()}"}
        if method == "PUT":
            headers["Content-Length"] = str(len(body))
        asked = "&".join(f"{name}={quote(value)}" for name, value in query.items())
        return self.request(f"{target}?{asked}", method=method, body=body or None, headers=headers)
