"""Links by which anybody reads one file, until they end. Nothing is stored: a link is its file, its end and a MAC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from struct import Struct
from uuid import UUID

from flowforge.signed_tokens import SignedTokens

_TOKENS = SignedTokens(b"flowforge file link 1:", Struct(">16sQ"))
"""Fields: the id of a file, and the second in which the link ends (Unix time)."""


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
        token = _TOKENS.make(self.key, file_id.bytes, int(ends_at.timestamp()))
        return FileLink(f"{self.base}/shared-files/{token}", ends_at)

    def read(self, token: str, now: datetime) -> UUID | None:
        """The file that a link is about; None where it is none of ours, or over."""
        fields = _TOKENS.read(self.key, token)
        if fields is None:
            return None
        id_, ends_at = fields
        return UUID(bytes=id_) if now.timestamp() < ends_at else None
