"""Data cut to a readable size, with notes where something is left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flowforge import jsonio

LONGEST_TEXT = 2_000
MOST_MEMBERS = 100
DEEPEST = 20
MOST_PARTS = 5_000
"""Values in one excerpt, all together."""


def excerpt(value: Any) -> Any:
    """Copy a value as plain JSON of bounded size."""
    return _Cut().of(value, 0)


class _Cut:
    def __init__(self) -> None:
        self._left = MOST_PARTS

    def of(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or (depth > DEEPEST and isinstance(value, Mapping | list | tuple)):
            return "…"
        if isinstance(value, str):
            more = len(value) - LONGEST_TEXT
            return value if more <= 0 else f"{value[:LONGEST_TEXT]}… ({more:,} more characters)"
        if isinstance(value, Mapping):
            members = list(value.items())[:MOST_MEMBERS]
            cut = {str(key): self.of(inner, depth + 1) for key, inner in members}
            return cut | ({"…": f"{len(value) - MOST_MEMBERS:,} more"} if len(value) > MOST_MEMBERS else {})
        if isinstance(value, list | tuple):
            kept = [self.of(inner, depth + 1) for inner in value[:MOST_MEMBERS]]
            return kept + ([f"… {len(value) - MOST_MEMBERS:,} more"] if len(value) > MOST_MEMBERS else [])
        return jsonio.format_time(value) if isinstance(value, datetime) else value
