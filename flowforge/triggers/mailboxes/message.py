"""A mail's parts and headers as text, in whatever charset they were sent (RFC 2045, 2047, 2231). Pure.

The tree of parts is Python's; its decoding is not used: it takes any charset for good that a sender names.
"""

from __future__ import annotations

import binascii
import email
import re
from collections.abc import Iterator
from email.message import Message
from email.policy import Compat32
from email.utils import getaddresses
from itertools import groupby
from typing import TypeAlias

from flowforge import charsets

Part: TypeAlias = Message

_WORD = re.compile(r"=\?([^?*\s]{1,40})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?]*)\?=")
_WORDS = re.compile(f"(?:{_WORD.pattern})+")
_BETWEEN_WORDS = re.compile(rf"(?<=\?=)\s+(?={_WORD.pattern})")
_LONGEST_HEADER = 32 * 1024
"""Bytes that are read of one; Python takes quadratic time for parameters."""
_FOLD = re.compile(r"\r?\n[ \t]*")


class _HeadersAsText(Compat32):
    """Gives headers as text; raw bytes in them, which the standard does not allow and many send, in their likely
    charset."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        start = value[:_LONGEST_HEADER]
        return start if start.isascii() else charsets.decode(start.encode("ascii", "surrogateescape"))


def parse(raw: bytes) -> Part:
    return email.message_from_bytes(raw, policy=_HeadersAsText())


def header(part: Part, name: str) -> str:
    """The first header of that name, decoded, on one line; empty where there is none."""
    return decode_words(_FOLD.sub(" ", part.get(name, ""))).strip()


def addresses(part: Part, name: str) -> list[str]:
    """All addresses in headers of that name, as `address` or `Name <address>`."""
    values = [_FOLD.sub(" ", value) for value in part.get_all(name, [])]
    return [_address(decode_words(person), address) for person, address in getaddresses(values) if person or address]


def text_of(part: Part, kind: str) -> str:
    """All text of that type, such as `text/html`, that is no attachment."""
    return "".join(
        charsets.decode(content(each), _parameter(each, "charset", "content-type"))
        for each in leaves(part)
        if each.get_content_type() == kind and not filename(each)
    )


def leaves(part: Part) -> Iterator[Part]:
    """Yields the parts that hold no others; in attached mails, too."""
    return (each for each in part.walk() if each.get_content_maintype() != "multipart")


def content(part: Part) -> bytes:
    """The bytes of a leaf; of an attached mail as it was attached."""
    if part.is_multipart():
        return b"".join(each.as_bytes() for each in part.walk() if each is not part)
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def filename(part: Part) -> str:
    """The name of an attachment; empty where it has none."""
    return _parameter(part, "filename", "content-disposition") or _parameter(part, "name", "content-type") or ""


def decode_words(text: str) -> str:
    """Decodes the encoded words of a header (RFC 2047). Senders cut characters in two between words, so adjacent ones
    of one charset are decoded together."""
    return _WORDS.sub(_decode_run, _BETWEEN_WORDS.sub("", text))


def _decode_run(run: re.Match[str]) -> str:
    words = _WORD.findall(run[0])
    by_charset = groupby(words, key=lambda word: word[0].lower())
    return "".join(charsets.decode(b"".join(map(_word_bytes, group)), charset) for charset, group in by_charset)


def _word_bytes(word: tuple[str, str, str]) -> bytes:
    _, encoding, text = word
    data = text.encode("ascii", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(data, header=True)
    try:
        return binascii.a2b_base64(data + b"===")
    except binascii.Error:
        return data


def _parameter(part: Part, name: str, of_header: str) -> str | None:
    """A parameter of a header. RFC 2231 lets it name a charset of its own."""
    value = part.get_param(name, None, of_header)
    if isinstance(value, tuple):
        return charsets.decode(value[2].encode("latin-1", "replace"), value[0])
    return decode_words(str(value)) if value is not None else None


def _address(person: str, address: str) -> str:
    return f"{person} <{address}>" if person and address else person or address
