"""Data as a tree to pick from: each entry knows the expression that stands for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from flowforge import jsonio
from webapp.translation.texts import lazy, ngettext

DEEPEST, WIDEST, LONGEST, MOST_DRAWN = 6, 40, 60, 600
"""Limits of what is drawn: levels, entries of one level, characters of one value, entries of all levels together."""
_NAME = re.compile(r"[A-Za-z_]\w*")
_TYPES: Mapping[type, str] = {
    str: lazy("text"),
    bool: lazy("yes/no"),
    int: lazy("number"),
    float: lazy("number"),
    datetime: lazy("time"),
    Mapping: lazy("object"),
    list: lazy("list"),
}
_METHODS = frozenset({"items", "keys", "values", "get"})


@dataclass(frozen=True, slots=True)
class Datum:
    label: str
    path: str
    """The reference that an expression writes: `steps.fetch.body[0].id`."""
    value: str
    """The value, shortened."""
    inside: Sequence[Datum] = field(default_factory=list)
    more: int = 0
    """Entries that are not drawn."""
    type: str = ""
    """The word for the type of the value."""


def tree_of(name: str, value: Any, path: str) -> Datum:
    return _Drawing().datum(name, value, path, 0)


def rest_of(value: Any, path: str, start: int) -> Datum:
    """The entries of a value from that one on, as many as are drawn at once."""
    return _Drawing().datum("", value, path, 0, start)


class _Drawing:
    def __init__(self) -> None:
        self._left = MOST_DRAWN

    def datum(self, name: str, value: Any, path: str, depth: int, start: int = 0) -> Datum:
        size = len(value) if isinstance(value, Mapping | list) and depth < DEEPEST else 0
        drawn = min(max(size - start, 0), WIDEST, self._left)
        self._left -= drawn
        entries = islice(_entries(value), start, start + drawn)
        inside = [self.datum(label, inner, f"{path}{step}", depth + 1) for label, step, inner in entries]
        return Datum(name, path, _brief(value), inside, max(size - start - drawn, 0), _type_of(value))


def _type_of(value: Any) -> str:
    return next((word for kind, word in _TYPES.items() if isinstance(value, kind)), "")


def _entries(value: Any) -> Iterator[tuple[str, str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key), _step(str(key)), inner
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield str(index), f"[{index}]", inner


def _step(key: str) -> str:
    if _NAME.fullmatch(key) and key not in _METHODS:
        return f".{key}"
    return "[" + jsonio.dumps(key).decode() + "]"


def _brief(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ }" if not value else ngettext("%(count)s field", "%(count)s fields", len(value))
    if isinstance(value, list):
        return "[ ]" if not value else ngettext("%(count)s entry", "%(count)s entries", len(value))
    text = value if isinstance(value, str) else jsonio.dumps(value).decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
