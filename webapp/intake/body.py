"""The body of a webhook's request, as JSON (contract.md, section 1.4)."""

from __future__ import annotations

import base64
import re
from typing import Any

from flask import request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from flowforge import jsonio
from flowforge.errors import Invalid, TooLarge
from flowforge.jsonio import JsonObject

_FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}
_NEVER_TEXT = re.compile(r"(image|audio|video|font)/(?!svg)|application/(octet-stream|pdf|zip|gzip)$")


def read_body(limit: int) -> Any:
    """Any JSON value as it is; a form as an object; text as text; other bytes as {base64, contentType}.

    Raises Invalid for broken JSON, TooLarge above `limit` bytes, however they are sent.
    """
    if request.method == "GET":
        return {}
    data = read_bytes(limit)
    if request.mimetype in _FORMS:
        return _form(limit)
    if not data:
        return {}
    if request.mimetype == "application/json" or request.mimetype.endswith("+json"):
        return _json(data)
    return _text_or_bytes(data)


def read_bytes(limit: int) -> bytes:
    """The whole body, whatever its type; a form in it can be read afterwards. Raises TooLarge above `limit` bytes.

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


def _json(data: bytes) -> Any:
    try:
        return jsonio.loads(data)
    except ValueError as error:
        raise Invalid.at("", f"the body is not JSON: {error}") from error


def _form(limit: int) -> JsonObject:
    request.max_form_memory_size = limit
    fields: dict[str, list[Any]] = {name: list(values) for name, values in request.form.lists()}
    for name, files in request.files.lists():
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
