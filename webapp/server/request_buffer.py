"""The bytes of a request that is still arriving, held until it is complete: no thread waits for a slow sender.

Only as much of HTTP is read as tells where a request ends (RFC 9112, section 6). What is no HTTP counts as complete and
goes to the server as it is: its parser says what is wrong with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_HEAD_END = b"\r\n\r\n"
_MAX_HEAD_BYTES = 1024 * 1024
"""More than gunicorn reads of one."""
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([^\r\n]*)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
_HEX = re.compile(rb"[0-9a-fA-F]{1,12}")
_MAX_CHUNK_LINE_BYTES = 8192


@dataclass(frozen=True, slots=True)
class ReceiveLimits:
    """Limits on how long a sender may take, and on how much of a body is buffered."""

    idle_seconds: float
    """Longest pause between two pieces of a request."""
    total_seconds: float
    """Longest time from a request's first byte to its last."""
    body_bytes: int
    """A longer body is not waited for: the application refuses it by its head, or by its first bytes."""


class RequestBuffer:
    """One request as it arrives.

    `complete`: it can be served. `truncated`: without the rest of its body, so that its connection cannot be reused.
    """

    def __init__(self, limits: ReceiveLimits, now: float, first: bytes = b"") -> None:
        self._limits = limits
        self._began = self._last = now
        self._searched = 0
        self._body: _CountedBody | _ChunkedBody | None = None
        self.data = bytearray()
        self.complete = self.truncated = False
        self.wants_continue = False
        """The sender waits for `100 Continue` before it sends the body (RFC 9110, section 10.1.1)."""
        if first:
            self.add(first, now)

    def add(self, data: bytes, now: float) -> None:
        """Add bytes that came at `now`, in seconds of any monotonic clock."""
        if not self.data:
            self._began = now
        self._last = now
        self.data += data
        if self._body is None:
            self._find_head()
        if self._body is not None:
            self._find_end(self._body)

    @property
    def deadline(self) -> float:
        """The time at which the sender has taken too long."""
        return min(self._last + self._limits.idle_seconds, self._began + self._limits.total_seconds)

    def _find_head(self) -> None:
        end = self.data.find(_HEAD_END, max(0, self._searched - 3))
        self._searched = len(self.data)
        if end >= 0:
            head, begin = bytes(self.data[: end + 2]), end + len(_HEAD_END)
            self._body = _ChunkedBody(begin) if _CHUNKED.search(head) else _CountedBody(begin, _length(head))
            self.wants_continue = bool(_EXPECTS.search(head))
        elif len(self.data) > _MAX_HEAD_BYTES:
            self.complete = self.truncated = True

    def _find_end(self, body: _CountedBody | _ChunkedBody) -> None:
        limit = self._limits.body_bytes
        self.complete = body.is_complete(self.data)
        if not self.complete and (body.size > limit or len(self.data) > 2 * limit):
            self.complete = self.truncated = True
        if self.complete or len(self.data) > body.begin:
            self.wants_continue = False


class _CountedBody:
    """A body of `size` bytes, as its head says; 0 without a length, or with one that is no number."""

    def __init__(self, begin: int, size: int) -> None:
        self.begin = begin
        self.size = size

    def is_complete(self, data: bytearray) -> bool:
        return len(data) >= self.begin + self.size


class _ChunkedBody:
    """A body in chunks (RFC 9112, section 7.1); `size` is what they hold so far."""

    def __init__(self, begin: int) -> None:
        self.begin = self._at = begin
        self.size = 0
        self._last = False

    def is_complete(self, data: bytearray) -> bool:
        """Whether the request is complete; also true of a malformed one, which the parser will refuse."""
        while not self._last and len(data) > self._at:
            line_end = data.find(b"\r\n", self._at, self._at + _MAX_CHUNK_LINE_BYTES)
            if line_end < 0:
                return len(data) - self._at >= _MAX_CHUNK_LINE_BYTES
            length = bytes(data[self._at : line_end]).partition(b";")[0].rstrip(b" \t")
            if not _HEX.fullmatch(length):
                return True
            self._skip_chunk(line_end + 2, int(length, 16))
        return self._last and (data.startswith(b"\r\n", self._at) or data.find(_HEAD_END, self._at) >= 0)

    def _skip_chunk(self, begin: int, size: int) -> None:
        """A chunk of size 0 is the last; trailers may follow it."""
        self._last = size == 0
        self.size += size
        self._at = begin if self._last else begin + size + 2


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    text = found[1].strip() if found else b""
    return int(text) if text.isdigit() and len(text) < 16 else 0
