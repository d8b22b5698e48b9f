"""The body of a webhook's request, as JSON (contract.md, section 1.4)."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from flask import request
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from flowforge import jsonio
from flowforge.errors import Invalid, TooLarge
from flowforge.jsonio import JsonObject

_FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
_MOST_PARTS = 1_000
"""Parts of a form: reading each takes time, however small it is."""
_NEVER_TEXT = re.compile(r"(image|audio|video|font)/(?!svg)|application/(octet-stream|pdf|zip|gzip)$")


def read_body(limit: int) -> Any:
    """Any JSON value as it is; a form as an object; text as text; other bytes as {base64, contentType}.

    Raises Invalid for broken JSON and broken forms, TooLarge above `limit` bytes, however they are sent.
    """
    if request.method == "GET":
        return {}
    data = read_bytes(limit)
    if not data:
        return {}
    if request.mimetype in _FORMS:
        return _form(data)
    if request.mimetype == "application/json" or request.mimetype.endswith("+json"):
        return _json(data)
    return _text_or_bytes(data)


def read_bytes(limit: int) -> bytes:
    """The whole body, whatever its type. Raises TooLarge above `limit` bytes.

    A body of unknown length is cut off at Werkzeug's limit without a word, so that limit is set one byte higher.
    """
    request.max_content_length = limit + 1
    try:
        data = request.get_data()
    except RequestEntityTooLarge as error:
        raise _too_large(limit) from error
    if len(data) > limit:
        raise _too_large(limit)
    return data


@dataclass(frozen=True, slots=True)
class FormData:
    """A form as it was sent, by the names of its fields."""

    texts: MultiDict[str, str]
    files: MultiDict[str, FileStorage]


def parse_form(data: bytes, most_parts: int = _MOST_PARTS) -> FormData:
    """The form in the body `data`, of the request's type. Raises Invalid for one that is none, such as a multipart
    body without its boundary (RFC 7578, section 4.1), TooLarge for one of more parts."""
    if request.mimetype not in _FORMS:
        raise Invalid.at("", "the body is not a form")
    parser = FormDataParser(lambda *_, **__: BytesIO(), silent=False, max_form_parts=most_parts)
    try:
        _, texts, files = parser.parse(BytesIO(data), request.mimetype, len(data), request.mimetype_params)
    except ValueError as error:
        raise Invalid.at("", f"the body is not a form: {error}") from error
    except RequestEntityTooLarge as error:
        raise TooLarge(f"the form has more than {most_parts} parts") from error
    return FormData(texts, files)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes")


def _json(data: bytes) -> Any:
    try:
        return jsonio.loads(data)
    except ValueError as error:
        raise Invalid.at("", f"the body is not JSON: {error}") from error


def _form(data: bytes) -> JsonObject:
    form = parse_form(data)
    fields: dict[str, list[Any]] = {name: list(values) for name, values in form.texts.lists()}
    for name, files in form.files.lists():
        fields.setdefault(name, []).extend(_file(file) for file in files)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _file(file: FileStorage) -> dict[str, str]:
    return {"name": file.filename or "", "type": file.mimetype, "base64": base64.b64encode(file.read()).decode()}


def _text_or_bytes(data: bytes) -> Any:
    if not _NEVER_TEXT.match(request.mimetype):
        try:
            return data.decode(request.mimetype_params.get("charset", "utf-8"))
        except (ValueError, LookupError):  # not text after all, or in an unknown charset
            pass
    return {"base64": base64.b64encode(data).decode(), "contentType": request.content_type or ""}
