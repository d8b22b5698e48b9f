"""The columns of a result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flowforge.connectors.errors import ConnectorError


def column_names(description: Sequence[Sequence[Any]] | None) -> list[str]:
    """The names of a result's columns. Raises ConnectorError where two are the same: one would hide the other."""
    names = [str(column[0]) for column in description or ()]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConnectorError(f"sql: two columns are called '{twice}': name one of them by AS", permanent=True)
    return names
