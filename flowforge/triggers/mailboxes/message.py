"""A mail's parts and headers as text, in whatever charset they were sent (RFC 2045, 2047, 2231). Pure.

The tree of parts is Python's; its decoding is not used: it takes any charset for good that a sender names.
"""

from __future__ import annotations

import binascii
import email
import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import Compat32
from itertools import groupby
from typing import TypeAlias

from flowforge import charsets
from flowforge.mail import addresses

Part: TypeAlias = Message

_WORD = re.compile(r"=\?([^?*\s]{1,40})(?:\*[^?\s]{0,20})?\?([bBqQ])\?([^?]*)\?=")
_WORDS = re.compile(f"(?:{_WORD.pattern})+")
_BETWEEN_WORDS = re.compile(rf"(?<=\?=)\s+(?={_WORD.pattern})")
_LONGEST_HEADER = 32 * 1024
"""Bytes that are read of one; Python takes quadratic time for parameters."""
_HTML_PRESCAN = 1_024
_META_CHARSET = re.compile(rb"<meta\b[^>]{1,200}?charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.IGNORECASE | re.ASCII)
_FOLD = re.compile(r"\r?\n[ \t]*")


class _HeadersAsText(Compat32):
    """Gives headers as text; raw bytes in them, which the standard does not allow and many send, in their likely
    charset."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        start = value[:_LONGEST_HEADER]
        return start if start.isascii() else charsets.decode_part(start.encode("ascii", "surrogateescape"))


_AS_READ = _HeadersAsText(max_line_length=None)


def parse(raw: bytes) -> Part:
    return email.message_from_bytes(raw, policy=_AS_READ)


def parse_head(raw: bytes) -> Part:
    """The headers alone; what stands behind them is not taken apart."""
    return BytesHeaderParser(policy=_AS_READ).parsebytes(raw)


def header(part: Part, name: str) -> str:
    """The first header of that name, decoded, on one line; empty where there is none."""
    return decode_words(_FOLD.sub(" ", part.get(name, ""))).strip()


def headers(part: Part) -> dict[str, str | list[str]]:
    """All headers, decoded: names in lower case; a list where a header comes more than once."""
    found: dict[str, list[str]] = {}
    for name, value in part.items():
        found.setdefault(name.lower(), []).append(decode_words(_FOLD.sub(" ", value)).strip())
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def addresses_in(part: Part, name: str) -> list[str]:
    """All addresses in headers of that name, as `address` or `Name <address>`."""
    values = [_FOLD.sub(" ", value) for value in part.get_all(name, [])]
    return [_address(each) for value in values for each in addresses.split(value)]


def text_of(part: Part, kind: str) -> str:
    """All text of that type, such as `text/html`, that the mail itself says: that of no attachment, nor of a mail
    within it."""
    return "".join(_text(each) for each in leaves(part) if _text_kind(each) == kind and not is_attachment(each))


def leaves(part: Part) -> Iterator[Part]:
    """Yields the parts that hold no others. A mail within the mail is one of them."""
    waiting = [part]
    while waiting:
        each = waiting.pop()
        inner = inner_parts(each) if each.get_content_maintype() == "multipart" else []
        if inner:
            waiting += reversed(inner)
        else:
            yield each


def inner_parts(part: Part) -> list[Part]:
    """The parts of a multipart, the mail that an attached one is, the blocks of a delivery status."""
    inner = part.get_payload()
    return [each for each in inner if isinstance(each, Message)] if isinstance(inner, list) else []


def is_attachment(part: Part) -> bool:
    """Whether people see a leaf beside the text, not in it."""
    return (
        "Content-ID" in part
        or part.get_content_maintype() == "message"
        or part.get_content_disposition() == "attachment"
        or bool(filename(part))
    )


def content(part: Part) -> bytes:
    """The bytes of a leaf; of an attached mail as it was attached."""
    inner = inner_parts(part)
    if inner:
        return _decoded(part, b"\n".join(each.as_bytes(policy=_AS_READ) for each in inner))
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def filename(part: Part) -> str:
    """The name of an attachment; empty where it has none."""
    return _parameter(part, "filename", "content-disposition") or _parameter(part, "name", "content-type") or ""


def decode_words(text: str) -> str:
    """Decodes the encoded words of a header (RFC 2047). Senders cut characters in two between words, so adjacent ones
    of one charset are decoded together."""
    return _WORDS.sub(_decode_run, _BETWEEN_WORDS.sub("", text))


def _text_kind(leaf: Part) -> str:
    """The type of a leaf. What should have parts and has none, for want of a boundary, is read as text."""
    return "text/plain" if leaf.get_content_maintype() == "multipart" else leaf.get_content_type()


def _text(leaf: Part) -> str:
    data = content(leaf)
    declared = _parameter(leaf, "charset", "content-type")
    return charsets.decode(data, declared or _declared_inside(leaf, data))


def _declared_inside(leaf: Part, data: bytes) -> str | None:
    """The charset that an HTML page itself declares (HTML Standard, section 13.2.3.2)."""
    found = _META_CHARSET.search(data, 0, _HTML_PRESCAN) if leaf.get_content_subtype() == "html" else None
    return found[1].decode() if found else None


def _decode_run(run: re.Match[str]) -> str:
    words = _WORD.findall(run[0])
    by_charset = groupby(words, key=lambda word: word[0].lower())
    return "".join(charsets.decode_part(b"".join(map(_word_bytes, group)), charset) for charset, group in by_charset)


def _word_bytes(word: tuple[str, str, str]) -> bytes:
    _, encoding, text = word
    data = text.encode("ascii", "replace")
    return binascii.a2b_qp(data, header=True) if encoding in "qQ" else _from_base64(data)


def _from_base64(data: bytes) -> bytes:
    """The data themselves where they are none."""
    try:
        return binascii.a2b_base64(data + b"===")
    except binascii.Error:
        return data


def _parameter(part: Part, name: str, of_header: str) -> str | None:
    """A parameter of a header. RFC 2231 lets it name a charset of its own."""
    value = part.get_param(name, None, of_header)
    if isinstance(value, tuple):
        return charsets.decode_part(value[2].encode("latin-1", "replace"), value[0])
    return decode_words(str(value)) if value is not None else None


def _decoded(part: Part, data: bytes) -> bytes:
    """An attached mail need not be encoded (RFC 2046, section 5.2.1), and is by some senders."""
    if header(part, "Content-Transfer-Encoding").lower() != "base64":
        return data
    return _from_base64(data)


def _address(text: str) -> str:
    name, mailbox = addresses.name_and_mailbox(text)
    return addresses.written(decode_words(name), decode_words(mailbox))
