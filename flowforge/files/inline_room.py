"""Room in a payload for the files that come in with it: small ones stay there, as long as they are few."""

from __future__ import annotations

from dataclasses import dataclass

from flowforge.file_values import INLINE_BYTES

_MOST_BYTES = 8 * INLINE_BYTES
"""All that stay in one payload have at most so many bytes together."""


@dataclass(slots=True)
class InlineRoom:
    """The room of one payload."""

    _taken: int = 0

    def take(self, size: int) -> bool:
        """Whether a file of so many bytes stays in the payload; it has its room then."""
        if size > INLINE_BYTES or self._taken + size > _MOST_BYTES:
            return False
        self._taken += size
        return True
