"""Progress: what a step has done so far, kept until it ends, so that a repeat goes on there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from flowforge.jsonio import JsonObject


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the step's work that is done: its number from 1, what came of it, and where it goes on (None: it is
    over). `complete`: whether all is done that there was to do."""

    number: int
    items: list[Any]
    next: JsonObject | None
    complete: bool = False


class Progress(Protocol):
    def parts(self) -> Sequence[Part]:
        """The parts that earlier runs of the step have done, in their order."""

    def add(self, part: Part) -> None:
        """Keeps a part. Raises ConnectorError where the step is another executor's by now."""


class NoProgress:
    """The progress of a step that is only being tried out: it begins anew each time."""

    def parts(self) -> Sequence[Part]:
        return ()

    def add(self, part: Part) -> None:
        """Keeps nothing."""
