"""What kind of bytes a body is: text that people read, or a file."""

from __future__ import annotations

import re

from flowforge import charsets

_NEVER_TEXT = re.compile(r"(image|audio|video|font)/(?!svg)|application/(octet-stream|pdf|zip|gzip)$", re.IGNORECASE)
_ALWAYS_TEXT = re.compile(
    r"text/|application/(json|xml|javascript|ecmascript|yaml|x-yaml|x-www-form-urlencoded|x-ndjson|graphql)$"
    r"|[^/]+/[^/]+\+(json|xml|yaml)$",
    re.IGNORECASE,
)
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
"""Bytes that stand in no text (WHATWG MIME Sniffing Standard, section 3)."""


def is_never_text(media_type: str) -> bool:
    """`media_type`: without parameters."""
    return bool(_NEVER_TEXT.match(media_type))


def is_always_text(media_type: str) -> bool:
    return bool(_ALWAYS_TEXT.match(media_type))


def is_text(data: bytes, media_type: str, declared_charset: str | None) -> bool:
    """Whether the bytes are UTF-8, or the sender says that they are text and nothing in them contradicts that."""
    if is_never_text(media_type):
        return False
    if charsets.is_utf8(data) or charsets.codec_of(declared_charset) is not None:
        return True
    return media_type.startswith("text/") and not _BINARY.search(data)


def media_type_of(content_type: str) -> str:
    """The media type that a Content-Type header names, without its parameters, in small letters."""
    return content_type.partition(";")[0].strip().lower()
