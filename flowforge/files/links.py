"""Links by which anybody reads one file, until they end. Nothing is stored: a link is its file, its end and a MAC."""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

_PACKED = struct.Struct(">16sQ")
_MAC_BYTES = 16
_PURPOSE = b"flowforge file link 1:"


@dataclass(frozen=True, slots=True)
class FileLink:
    url: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class FileLinks:
    """Makes and reads them. `base` is what webhook URLs start with, too."""

    key: str
    base: str

    def make(self, file_id: UUID, ends_at: datetime) -> FileLink:
        packed = _PACKED.pack(file_id.bytes, int(ends_at.timestamp()))
        token = base64.urlsafe_b64encode(packed + self._mac(packed)).rstrip(b"=").decode()
        return FileLink(f"{self.base}/shared-files/{token}", ends_at)

    def read(self, token: str, now: datetime) -> UUID | None:
        """The file that a link is about; None where it is none of ours, or over."""
        try:
            data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        packed, mac = data[: _PACKED.size], data[_PACKED.size :]
        if len(packed) != _PACKED.size or not hmac.compare_digest(mac, self._mac(packed)):
            return None
        id_, ends_at = _PACKED.unpack(packed)
        return UUID(bytes=id_) if now.astimezone(UTC).timestamp() < ends_at else None

    def _mac(self, packed: bytes) -> bytes:
        return hmac.digest(self.key.encode(), _PURPOSE + packed, "sha256")[:_MAC_BYTES]
