"""s3: the files in a bucket of S3, or of a server that is spoken to alike.

https://docs.aws.amazon.com/AmazonS3/latest/API/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from flowforge.connectors.sdk import (
    AwsSignature,
    ConnectionKind,
    ConnectorConfig,
    ConnectorError,
    Content,
    Credentials,
    Pair,
    Request,
    Response,
    StreamedBody,
    ask_server,
    body_of,
    copy_download,
    field,
    remote_files,
    secret,
    xml_of,
)

_XML = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class Bucket(ConnectorConfig):
    bucket: str = field(title="Bucket", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$")
    region: str = field("us-east-1", title="Region", pattern=r"^[A-Za-z0-9-]{1,40}$")
    access_key_id: str = field(title="Access key id", max_length=128)
    secret_access_key: str = secret(title="Secret access key")
    session_token: str = secret("", title="Session token", description="Of keys that are lent for a time.")
    endpoint: str = field(
        "",
        title="Endpoint",
        description="https://storage.example.com, of a server other than AWS. Empty: that of AWS in the region.",
    )

    @property
    def address(self) -> str:
        """With the bucket in its path, as all servers take it."""
        base = self.endpoint.rstrip("/") or f"https://s3.{self.region}.amazonaws.com"
        return f"{base}/{self.bucket}"


@dataclass(frozen=True, slots=True)
class BucketFiles:
    credentials: Credentials[Bucket]

    def entries(self, folder: str) -> Iterator[remote_files.Entry]:
        """ListObjectsV2, page by page; what lies deeper is summed up as folders."""
        prefix = f"{folder.strip('/')}/" if folder.strip("/") else ""
        query = {"list-type": "2", "prefix": prefix, "delimiter": "/"}
        while query:
            page = xml_of(self._ask("GET", "", params=list(query.items())))
            for found in page.iter(f"{_XML}CommonPrefixes"):
                yield remote_files.Entry(found.findtext(f"{_XML}Prefix", "").rstrip("/"), is_folder=True)
            for found in page.iter(f"{_XML}Contents"):
                key = found.findtext(f"{_XML}Key", "")
                if key != prefix:
                    size, moment = found.findtext(f"{_XML}Size", "0"), found.findtext(f"{_XML}LastModified", "")
                    yield remote_files.Entry(key, False, int(size), datetime.fromisoformat(moment))
            token = page.findtext(f"{_XML}NextContinuationToken", "")
            query = query | {"continuation-token": token} if token else {}

    def read(self, path: str, target: remote_files.Sink) -> None:
        copy_download(self.credentials, self._url(path), target)

    def write(self, path: str, content: Content) -> None:
        self._ask("PUT", path, data=body_of(content))

    def make_folder(self, path: str) -> None:
        """Nothing: a key may hold slashes as it is."""

    def delete(self, path: str) -> None:
        self._ask("DELETE", path)

    def move(self, path: str, target: str) -> None:
        """A copy, then the deletion of what was copied: S3 knows no other way. A copy may fail after the answer 200
        (https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html)."""
        if self._url(path) == self._url(target):
            return
        source = f"/{self.credentials.config.bucket}/{quote(path.lstrip('/'))}"
        copied = xml_of(self._ask("PUT", target, headers={"x-amz-copy-source": source}))
        if copied.tag == "Error":
            reason = copied.findtext("Message") or copied.findtext("Code")
            raise ConnectorError(f"S3 did not copy {path!r}: {reason}", permanent=False, answered=True)
        self.delete(path)

    def _url(self, path: str) -> str:
        address = self.credentials.config.address
        return f"{address}/{quote(path.lstrip('/'), safe='/~')}" if path else address

    def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Sequence[Pair] = (),
        headers: Mapping[str, str] | None = None,
        data: StreamedBody | None = None,
    ) -> Response:
        return ask_server(self.credentials, "S3", method, self._url(path), params=params, headers=headers, data=data)


def _sign(request: Request, credentials: Credentials[Bucket]) -> Request:
    config = credentials.config
    signature = AwsSignature(config.access_key_id, config.secret_access_key, config.session_token, config.region, "s3")
    return signature.sign(request)


def _open(credentials: Credentials[Bucket]) -> AbstractContextManager[BucketFiles]:
    return nullcontext(BucketFiles(credentials))


def _test(credentials: Credentials[Bucket]) -> bool:
    """Looks at the first files of the bucket."""
    next(BucketFiles(credentials).entries(""), None)
    return True


S3 = ConnectionKind(
    "s3",
    Bucket,
    title="S3 bucket",
    help="Files in a bucket of S3, or of a server that is spoken to alike.",
    icon="table",
    keywords=("aws", "amazon", "minio", "r2", "bucket", "files", "object storage"),
    sign=_sign,
    open=_open,
    test=_test,
)
