"""Webhooks whose callers prove that they know a secret: the HMAC-SHA256 of the body, as GitHub and others send it."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

HEADERS = ("X-Hub-Signature-256", "X-Signature-256")


def is_signed(secret: str, body: bytes, signatures: Iterable[str]) -> bool:
    """Whether one of the signatures is the body's, in hexadecimal, with or without `sha256=` in front."""
    wanted = hmac.digest(secret.encode(), body, "sha256").hex().encode()
    candidates = [signature.strip().removeprefix("sha256=").lower().encode() for signature in signatures]
    return any(hmac.compare_digest(wanted, candidate) for candidate in candidates)
