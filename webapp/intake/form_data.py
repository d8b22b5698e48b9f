"""The body of a form as bytes, read into its fields: urlencoded or multipart, in whatever charset it was sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import parse_qsl

from flask import Response, request
from werkzeug.datastructures import FileStorage, Headers, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import MultiPartParser
from werkzeug.http import parse_options_header

from flowforge import charsets
from flowforge.errors import Invalid, TooLarge
from flowforge.file_values import INLINE_BYTES

_URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
FORMS = frozenset({_URLENCODED, MULTIPART})
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

    def close(self) -> None:
        for _, file in self.files.items(multi=True):
            file.close()

    def close_with(self, response: Response) -> Response:
        """Lets its files go, once there is a response."""
        self.close()
        return response


@dataclass(frozen=True, slots=True)
class _Field:
    """Name and value as bytes in texts, and the charset that stands with this field."""

    name: str
    value: str
    declared: str | None = None


def parse_form(body: IO[bytes], most_text_bytes: int, most_parts: int = _MOST_PARTS) -> FormData:
    """The form in a body of the request's type; its files are temporary ones until it is closed. Raises Invalid for one
    that is none, such as a multipart body without its boundary (RFC 7578, section 4.1), TooLarge for one of more parts
    or more text."""
    body.seek(0)
    if request.mimetype not in FORMS:
        raise Invalid.at("", "the body is not a form")
    if request.mimetype == _URLENCODED:
        return FormData(_texts(_urlencoded_fields(body.read())), MultiDict())
    try:
        fields, files = _multipart_fields(body, most_text_bytes, most_parts)
    except ValueError as error:
        raise Invalid.at("", f"the body is not a form: {error}") from error
    except RequestEntityTooLarge as error:
        raise TooLarge(f"the form has more than {most_parts} parts, or {most_text_bytes} bytes of text") from error
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


def _multipart_fields(
    body: IO[bytes], most_text_bytes: int, most_parts: int
) -> tuple[list[_Field], list[tuple[str, FileStorage]]]:
    """Raises ValueError, RequestEntityTooLarge."""
    boundary = request.mimetype_params.get("boundary", "").encode("ascii")
    if not boundary:
        raise ValueError("Missing boundary")
    parser = _UndecodedParts(most_text_bytes, most_parts)
    pairs, files = parser.parse_pairs(body, boundary)
    return [_field(*pair, declared) for pair, declared in zip(pairs, parser.declared, strict=True)], files


def _field(name: str | None, value: str, declared: str | None) -> _Field:
    """Werkzeug has read the name as UTF-8; a part may have none."""
    return _Field((name or "").encode().decode(_BYTES), value, declared)


class _UndecodedParts(MultiPartParser):
    """Leaves the bytes of texts as they are, and keeps what each part declares."""

    def __init__(self, most_text_bytes: int, most_parts: int) -> None:
        in_order: Any = list
        super().__init__(
            self._temporary_file, cls=in_order, max_form_memory_size=most_text_bytes, max_form_parts=most_parts
        )
        self._opened: list[IO[bytes]] = []
        self.declared: list[str | None] = []

    def parse_pairs(
        self, body: IO[bytes], boundary: bytes
    ) -> tuple[list[tuple[str, str]], list[tuple[str, FileStorage]]]:
        texts: Any
        files: Any
        try:
            texts, files = self.parse(body, boundary, None)
        except BaseException:
            for file in self._opened:
                file.close()
            raise
        return texts, files

    def _temporary_file(self, *_about: object, **_more: object) -> IO[bytes]:
        file = SpooledTemporaryFile(max_size=INLINE_BYTES)  # noqa: SIM115  (closed with the form)
        self._opened.append(file)
        return file

    def get_part_charset(self, headers: Headers) -> str:
        self.declared.append(parse_options_header(headers.get("content-type", ""))[1].get("charset"))
        return _BYTES
