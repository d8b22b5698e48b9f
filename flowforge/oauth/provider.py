"""A provider of OAuth 2.0 as its clients see it: which addresses it has, and how it wants to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from flowforge.loopback import is_loopback


class ClientAuthentication(StrEnum):
    """How a client proves who it is where it asks for tokens (RFC 6749, 2.3)."""

    BASIC = "basic"
    BODY = "body"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Identity:
    """Where a provider tells whom a token belongs to. `names`: paths, tried in turn (`user.email`) in the answer of
    `url`, in the claims of the id_token, and in the answer that brought the tokens."""

    url: str = ""
    names: tuple[str, ...] = ("email", "preferred_username", "name", "login")


@dataclass(frozen=True, slots=True)
class TokenHeader:
    """The header in which requests carry the access token (RFC 6750, 2.1)."""

    name: str = "Authorization"
    prefix: str = "Bearer "


@dataclass(frozen=True, slots=True)
class Provider:
    """`name` is for people. Empty addresses: it has none."""

    name: str
    token_url: str
    authorization_url: str = ""
    device_url: str = ""
    revocation_url: str = ""
    client_authentication: ClientAuthentication = ClientAuthentication.BODY
    pkce: bool = True
    scope_separator: str = " "
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Added to the authorization request: `access_type=offline`."""
    token_parameters: Mapping[str, str] = field(default_factory=dict)
    """Added to token requests: `audience=…`."""
    token_headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with token requests: the version of its API, where a provider asks for one."""
    json_requests: bool = False
    """Whether token requests are sent as JSON rather than as forms."""
    identity: Identity = field(default_factory=Identity)
    header: TokenHeader = field(default_factory=TokenHeader)


@dataclass(frozen=True, slots=True)
class Client:
    """What FlowForge is registered as with a provider."""

    id: str
    secret: str = ""


def is_secure(url: str) -> bool:
    """Whether secrets may be sent there: by HTTPS, or without it to this machine (RFC 8252, 8.3)."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return (
        url.isprintable() and bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))
    )
