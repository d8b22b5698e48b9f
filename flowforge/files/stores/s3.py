"""Contents in a bucket of an S3-compatible server: `s3://bucket`, or `s3://bucket/folder`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any
from urllib.parse import urlsplit
from uuid import UUID

from flowforge.errors import Unavailable
from flowforge.files.object_store import CHUNK_BYTES, ObjectMissing
from flowforge.settings import Settings

_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 5, 30, 3
_MISSING = {"NoSuchKey", "404"}


@dataclass(frozen=True, slots=True)
class S3Store:
    """Its objects are private: only whoever has the keys reads them."""

    client: Any
    bucket: str
    folder: str

    def write(self, key: UUID, source: IO[bytes], size: int) -> None:
        with _unavailable_when_it_fails():
            self.client.put_object(Bucket=self.bucket, Key=self._name(key), Body=source, ContentLength=size)

    @contextmanager
    def open(self, key: UUID) -> Iterator[Iterator[bytes]]:
        with _unavailable_when_it_fails():
            body = self.client.get_object(Bucket=self.bucket, Key=self._name(key))["Body"]
            with body:
                yield body.iter_chunks(CHUNK_BYTES)

    def delete(self, key: UUID) -> None:
        with _unavailable_when_it_fails():
            self.client.delete_object(Bucket=self.bucket, Key=self._name(key))

    def _name(self, key: UUID) -> str:
        return f"{self.folder}{key.hex[-2:]}/{key.hex}"


def open_bucket(url: str, settings: Settings) -> S3Store:
    parts = urlsplit(url)
    folder = parts.path.strip("/")
    return S3Store(_client(settings), parts.netloc, f"{folder}/" if folder else "")


def _client(settings: Settings) -> Any:
    """Imported here: it takes a tenth of a second, and only where it is needed."""
    from botocore.config import Config
    from botocore.session import Session

    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"total_max_attempts": _ATTEMPTS},
        max_pool_connections=settings.executor_threads,
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    return Session().create_client(
        "s3",
        endpoint_url=settings.files_s3_endpoint or None,
        region_name=settings.files_s3_region,
        aws_access_key_id=settings.files_s3_access_key,
        aws_secret_access_key=settings.files_s3_secret_key.get_secret_value(),
        config=config,
    )


@contextmanager
def _unavailable_when_it_fails() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _MISSING:
            raise ObjectMissing(code) from error
        raise Unavailable(f"the store of files answers {code}") from error
    except BotoCoreError as error:
        raise Unavailable("the store of files does not answer") from error
