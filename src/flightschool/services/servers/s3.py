"""S3 and the other AWS APIs that moto serves, for real over HTTP, in memory."""

import configparser
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flightschool import paths
from flightschool.i18n import _
from flightschool.services.base import LOOPBACK, PythonService

DUMMY = "testing"
"""Access key and secret: moto takes any, and everybody sees that this one is no secret."""
REGION = "us-east-1"


class S3(PythonService):
    """moto's server: S3 first, and IAM, KMS, Secrets Manager and more at the same endpoint.

    It keeps everything in memory: what you stored is gone when it stops.
    """

    name = "s3"
    key = secret = session_token = DUMMY

    @property
    def label(self) -> str:
        return _("S3 (moto server)")

    def command(self, port: int) -> Sequence[str]:
        return self.python("-m", "moto.server", "--host", LOOPBACK, "--port", str(port))

    def answers(self) -> bool:
        status, body = self._asked()
        return status == 200 and b"ListAllMyBucketsResult" in body

    def _asked(self) -> tuple[int, bytes]:
        """The answer to a list of buckets asked for with a key that is none."""
        credential = f"{DUMMY}/20130101/{REGION}/s3/aws4_request"
        signed = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"
        return self.request(headers={"Authorization": signed})

    def env(self) -> dict[str, str]:
        """Variables that point every AWS client here, and away from any real account.

        They go into `os.environ` or a child's environment. Proxies are told to leave loopback alone.
        """
        account = self._account()
        exempt = [*filter(None, os.environ.get("NO_PROXY", os.environ.get("no_proxy", "")).split(","))]
        no_proxy = ",".join(dict.fromkeys([*exempt, LOOPBACK, "localhost", self.host]))
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_SESSION_TOKEN": self.session_token,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_PROFILE": "default",
            "AWS_CONFIG_FILE": str(account),
            "AWS_SHARED_CREDENTIALS_FILE": str(account),
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": no_proxy,
            "no_proxy": no_proxy,
        }

    def client(self, service: str = "s3") -> Any:
        """A boto3 client of that AWS service, whatever the environment says about accounts and proxies."""
        import boto3
        import botocore.config
        import botocore.session

        # Given here, they win over the environment's: a learner's own profile is neither needed nor in reach.
        session = botocore.session.Session(
            {
                "profile": (None, None, None, None),
                "config_file": (None, None, os.devnull, None),
                "credentials_file": (None, None, os.devnull, None),
            }
        )
        return boto3.Session(botocore_session=session).client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            config=botocore.config.Config(proxies={}, s3={"addressing_style": "path"}),
        )

    @property
    def storage_options(self) -> dict[str, Any]:
        """What `pandas.read_parquet("s3://…", storage_options=…)`, fsspec and s3fs want."""
        return {
            "key": self.key,
            "secret": self.secret,
            "client_kwargs": {"endpoint_url": self.endpoint, "region_name": REGION},
        }

    def _account(self) -> Path:
        """A file of settings with the dummy account alone, so that no real one is ever read."""
        path = paths.STATE / "services" / "aws.ini"
        if not path.is_file():
            settings = configparser.ConfigParser(default_section="")
            settings["default"] = {
                "region": REGION,
                "aws_access_key_id": DUMMY,
                "aws_secret_access_key": DUMMY,
            }
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_suffix(f".{os.getpid()}")
            with new.open("w") as file:
                settings.write(file)
            new.replace(path)
        return path


class ComposeS3(S3):
    """The S3 server of compose: S3 alone, on disk, with the keys of `.env`."""

    session_token = ""

    @property
    def label(self) -> str:
        return "S3"

    def at_compose(self, settings: Mapping[str, str]) -> None:
        self.key = settings.get("S3_ACCESS_KEY_ID", "")
        self.secret = settings.get("S3_SECRET_ACCESS_KEY", "")

    def answers(self) -> bool:
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        _status, body = self._asked()
        if b"ListAllMyBucketsResult" not in body and b"<Error" not in body:
            return False  # no S3 at all, which boto3 would ask five times
        try:
            return "Buckets" in self.client().list_buckets()
        except (BotoCoreError, ClientError, ResponseParserError):  # other keys than ours, or no S3 at all
            return False
