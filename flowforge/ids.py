"""New identifiers."""

from __future__ import annotations

import os
import socket
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7() -> UUID:
    """A time-ordered UUID, version 7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, 12 of their fraction (6.2, method
    3), 62 random bits. Ids that one process makes one after another sort in that order: what came in first is first
    also among what is written in one transaction, with one time."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    random_bits = int.from_bytes(os.urandom(8)) & (1 << 62) - 1
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random_bits)


def first_id_at(moment: datetime) -> UUID:
    """The smallest id of version 7 that can be made at this moment, to the millisecond: ids of earlier ones sort before
    it. Times before 1970 count as its beginning."""
    milliseconds = max(0, (moment - _EPOCH) // timedelta(milliseconds=1))
    return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62)


def moment_of(id_: UUID) -> datetime:
    """Returns when an id of version 7 was made, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=id_.int >> 80)


def member_name(role: str) -> str:
    """A name that is unique among the living members of a group, whichever machine they run on, and readable for
    people."""
    return f"{role}.{socket.gethostname()}.{os.getpid()}.{uuid4().hex[:6]}"
