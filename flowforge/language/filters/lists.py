"""Filters on lists and objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowforge.language.evaluation.item_expressions import ItemExpression
from flowforge.language.evaluation.lookup import attribute_keys, reach, required
from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.operators import ARITHMETIC, add, concatenate
from flowforge.language.evaluation.predicates import find_predicate
from flowforge.language.evaluation.values import describe, encode, items, mapping, pay_for_encoding, text, weigh
from flowforge.language.filters.registry import Register

LIST_FILTERS = Register()

_POINTER_BYTES = 8
_PAIR_BYTES = 80
_ITEM_NANOSECONDS = 400
_LOOKUP_NANOSECONDS = 1_000


def pay_for_members(meter: Meter, members: int, bytes_each: int = _POINTER_BYTES) -> None:
    """Pay for a new list with so many members, each looked at once."""
    meter.work(members * _ITEM_NANOSECONDS)
    meter.memory(members * bytes_each)


@LIST_FILTERS.add("length", "count")
def length(_: Meter, value: Any) -> int:
    """The number of members of a list, fields of an object, or characters of a text."""
    if not isinstance(value, str | list | tuple | dict):
        raise Failure(f"length needs text, a list or an object, not {describe(value)}")
    return len(value)


@LIST_FILTERS.add("first")
def first(_: Meter, value: Any) -> Any:
    """The first member of a list."""
    return _member(items(value, "first"), 0, "first")


@LIST_FILTERS.add("last")
def last(_: Meter, value: Any) -> Any:
    """The last member of a list."""
    return _member(items(value, "last"), -1, "last")


@LIST_FILTERS.add("join")
def join(meter: Meter, value: Any, separator: Any = "") -> str:
    """The members as one text, with the separator between them."""
    members, mark = items(value, "join"), text(separator, "join")
    pay_for_members(meter, len(members), 2 * _POINTER_BYTES)
    meter.memory(max(0, len(members) - 1) * len(mark) * (1 if mark.isascii() else 4))
    parts: list[Any] = []
    for member in members:
        parts += (mark, member) if parts else (member,)
    return concatenate(meter, parts)


@LIST_FILTERS.add("reverse")
def reverse(meter: Meter, value: Any) -> list[Any]:
    """The members in the opposite order."""
    members = items(value, "reverse")
    pay_for_members(meter, len(members))
    return members[::-1]


@LIST_FILTERS.add("sort", on_item="attribute")
def sort(meter: Meter, value: Any, attribute: Any = None, reverse: Any = False) -> list[Any]:
    """The members in order, or in the order of a field of theirs or an expression on `item`."""
    members = items(value, "sort")
    keys = fields_of(meter, members, attribute, "sort")
    meter.work((weigh(keys, meter).total + len(members) * 100) * len(members).bit_length())
    pay_for_members(meter, len(members), 3 * _POINTER_BYTES)
    try:
        order = sorted(range(len(members)), key=keys.__getitem__, reverse=bool(reverse))
    except TypeError as error:
        raise Failure("sort cannot compare the members: they are of different kinds") from error
    return [members[position] for position in order]


@LIST_FILTERS.add("unique", "dedupe", on_item="attribute")
def unique(meter: Meter, value: Any, attribute: Any = None) -> list[Any]:
    """Each member once, or the first with each value of a field or an expression on `item`."""
    members = items(value, "unique")
    keys = fields_of(meter, members, attribute, "unique")
    pay_for_encoding(keys, meter)
    pay_for_members(meter, len(members), 200)
    seen: dict[bytes, Any] = {}
    for key, member in zip(keys, members, strict=True):
        # As JSON, 1 and true differ, and no member can be made to collide with another.
        seen.setdefault(encode(key), member)
    return list(seen.values())


@LIST_FILTERS.add("map", on_item="attribute")
def map_(meter: Meter, value: Any, attribute: Any) -> list[Any]:
    """One field of every member, or what an expression on `item` makes of it."""
    members = items(value, "map")
    pay_for_members(meter, len(members))
    return [*map(field_of(meter, members, attribute, "map"), members)]


@LIST_FILTERS.add("selectattr")
def selectattr(meter: Meter, value: Any, attribute: Any, test: Any = None, *arguments: Any) -> list[Any]:
    """The members whose field passes a test (by name, as after `is`), or is true."""
    return _filtered(meter, "selectattr", value, attribute, test, arguments, wanted=True)


@LIST_FILTERS.add("rejectattr")
def rejectattr(meter: Meter, value: Any, attribute: Any, test: Any = None, *arguments: Any) -> list[Any]:
    """The members whose field does not pass a test, or is not true."""
    return _filtered(meter, "rejectattr", value, attribute, test, arguments, wanted=False)


@LIST_FILTERS.add("sum", on_item="attribute")
def sum_(meter: Meter, value: Any, attribute: Any = None) -> Any:
    """The sum of the members, of a field of theirs, or of an expression on `item`."""
    return _total(meter, items(value, "sum"), attribute, "sum")


@LIST_FILTERS.add("average", on_item="attribute")
def average(meter: Meter, value: Any, attribute: Any = None) -> Any:
    """The mean of the members, of a field of theirs, or of an expression on `item`."""
    members = items(value, "average")
    if not members:
        raise Failure("average: the list is empty")
    return ARITHMETIC["div"](meter, _total(meter, members, attribute, "average"), len(members))


@LIST_FILTERS.add("min", on_item="attribute")
def min_(meter: Meter, value: Any, attribute: Any = None) -> Any:
    """The smallest member, or the one whose field, or expression on `item`, is smallest."""
    return _extreme(meter, "min", min, value, attribute)


@LIST_FILTERS.add("max", on_item="attribute")
def max_(meter: Meter, value: Any, attribute: Any = None) -> Any:
    """The largest member, or the one whose field, or expression on `item`, is largest."""
    return _extreme(meter, "max", max, value, attribute)


@LIST_FILTERS.add("keys")
def keys(meter: Meter, value: Any) -> list[Any]:
    """The names of an object's fields."""
    fields = mapping(value, "keys")
    pay_for_members(meter, len(fields))
    return list(fields)


