"""Webhooks whose callers prove that they know a secret: the HMAC-SHA256 of the body, as GitHub and others send it."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from flowforge.errors import Problem

HEADERS = ("X-Hub-Signature-256", "X-Signature-256")
_SHORTEST = 8


def problems_of_secret(config: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with `secret` in a webhook's config; none or an empty one: anybody who has the URL may call."""
    secret = config.get("secret")
    if secret is None or secret == "" or (isinstance(secret, str) and len(secret) >= _SHORTEST):
        return []
    return [Problem("/secret", f"must be text of at least {_SHORTEST} characters")]


def is_signed(secret: str, body: bytes, signatures: Iterable[str]) -> bool:
    """Whether one of them is the body's, in hexadecimal, with or without `sha256=` in front."""
    wanted = hmac.digest(secret.encode(), body, "sha256").hex().encode()
    given = [signature.strip().removeprefix("sha256=").lower().encode() for signature in signatures]
    return any(hmac.compare_digest(wanted, one) for one in given)
