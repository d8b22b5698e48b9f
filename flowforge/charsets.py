"""Text out of bytes that others have sent: bodies, forms, mails, headers.

The charset that the sender declares counts if it is one of the web's (WHATWG Encoding Standard, section 4.2), all of
which are read in linear time; `punycode`, `idna` and the like, which Python knows too, are not. Else the text is UTF-8
if it can be, else windows-1252. Nothing is dropped: what cannot be read becomes U+FFFD.
"""

from __future__ import annotations

import codecs
import re
from encodings import normalize_encoding
from encodings.aliases import aliases

_UTF_8, _WINDOWS_1252 = "utf_8", "cp1252"
_LINEAR = re.compile(
    r"utf_8|utf_16_[lb]e|gb18030|big5hkscs|euc_jp|iso2022_jp|cp932|cp949|cp866|cp874|koi8_[ru]|mac_roman|mac_cyrillic"
    r"|iso8859_([2-8]|10|1[3-6])|cp125[0-8]"
)
_READ_AS = {
    "latin_1": _WINDOWS_1252,
    "utf_16": "utf_16_le",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x_gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "x_sjis": "cp932",
    "euc_kr": "cp949",
    "iso_8859_8_i": "iso8859_8",
    "x_mac_cyrillic": "mac_cyrillic",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "tis_620": "cp874",
}
"""Charsets that the standard reads as larger ones, since senders mean those."""
_MARKS = ((codecs.BOM_UTF8, _UTF_8), (codecs.BOM_UTF16_LE, "utf_16_le"), (codecs.BOM_UTF16_BE, "utf_16_be"))
_LONGEST_LABEL = 40
_PARAMETER = re.compile(r";\s{0,9}charset\s{0,9}=\s{0,9}\"?([^\s;\"']{1,40})", re.IGNORECASE)


def decode(data: bytes, declared: str | None = None) -> str:
    """The text of the bytes; a byte order mark goes before what is declared, and is left out."""
    for mark, marked in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(marked, "replace")
    return decode_part(data, declared)


def decode_part(data: bytes, declared: str | None = None) -> str:
    """The text of bytes that stand within others, such as those of a field or a header, where no byte order mark is."""
    codec = codec_of(declared)
    if codec is None:
        text = _as_utf8(data)
        return data.decode(_WINDOWS_1252, "replace") if text is None else text
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        text = _as_utf8(data)
        return data.decode(codec, "replace") if text is None else text


def codec_of(declared: str | None) -> str | None:
    """Python's name of a declared charset; None for one that is unknown, not of the web, or ASCII, which is declared
    by many who send more. Looks nothing up: Python's own search keeps every name that it was ever asked for."""
    if not declared or len(declared) > _LONGEST_LABEL or not declared.isascii():
        return None
    name = normalize_encoding(declared.strip().lower())
    name = aliases.get(name, name)
    name = _READ_AS.get(name, name)
    return name if _LINEAR.fullmatch(name) else None


def declared_in(content_type: str) -> str | None:
    """The charset that a Content-Type names."""
    found = _PARAMETER.search(content_type)
    return found[1] if found else None


def json_source(data: bytes, declared: str | None = None) -> bytes | str:
    """Returns the text to be read as JSON: UTF-8 (RFC 8259, section 8.1), unless a byte order mark or the sender says
    otherwise. Bytes that are no UTF-8 stay as they are, to be refused."""
    is_marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if is_marked or codec_of(declared) not in (None, _UTF_8):
        return decode(data, declared)
    return data.removeprefix(codecs.BOM_UTF8)


def header_text(value: str) -> str:
    """A header as it was sent, from what HTTP libraries make of its bytes: Latin-1 (PEP 3333)."""
    return value if value.isascii() else decode_part(value.encode("latin-1", "replace"))


def is_utf8(data: bytes) -> bool:
    return _as_utf8(data) is not None


def _as_utf8(data: bytes) -> str | None:
    """None where the bytes are no UTF-8. They may be cut within their last character, if others show what they are."""
    try:
        text, read = codecs.utf_8_decode(data, "strict", False)
    except UnicodeDecodeError:
        return None
    if read == len(data):
        return text
    return None if text.isascii() else text + "\ufffd"
