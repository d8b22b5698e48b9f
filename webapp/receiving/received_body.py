"""The bytes of a request's body, received once: in memory as long as they are few, else in a temporary file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import IO

from flask import Response, after_this_request, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from flowforge.errors import TooLarge
from flowforge.files.object_store import CHUNK_BYTES, pieces_of, sha256_of
from flowforge.sentences import sentence
from webapp.context import present_request

_IN_MEMORY_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ReceivedBody:
    """`content` is a file that is closed with the request."""

    content: IO[bytes]
    size: int

    def read(self) -> bytes:
        self.content.seek(0)
        return self.content.read()

    def pieces(self) -> Iterator[bytes]:
        """From its start; never much of it at once."""
        self.content.seek(0)
        return pieces_of(self.content)

    def digest(self) -> str:
        """The SHA-256, in hexadecimal digits."""
        return sha256_of(self.content)


def receive_body(limit: int) -> ReceivedBody:
    """The whole body, whatever its type. Raises TooLarge above `limit` bytes."""
    received: ReceivedBody | None = g.get("received_body")
    if received is None:
        received = g.received_body = _receive(limit)
    if received.size > limit:
        raise too_large(limit)
    return received


def drop_body() -> None:
    """Lets go of the body, where nobody reads it any more and the request still goes on for a while."""
    received: ReceivedBody | None = g.pop("received_body", None)
    if received is not None:
        received.content.close()


def too_large(limit: int) -> TooLarge:
    return TooLarge(sentence("the body is larger than %(limit)s bytes", limit=limit))


def _receive(limit: int) -> ReceivedBody:
    """A body of unknown length is cut off at Werkzeug's limit without a word, so that limit is set one byte higher."""
    sent = present_request()
    sent.max_content_length = limit + 1
    try:
        announced = sent.content_length
        if (limit if announced is None else announced) <= _IN_MEMORY_BYTES:
            data = sent.get_data(cache=False)
            return ReceivedBody(BytesIO(data), len(data))
        return _receive_into_file()
    except RequestEntityTooLarge as error:
        raise too_large(limit) from error


def _receive_into_file() -> ReceivedBody:
    content = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115  (closed with the request)
    after_this_request(partial(_close_with, content))
    copyfileobj(request.stream, content, CHUNK_BYTES)
    return ReceivedBody(content, content.tell())


def _close_with(content: IO[bytes], response: Response) -> Response:
    content.close()
    return response
