"""The lines that a step writes into its execution's log while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Level = Literal["INFO", "WARN", "ERROR"]


@dataclass(frozen=True, slots=True)
class LogLine:
    text: str
    level: Level = "INFO"


class StepLog(Protocol):
    def add(self, lines: Sequence[LogLine]) -> None:
        """Writes lines, secrets masked. Never raises: what cannot be written is left out."""


class NoLog:
    """The log of a step that belongs to no execution."""

    def add(self, lines: Sequence[LogLine]) -> None:
        """Writes nothing."""
