"""Views: frozen copies of rows, which leave the core in their place."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

V = TypeVar("V")


def view_of(view: type[V], row: object, **others: Any) -> V:
    """Make a view, a dataclass, of what the row holds under the names of its fields, and of `others`: what the row
    does not hold, or holds in another form."""
    own = {name: getattr(row, name) for name in _names(view) if name not in others}
    return view(**own, **others)


def columns_of(view: type, table: type) -> tuple[Any, ...]:
    """The columns of the table that hold the fields of a view."""
    return tuple(getattr(table, name) for name in _names(view))


def _names(view: type) -> list[str]:
    return [field.name for field in fields(view)]
