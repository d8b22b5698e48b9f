"""Contents in a bucket of an S3-compatible server: `s3://bucket`, or `s3://bucket/folder`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any
from urllib.parse import urlsplit
from uuid import UUID

from flowforge.errors import Unavailable
from flowforge.files.object_store import CHUNK_BYTES, ObjectMissing
from flowforge.sentences import sentence
from flowforge.settings import Settings

_CONNECT_SECONDS, _READ_SECONDS, _ATTEMPTS = 5, 30, 3
_PAUSE_SECONDS = 5.0
_NO_ANSWER = sentence("the store of files does not answer")
_MISSING = {"NoSuchKey", "404"}


@dataclass(slots=True)
class _Outage:
    """While a server gives no answer, one caller after the other would wait for it, each holding a thread: for a moment
    it is not asked again."""

    _until: float = 0.0

    def goes_on(self) -> bool:
        return time.monotonic() < self._until

    def note(self) -> None:
        self._until = time.monotonic() + _PAUSE_SECONDS


@dataclass(frozen=True, slots=True)
class S3Store:
    """Its objects are private: only whoever has the keys reads them."""

    client: Any
    bucket: str
    folder: str
    _outage: _Outage = field(default_factory=_Outage)

    def write(self, key: UUID, source: IO[bytes], size: int) -> None:
        with self._unavailable_when_it_fails():
            self.client.put_object(Bucket=self.bucket, Key=self._name(key), Body=source, ContentLength=size)

    @contextmanager
    def open(self, key: UUID) -> Iterator[Iterator[bytes]]:
        with self._unavailable_when_it_fails():
            body = self.client.get_object(Bucket=self.bucket, Key=self._name(key))["Body"]
            with body:
                yield body.iter_chunks(CHUNK_BYTES)

    def delete(self, key: UUID) -> None:
        with self._unavailable_when_it_fails():
            self.client.delete_object(Bucket=self.bucket, Key=self._name(key))

    @contextmanager
    def _unavailable_when_it_fails(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        if self._outage.goes_on():
            raise Unavailable(_NO_ANSWER)
        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _MISSING:
                raise ObjectMissing(code) from error
            raise Unavailable(sentence("the store of files answers %(code)s", code=code)) from error
        except BotoCoreError as error:
            self._outage.note()
            raise Unavailable(_NO_ANSWER) from error

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
