"""Whether what was found is what was expected; of objects only the fields that are expected are looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flowforge.language.pointers import Part


@dataclass(frozen=True, slots=True)
class Mismatch:
    """`path` leads to the place; `found` is MISSING where there is nothing."""

    path: tuple[Part, ...]
    expected: Any
    found: Any


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()


def mismatches(expected: Any, found: Any, path: tuple[Part, ...]) -> Iterator[Mismatch]:
    """Each as deep inside as it can be told. 1 is 1.0, and neither is true."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            yield from mismatches(value, found.get(name, MISSING), (*path, name))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from mismatches(one, other, (*path, index))
    elif isinstance(expected, bool) is not isinstance(found, bool) or expected != found:
        yield Mismatch(path, expected, found)
