"""Changing JSON values in place, table-wide, while the product runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, literal, select, update
from sqlalchemy.orm import InstrumentedAttribute

BATCH = 200


def rewrite(
    engine: Engine,
    column: InstrumentedAttribute[Any],
    change: Callable[[Any], Any],
    which: ColumnElement[bool],
    batch: int = BATCH,
) -> int:
    """Writes `change(value)` where it differs, `batch` rows per transaction; the number of rows changed.

    A row that changes meanwhile is left as it is. A row keeps its `updated_at`: nobody has edited it.
    """
    key = column.class_.id
    page = select(key, column).where(which, column.is_not(None)).order_by(key).limit(batch)
    changed, last = 0, None
    while True:
        with engine.begin() as connection:
            rows = connection.execute(page if last is None else page.where(key > last)).all()
            changed += sum(_replace(connection, column, identity, value, change(value)) for identity, value in rows)
        if not rows:
            return changed
        last = rows[-1][0]


def _replace(connection: Connection, column: InstrumentedAttribute[Any], identity: Any, old: Any, new: Any) -> int:
    if new == old:
        return 0
    values = {column.key: new}
    if hasattr(column.class_, "updated_at"):
        values["updated_at"] = column.class_.updated_at
    same_row = (column.class_.id == identity) & (column == literal(old, column.type))
    return connection.execute(update(column.class_).where(same_row).values(values)).rowcount
