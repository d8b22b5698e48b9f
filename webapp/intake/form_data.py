"""The body of a form as bytes, read into its fields: urlencoded or multipart, in whatever charset it was sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from flask import request
from werkzeug.datastructures import FileStorage, Headers, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header

from flowforge import charsets
from flowforge.errors import Invalid, TooLarge

_URLENCODED = "application/x-www-form-urlencoded"
FORMS = frozenset({_URLENCODED, "multipart/form-data"})
_MOST_PARTS = 1_000
"""Parts of a form: reading each takes time, however small it is."""
_CHARSET_FIELD = "_charset_"
"""The field in which a form may say what it was sent in (HTML Standard, section 4.10.18.1)."""
_BYTES = "latin-1"
"""Holds bytes in a text, one in each character, until their charset is known."""


@dataclass(frozen=True, slots=True)
class FormData:
    """A form as it was sent, by the names of its fields."""

    texts: MultiDict[str, str]
    files: MultiDict[str, FileStorage]


@dataclass(frozen=True, slots=True)
class _Field:
    """Name and value as bytes in texts, and the charset that stands with this field."""

    name: str
    value: str
    declared: str | None = None


def parse_form(data: bytes, most_parts: int = _MOST_PARTS) -> FormData:
    """The form in the body `data`, of the request's type. Raises Invalid for one that is none, such as a multipart
    body without its boundary (RFC 7578, section 4.1), TooLarge for one of more parts."""
    if request.mimetype not in FORMS:
        raise Invalid.at("", "the body is not a form")
    if request.mimetype == _URLENCODED:
        return FormData(_texts(_urlencoded_fields(data)), MultiDict())
    try:
        fields, files = _multipart_fields(data, most_parts)
    except ValueError as error:
        raise Invalid.at("", f"the body is not a form: {error}") from error
    except RequestEntityTooLarge as error:
        raise TooLarge(f"the form has more than {most_parts} parts") from error
    return FormData(_texts(fields), MultiDict(files))


def parse_query(data: bytes) -> MultiDict[str, str]:
    """The parameters of a query, which names no charset."""
    return MultiDict((_text(field.name, None), _text(field.value, None)) for field in _urlencoded_fields(data))


def _texts(fields: Iterable[_Field]) -> MultiDict[str, str]:
    sent = list(fields)
    declared = request.mimetype_params.get("charset") or next(
        (field.value for field in sent if field.name == _CHARSET_FIELD), None
    )
    return MultiDict((_text(field.name, declared), _text(field.value, field.declared or declared)) for field in sent)


def _text(held: str, declared: str | None) -> str:
    return held if held.isascii() else charsets.decode(held.encode(_BYTES), declared)


def _urlencoded_fields(data: bytes) -> list[_Field]:
    pairs = parse_qsl(data.decode(_BYTES), keep_blank_values=True, encoding=_BYTES)
    return [_Field(name, value) for name, value in pairs]


def _multipart_fields(data: bytes, most_parts: int) -> tuple[list[_Field], list[tuple[str, FileStorage]]]:
    """Raises ValueError, RequestEntityTooLarge."""
    boundary = request.mimetype_params.get("boundary", "").encode("ascii")
    if not boundary:
        raise ValueError("Missing boundary")
    parser = _UndecodedParts(most_parts)
    pairs, files = parser.parse_pairs(data, boundary)
    return [_field(*pair, declared) for pair, declared in zip(pairs, parser.declared, strict=True)], files


def _field(name: str | None, value: str, declared: str | None) -> _Field:
    """Werkzeug has read the name as UTF-8; a part may have none."""
    return _Field((name or "").encode().decode(_BYTES), value, declared)


class _UndecodedParts(MultiPartParser):
    """Leaves the bytes of texts as they are, and keeps what each part declares."""

    def __init__(self, most_parts: int) -> None:
        in_order: Any = list
        super().__init__(lambda *_, **__: BytesIO(), cls=in_order, max_form_parts=most_parts)
        self.declared: list[str | None] = []

    def parse_pairs(self, data: bytes, boundary: bytes) -> tuple[list[tuple[str, str]], list[tuple[str, FileStorage]]]:
        texts: Any
        files: Any
        texts, files = self.parse(BytesIO(data), boundary, len(data))
        return texts, files

    def get_part_charset(self, headers: Headers) -> str:
        self.declared.append(parse_options_header(headers.get("content-type", ""))[1].get("charset"))
        return _BYTES
