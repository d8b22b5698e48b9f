"""Whom a token belongs to, as far as a provider tells: only to be shown to people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import jwt

from flowforge.oauth.provider import Identity
from flowforge.oauth.texts import printable

_LONGEST_NAME = 200


def name_in(identity: Identity, sources: Iterable[Mapping[str, Any]]) -> str | None:
    """The first of the names that one of the sources has."""
    texts = (_text_at(source, path) for source in sources for path in identity.names)
    return next((text for text in texts if text), None)


def claims_of(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claims of an id_token. It came from the provider itself, by TLS, which stands for its signature (OpenID
    Connect Core, 3.1.3.7, 6)."""
    token = answer.get("id_token")
    if not isinstance(token, str):
        return {}
    try:
        claims: Mapping[str, Any] = jwt.decode(token, options={"verify_signature": False})
    except jwt.PyJWTError:
        return {}
    return claims


def _text_at(source: Any, path: str) -> str | None:
    for name in path.split("."):
        source = source.get(name) if isinstance(source, Mapping) else None
    return printable(source, _LONGEST_NAME) or None if isinstance(source, str) else None
