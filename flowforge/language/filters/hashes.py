"""Filters that turn text into digests and codes, and back."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.values import text, to_text, utf_8
from flowforge.language.filters.files import base64_of_file
from flowforge.language.filters.registry import Register

HASH_FILTERS = Register()

_HASH_NANOSECONDS = 20
_CODE_NANOSECONDS = 10
_UUID_NANOSECONDS = 4_000
_ENCODINGS = ("hex", "base64", "base64url")


@HASH_FILTERS.add("md5")
def md5(meter: Meter, value: Any, encoding: Any = "hex") -> str:
    """The MD5 digest of a text, for receivers that want it; not safe against forgery."""
    return _written(hashlib.md5(_data(meter, value), usedforsecurity=False).digest(), encoding, "md5")


@HASH_FILTERS.add("sha256")
def sha256(meter: Meter, value: Any, encoding: Any = "hex") -> str:
    """The SHA-256 digest of a text; `encoding` is hex, base64 or base64url."""
    return _written(hashlib.sha256(_data(meter, value)).digest(), encoding, "sha256")


@HASH_FILTERS.add("hmac_sha256", key="key")
def hmac_sha256(meter: Meter, value: Any, key: Any, encoding: Any = "hex") -> str:
    """The signature of a text with a key; `encoding` as for `sha256`."""
    secret = _data(meter, text(key, "hmac_sha256"))
    return _written(hmac.digest(secret, _data(meter, value), "sha256"), encoding, "hmac_sha256")


@HASH_FILTERS.add("uuid")
def uuid(meter: Meter, value: Any) -> str:
    """A UUID made from a text (version 5): the same text always gives the same one."""
    _data(meter, value)
    meter.work(_UUID_NANOSECONDS)
    return str(uuid5(NAMESPACE_URL, to_text(value, meter)))


@HASH_FILTERS.add("base64")
def base64_(meter: Meter, value: Any) -> str:
    """A text, or the content of a file, in Base64."""
    encoded = base64_of_file(meter, value)
    return base64.b64encode(_data(meter, value)).decode() if encoded is None else encoded


@HASH_FILTERS.add("base64url")
def base64url(meter: Meter, value: Any) -> str:
    """A text in Base64 for URLs, without `=`."""
    return base64.urlsafe_b64encode(_data(meter, value)).decode().rstrip("=")


@HASH_FILTERS.add("from_base64")
def from_base64(meter: Meter, value: Any) -> str:
    """The text that Base64 of either kind stands for."""
    subject = _ascii(meter, value, "from_base64").rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(subject + "=" * (-len(subject) % 4), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Failure("from_base64: this is no Base64 of a text") from error


@HASH_FILTERS.add("hex")
def hex_(meter: Meter, value: Any) -> str:
    """The bytes of a text (UTF-8) in hexadecimal digits."""
    return _data(meter, value).hex()


@HASH_FILTERS.add("from_hex")
def from_hex(meter: Meter, value: Any) -> str:
    """The text that hexadecimal digits stand for."""
    try:
        return bytes.fromhex(_ascii(meter, value, "from_hex")).decode()
    except ValueError as error:
        raise Failure("from_hex: these are no hexadecimal digits of a text") from error


def _data(meter: Meter, value: Any) -> bytes:
    """Encode the text as UTF-8, and pay for what is done with it, too."""
    subject = to_text(value, meter)
    size = len(subject) * (1 if subject.isascii() else 4)
    meter.work(size * _HASH_NANOSECONDS)
    meter.memory(size * 4)
    return utf_8(subject)


def _ascii(meter: Meter, value: Any, purpose: str) -> str:
    subject = text(value, purpose)
    if not subject.isascii():
        raise Failure(f"{purpose}: the text has characters that do not belong there")
    meter.work(len(subject) * _CODE_NANOSECONDS)
    meter.memory(len(subject) * 5)
    return subject


def _written(digest: bytes, encoding: Any, purpose: str) -> str:
    if encoding not in _ENCODINGS:
        raise Failure(f"{purpose} is written as hex, base64 or base64url")
    if encoding == "hex":
        return digest.hex()
    if encoding == "base64":
        return base64.b64encode(digest).decode()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
