"""One operation of an API, resolved: what it takes and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flowforge.jsonio import JsonObject

Place = Literal["path", "query", "header", "cookie"]
Style = Literal["simple", "label", "matrix", "form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject"]


class Unusable(ValueError):
    """An operation cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value in the path, query, headers or cookies."""

    name: str
    place: Place
    schema: JsonObject
    """As it stands in the file; references are not resolved."""
    required: bool = False
    description: str = ""
    deprecated: bool = False
    example: Any = None
    style: Style = "simple"
    explode: bool = False
    allow_reserved: bool = False
    """Whether reserved characters (RFC 3986, section 2.2) stay as they are."""
    content_type: str | None = None
    """The media type in which the whole value is written, instead of a style."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How one property of a form or multipart body is written."""

    content_type: str = ""
    style: Style | None = None
    explode: bool | None = None
    allow_reserved: bool = False


@dataclass(frozen=True, slots=True)
class Body:
    """A body that the operation takes, in one media type."""

    type: str
    """`application/json`"""
    schema: JsonObject
    encodings: Mapping[str, Encoding] = field(default_factory=dict)
    example: Any = None
    path: str | None = None
    """The path for bodies of this type, where it is another (uploads of Google's APIs)."""
    query: Sequence[tuple[str, str]] = ()
    """Parameters that go with this type."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that the operation may give."""

    status: str
    """`200`, `4XX` or `default`"""
    description: str = ""
    type: str = ""
    """The media type of its body; empty where it has none."""
    schema: JsonObject | None = None
    example: Any = None


@dataclass(frozen=True, slots=True)
class Operation:
    """All that is needed to draw its form, to call it, and to read its answers."""

    id: str
    method: str
    path: str
    title: str
    tag: str
    description: str
    deprecated: bool
    parameters: Sequence[Parameter]
    bodies: Sequence[Body]
    """The first is taken where a step names none."""
    body_required: bool
    answers: Sequence[Answer]
    servers: Sequence[Any]
    """`Server`s: its own, or those of the description."""
    sign_ins: Sequence[Mapping[str, Sequence[str]]]
    """The alternatives: the names of sign-ins that are needed together, each with its scopes. None at all where the
    file is silent; an empty one where it may be called without."""