@LIST_FILTERS.add("values")
def values(meter: Meter, value: Any) -> list[Any]:
    """The values of an object's fields."""
    fields = mapping(value, "values")
    pay_for_members(meter, len(fields))
    return list(fields.values())


@LIST_FILTERS.add("items")
def items_(meter: Meter, value: Any) -> list[list[Any]]:
    """An object's fields as a list of [name, value]."""
    fields = mapping(value, "items")
    pay_for_members(meter, len(fields), _PAIR_BYTES)
    return [[name, field] for name, field in fields.items()]


def _member(members: list[Any], position: int, purpose: str) -> Any:
    if not members:
        raise Failure(f"{purpose}: the list is empty")
    return members[position]


def field_of(meter: Meter, members: list[Any], path: Any, purpose: str) -> Callable[[Any], Any]:
    """Reads the named field of a member, or computes the expression on `item`; the member itself where there is
    neither. Called once for each member, in order. Pays for all members."""
    if path is None:
        return lambda member: member
    if isinstance(path, ItemExpression):
        return path.for_each_of(len(members))
    keys = attribute_keys(text(path, f"attribute of {purpose}"))
    meter.work(len(members) * len(keys) * _LOOKUP_NANOSECONDS)
    return lambda member: required(reach(member, keys))


def fields_of(meter: Meter, members: list[Any], path: Any, purpose: str) -> list[Any]:
    """What `field_of` gives for each member."""
    return members if path is None else [*map(field_of(meter, members, path, purpose), members)]


def _total(meter: Meter, members: list[Any], path: Any, purpose: str) -> Any:
    key = field_of(meter, members, path, purpose)
    meter.work(len(members) * 1_000)
    total: Any = 0
    for member in members:
        amount = key(member)
        if not isinstance(amount, int | float):
            raise Failure(f"{purpose} needs numbers, not {describe(amount)}")
        total = add(meter, total, amount)
    return total


def _filtered(
    meter: Meter, purpose: str, value: Any, path: Any, test: Any, arguments: tuple[Any, ...], *, wanted: bool
) -> list[Any]:
    members = items(value, purpose)
    pay_for_members(meter, len(members))
    if test is None:
        field = field_of(meter, members, text(path, f"attribute of {purpose}"), purpose)
        return [member for member in members if bool(field(member)) is wanted]
    found = find_predicate(text(test, f"test of {purpose}"))
    found.check_arguments(len(arguments))
    keys = attribute_keys(text(path, f"attribute of {purpose}"))
    meter.work(len(members) * (len(keys) + 1) * _LOOKUP_NANOSECONDS)
    matches: list[Any] = []
    for member in members:
        subject = reach(member, keys)
        if found.compute(meter, subject if found.accepts_missing else required(subject), *arguments) is wanted:
            matches.append(member)
    return matches


def _extreme(meter: Meter, purpose: str, choose: Callable[..., Any], value: Any, path: Any) -> Any:
    members = items(value, purpose)
    keys = fields_of(meter, members, path, purpose)
    weigh(keys, meter)
    pay_for_members(meter, len(members), 2 * _POINTER_BYTES)
    if not members:
        raise Failure(f"{purpose}: the list is empty")
    try:
        return members[choose(range(len(members)), key=keys.__getitem__)]
    except TypeError as error:
        raise Failure(f"{purpose} cannot compare the members: they are of different kinds") from error
