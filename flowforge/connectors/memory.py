"""The memory that steps share: what one holds is counted, so that one account leaves room for others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Memory(Protocol):
    """The memory of a step."""

    def hold_answer(self, size: int) -> None:
        """Counts the bytes of an answer that have come so far, instead of those of the answer before. Raises
        ConnectorError, not permanent, where the step's workflow or account has its share."""


class Uncounted:
    """That of a step that shares none, such as one that is tried out."""

    def hold_answer(self, size: int) -> None:
        pass


@dataclass(frozen=True, slots=True)
class BesideOthers:
    """That of one answer of several: `held` bytes of those before it are held, too."""

    memory: Memory
    held: int

    def hold_answer(self, size: int) -> None:
        """Raises ConnectorError as Memory does."""
        self.memory.hold_answer(self.held + size)
