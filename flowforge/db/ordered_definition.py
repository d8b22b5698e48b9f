"""Rows with definitions that keep the order of their fields: it is noted beside them when they are written, and brought
back when they are loaded."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

from sqlalchemy import event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from flowforge.field_order import orders_of, restore


class OrderedDefinition:
    """Part of a model. `ordered` names its columns with definitions."""

    ordered: ClassVar[tuple[str, ...]]

    definition_order: Mapped[Any] = mapped_column(JSONB(none_as_null=True), nullable=True)
    """The order of fields (flowforge.field_order), by the name of the column."""


@event.listens_for(OrderedDefinition, "before_insert", propagate=True)
@event.listens_for(OrderedDefinition, "before_update", propagate=True)
def _note(_mapper: Any, _connection: Any, row: OrderedDefinition) -> None:
    held = row.__dict__
    others = {name: order for name, order in (held.get("definition_order") or {}).items() if name not in held}
    orders = orders_of({column: held[column] for column in row.ordered if column in held}) or {}
    row.definition_order = {**others, **orders} or None


@event.listens_for(OrderedDefinition, "load", propagate=True)
@event.listens_for(OrderedDefinition, "refresh", propagate=True)
def _bring_back(row: OrderedDefinition, _context: Any, loaded: Collection[str] | None = None) -> None:
    orders = row.__dict__.get("definition_order") or {}
    for column in row.ordered:
        if loaded is None or column in loaded:
            restore(row.__dict__.get(column), orders.get(column))
