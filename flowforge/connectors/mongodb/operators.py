"""Operators of MongoDB: those that do more than to read are refused unless a step says otherwise, and none comes out
of data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

RUN_CODE = frozenset({"$where", "$function", "$accumulator"})
"""https://www.mongodb.com/docs/manual/core/server-side-javascript/"""
WRITE = frozenset({"$out", "$merge"})
"""Stages that write to a collection."""


_EXTENDED = frozenset({
    "$oid", "$date", "$numberDecimal", "$numberLong", "$numberInt", "$numberDouble", "$binary", "$uuid", "$timestamp",
    "$regularExpression", "$minKey", "$maxKey",
})  # fmt: skip
_LITERAL = "$literal"


def is_extended_json(value: Mapping[str, Any]) -> bool:
    """Whether an object stands for one value, as no operator does."""
    return len(value) <= 2 and not _EXTENDED.isdisjoint(value)


def problem_of_data(value: Any, path: Sequence[str]) -> str | None:
    """The reason why a value must not stand at that place of a config where it comes out of data: it would be an
    operator there, or name a field."""
    if _LITERAL in path:
        return None
    names_fields = _is_computed(path)
    for part in _parts(value):
        if isinstance(part, Mapping) and not is_extended_json(part):
            operator = next((key for key in part if key.startswith("$")), None)
            if operator is not None:
                return f"the data hold {operator!r}, which would be an operator here"
        if names_fields and isinstance(part, str) and part.startswith("$"):
            return f'the data hold {part[:40]!r}, which would name a field: write {{"{_LITERAL}": "{{{{ … }}}}"}}'
    return None


def mentioned(value: Any, operators: frozenset[str]) -> str | None:
    """The first of the operators that stands anywhere in a value."""
    keys = (key for part in _parts(value) if isinstance(part, Mapping) for key in part)
    return next((key for key in keys if key in operators), None)


def _is_computed(path: Sequence[str]) -> bool:
    """Whether a text there is an expression of MongoDB's, in which `$total` is a field, rather than a value."""
    return "$expr" in path or (path[0] in ("pipeline", "projection") and "$match" not in path)


def _parts(value: Any) -> Iterator[Any]:
    """The value, and all that it holds."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, Mapping):
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
