"""One operation of an API, resolved: what it takes and what it answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flowforge.apis.recent import Recent
from flowforge.apis.references import References
from flowforge.apis.servers import Server
from flowforge.apis.sign_ins import Alternatives
from flowforge.jsonio import JsonObject

Place = Literal["path", "query", "header", "cookie"]
PLACES: Mapping[Any, Place] = {"path": "path", "query": "query", "header": "header", "cookie": "cookie"}
Style = Literal["simple", "label", "matrix", "form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject"]

IN_PATH = re.compile(r"\{([^{}/]+)\}")
"""The place of a parameter in a path, with its name."""


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
    explode: bool = True
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
    """The path for bodies of this type, from the root of the host, where it is another (uploads of Google's APIs)."""
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
    headers: Sequence[str] = ()
    """The names of the headers that it has, in small letters."""


@dataclass(frozen=True, slots=True, eq=False)
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
    servers: Sequence[Server]
    """Its own, or those of the description."""
    sign_ins: Alternatives
    """None at all where the file is silent; an empty one where it may be called without."""
    references: References = field(repr=False)
    """What its schemas refer to."""
    recent: Recent = field(repr=False)
    """What was lately made of operations of the description."""

    def body(self, content_type: str | None = None) -> Body | None:
        """The body of that media type, or the first one; None where it takes none, or none of that type."""
        return next((body for body in self.bodies if content_type in (None, body.type)), None)
