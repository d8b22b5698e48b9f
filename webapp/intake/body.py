"""The body of a webhook's request, as JSON (contract.md, section 1.4)."""

from __future__ import annotations

import base64
import re
from typing import Any

from flask import request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from flowforge import charsets, jsonio
from flowforge.errors import Invalid, TooLarge
from flowforge.jsonio import JsonObject
from webapp.intake.form_data import FORMS, parse_form

_NEVER_TEXT = re.compile(r"(image|audio|video|font)/(?!svg)|application/(octet-stream|pdf|zip|gzip)$")

_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
"""Bytes that stand in no text (WHATWG MIME Sniffing Standard, section 3)."""


def read_body(limit: int) -> Any:
    """Any JSON value as it is; a form as an object; text as text; other bytes as {base64, contentType}.

    Raises Invalid for broken JSON and broken forms, TooLarge above `limit` bytes, however they are sent.
    """
    if request.method == "GET":
        return {}
    data = read_bytes(limit)
    if not data:
        return {}
    if request.mimetype in FORMS:
        return _form(data)
    if request.mimetype == "application/json" or request.mimetype.endswith("+json"):
        return _json(charsets.json_source(data, _declared_charset()))
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


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the body is larger than {limit} bytes")


def _declared_charset() -> str | None:
    return request.mimetype_params.get("charset")


def _json(data: bytes | str) -> Any:
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
    if not _NEVER_TEXT.match(request.mimetype) and _is_text(data):
        return charsets.decode(data, _declared_charset())
    return {"base64": base64.b64encode(data).decode(), "contentType": request.content_type or ""}


def _is_text(data: bytes) -> bool:
    """Whether the bytes are UTF-8, or the sender says that they are text and nothing in them contradicts that."""
    if charsets.is_utf8(data) or charsets.codec_of(_declared_charset()) is not None:
        return True
    return request.mimetype.startswith("text/") and not _BINARY.search(data)
