"""The payload with which somebody starts a workflow by hand: a JSON object, and the files of a form beside it.

A part of the form stands in the payload under its name, `invoice`, or inside of it where that has dots, `body.invoice`;
parts of one name are a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

from flask import request

from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.language.pointers import pointer
from flowforge.sentences import sentence
from webapp.body import json_object, object_in, read_json
from webapp.context import backends
from webapp.edge import API_MAX_BYTES
from webapp.receiving.form_data import MULTIPART, FormData, parse_form
from webapp.receiving.received_body import receive_body
from webapp.receiving.uploads import Uploads

PAYLOAD = "payload"
"""The part that is the JSON object."""
_WHAT = "the payload"
_DEEPEST = 20


def read_payload(uploads: Uploads) -> JsonObject | None:
    """The payload in the request's body; None where it is empty. Raises Invalid, TooLarge, UnsupportedMediaType, and
    what `Uploads.add` raises."""
    if request.mimetype != MULTIPART:
        return json_object() if request.get_data() else None
    body = receive_body(most_bytes())
    with closing(parse_form(body.content, API_MAX_BYTES)) as form:
        return payload_of(form, uploads)


def payload_of(form: FormData, uploads: Uploads) -> JsonObject:
    """Raises what `read_payload` raises."""
    written = form.texts.get(PAYLOAD, "")
    payload = object_in(read_json(written.encode(), None, _WHAT), _WHAT) if written.strip() else {}
    for name, texts in form.texts.lists():
        if name != PAYLOAD:
            _put(payload, name, texts)
    for name, files in form.files.lists():
        _put(payload, name, [uploads.add_part(file).as_json() for file in files])
    return payload


def most_bytes() -> int:
    """The limit on a form: the largest file, and the largest payload."""
    return API_MAX_BYTES + backends().settings.file_max_bytes


def _put(payload: JsonObject, name: str, values: Sequence[Any]) -> None:
    """Raises Invalid where something else stands there."""
    path = name.split(".")
    if len(path) > _DEEPEST:
        raise Invalid.at(pointer([name]), sentence("is a name with more than %(most)s parts", most=_DEEPEST))
    inside = payload
    for part in path[:-1]:
        inside = inside.setdefault(part, {})
        if not isinstance(inside, dict):
            raise Invalid.at(pointer(path), sentence("cannot be added: %(part)s is no object", part=part))
    if path[-1] in inside:
        raise Invalid.at(pointer(path), sentence("is in the payload already"))
    inside[path[-1]] = values[0] if len(values) == 1 else list(values)
