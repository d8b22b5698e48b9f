"""The description of an API: what it says of itself, and the operations it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from flowforge.apis.operation import Operation


class UnreadableDescription(ValueError):
    """The file is no description of an API that can be read; the text says why."""


@dataclass(frozen=True, slots=True)
class OperationEntry:
    """An operation as lists show it: it is made without looking at parameters and schemas."""

    id: str
    """Stable, unique in its description, at most 80 characters of `A-Za-z0-9_.-`: the name steps have for it. It comes
    from the file's `operationId`, or from method and path."""
    method: str
    """In capital letters."""
    path: str
    title: str
    """One line of at most 120 characters."""
    tag: str
    """The group it belongs to."""
    summary: str = ""
    deprecated: bool = False


@dataclass(frozen=True, slots=True)
class ServerVariable:
    """A part of a server's address that people choose."""

    default: str
    choices: Sequence[str] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """An address at which the API answers."""

    url: str
    """Absolute where the file or its own address says so; `{name}` stands for a variable."""
    description: str = ""
    variables: Mapping[str, ServerVariable] = field(default_factory=dict)

    def address(self, values: Mapping[str, str]) -> str:
        """The URL with its variables filled in, by their defaults where `values` has none. Raises Invalid for a value
        that is none of the choices, or that would lead to another host than the description means."""
        raise NotImplementedError


SignInKind = Literal["api_key", "basic", "bearer", "digest", "oauth1", "oauth2", "client_certificate", "other"]


@dataclass(frozen=True, slots=True)
class OAuthFlow:
    """A way to get a token (RFC 6749)."""

    grant: Literal["authorization_code", "client_credentials", "password", "implicit", "device_code"]
    authorization_url: str = ""
    token_url: str = ""
    refresh_url: str = ""
    scopes: Mapping[str, str] = field(default_factory=dict)
    """What each allows."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """How callers prove who they are (`securitySchemes`)."""

    name: str
    """Its key in the file."""
    kind: SignInKind
    description: str = ""
    place: Literal["header", "query", "cookie", ""] = ""
    """Where an API key stands."""
    parameter: str = ""
    """The name of the header, parameter or cookie of an API key."""
    flows: Sequence[OAuthFlow] = ()
    discovery_url: str = ""
    """Of OpenID Connect."""


@dataclass(frozen=True, slots=True)
class Refused:
    """What cannot be used of a description, and why; the rest can."""

    subject: str
    """`GET /pets`, or the place in the file as a JSON pointer."""
    reason: str
    operation: str | None = None
    """The id of the operation that cannot be used; None where all operations can."""


class Description:
    """A description that has been read. Its operations are resolved one by one, when they are asked for."""

    title: str
    version: str
    format: str
    """`OpenAPI 3.1`, `OpenAPI 2.0`, `Google Discovery`."""
    summary: str
    servers: Sequence[Server]
    sign_ins: Mapping[str, SignIn]
    entries: Sequence[OperationEntry]
    """In the order of the file."""

    def operation(self, id_: str) -> Operation:
        """Raises NotFound for an unknown id, Unusable for an operation that cannot be used."""
        raise NotImplementedError

    def refused(self) -> list[Refused]:
        """All that cannot be used. Looks at every operation: about a second for a large file."""
        raise NotImplementedError

    def as_json(self) -> bytes:
        """The file as JSON, with the external documents that were fetched: what to keep, since it is read fastest."""
        raise NotImplementedError
