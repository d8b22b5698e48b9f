"""Entries of maps in forms: a name, a value as a text, and the type that the text has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from webapp.translation.texts import lazy
from webapp.ui.written_values import as_text, from_text, has_expression, number_of

AUTOMATIC, TEXT, NUMBER, BOOLEAN, JSON, EXPRESSION = "", "text", "number", "boolean", "json", "expression"
TYPES: Mapping[str, str] = {
    TEXT: lazy("Text"),
    NUMBER: lazy("Number"),
    BOOLEAN: lazy("Yes/no"),
    JSON: lazy("JSON"),
    EXPRESSION: lazy("Expression"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    name: str = ""
    text: str = ""
    type: str = AUTOMATIC
    """As the text says by itself, in an entry that is not filled in yet."""


def entry_of(name: str, value: Any) -> Entry:
    type_ = _type_of(value)
    return Entry(name, value if type_ in (TEXT, EXPRESSION) else as_text(value), type_)


def value_of(text: str, type_: str) -> Any:
    """The value of a text of that type. One that is not of its type stays a text."""
    return _READERS.get(type_, from_text)(text)


def _type_of(value: Any) -> str:
    if isinstance(value, str):
        return EXPRESSION if has_expression(value) else TEXT
    if isinstance(value, bool):
        return BOOLEAN
    return NUMBER if isinstance(value, int | float) else JSON


def _boolean(text: str) -> Any:
    return {"true": True, "yes": True, "false": False, "no": False}.get(text.strip().lower(), text)


def _expression(text: str) -> str:
    """In braces, also where only what belongs between them was written."""
    return text if has_expression(text) or not text.strip() else f"{{{{ {text.strip()} }}}}"


_READERS: Mapping[str, Callable[[str], Any]] = {
    TEXT: str,
    NUMBER: lambda text: number_of(text.strip()),
    BOOLEAN: _boolean,
    EXPRESSION: _expression,
}
