"""Comparison of values with expected ones; of objects only the expected fields are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flowforge.language.pointers import Part


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A difference at `path`; `found` is MISSING where there is nothing."""

    path: tuple[Part, ...]
    expected: Any
    found: Any


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()


def mismatches(expected: Any, found: Any, path: tuple[Part, ...]) -> Iterator[Mismatch]:
    """Yield the differences, each as deep inside as possible. 1 equals 1.0, and neither equals true."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name, value in expected.items():
            yield from mismatches(value, found.get(name, MISSING), (*path, name))
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (wanted, actual) in enumerate(zip(expected, found, strict=True)):
            yield from mismatches(wanted, actual, (*path, index))
    elif isinstance(expected, bool) is not isinstance(found, bool) or expected != found:
        yield Mismatch(path, expected, found)
