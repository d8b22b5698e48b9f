"""Tokens that services handed out for credentials, kept until shortly before they expire."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from uuid import UUID

_MOST_TOKENS = 200
_SPARE_SECONDS = 60
"""A token that is about to expire is not used any more: the call takes its time, and clocks differ."""


class TokenCache:
    """Tokens of one process, the latest of them. Safe to share between threads."""

    def __init__(self) -> None:
        self._tokens: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: bytes) -> str | None:
        with self._lock:
            token, expires_at = self._tokens.get(key, ("", 0.0))
        return token if time.time() < expires_at - _SPARE_SECONDS else None

    def keep(self, key: bytes, token: str, expires_at: float) -> None:
        """`expires_at`: by time.time."""
        with self._lock:
            self._tokens[key] = (token, expires_at)
            self._tokens.move_to_end(key)
            if len(self._tokens) > _MOST_TOKENS:
                self._tokens.popitem(last=False)

    def forget(self, key: bytes) -> None:
        with self._lock:
            self._tokens.pop(key, None)


def token_key(user_id: UUID, credentials: str) -> bytes:
    """A key that only the holder of the whole credentials arrives at, and that does not reveal them."""
    return hashlib.sha256(user_id.bytes + credentials.encode()).digest()
