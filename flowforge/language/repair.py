"""A definition of the wrong shape without the parts that are wrong, so that the rest of it can be validated, too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flowforge import jsonio
from flowforge.jsonio import JsonObject
from flowforge.language.pointers import Part

UNREAD = "?"
"""The type given to an action whose own cannot be read."""

Path = tuple[Part, ...]


class Repair:
    """Removes the wrong parts from a copy of a definition. Nothing moves: members of lists keep their positions."""

    def __init__(self, raw: object) -> None:
        self.raw: Any = jsonio.loads(jsonio.dumps(raw))
        self.removed: set[Path] = set()
        """Paths of the removed parts: further problems of these, or of what they held, are not worth reporting."""

    def remove(self, paths: Iterable[Path]) -> bool:
        """Remove the parts at the paths. False where nothing would be left."""
        done = [self._remove_part(path) for path in paths]
        return all(done)

    def _remove_part(self, path: Path) -> bool:
        self.removed.add(path)
        if not path:
            return False
        holder = self._at(path[:-1])
        if isinstance(holder, dict):
            return self._remove_field(holder, path)
        if isinstance(holder, list) and isinstance(path[-1], int) and path[-1] < len(holder):
            holder[path[-1]] = {} if path[-2] == "branches" else {"type": UNREAD}
        return True  # also where its holder has been removed before

    def _remove_field(self, holder: JsonObject, path: Path) -> bool:
        name = path[-1]
        if path == ("name",):
            holder["name"] = UNREAD
        elif name == "type" and _is_action(path[:-1]):
            holder["type"] = UNREAD
        elif name in holder:
            del holder[str(name)]
        else:  # required, or another name for it: its holder cannot be read without it
            return self._remove_part(path[:-1])
        return True

    def _at(self, path: Path) -> Any:
        part = self.raw
        for key in path:
            try:
                part = part[key]
            except (LookupError, TypeError):
                return None
        return part


def _is_action(path: Path) -> bool:
    return len(path) > 1 and isinstance(path[-1], int) and path[-2] != "branches"
