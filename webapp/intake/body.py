"""The body of a webhook's request, as JSON (contract.md, section 1.4)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from flask import request
from werkzeug.http import parse_options_header

from flowforge import charsets
from flowforge.file_values import AnyFile, InlineFile
from flowforge.jsonio import JsonObject
from flowforge.media_types import is_always_text, is_text
from webapp.body import read_json
from webapp.context import backends, present_request
from webapp.receiving.form_data import FORMS, MULTIPART, parse_form
from webapp.receiving.received_body import ReceivedBody, receive_body, too_large
from webapp.receiving.uploads import Uploads


def read_body(uploads: Uploads) -> Any:
    """Any JSON value as it is; a form as an object; text as text; other bytes as a file.

    Raises Invalid for broken JSON and broken forms, TooLarge above the limits on bodies, however they are sent, and
    what `Uploads.add` raises.
    """
    sent = present_request()
    if sent.method == "GET":
        return {}
    body = receive_body(most_bytes())
    if not body.size:
        return {}
    if sent.mimetype in FORMS:
        return _form(body, uploads)
    if _is_json():
        return read_json(body.read(), _declared_charset())
    return _text_or_file(body, uploads)


def read_bytes() -> bytes:
    """The whole body, whatever its type. Raises TooLarge for more than a body of text may have."""
    return receive_body(backends().settings.webhook_max_bytes).read()


def read_pieces() -> Iterator[bytes]:
    """The body in pieces, whatever its type and size. Raises TooLarge for more than it may have."""
    return receive_body(most_bytes()).pieces()


def announced_bytes() -> int:
    """Bytes of the body as its head says; the most there may be where it does not say, or the body is packed."""
    sent, most = present_request(), backends().settings.webhook_max_bytes
    announced = sent.content_length
    if announced is not None and not _is_packed():
        return min(announced, most)  # what is more is a file, which is not held in memory
    is_sent = announced or "Transfer-Encoding" in sent.headers
    return most if is_sent else 0


def most_bytes() -> int:
    """The limit on the body: of one that may be, or bring, a file, there is room for the file."""
    settings, type_ = backends().settings, request.mimetype
    is_text = is_always_text(type_) and type_ != MULTIPART
    return settings.webhook_max_bytes + (0 if is_text or _is_packed() else settings.file_max_bytes)


def _is_packed() -> bool:
    """Whether it is unpacked in memory when it is read."""
    return "HTTP_CONTENT_ENCODING" in request.environ


def _is_json() -> bool:
    type_ = request.mimetype
    return type_ == "application/json" or type_.endswith("+json")


def _declared_charset() -> str | None:
    return request.mimetype_params.get("charset")


def _form(body: ReceivedBody, uploads: Uploads) -> JsonObject:
    with closing(parse_form(body.content, backends().settings.webhook_max_bytes)) as form:
        fields: dict[str, list[Any]] = {name: list(values) for name, values in form.texts.lists()}
        for name, files in form.files.lists():
            fields.setdefault(name, []).extend(uploads.add_part(file).as_json() for file in files)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


def _text_or_file(body: ReceivedBody, uploads: Uploads) -> Any:
    if body.size <= backends().settings.webhook_max_bytes:
        data = body.read()
        if is_text(data, request.mimetype, _declared_charset()):
            return charsets.decode(data, _declared_charset())
    elif is_always_text(request.mimetype):
        raise too_large(backends().settings.webhook_max_bytes)
    name = parse_options_header(request.headers.get("Content-Disposition"))[1].get("filename", "")
    return _whole_body(uploads.add(body.content, name, request.content_type or ""))


def _whole_body(file: AnyFile) -> JsonObject:
    """`contentType` has always stood beside the content of small ones."""
    return file.as_json() | ({"contentType": request.content_type or ""} if isinstance(file, InlineFile) else {})
