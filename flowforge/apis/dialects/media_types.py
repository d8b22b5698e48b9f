"""Media types in the order in which bodies are offered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowforge.apis.shapes import as_object
from flowforge.media_types import media_type_of

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
RELATED = "multipart/related"


def is_json(type_: str) -> bool:
    """Whether a media type is JSON, or any that JSON is one of."""
    plain = media_type_of(type_)
    return plain == JSON or plain.endswith("+json") or plain in ("*/*", "application/*", "text/json")


def by_preference(content: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """The media types of a body with what is said of each: JSON first, since its form says most."""
    listed = [(type_.strip(), as_object(said)) for type_, said in as_object(content).items()]
    usable = [(type_, said) for type_, said in listed if "/" in type_ and type_.isascii() and type_.isprintable()]
    return sorted(usable, key=lambda each: _rank(each[0]))


def _rank(type_: str) -> int:
    plain = media_type_of(type_)
    ranks = (plain == JSON, plain.endswith("+json"), plain == MULTIPART, plain == FORM, is_json(type_))
    return next((rank for rank, holds in enumerate(ranks) if holds), len(ranks))
