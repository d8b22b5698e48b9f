"""Expressions whose steps have not run: what they would give is not known, and that is said in their place."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flowforge.language.expressions import references_in
from flowforge.language.pointers import Part, pointer
from flowforge.language.template import OPEN, TemplateFailure


def unknown_in(text: str, unknown: Collection[str]) -> str | None:
    """The first of the unknown steps that the text uses."""
    if not unknown or OPEN not in text:
        return None
    try:
        used = references_in(text)
    except TemplateFailure:
        return None
    names = (str(one.keys[0]) for one in used if one.root == "steps" and one.keys)
    return next((name for name in names if name in unknown), None)


def without_unknown(value: Any, unknown: Collection[str], path: tuple[Part, ...] = ()) -> tuple[Any, list[str]]:
    """The value with a note in place of every text that uses an unknown step, and the pointers to these."""
    if isinstance(value, str):
        step = unknown_in(value, unknown)
        return (value, []) if step is None else (note_of(step), [pointer(path)])
    if isinstance(value, dict):
        parts = {key: without_unknown(part, unknown, (*path, str(key))) for key, part in value.items()}
        return {key: part for key, (part, _) in parts.items()}, [at for _, found in parts.values() for at in found]
    if isinstance(value, list):
        members = [without_unknown(part, unknown, (*path, number)) for number, part in enumerate(value)]
        return [part for part, _ in members], [at for _, found in members for at in found]
    return value, []


def note_of(step: str) -> str:
    """What stands where a value would."""
    return f"(not known: {step} has not run)"
