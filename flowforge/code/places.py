"""Places of errors in a program, as people read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_MOST = 4


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the program, and the function that it stands in; no name where it stands in none."""

    line: int
    function: str = ""

    def __str__(self) -> str:
        return f"in {self.function}, line {self.line}" if self.function else f"line {self.line}"


def located(told: str, places: Sequence[Place]) -> str:
    """What is wrong, and where, the innermost place first: `line 2: TypeError: no (in f, line 2; line 7)`."""
    if not places:
        return told
    way = f" ({'; '.join(map(str, places[:_MOST]))})" if len(places) > 1 else ""
    return f"line {places[0].line}: {told}{way}"
