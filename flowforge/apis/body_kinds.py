"""The ways in which bodies are written, by their media types."""

from __future__ import annotations

from typing import Literal

from flowforge.apis.dialects.media_types import FORM, RELATED, is_json
from flowforge.apis.operation import Body
from flowforge.apis.schemas.keywords import is_file
from flowforge.media_types import media_type_of

BodyKind = Literal["json", "form", "multipart", "related", "text", "file"]
_TEXT = ("+xml", "/xml", "+yaml", "/yaml", "/graphql", "/javascript", "/x-ndjson")


def body_kind(body: Body) -> BodyKind:
    plain = media_type_of(body.type)
    if plain == FORM:
        return "form"
    if plain.startswith("multipart/"):
        return "related" if plain == RELATED else "multipart"
    if is_json(plain) and not is_file(body.schema) and (plain != "*/*" or body.schema):
        return "json"
    return "text" if plain.startswith("text/") or plain.endswith(_TEXT) else "file"
