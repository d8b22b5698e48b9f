"""Parts of a document as the shapes they should have: what has another one counts as missing."""

from __future__ import annotations

from typing import Any

from flowforge.jsonio import JsonObject


def as_object(value: Any) -> JsonObject:
    """The object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def as_text(value: Any) -> str:
    """The text; an empty one for anything else."""
    return value if isinstance(value, str) else ""
