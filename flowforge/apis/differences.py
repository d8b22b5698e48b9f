"""What a new file of an API changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flowforge.apis.description import Description, OperationEntry
from flowforge.errors import Problem


@dataclass(frozen=True, slots=True)
class Difference:
    """The operations that were added, removed or changed, by their ids."""

    added: Sequence[OperationEntry] = ()
    removed: Sequence[OperationEntry] = ()
    changed: Mapping[str, Sequence[Problem]] = field(default_factory=dict)
    """What is different in each: the pointer is that of the input (`/query/limit`) or of the answer (`/answer/id`)."""


def difference(old: Description, new: Description) -> Difference:
    """Compare two descriptions of the same API."""
    raise NotImplementedError
