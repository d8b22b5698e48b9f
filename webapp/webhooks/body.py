"""What a webhook's sender sent, as JSON (contract.md, section 1.4)."""

from __future__ import annotations

import base64
from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from flowforge import jsonio
from flowforge.errors import Invalid, TooLarge

_FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}


def read_body(limit: int) -> Any:
    """Any JSON value as it is; a form as an object; text as text; other bytes as {base64, contentType}.

    Raises Invalid for broken JSON, TooLarge above `limit` bytes, however they are sent.
    """
    if request.method == "GET":
        return {}
    request.max_content_length = limit
    try:
        if request.mimetype in _FORMS:
            return _form()
        data = request.get_data()
    except RequestEntityTooLarge as error:
        raise TooLarge(f"the body is larger than {limit} bytes") from error
    if not data:
        return {}
    if request.mimetype == "application/json" or request.mimetype.endswith("+json"):
        return _json(data)
    return _text_or_bytes(data)


def _json(data: bytes) -> Any:
    try:
        return jsonio.loads(data)
    except ValueError as error:
        raise Invalid.at("", f"the body is not JSON: {error}") from error


def _form() -> dict[str, Any]:
    fields = {name: values[0] if len(values) == 1 else values for name, values in request.form.lists()}
    files = {
        name: {"name": file.filename, "type": file.mimetype, "base64": base64.b64encode(file.read()).decode()}
        for name, file in request.files.items()
    }
    return fields | files


def _text_or_bytes(data: bytes) -> Any:
    try:
        return data.decode(request.mimetype_params.get("charset", "utf-8"))
    except (UnicodeDecodeError, LookupError):
        return {"base64": base64.b64encode(data).decode(), "contentType": request.content_type or ""}
