"""Data as a tree to pick from: each entry knows the expression that stands for it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from flowforge import jsonio

DEEPEST, WIDEST, LONGEST, MOST_DRAWN = 6, 40, 60, 600
"""Limits of what is drawn: levels, entries of one level, characters of one value, entries of all levels together."""
_NAME = re.compile(r"[A-Za-z_]\w*")
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


def tree_of(name: str, value: Any, path: str) -> Datum:
    return _Drawing().datum(name, value, path, 0)


class _Drawing:
    def __init__(self) -> None:
        self._left = MOST_DRAWN

    def datum(self, name: str, value: Any, path: str, depth: int) -> Datum:
        size = len(value) if isinstance(value, Mapping | list) and depth < DEEPEST else 0
        drawn = min(size, WIDEST, self._left)
        self._left -= drawn
        entries = islice(_entries(value), drawn)
        inside = [self.datum(label, inner, f"{path}{step}", depth + 1) for label, step, inner in entries]
        return Datum(name, path, _brief(value), inside, size - drawn)


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
        return "{ }" if not value else f"{len(value)} {'field' if len(value) == 1 else 'fields'}"
    if isinstance(value, list):
        return "[ ]" if not value else f"{len(value)} {'entry' if len(value) == 1 else 'entries'}"
    text = value if isinstance(value, str) else jsonio.dumps(value).decode()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
