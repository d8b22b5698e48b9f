"""The response to a request, sent as the application makes it (PEP 3333; framed by RFC 9112)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from types import TracebackType
from typing import IO

from webapp.server.channel import Channel
from webapp.server.request_head import RequestHead

_STATUS = re.compile(r"[1-9][0-9]{2} [\t\x20-\x7e\x80-\xff]*")
_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\x80-\xff]*")
_OF_THE_SERVER = frozenset(
    {"connection", "date", "keep-alive", "proxy-authenticate", "proxy-authorization", "server", "te", "trailers"}
    | {"transfer-encoding", "upgrade"}
)
"""Headers that are not the application's to set."""
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})

ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class ReaderGone(Exception):
    """Nobody takes the rest of the answer."""


class Answer:
    """`keeps_alive`: the connection can be used for another request, once the answer has ended."""

    def __init__(self, channel: Channel, request: RequestHead, *, keeps_alive: bool) -> None:
        self._channel = channel
        self._request = request
        self._head = b""
        """Waits for the first bytes of the body, to be sent with them."""
        self._left: int | None = None
        """Bytes that the body still has to have, where it was told before."""
        self._in_chunks = False
        self._is_made = False
        self.has_begun = False
        """The head has been sent."""
        self.keeps_alive = keeps_alive

    def start_response(
        self, status: str, headers: Sequence[tuple[str, str]], exc_info: ExceptionInfo | None = None
    ) -> Callable[[bytes], None]:
        """WSGI's callable of this name. Raises ValueError for a status or header that HTTP does not have."""
        if self.has_begun and exc_info is not None and exc_info[1] is not None:
            raise exc_info[1]
        if self._is_made and exc_info is None:
            raise AssertionError("the response has been started")
        if not _STATUS.fullmatch(status):
            raise ValueError("the status of the response is none of HTTP")
        code = int(status[:3])
        length, lines = _check_headers(headers, code)
        is_bodiless = self._request.method == "HEAD" or code in _BODILESS or code < HTTPStatus.OK
        self._left = 0 if is_bodiless else length
        self._in_chunks = self._left is None and self._request.protocol == "HTTP/1.1"
        self.keeps_alive = self.keeps_alive and (self._left is not None or self._in_chunks)
        self._head = self._whole_head(status, lines)
        self._is_made = True
        return self.write

    def write(self, data: bytes) -> None:
        """Send a part of the body; the first with the head. Raises ReaderGone."""
        if not self._is_made:
            raise AssertionError("the response has not been started")
        if data:
            self._send(self._framed(data))

    def send_file(self, file: IO[bytes]) -> bool:
        """Have the system send a file as the body. False, and nothing is sent, where it has to be read instead.

        Raises ReaderGone.
        """
        if not self._left or not self._channel.sends_files or not _has_descriptor(file):
            return False
        self._send(b"", more_follows=True)
        try:
            self._channel.send_file(file, self._left)
        except OSError as error:
            raise ReaderGone from error
        self._left = 0
        return True

    def end(self) -> None:
        """Send what is left. Raises ReaderGone."""
        if not self._is_made:
            raise AssertionError("the response has not been started")
        self._send(b"0\r\n\r\n" if self._in_chunks else b"")
        if self._left:
            self.keeps_alive = False  # the reader would take the next answer for the rest of this one

    def _whole_head(self, status: str, lines: list[str]) -> bytes:
        first = (
            f"{self._request.protocol} {status}",
            "Server: gunicorn",
            f"Date: {_http_date(int(time.time()))}",
            "Connection: keep-alive" if self.keeps_alive else "Connection: close",
        )
        chunked = ("Transfer-Encoding: chunked",) if self._in_chunks else ()
        return "\r\n".join((*first, *chunked, *lines, "", "")).encode("latin-1")

    def _framed(self, data: bytes) -> bytes:
        if self._in_chunks:
            return b"%X\r\n%b\r\n" % (len(data), data)
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        return data

    def _send(self, data: bytes, *, more_follows: bool = False) -> None:
        head, self._head = self._head, b""
        self.has_begun = True
        if not head and not data:
            return
        try:
            self._channel.send(head + data, more_follows=more_follows)
        except OSError as error:
            raise ReaderGone from error


def _check_headers(headers: Sequence[tuple[str, str]], code: int) -> tuple[int | None, list[str]]:
    """The length of the body, and the lines of the head."""
    length = None
    lines = []
    for name, value in headers:
        line = f"{name}: {value}"
        if not _FIELD.fullmatch(line):
            raise ValueError(f"the value of the header {name!r} cannot be sent")
        lower_name = name.lower()
        if lower_name == "content-length":
            length = int(value)
            if code == HTTPStatus.NO_CONTENT:
                continue
        if lower_name not in _OF_THE_SERVER:
            lines.append(line)
    return length, lines


def _has_descriptor(file: IO[bytes]) -> bool:
    try:
        os.fstat(file.fileno())
    except (AttributeError, OSError):
        return False
    return True


@lru_cache(1)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)
