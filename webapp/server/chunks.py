"""A body that comes in chunks (RFC 9112, section 7.1), taken apart as it comes."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import IO

from webapp.server.refusals import Refused
from webapp.server.request_head import HeadLimits, parse_trailers

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_QUOTED = rb'"(?:[\t !#-\[\]-~\x80-\xff]++|\\[\t -~\x80-\xff])*"'
_VALUE = rb"[ \t]*+=[ \t]*+(?:" + _TOKEN + rb"|" + _QUOTED + rb")"
_SIZE = re.compile(rb"([0-9a-fA-F]{1,12})(?:[ \t]*+;[ \t]*+" + _TOKEN + rb"(?:" + _VALUE + rb")?)*")
"""A size and its extensions, which nobody asks for (section 7.1.1)."""
_LINE_END = b"\r\n"
_MOST_SIZE_LINE_BYTES = 8190


class Chunks:
    """Writes to `content` what the chunks hold."""

    def __init__(self, content: IO[bytes], limits: HeadLimits) -> None:
        self.content = content
        self.size = 0
        """Bytes that the chunks so far hold, as they say; the last of them may still be coming."""
        self._limits = limits
        self._left = 0
        self._next: Callable[[bytearray], bool] | None = self._size

    def take(self, unread: bytearray) -> bool:
        """Take what belongs to the body from the front of `unread`. Whether it has ended. Raises Refused."""
        while self._next is not None and self._next(unread):
            pass
        return self._next is None

    def _size(self, unread: bytearray) -> bool:
        end = unread.find(_LINE_END, 0, _MOST_SIZE_LINE_BYTES)
        if end < 0:
            if len(unread) >= _MOST_SIZE_LINE_BYTES or b"\n" in unread:
                raise _malformed()
            return False
        size = _SIZE.fullmatch(unread, 0, end)
        if size is None:
            raise _malformed()
        self._left = int(size[1], 16)
        self.size += self._left
        self._next = self._data if self._left else self._trailers
        del size  # a match keeps the bytes from being changed
        del unread[: end + len(_LINE_END)]
        return True

    def _data(self, unread: bytearray) -> bool:
        piece = unread[: self._left]
        del unread[: self._left]
        self.content.write(piece)
        self._left -= len(piece)
        if self._left:
            return False
        self._next = self._data_end
        return True

    def _data_end(self, unread: bytearray) -> bool:
        if not _LINE_END.startswith(unread[: len(_LINE_END)]):
            raise _malformed()
        if len(unread) < len(_LINE_END):
            return False
        del unread[: len(_LINE_END)]
        self._next = self._size
        return True

    def _trailers(self, unread: bytearray) -> bool:
        if unread.startswith(_LINE_END):
            end = 0
        elif (end := unread.find(_LINE_END * 2) + len(_LINE_END)) < len(_LINE_END):
            if len(unread) > self._limits.fields * self._limits.field:
                raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the headers behind the body are too large")
            return False
        parse_trailers(bytes(unread[:end]), self._limits)
        del unread[: end + len(_LINE_END)]
        self._next = None
        return True


def _malformed() -> Refused:
    return Refused(HTTPStatus.BAD_REQUEST, "the request's body is not in valid chunks")
