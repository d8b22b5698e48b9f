"""Ids that a line's data repeat from its columns: nine lines in ten consist of them by half, so they are stored once.

A bit for each says that the data held the id under its name, written as the column writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowforge import jsonio
from flowforge.jsonio import JsonObject

_BITS = {
    1: ("userId", "user_id"),
    2: ("workflowId", "workflow_id"),
    4: ("executionId", "execution_id"),
    8: ("eventId", "event_id"),
}


def leave_out(data: JsonObject, columns: Mapping[str, Any]) -> tuple[JsonObject, int]:
    """Returns the data without the ids that the columns repeat, and the bits that bring them back."""
    shorter, bits = dict(data), 0
    for bit, (name, column) in _BITS.items():
        id_ = columns[column]
        if id_ is not None and data.get(name) == jsonio.format_id(id_):
            del shorter[name]
            bits |= bit
    return shorter, bits


def put_back(data: JsonObject, bits: int, columns: Mapping[str, Any]) -> JsonObject:
    """Returns the data as they were before `leave_out`; the ids stand at the end."""
    return data | {name: str(columns[column]) for bit, (name, column) in _BITS.items() if bits & bit}
