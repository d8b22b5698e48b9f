"""Files on their way out in a mail (RFC 2045, 2183, 2231): encoded piece by piece, so that none is held as a whole."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

_LINE_BYTES = 57
"""Bytes that make a line of 76 characters in Base64."""
_BREAK = b"\r\n"
_PLAIN_NAME = re.compile(r"[\w !#$&'()+,.=@^`{}~-]{1,60}", re.ASCII)
_PIECES_OF_NAME = re.compile(r"(?:%..|[^%]){1,20}")
_TYPE = re.compile(r"(?!message/|multipart/)[\w.+-]{1,100}/[\w.+-]{1,100}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attachment:
    """`pieces` begins to read its content, which has `size` bytes."""

    name: str
    type: str
    size: int
    pieces: Callable[[], Iterator[bytes]]

    @property
    def wire_size(self) -> int:
        """Bytes of it in the mail."""
        lines = -(-self.size // _LINE_BYTES)
        return len(self._head) + 4 * -(-self.size // 3) + len(_BREAK) * lines

    def wire(self) -> Iterator[bytes]:
        """The part of the mail: its headers, and its content in whole lines."""
        yield self._head
        yield from _lines(self.pieces())

    @property
    def _head(self) -> bytes:
        type_ = _TYPE.match(self.type)
        headers = (
            f"Content-Type: {type_[0] if type_ else 'application/octet-stream'}",
            f"Content-Disposition: attachment{_parameter(self.name)}",
            "Content-Transfer-Encoding: base64",
        )
        return "".join(f"{header}\r\n" for header in (*headers, "")).encode("ascii")


def _parameter(name: str) -> str:
    """The name of the file, in as many lines as it needs."""
    if _PLAIN_NAME.fullmatch(name):
        return f'; filename="{name}"'
    pieces = _PIECES_OF_NAME.findall(quote(name, safe=""))
    numbered = enumerate([f"utf-8''{pieces[0]}", *pieces[1:]] if pieces else ())
    return "".join(f";\r\n filename*{number}*={piece}" for number, piece in numbered)


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        data = rest + piece
        whole = len(data) - len(data) % _LINE_BYTES
        rest = data[whole:]
        if whole:
            yield _encoded(data[:whole])
    if rest:
        yield _encoded(rest)


def _encoded(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", _BREAK)
