"""The order of an object's fields, kept beside JSON that PostgreSQL stores as jsonb.

jsonb puts the fields of every object into an order of its own: shorter names first, names of one length by their bytes
(PostgreSQL documentation, 8.14). An order is kept as a list of shapes: the names of an object's fields as they were
sent, once for all objects that have the same fields in the same order. Where objects with the same fields differ in
their order, the shape holds all these orders, and which of them each object has, in jsonb's order of walking through
the value. What jsonb does not change is left out, so often nothing is kept.

An order that does not fit its value changes nothing in it but, at worst, the order of fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, TypeVar

from flowforge.jsonio import JsonObject

Names = tuple[str, ...]
Order = list[Any]
"""[[name, ...], ...]; {"orders": [[name, ...], ...], "turns": [number, ...]} for a shape that comes in several."""
Orders = Mapping[str, Order]
"""The orders of an object's members, by name."""

V = TypeVar("V")


def order_of(value: Any) -> Order | None:
    """The order of the fields in a JSON value; None where jsonb keeps it."""
    shapes: dict[Names, list[Names]] = {}
    for stored, names in _objects(value):
        shapes.setdefault(stored, []).append(names)
    return [_shape(orders) for stored, orders in shapes.items() if not _are_all(orders, stored)] or None


def orders_of(values: Mapping[str, Any]) -> Orders | None:
    """The orders of an object's members, by name, of those that have one; None where none has."""
    return {name: order for name, value in values.items() if (order := order_of(value)) is not None} or None


def restore(value: V, order: Order | Orders | None) -> V:
    """The value as it was sent: one that was read from jsonb, which is put into its order in place. `order` may also
    be the orders of an object's members."""
    if isinstance(order, Mapping):
        members = value if isinstance(value, dict) else {}
        for name, order_of_member in order.items():
            restore(members.get(name), order_of_member)
    elif order:
        shapes = dict(map(_orders_by_turn, order))
        waiting = _inner([value])
        while waiting:
            part = waiting.pop()
            if type(part) is dict:
                waiting += _inner(part.values())
                _put_in_order(part, next(shapes.get(tuple(part), _AS_STORED), None))
            else:
                waiting += _inner(part)
    return value


def restore_row(row: Sequence[Any], *positions: int) -> list[Any]:
    """The values of a row that ends with the orders of those at these positions: restored, and without the orders."""
    values = list(row)
    orders = [values.pop() for _ in positions]
    for position, order in zip(reversed(positions), orders, strict=True):
        restore(values[position], order)
    return values


def in_stored_order(fields: Mapping[str, V]) -> dict[str, V]:
    """The fields of an object whose order means nothing, such as headers, in jsonb's order."""
    return {name: fields[name] for name in _stored(tuple(fields))}


_CONTAINERS = frozenset({dict, list, tuple})
_AS_STORED: Iterator[Names] = iter(())


def _objects(value: Any) -> Iterator[tuple[Names, Names]]:
    """The names of each object's fields as jsonb stores them, and as they are, of those that have several; in the order
    of `restore`."""
    known: dict[Names, Names] = {}
    waiting = _inner([value])
    while waiting:
        part = waiting.pop()
        if type(part) is dict and len(part) > 1:
            names = tuple(part)
            stored = known.get(names) or known.setdefault(names, _stored(names))
            yield stored, names
            waiting += _inner([part[name] for name in stored])
        else:
            waiting += _inner(part.values() if type(part) is dict else part)


def _inner(values: Any) -> list[Any]:
    """The objects and lists among the values that hold anything: there may be many of them, and empty ones have no
    order."""
    return [value for value in values if type(value) in _CONTAINERS and value]


def _stored(names: Names) -> Names:
    """UTF-8 sorts like the characters that it stands for."""
    return tuple(sorted(sorted(names), key=len if "".join(names).isascii() else _utf8_length))


def _utf8_length(name: str) -> int:
    return len(name.encode("utf-8", "replace"))


def _shape(orders: Sequence[Names]) -> Any:
    if _are_all(orders, orders[0]):
        return orders[0]
    numbers = {names: number for number, names in enumerate(dict.fromkeys(orders))}
    return {"orders": list(numbers), "turns": [numbers[names] for names in orders]}


def _are_all(orders: Sequence[Names], one: Names) -> bool:
    return orders.count(one) == len(orders)


def _orders_by_turn(shape: Any) -> tuple[Names, Iterator[Names]]:
    if isinstance(shape, list):
        return _stored(tuple(shape)), repeat(tuple(shape))
    orders = [tuple(names) for names in shape["orders"]]
    return _stored(orders[0]), iter([orders[turn] for turn in shape["turns"]])


def _put_in_order(part: JsonObject, names: Names | None) -> None:
    if names is not None:
        fields = {name: part[name] for name in names}
        part.clear()
        part.update(fields)
