"""Values that are not known before a run: they stand in data as notes, and what takes one is unknown, too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

from flowforge.language.expressions.resolving import Reference, references_in, resolve
from flowforge.language.expressions.template import OPEN, TemplateFailure
from flowforge.language.pointers import Part, pointer


class Unknown(str):
    """A value that is not known; as text, a note that says so."""

    name: str
    """The step whose output it is a part of, or a root of expressions such as `item`."""
    is_root: bool

    def __new__(cls, name: str, *, is_root: bool = False) -> Self:
        note = super().__new__(cls, f"(not known: {name})")
        note.name, note.is_root = name, is_root
        return note

    @property
    def reason(self) -> str:
        """The reason why it is not known, and what helps."""
        if self.is_root:
            return f"'{self.name}' is not known yet: run the workflow"
        return f"the output of step '{self.name}' is not known yet: run the step, run the workflow, or pin an output"


class UncertainOutput(dict[str, Any]):
    """The output of a step of which it is not known whether it runs: if the step runs, this is what it gives. Hence an
    expression that provides for its absence is unknown."""

    def __init__(self, output: Mapping[str, Any], step: str) -> None:
        super().__init__(output)
        self.step = step


class Undecided(Exception):
    """A decision depends on an unknown value."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown.reason)
        self.unknown = unknown


def unknown_in(text: str, scope: Mapping[str, Any]) -> Unknown | None:
    """The first unknown value that an expression of the text takes; None also where the text cannot be read."""
    if OPEN not in text:
        return None
    try:
        used = references_in(text)
    except TemplateFailure:
        return None
    return next((found for found in (_unknown_at(reference, scope) for reference in used) if found is not None), None)


def resolve_known(value: Any, scope: Mapping[str, Any], *, step: str, field: str = "") -> Any:
    """The value with every expression in it computed, as `resolve` does; a text that takes something unknown becomes
    that Unknown. Raises ExpressionError."""
    return resolve(_with_notes(value, scope), scope, step=step, field=field)


def unknown_pointers(value: Any, path: tuple[Part, ...] = ()) -> list[str]:
    """JSON pointers to the unknown parts of a value."""
    return [pointer(at) for at, _ in _unknown_parts(value, path)]


def first_unknown(value: Any) -> Unknown | None:
    """The first part of a value that is not known; for the output of a step that may not run, that step's."""
    return next((found for _, found in _unknown_parts(value, (), absent=True)), None)


def _with_notes(value: Any, scope: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return unknown_in(value, scope) or value
    if isinstance(value, dict):
        return {key: _with_notes(part, scope) for key, part in value.items()}
    return [_with_notes(part, scope) for part in value] if isinstance(value, list) else value


def _unknown_at(reference: Reference, scope: Mapping[str, Any]) -> Unknown | None:
    """The first unknown part of the value that the reference leads to, or of what is on the way to it."""
    value: Any = scope
    for key in (reference.root, *reference.keys):
        value = _part(value, key)
        if isinstance(value, Unknown):
            return value
        if isinstance(value, UncertainOutput) and reference.optional:
            return Unknown(value.step)
    inside = dict(value) if isinstance(value, UncertainOutput) else value
    return first_unknown(inside)


def _part(value: Any, key: Part) -> Any:
    try:
        return value[str(key) if isinstance(value, Mapping) else key]
    except (LookupError, TypeError):
        return None


def _unknown_parts(
    value: Any, path: tuple[Part, ...], *, absent: bool = False
) -> Iterator[tuple[tuple[Part, ...], Unknown]]:
    """`absent`: an output that may not be there counts, too."""
    if isinstance(value, Unknown):
        yield path, value
    elif absent and isinstance(value, UncertainOutput):
        yield path, Unknown(value.step)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _unknown_parts(part, (*path, str(key)), absent=absent)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _unknown_parts(part, (*path, number), absent=absent)
