"""Random tokens that people or their programs hold: 256 bits, of which only the hash is stored."""

from __future__ import annotations

import hashlib
import secrets


def create(prefix: str = "") -> tuple[str, bytes]:
    """The token and its hash."""
    token = prefix + secrets.token_urlsafe(32)
    return token, digest(token)


def digest(token: str) -> bytes:
    """The SHA-256 of a token: it is random, so a slow hash would add nothing."""
    return hashlib.sha256(token.encode()).digest()
