"""Tokens of links: packed fields and a MAC over them, so that nothing has to be stored to know them again."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from struct import Struct
from typing import Any

_MAC_BYTES = 16


@dataclass(frozen=True, slots=True)
class SignedTokens:
    """Tokens of one purpose, in URL-safe Base64 without padding. A MAC is good for its purpose alone."""

    purpose: bytes
    layout: Struct

    def make(self, key: str, *fields: Any) -> str:
        packed = self.layout.pack(*fields)
        return base64.urlsafe_b64encode(packed + self._mac(key, packed)).rstrip(b"=").decode()

    def read(self, key: str, token: str) -> tuple[Any, ...] | None:
        """The fields; None for a token that was not made with this key, for this purpose."""
        try:
            data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        packed, mac = data[: self.layout.size], data[self.layout.size :]
        if len(packed) != self.layout.size or not hmac.compare_digest(mac, self._mac(key, packed)):
            return None
        return self.layout.unpack(packed)

    def _mac(self, key: str, packed: bytes) -> bytes:
        return hmac.digest(key.encode(), self.purpose + packed, "sha256")[:_MAC_BYTES]
