"""The body of a form as bytes, read into its fields: urlencoded or multipart, in whatever charset it was sent."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import IO
from urllib.parse import parse_qsl

from flask import Response, request
from werkzeug.datastructures import FileStorage, Headers, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from flowforge import charsets
from flowforge.errors import Invalid, TooLarge
from flowforge.file_values import INLINE_BYTES
from flowforge.files.object_store import pieces_of
from flowforge.sentences import message_of, sentence

_URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
FORMS = frozenset({_URLENCODED, MULTIPART})
_MOST_PARTS = 1_000
_MOST_FIELDS = 10_000
"""Parts of a multipart form, and fields of an urlencoded one: reading each takes time, however small it is."""
_CHARSET_FIELD = "_charset_"
"""The field in which a form may say what it was sent in (HTML Standard, section 4.10.18.1)."""
_BYTES = "latin-1"
"""Holds bytes in a text, one in each character, until their charset is known."""
_LAST_BYTE = "\xff"
_HAS_OWN_CHARSET = re.compile(r";\s*filename\*", re.IGNORECASE)
"""The name of a file says its charset itself (RFC 5987), and is a text already."""
_PIECE_BYTES = 64 * 1024


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
        raise Invalid.at("", sentence("the body is not a form"))
    if request.mimetype == _URLENCODED:
        return _decoded(_fields_within_bounds(body.read().removeprefix(BOM_UTF8)), [])
    try:
        return _decoded(*_multipart_fields(body, most_text_bytes, most_parts))
    except ValueError as error:
        raise Invalid.at("", sentence("the body is not a form: %(error)s", error=message_of(error))) from error
    except RequestEntityTooLarge as error:
        raise TooLarge(
            sentence("a part of the form has more than %(most)s bytes of text", most=most_text_bytes)
        ) from error


def parse_query(data: bytes) -> MultiDict[str, str]:
    """The parameters of a query, which names no charset."""
    return MultiDict((_text(field.name, None), _text(field.value, None)) for field in _urlencoded_fields(data))


def _decoded(fields: Sequence[_Field], files: Iterable[FileStorage]) -> FormData:
    declared = request.mimetype_params.get("charset") or next(
        (field.value for field in fields if field.name == _CHARSET_FIELD), None
    )
    texts = ((_text(field.name, declared), _text(field.value, field.declared or declared)) for field in fields)
    return FormData(MultiDict(texts), MultiDict(_named(file, declared) for file in files))


def _named(file: FileStorage, declared: str | None) -> tuple[str, FileStorage]:
    file.name = _text(file.name or "", declared)
    if not _HAS_OWN_CHARSET.search(file.headers.get("Content-Disposition", "")):
        file.filename = _text(file.filename or "", declared)
    return file.name, file


def _text(held: str, declared: str | None) -> str:
    """The text whose bytes are held; of what is larger than bytes, Werkzeug has read the charset already."""
    is_held = not held.isascii() and max(held) <= _LAST_BYTE
    return charsets.decode_part(held.encode(_BYTES), declared) if is_held else held


def _fields_within_bounds(data: bytes) -> list[_Field]:
    """Raises TooLarge."""
    if data.count(b"&") >= _MOST_FIELDS:
        raise TooLarge(sentence("the form has more than %(most)s fields", most=_MOST_FIELDS))
    return _urlencoded_fields(data)


def _urlencoded_fields(data: bytes) -> list[_Field]:
    pairs = parse_qsl(data.decode(_BYTES), keep_blank_values=True, encoding=_BYTES)
    return [_Field(name, value) for name, value in pairs]


def _multipart_fields(body: IO[bytes], most_text_bytes: int, most_parts: int) -> tuple[list[_Field], list[FileStorage]]:
    """Raises ValueError, RequestEntityTooLarge, TooLarge."""
    boundary = request.mimetype_params.get("boundary", "").encode("ascii")
    if not boundary:
        raise ValueError("Missing boundary")
    decoder, parts = _UndecodedHeaders(boundary, most_text_bytes), _Parts(most_text_bytes, most_parts)
    # The decoder holds no more than the bound at once, and part of a file counts there as text does.
    pieces = pieces_of(body, min(_PIECE_BYTES, most_text_bytes // 2))
    try:
        for event in _events(pieces, decoder):
            parts.take(event)
    except BaseException:
        parts.close()
        raise
    return parts.fields, parts.files


def _events(pieces: Iterable[bytes], decoder: MultipartDecoder) -> Iterator[Event]:
    for piece in chain(pieces, (None,)):
        decoder.receive_data(piece)
        while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
            yield event


class _UndecodedHeaders(MultipartDecoder):
    """Leaves the bytes of headers as they are, which Werkzeug takes for UTF-8: old browsers and devices send others."""

    def _parse_headers(self, data: bytes | bytearray) -> Headers:
        return super()._parse_headers(data.decode(_BYTES).encode())


class _Parts:
    """The parts of a form, as they come in."""

    def __init__(self, most_text_bytes: int, most: int) -> None:
        self.fields: list[_Field] = []
        self.files: list[FileStorage] = []
        self._most_text_bytes, self._most = most_text_bytes, most
        self._text_bytes = self._count = 0
        self._part: Field | File
        self._content: IO[bytes]

    def take(self, event: Event) -> None:
        """Raises TooLarge."""
        if isinstance(event, Field | File):
            self._begin(event)
        elif isinstance(event, Data):
            self._write(event.data)
            if not event.more_data:
                self._end()

    def close(self) -> None:
        for file in self.files:
            file.close()

    def _begin(self, part: Field | File) -> None:
        self._count += 1
        if self._count > self._most:
            raise TooLarge(sentence("the form has more than %(most)s parts", most=self._most))
        self._part, self._content = part, BytesIO()
        if isinstance(part, File):
            self._content = SpooledTemporaryFile(max_size=INLINE_BYTES)  # noqa: SIM115  (closed with the form)
            self.files.append(FileStorage(self._content, part.filename, part.name, headers=part.headers))

    def _write(self, data: bytes) -> None:
        if isinstance(self._part, Field):
            self._text_bytes += len(data)
            if self._text_bytes > self._most_text_bytes:
                raise TooLarge(sentence("the form has more than %(most)s bytes of text", most=self._most_text_bytes))
        self._content.write(data)

    def _end(self) -> None:
        self._content.seek(0)
        if isinstance(self._part, Field):
            declared = parse_options_header(self._part.headers.get("content-type", ""))[1].get("charset")
            self.fields.append(_Field(self._part.name or "", self._content.read().decode(_BYTES), declared))
