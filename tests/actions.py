"""Actions that tests build workflows of."""

from __future__ import annotations

from typing import Any


def transform(**output: object) -> dict[str, Any]:
    """An action that gives `output`."""
    return {"type": "TRANSFORM", "config": {"output": output}}
