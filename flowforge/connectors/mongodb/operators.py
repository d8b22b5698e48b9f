"""Operators of MongoDB that do more than to read: they are refused unless a step says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

RUN_CODE = frozenset({"$where", "$function", "$accumulator"})
"""https://www.mongodb.com/docs/manual/core/server-side-javascript/"""
WRITE = frozenset({"$out", "$merge"})
"""Stages that write to a collection."""


def mentioned(value: Any, operators: frozenset[str]) -> str | None:
    """The first of the operators that stands anywhere in a value."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            found = next((key for key in part if key in operators), None)
            if found is not None:
                return str(found)
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return None
