"""Reading large rows within a number of bytes: what would not fit is left out, and never loaded.

PostgreSQL alone looks at all of it. What comes back says what was left out, so that it can be asked for by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, Text, case, cast, column, func, inspect, select, true, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import InstrumentedAttribute, Session, defer
from sqlalchemy.orm.attributes import set_committed_value

from flowforge import jsonio
from flowforge.db.tables import Base
from flowforge.errors import NotFound
from flowforge.field_order import restore
from flowforge.jsonio import JsonObject
from flowforge.sentences import sentence

MOST_BYTES = 8 * 1024 * 1024
"""The limit on the payloads, outputs and results in one answer."""
_NEVER_COMPRESSED = 512
"""Bytes of a column; from there on its size on disk says little about it."""

_Row = TypeVar("_Row", bound=Base)
_Key = TypeVar("_Key")
_Column = InstrumentedAttribute[Any]


@dataclass(frozen=True, slots=True)
class Page(Generic[_Row]):
    """Rows that belong to no session: what is only left out must never be taken for their state."""

    rows: Sequence[_Row]
    truncated: frozenset[_Row]
    """Rows without their data: they would not have fitted into the page."""


def page(
    session: Session,
    table: type[_Row],
    wanted: Select[Any],
    order: Sequence[_Column | ColumnElement[Any]],
    data: Sequence[_Column],
    most_bytes: int = MOST_BYTES,
) -> Page[_Row]:
    """The rows that `wanted` finds, in `order`, with those columns that are `data` as far as they fit."""
    key = inspect(table).primary_key
    found = wanted.with_only_columns(*key).order_by(*order).subquery()
    sized = select(table, _size(data)).where(tuple_(*key).in_(select(found))).order_by(*order)
    sizes = dict(session.execute(sized.options(*map(defer, data))).all())
    return Page(list(sizes), _fill(session, table, list(sizes), _fitting(sizes.items(), most_bytes), data))


def _fill(
    session: Session, table: type[_Row], rows: Sequence[_Row], fitting: set[_Row], data: Sequence[_Column]
) -> frozenset[_Row]:
    """Gives the fitting ones their data, and the others none; returns the others."""
    key, key_of = inspect(table).primary_key, inspect(table).primary_key_from_instance
    wanted = select(*key, *data).where(tuple_(*key).in_([key_of(row) for row in fitting]))
    found = {tuple(values[: len(key)]): values[len(key) :] for values in session.execute(wanted)}
    nothing = [None] * len(data)
    for row in rows:
        session.expunge(row)
        for part, value in zip(data, found.get(tuple(key_of(row)), nothing), strict=True):
            set_committed_value(row, part.key, value)
    return frozenset(row for row in rows if tuple(key_of(row)) not in found)


@dataclass(frozen=True, slots=True)
class Whole(Generic[_Row]):
    """A row that belongs to no session, as those of a page."""

    row: _Row
    omitted: Sequence[str]
    """The keys of outputs that were left out: all together would be too large."""


def whole(
    session: Session, wanted: Select[_Row], outputs: _Column, missing: str, most_bytes: int = MOST_BYTES
) -> Whole[_Row]:
    """The row that `wanted` finds, with all it holds, but of its `outputs`, an object, only as many as fit. Raises
    NotFound, which says what is `missing`."""
    size = _size([outputs])
    sized = wanted.add_columns(case((size <= most_bytes, outputs)), size).options(defer(outputs))
    found = session.execute(sized).first()
    if found is None:
        raise NotFound(missing)
    row, values, taken = found
    omitted: list[str] = []
    if taken > most_bytes:
        values, omitted = _fitting_outputs(session, wanted, outputs, most_bytes)
    session.expunge(row)
    set_committed_value(row, outputs.key, values)
    return Whole(row, omitted)


def _fitting_outputs(
    session: Session, wanted: Select[Any], outputs: _Column, most_bytes: int
) -> tuple[JsonObject, list[str]]:
    each = func.jsonb_each(outputs).table_valued("key", column("value", JSONB)).lateral()
    apart = wanted.join(each, true())
    names = apart.with_only_columns(each.c.key, _text_size(each.c.value), maintain_column_froms=True)
    sizes: Sequence[tuple[str, int]] = session.execute(names).all()
    fitting = _fitting(sizes, most_bytes)
    kept = apart.with_only_columns(each.c.key, each.c.value, maintain_column_froms=True)
    values = dict(session.execute(kept.where(each.c.key.in_(fitting))).all())
    return values, [key for key, _ in sizes if key not in fitting]


def output(session: Session, wanted: Select[Any], outputs: _Column, orders: _Column, key: str) -> Any:
    """One of the outputs of the row that `wanted` finds, in its order. Raises NotFound."""
    key = jsonio.writable(key)
    found = session.execute(wanted.with_only_columns(outputs[key], orders[key]).where(outputs.has_key(key))).first()
    if found is None:
        raise NotFound(sentence("there is no such output"))
    return restore(*found)


def _size(data: Iterable[_Column]) -> ColumnElement[int]:
    """Build the SQL for the size of a row's data as text, in bytes."""
    size: ColumnElement[int] = func.coalesce(0)
    for part in data:
        stored = func.pg_column_size(part)
        size += func.coalesce(case((stored < _NEVER_COMPRESSED, stored), else_=_text_size(part)), 0)
    return size


def _text_size(value: ColumnElement[Any] | _Column) -> ColumnElement[int]:
    return func.octet_length(cast(value, Text))


def _fitting(sizes: Iterable[tuple[_Key, int]], most_bytes: int) -> set[_Key]:
    """Choose the rows that fit, from the first on; a row that is too large does not keep out smaller ones behind it."""
    fitting, left = set(), most_bytes
    for key, size in sizes:
        if size <= left:
            fitting.add(key)
            left -= size
    return fitting
