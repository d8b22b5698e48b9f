"""A definition of the wrong shape without the parts that are wrong, so that the rest of it can be judged, too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flowforge import jsonio
from flowforge.language.pointers import Part

UNREAD = "?"
"""The type of an action whose own cannot be read: nothing is known of it."""

Path = tuple[Part, ...]


class Repair:
    """Takes the wrong parts out of a copy of a definition. Nothing moves: what stands in a list keeps its place."""

    def __init__(self, raw: object) -> None:
        self.raw: Any = jsonio.loads(jsonio.dumps(raw))
        self.gone: set[Path] = set()
        """Where something was taken out: what is said about these places, or about parts of them, says nothing."""

    def without(self, places: Iterable[Path]) -> bool:
        """False where nothing would be left."""
        done = [self._take_out(place) for place in places]
        return all(done)

    def _take_out(self, place: Path) -> bool:
        self.gone.add(place)
        if not place:
            return False
        holder = self._at(place[:-1])
        if isinstance(holder, dict):
            return self._take_out_field(holder, place)
        if isinstance(holder, list) and isinstance(place[-1], int) and place[-1] < len(holder):
            holder[place[-1]] = {} if place[-2] == "branches" else {"type": UNREAD}
        return True  # also where what holds it was taken out before

    def _take_out_field(self, holder: dict[str, Any], place: Path) -> bool:
        name = place[-1]
        if place == ("name",):
            holder["name"] = UNREAD
        elif name == "type" and _is_action(place[:-1]):
            holder["type"] = UNREAD
        elif name in holder:
            del holder[str(name)]
        else:  # it is required, or has another name here: what it belongs to cannot be read without it
            return self._take_out(place[:-1])
        return True

    def _at(self, place: Path) -> Any:
        part = self.raw
        for key in place:
            try:
                part = part[key]
            except (LookupError, TypeError):
                return None
        return part


def _is_action(place: Path) -> bool:
    return len(place) > 1 and isinstance(place[-1], int) and place[-2] != "branches"
