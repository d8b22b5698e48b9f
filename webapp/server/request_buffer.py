"""A request that is still arriving, held until it is complete: no thread waits for a slow sender. A large body is held
in a temporary file.

Bodies in chunks are taken apart as they come, so that the application reads a body, however it was sent.
"""

from __future__ import annotations

import io
import re
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Protocol

from werkzeug.exceptions import RequestEntityTooLarge

from webapp.server.chunks import Chunks
from webapp.server.refusals import Refused
from webapp.server.request_head import HeadLimits, RequestHead, parse_head

_HEAD_END = b"\r\n\r\n"
_MOST_HEAD_BYTES = 1024 * 1024
"""More than all headers may have together."""
_MOST_IN_MEMORY_BYTES = 256 * 1024
"""Many requests may wait for a thread, or in one for others' bodies, at the same time."""
_TAKES_FILES = re.compile(r"(POST|PUT|PATCH) [^ ]*/((webhook|forms|resume)/|workflows/[^/ ]*/run[? ])")
"""Begins the requests that may bring files."""


@dataclass(frozen=True, slots=True)
class ReceiveLimits:
    """Limits on how long a sender may take, and on how much of a body is buffered."""

    idle_seconds: float
    """Longest pause between two pieces of a request."""
    total_seconds: float
    """Longest time from a request's first byte to its last."""
    body_bytes: int
    """A longer body is not waited for: the application refuses it by its head, or by its first bytes."""
    upload_bytes: int = 0
    """The same for requests that may bring files, where that is more."""
    head: HeadLimits = field(default_factory=HeadLimits)


class RequestBuffer:
    """One request as it arrives.

    `complete`: it can be served. `truncated`: without the rest of its body, so that its connection cannot be reused.
    """

    def __init__(self, limits: ReceiveLimits, now: float) -> None:
        self._limits = limits
        self._began = self.last = now
        """When the first bytes came, and the last."""
        self._searched = 0
        self._unread = bytearray()
        """What has come and has not been looked at: of the head, of a chunk's size, or of the next request."""
        self._most_bytes = 0
        self._body: _Body | None = None
        self.head: RequestHead | None = None
        self.size = 0
        """Bytes that have come."""
        self.complete = self.truncated = False
        self.wants_continue = False
        """The sender is to be told to go on, once."""

    def add(self, data: bytes, now: float) -> None:
        """Add bytes that came at `now`, in seconds of any monotonic clock. Raises Refused for what is no HTTP, and
        where the disk takes no more of it."""
        if not self.size:
            self._began = now
        self.last = now
        self.size += len(data)
        self._unread += data
        if self._body is None:
            self._read_head()
        if self._body is not None:
            try:
                self._read_body(self._body)
            except OSError as error:
                message = "the disk takes no more of the request; please try again"
                raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, message) from error

    @property
    def in_memory(self) -> int:
        content = self._body.content.tell() if self._body else 0
        return len(self._unread) + (content if content <= _MOST_IN_MEMORY_BYTES else 0)

    @property
    def in_file(self) -> int:
        content = self._body.content.tell() if self._body else 0
        return content if content > _MOST_IN_MEMORY_BYTES else 0

    def body(self) -> IO[bytes]:
        """What has come of the body, at its beginning. Of a truncated one, reading on raises RequestEntityTooLarge."""
        assert self._body is not None
        content = self._body.content
        content.seek(0)
        return io.BufferedReader(_CutShort(content)) if self.truncated else content

    def rest(self) -> bytes:
        """What has come behind a complete request: the beginning of the next."""
        return bytes(self._unread)

    def close(self) -> None:
        """Drop the body."""
        if self._body is not None:
            with suppress(OSError):  # closing writes what a full disk has not taken
                self._body.content.close()

    @property
    def deadline(self) -> float:
        """The time at which the sender has taken too long."""
        return min(self.last + self._limits.idle_seconds, self._began + self._limits.total_seconds)

    def _read_head(self) -> None:
        end = self._unread.find(_HEAD_END, max(0, self._searched - 3))
        self._searched = len(self._unread)
        if end >= 0:
            self.head = head = parse_head(bytes(self._unread[:end]), self._limits.head)
            del self._unread[: end + len(_HEAD_END)]
            self._most_bytes = self._limit_on_body(head)
            self._body = self._begin_body(head)
            self.wants_continue = head.expects_continue and not self._unread and head.body_length != 0
        elif len(self._unread) > _MOST_HEAD_BYTES:
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers are too many, or too large")

    def _limit_on_body(self, head: RequestHead) -> int:
        takes_files = head.body_length != 0 and _TAKES_FILES.match(f"{head.method} {head.target} ")
        return max(self._limits.body_bytes, self._limits.upload_bytes) if takes_files else self._limits.body_bytes

    def _begin_body(self, head: RequestHead) -> _Body:
        if head.body_length is None:
            return Chunks(SpooledTemporaryFile(_MOST_IN_MEMORY_BYTES), self._limits.head)
        is_large = _MOST_IN_MEMORY_BYTES < head.body_length <= self._most_bytes
        return _CountedBody(SpooledTemporaryFile(_MOST_IN_MEMORY_BYTES) if is_large else io.BytesIO(), head.body_length)

    def _read_body(self, body: _Body) -> None:
        self.complete = body.take(self._unread)
        if not self.complete and (body.size > self._most_bytes or self.size > 2 * self._most_bytes):
            self.complete = self.truncated = True
        if self.complete:
            self.wants_continue = False
            body.content.flush()


class _Body(Protocol):
    @property
    def content(self) -> IO[bytes]: ...

    @property
    def size(self) -> int:
        """Bytes that it has, as far as the sender has told."""

    def take(self, unread: bytearray) -> bool:
        """Take what belongs to the body from the front of `unread`. Whether it has ended. Raises Refused."""


class _CountedBody:
    """A body of `size` bytes, as its head says."""

    def __init__(self, content: IO[bytes], size: int) -> None:
        self.content = content
        self.size = self._left = size

    def take(self, unread: bytearray) -> bool:
        piece = unread[: self._left]
        del unread[: self._left]
        self.content.write(piece)
        self._left -= len(piece)
        return not self._left


class _CutShort(io.RawIOBase):
    """The beginning of a body, behind which it says that there would be more."""

    def __init__(self, content: IO[bytes]) -> None:
        self._content = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._content.read(len(buffer))
        if not piece:
            raise RequestEntityTooLarge
        buffer[: len(piece)] = piece
        return len(piece)
