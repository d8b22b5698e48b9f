"""Views: frozen copies of rows, which leave the core in their place."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

V = TypeVar("V")


def view_of(view: type[V], row: object, **others: Any) -> V:
    """Make a view, a dataclass, of what the row holds under the names of its fields, and of `others`: what the row
    does not hold, or holds in another form."""
    own = {field.name: getattr(row, field.name) for field in fields(view) if field.name not in others}  # type: ignore[arg-type]
    return view(**own, **others)
