"""Expressions that take what nobody knows yet, since it has not run: that is said in their place."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flowforge.language.expressions.resolving import Reference, references_in
from flowforge.language.expressions.template import OPEN, TemplateFailure
from flowforge.language.pointers import Part, pointer

A_ROOT = "="
"""In front of the name of an unknown root, such as `=item`; other names are steps'."""


def unknown_in(text: str, unknown: Collection[str]) -> str | None:
    """The first of the unknown steps and roots that the text uses."""
    if not unknown or OPEN not in text:
        return None
    try:
        used = references_in(text)
    except TemplateFailure:
        return None
    return next((name for name in map(_called, used) if name in unknown), None)


def without_unknown(value: Any, unknown: Collection[str], path: tuple[Part, ...] = ()) -> tuple[Any, list[str]]:
    """The value with a note in place of every text that uses something unknown, and the pointers to these."""
    if isinstance(value, str):
        name = unknown_in(value, unknown)
        return (value, []) if name is None else (note_of(name), [pointer(path)])
    if isinstance(value, dict):
        parts = {key: without_unknown(part, unknown, (*path, str(key))) for key, part in value.items()}
        return {key: part for key, (part, _) in parts.items()}, [at for _, found in parts.values() for at in found]
    if isinstance(value, list):
        members = [without_unknown(part, unknown, (*path, number)) for number, part in enumerate(value)]
        return [part for part, _ in members], [at for _, found in members for at in found]
    return value, []


def note_of(name: str) -> str:
    """Return the note that stands in for an unknown value."""
    return f"(not known: {name.removeprefix(A_ROOT)})"


def _called(used: Reference) -> str:
    if used.root != "steps":
        return A_ROOT + used.root
    return str(used.keys[0]) if used.keys else ""
