"""The field `enabled` of what clients send: of workflows and of triggers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowforge.errors import Problem


def switched(raw: Mapping[str, Any], otherwise: bool) -> bool:
    """Read whether it is to be enabled; null is the same as leaving it out."""
    enabled = raw.get("enabled")
    return otherwise if enabled is None else bool(enabled)


def problems_of_enabled(raw: Mapping[str, Any]) -> list[Problem]:
    usable = isinstance(raw.get("enabled"), bool | None)
    return [] if usable else [Problem("/enabled", "must be true or false")]
