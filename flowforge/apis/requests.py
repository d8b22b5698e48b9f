"""The request of an operation, from the input of a step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flowforge.apis.operation import Operation
from flowforge.file_values import AnyFile
from flowforge.jsonio import JsonObject


@dataclass(frozen=True, slots=True)
class BuiltBody:
    """The body of a request; its bytes are those of its parts in their order."""

    type: str
    """Its Content-Type, with parameters."""
    parts: Sequence[bytes | AnyFile]
    """Without files it is one part of bytes."""


@dataclass(frozen=True, slots=True)
class BuiltRequest:
    """A request that only lacks what signs it."""

    method: str
    url: str
    """With its query, encoded."""
    headers: Sequence[tuple[str, str]]
    body: BuiltBody | None = None


def build_request(operation: Operation, input_: JsonObject, server: str) -> BuiltRequest:
    """Write the input (see `form_schema`) as the operation has it, below the address `server`.

    Raises Invalid where the input does not fit, with the pointer to each field.
    """
    raise NotImplementedError
