"""A request that is still arriving: its bytes are held until it is whole, so that no thread waits for a slow sender.

Only as much of HTTP is read as tells where a request ends. What is no HTTP is handed to the server as it is: its parser
says what is wrong with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_HEAD_END = b"\r\n\r\n"
_LONGEST_HEAD = 1024 * 1024
"""More than gunicorn reads of one."""
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([^\r\n]*)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_EXPECTS = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
_HEX = re.compile(rb"[0-9a-fA-F]{1,12}")
_LONGEST_CHUNK_LINE = 8192


@dataclass(frozen=True, slots=True)
class Patience:
    """What a sender is given, in seconds and bytes."""

    silence: float
    """Between two pieces of a request."""
    whole: float
    """From its first byte to its last."""
    most: int
    """Of a body. A longer one is not waited for: the application refuses it by its head, or by its first bytes."""


class RequestBuffer:
    """One request. `whole`: it can be served; `cut`: without the rest of its body, so that nothing may follow it."""

    def __init__(self, patience: Patience, now: float, first: bytes = b"") -> None:
        self._patience = patience
        self._began = self._last = now
        self._searched = 0
        self._body: _Counted | _Chunks | None = None
        self.data = bytearray()
        self.whole = self.cut = False
        self.continue_wanted = False
        """It waits to be told to send its body."""
        if first:
            self.add(first, now)

    def add(self, data: bytes, now: float) -> None:
        if not self.data:
            self._began = now
        self._last = now
        self.data += data
        if self._body is None:
            self._look_for_head()
        if self._body is not None:
            self._look_for_end(self._body)

    @property
    def due(self) -> float:
        """When patience ends."""
        return min(self._last + self._patience.silence, self._began + self._patience.whole)

    def _look_for_head(self) -> None:
        end = self.data.find(_HEAD_END, max(0, self._searched - 3))
        self._searched = len(self.data)
        if end >= 0:
            head, begin = bytes(self.data[: end + 2]), end + len(_HEAD_END)
            self._body = _Chunks(begin) if _CHUNKED.search(head) else _Counted(begin, _length(head))
            self.continue_wanted = bool(_EXPECTS.search(head))
        elif len(self.data) > _LONGEST_HEAD:
            self.whole = self.cut = True

    def _look_for_end(self, body: _Counted | _Chunks) -> None:
        self.whole = body.is_whole(self.data)
        if not self.whole and (body.size > self._patience.most or len(self.data) > 2 * self._patience.most):
            self.whole = self.cut = True
        if self.whole or len(self.data) > body.begin:
            self.continue_wanted = False


class _Counted:
    """A body whose length its head tells; none at all, or one that is no number, has the length 0."""

    def __init__(self, begin: int, size: int) -> None:
        self.begin = begin
        self.size = size

    def is_whole(self, data: bytearray) -> bool:
        return len(data) >= self.begin + self.size


class _Chunks:
    """A body in chunks; `size` is what they hold so far."""

    def __init__(self, begin: int) -> None:
        self.begin = self._at = begin
        self.size = 0
        self._last = False

    def is_whole(self, data: bytearray) -> bool:
        """Also of what is none: its reader finds the same fault, and waits for nothing."""
        while not self._last and len(data) > self._at:
            line_end = data.find(b"\r\n", self._at, self._at + _LONGEST_CHUNK_LINE)
            if line_end < 0:
                return len(data) - self._at >= _LONGEST_CHUNK_LINE
            length = bytes(data[self._at : line_end]).partition(b";")[0].rstrip(b" \t")
            if not _HEX.fullmatch(length):
                return True
            size = int(length, 16)
            self._last = size == 0
            self.size += size
            self._at = line_end + 2 + (0 if self._last else size + 2)
        return self._last and (data.startswith(b"\r\n", self._at) or data.find(_HEAD_END, self._at) >= 0)


def _length(head: bytes) -> int:
    found = _LENGTH.search(head)
    text = found[1].strip() if found else b""
    return int(text) if text.isdigit() and len(text) < 16 else 0
