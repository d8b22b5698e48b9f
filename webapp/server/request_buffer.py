"""The bytes of a request that is still arriving, held until it is complete: no thread waits for a slow sender. A large
body is held in a temporary file.

Only as much of HTTP is read as tells where a request ends (RFC 9112, section 6). What is no HTTP counts as complete and
goes to the server as it is: its parser says what is wrong with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_HEAD_END = b"\r\n\r\n"
_MAX_HEAD_BYTES = 1024 * 1024
"""More than gunicorn reads of one."""
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([^\r\n]*)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
_HEX = re.compile(rb"[0-9a-fA-F]{1,12}")
_MAX_CHUNK_LINE_BYTES = 8192
_MOST_IN_MEMORY_BYTES = 256 * 1024
"""Many requests may wait for a thread, or in one for others' bodies, at the same time."""
_TAKES_FILES = re.compile(rb"(POST|PUT|PATCH) [^ ]*/((webhook|forms|resume)/|workflows/[^/ ]*/run[? ])")
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


class RequestBuffer:
    """One request as it arrives.

    `complete`: it can be served. `truncated`: without the rest of its body, so that its connection cannot be reused.
    """

    def __init__(self, limits: ReceiveLimits, now: float, first: bytes = b"") -> None:
        self._limits = limits
        self._most_bytes = limits.body_bytes
        self._began = self._last = now
        self._searched = 0
        self._body: _CountedBody | _ChunkedBody | None = None
        self._memory = bytearray()
        """What has come, from the byte at `_kept_from` on; what came before is in the file."""
        self._kept_from = 0
        self._file: IO[bytes] | None = None
        self.complete = self.truncated = False
        self.wants_continue = False
        """The sender waits for `100 Continue` before it sends the body (RFC 9110, section 10.1.1)."""
        if first:
            self.add(first, now)

    def add(self, data: bytes, now: float) -> None:
        """Add bytes that came at `now`, in seconds of any monotonic clock."""
        if not self.size:
            self._began = now
        self._last = now
        self._memory += data
        if self._body is None:
            self._find_head()
        if self._body is not None:
            self._find_end(self._body)
            if len(self._memory) > _MOST_IN_MEMORY_BYTES:
                self._spill(self._body)

    @property
    def size(self) -> int:
        """Bytes that have come."""
        return self._kept_from + len(self._memory)

    @property
    def in_memory(self) -> int:
        return len(self._memory)

    @property
    def in_file(self) -> int:
        return self._kept_from

    def take(self) -> bytes | IO[bytes]:
        """All that has come; as a file, at its beginning, where it is much."""
        file, self._file = self._file, None
        memory, self._memory = self._memory, bytearray()
        if file is None:
            return bytes(memory)
        file.write(memory)
        file.seek(0)
        return file

    def close(self) -> None:
        """Drops what was not taken."""
        if self._file is not None:
            self._file.close()

    @property
    def deadline(self) -> float:
        """The time at which the sender has taken too long."""
        return min(self._last + self._limits.idle_seconds, self._began + self._limits.total_seconds)

    def _find_head(self) -> None:
        end = self._memory.find(_HEAD_END, max(0, self._searched - 3))
        self._searched = len(self._memory)
        if end >= 0:
            head, begin = bytes(self._memory[: end + 2]), end + len(_HEAD_END)
            if _TAKES_FILES.match(head):
                self._most_bytes = max(self._limits.body_bytes, self._limits.upload_bytes)
            self._body = _ChunkedBody(begin) if _CHUNKED.search(head) else _CountedBody(begin, _length(head))
            self.wants_continue = bool(_EXPECTS.search(head))
        elif len(self._memory) > _MAX_HEAD_BYTES:
            self.complete = self.truncated = True

    def _find_end(self, body: _CountedBody | _ChunkedBody) -> None:
        limit = self._most_bytes
        self.complete = body.is_complete(self._memory, self._kept_from)
        if not self.complete and (body.size > limit or self.size > 2 * limit):
            self.complete = self.truncated = True
        if self.complete or self.size > body.begin:
            self.wants_continue = False

    def _spill(self, body: _CountedBody | _ChunkedBody) -> None:
        """Moves to the file what has been looked at."""
        seen = min(len(self._memory), body.seen - self._kept_from)
        if seen <= 0:
            return
        if self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115  (closed by whoever takes it, or `close`)
        self._file.write(memoryview(self._memory)[:seen])
        del self._memory[:seen]
        self._kept_from += seen


class _CountedBody:
    """A body of `size` bytes, as its head says; 0 without a length, or with one that is no number."""

    def __init__(self, begin: int, size: int) -> None:
        self.begin = begin
        self.size = size

    @property
    def seen(self) -> int:
        """The position up to which nothing has to be looked at again."""
        return self.begin + self.size

    def is_complete(self, memory: bytearray, kept_from: int) -> bool:
        return kept_from + len(memory) >= self.begin + self.size


class _ChunkedBody:
    """A body in chunks (RFC 9112, section 7.1); `size` is what they hold so far."""

    def __init__(self, begin: int) -> None:
        self.begin = self.seen = begin
        self.size = 0
        self._last = False

    def is_complete(self, memory: bytearray, kept_from: int) -> bool:
        """Whether the request is complete; also true of a malformed one, which the parser will refuse."""
        at = self.seen - kept_from
        while not self._last and len(memory) > at:
            line_end = memory.find(b"\r\n", at, at + _MAX_CHUNK_LINE_BYTES)
            if line_end < 0:
                return len(memory) - at >= _MAX_CHUNK_LINE_BYTES
            length = bytes(memory[at:line_end]).partition(b";")[0].rstrip(b" \t")
            if not _HEX.fullmatch(length):
                return True
            self._skip_chunk(kept_from + line_end + 2, int(length, 16))
            at = self.seen - kept_from
        return self._last and (memory.startswith(b"\r\n", at) or memory.find(_HEAD_END, at) >= 0)

    def _skip_chunk(self, begin: int, size: int) -> None:
        """A chunk of size 0 is the last; trailers may follow it."""
        self._last = size == 0
        self.size += size
        self.seen = begin if self._last else begin + size + 2


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    text = found[1].strip() if found else b""
    return int(text) if text.isdigit() and len(text) < 16 else 0
