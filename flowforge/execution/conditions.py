"""Truth of conditions."""

from __future__ import annotations

from typing import Any

from flowforge.language.expressions.unknown_values import Undecided, Unknown


def holds(value: Any) -> bool:
    """Whether a condition is met: not false, null, 0, empty, or the text `false`. Raises Undecided for an unknown."""
    if isinstance(value, Unknown):
        raise Undecided(value)
    return value.strip().lower() not in {"", "false"} if isinstance(value, str) else bool(value)
