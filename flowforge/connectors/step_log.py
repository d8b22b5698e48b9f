"""The lines that a step writes into its execution's log while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class KeptLog:
    """Lines kept in memory: the first ones, up to limits on their number and their characters together."""

    most_lines: int = 200
    most_characters: int = 16_000
    _kept: list[LogLine] = field(default_factory=list)
    _left_out: int = 0

    def add(self, lines: Sequence[LogLine]) -> None:
        for line in lines:
            if len(self._kept) < self.most_lines and self.most_characters > 0:
                self._kept.append(LogLine(line.text[: self.most_characters], line.level))
                self.most_characters -= len(line.text)
            else:
                self._left_out += 1

    @property
    def lines(self) -> Sequence[LogLine]:
        more = LogLine(f"{self._left_out:,} more lines are left out", "WARN")
        return [*self._kept, more] if self._left_out else self._kept
