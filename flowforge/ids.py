"""New identifiers."""

from __future__ import annotations

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """A time-ordered UUID, version 7 (RFC 9562, 5.7): 48 bits of Unix milliseconds, 12 of their fraction (6.2, method
    3), 62 random bits. Ids that one process makes one after another sort in that order: what came in first is first
    also among what is written in one transaction, with one time."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    random_bits = int.from_bytes(os.urandom(8)) & (1 << 62) - 1
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random_bits)
