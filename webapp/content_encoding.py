"""Bodies that were packed on their way (RFC 9110, section 8.4): unpacked as far as their limit goes, and no further."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from typing import Any

import brotli
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from flowforge.errors import Invalid
from flowforge.sentences import sentence

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_MOST_MEMBERS = 100
"""Packed texts that a body may be made of, one behind the other: unpacking each takes time, even an empty one."""
_GZIP_BITS, _ZLIB_BITS, _RAW_BITS = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_ZSTD_WINDOW_LOG = 23
"""8 MB, which is the most that a sender may ask for (RFC 9659, section 3)."""
_BROKEN = (zlib.error, brotli.error, zstd.ZstdError, EOFError)


class UnknownEncoding(UnsupportedMediaType):
    """A body is packed in a way that is not known; the answer says which ways are (RFC 9110, section 15.5.16)."""

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        return [*super().get_headers(*args, **kwargs), ("Accept-Encoding", ", ".join(_UNPACKERS))]


def encoding_of(content_encoding: str) -> str:
    """The one way in which a body is packed, as its header says; empty where it is not. Raises UnknownEncoding."""
    if not content_encoding:
        return ""
    names = [name.strip().lower() for name in content_encoding.split(",")]
    packed = [name.removeprefix("x-") for name in names if name not in {"", "identity"}]
    if len(packed) > 1 or not set(packed) <= _UNPACKERS.keys():
        raise UnknownEncoding(f"the body may be packed as one of {', '.join(_UNPACKERS)}, and once")
    return "".join(packed)


def unpack(data: bytes, encoding: str, limit: int) -> bytes:
    """Raises RequestEntityTooLarge as soon as there are more than `limit` bytes, Invalid for what is packed
    otherwise."""
    if not data:
        return data
    try:
        unpacked = _UNPACKERS[encoding](data, limit + 1)
    except _BROKEN as error:
        raise Invalid.at(
            "", sentence("the body is not packed as its Content-Encoding says: %(encoding)s", encoding=encoding)
        ) from error
    if len(unpacked) > limit:
        raise RequestEntityTooLarge
    return unpacked


def _gunzip(data: bytes, most: int) -> bytes:
    return _members(data, most, lambda: _Inflating(_GZIP_BITS))


def _inflate(data: bytes, most: int) -> bytes:
    """Some senders leave out the zlib format around it (RFC 9110, section 8.4.1.2)."""
    has_head = len(data) > 1 and data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2]) % 31 == 0
    return _members(data, most, lambda: _Inflating(_ZLIB_BITS if has_head else _RAW_BITS))


def _unzstd(data: bytes, most: int) -> bytes:
    options = {int(zstd.DecompressionParameter.window_log_max): _ZSTD_WINDOW_LOG}
    return _members(data, most, lambda: zstd.ZstdDecompressor(options=options))


def _unbrotli(data: bytes, most: int) -> bytes:
    decoder = brotli.Decompressor()
    unpacked: bytes = decoder.process(data, output_buffer_limit=most)
    if len(unpacked) < most and not decoder.is_finished():
        raise EOFError
    return unpacked


_UNPACKERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}


class _Inflating:
    """zlib's decoder, with the methods of the others."""

    def __init__(self, bits: int) -> None:
        self._decoder = zlib.decompressobj(bits)

    @property
    def eof(self) -> bool:
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        return self._decoder.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._decoder.decompress(data, max_length)


def _members(data: bytes, most: int, new_decoder: Callable[[], Any]) -> bytes:
    """At most `most` bytes of what was packed. Raises EOFError for what is cut off, or made of too many members."""
    unpacked = bytearray()
    for _ in range(_MOST_MEMBERS):
        decoder = new_decoder()
        unpacked += decoder.decompress(data, most - len(unpacked))
        data = decoder.unused_data
        if len(unpacked) >= most or (decoder.eof and not data):
            return bytes(unpacked)
        if not decoder.eof:
            break
    raise EOFError
