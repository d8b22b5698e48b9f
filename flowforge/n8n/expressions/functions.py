"""Functions that are called by their names: JavaScript's own, Luxon's, and n8n's."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flowforge.n8n.data import quote
from flowforge.n8n.expressions import roots
from flowforge.n8n.expressions.found import Found, ItemsOf, NodeOf
from flowforge.n8n.expressions.lexer import NotRead
from flowforge.n8n.expressions.times import strftime_of
from flowforge.n8n.expressions.tree import Literal, Tree
from flowforge.n8n.expressions.writing import (
    CHOICE,
    COMPARE,
    FILTER,
    FLAG,
    FRACTION,
    LIST,
    MULTIPLY,
    NUMBER,
    OBJECT,
    OR,
    PATH,
    TEXT,
    TIME,
    Piece,
    listed,
)

if TYPE_CHECKING:
    from flowforge.n8n.expressions.translation import Translation

Arguments = tuple[Tree, ...]
Function = Callable[["Translation", Arguments], Found]


def call_function(translation: Translation, name: str, arguments: Arguments) -> Found:
    """Raises NotRead."""
    if name not in _FUNCTIONS:
        raise NotRead(f"'{name}' is not known")
    return _FUNCTIONS[name](translation, arguments)


def make_date(translation: Translation, arguments: Arguments) -> Piece:
    """`new Date()`, or that of a text or of milliseconds. Raises NotRead."""
    if not arguments:
        return Piece("now", PATH, TIME, zone=translation.place.zone)
    if len(arguments) > 1:
        raise NotRead("'new Date' with several numbers is not read")
    given = translation.write(arguments[0])
    if given.kind in (NUMBER, FRACTION):
        return Piece(f"({given.at(MULTIPLY)} / 1000)", PATH, TIME, zone=translation.place.zone)
    return _as_time(translation, given)


def _as_time(translation: Translation, given: Piece) -> Piece:
    settled = given.settled()
    return Piece(settled.text, settled.level, TIME, zone=translation.place.zone)


def only(arguments: Arguments, least: int, most: int | None = None) -> Arguments:
    """Raises NotRead where there are fewer or more arguments."""
    if not least <= len(arguments) <= (least if most is None else most):
        raise NotRead("with so many arguments it is not read")
    return arguments


def text_in(tree: Tree) -> str:
    """Raises NotRead where it is no text that is written out."""
    if not isinstance(tree, Literal) or not isinstance(tree.value, str):
        raise NotRead("this has to be a text that is written out")
    return tree.value


def _filtered(usage: str, kind: str) -> Function:
    def call(translation: Translation, arguments: Arguments) -> Piece:
        return translation.write(only(arguments, 1)[0]).filtered(usage, kind)

    return call


def _node(translation: Translation, arguments: Arguments) -> Found:
    return roots.find_node(translation, text_in(only(arguments, 1)[0]))


def _items(translation: Translation, arguments: Arguments) -> Found:
    named = roots.find_node(translation, text_in(arguments[0])) if arguments else NodeOf(translation.place.given)
    return ItemsOf(named.output) if named.output else named


def _choice(translation: Translation, arguments: Arguments) -> Piece:
    test, then, otherwise = (translation.write(argument).settled() for argument in only(arguments, 3))
    return Piece(f"{then.at(OR)} if {test.at(OR)} else {otherwise.at(CHOICE)}", CHOICE)


def _if_empty(translation: Translation, arguments: Arguments) -> Piece:
    value, fallback = (translation.write(argument) for argument in only(arguments, 2))
    return value.or_else(fallback.at(CHOICE))


def _extreme(name: str) -> Function:
    def call(translation: Translation, arguments: Arguments) -> Piece:
        members = listed(translation.write(argument) for argument in only(arguments, 1, 20))
        return members.filtered(name, NUMBER)

    return call


def _power(translation: Translation, arguments: Arguments) -> Piece:
    base, exponent = (translation.write(argument) for argument in only(arguments, 2))
    return Piece(f"({base.at(CHOICE)}) ** ({exponent.at(CHOICE)})", MULTIPLY, FRACTION)


def _round(translation: Translation, arguments: Arguments) -> Piece:
    return translation.write(only(arguments, 1)[0]).filtered("round", NUMBER)


def _write_json(translation: Translation, arguments: Arguments) -> Piece:
    indent = arguments[2].value if len(only(arguments, 1, 3)) == 3 and isinstance(arguments[2], Literal) else None
    if len(arguments) > 1 and arguments[1] != Literal(None):
        raise NotRead("a function that chooses the fields of JSON is not read")
    usage = f"tojson({indent})" if isinstance(indent, int) and 0 < indent <= 8 else "tojson"
    value = translation.write(arguments[0])
    if value.kind == FRACTION:
        raise NotRead("numbers with decimals are written in another way")
    return value.filtered(usage, TEXT)


def _integer(translation: Translation, arguments: Arguments) -> Piece:
    if len(only(arguments, 1, 2)) == 2 and arguments[1] != Literal(10):
        raise NotRead("numbers of another base than ten are not read")
    return translation.write(arguments[0]).filtered("float | int", NUMBER)


def _text(translation: Translation, arguments: Arguments) -> Piece:
    value = translation.write(only(arguments, 1)[0])
    if value.kind in (FRACTION, LIST, OBJECT, TIME):
        raise NotRead("it is written as text in another way")
    return value.filtered("string", TEXT)


def _is_list(translation: Translation, arguments: Arguments) -> Piece:
    value = translation.write(only(arguments, 1)[0]).settled()
    return Piece(f"{value.at(FILTER)} is sequence and {value.at(FILTER)} is not string", COMPARE - 2, FLAG)


def _has_no_number(translation: Translation, arguments: Arguments) -> Piece:
    value = translation.write(only(arguments, 1)[0]).settled()
    return Piece(f"{value.at(FILTER)} | float(none) is none", COMPARE, FLAG)


def _now(translation: Translation, arguments: Arguments) -> Piece:
    only(arguments, 0)
    return Piece("now", PATH, TIME, zone=translation.place.zone)


def _now_in_utc(translation: Translation, arguments: Arguments) -> Piece:
    only(arguments, 0)
    return Piece("now", PATH, TIME)


def _milliseconds(translation: Translation, arguments: Arguments) -> Piece:
    only(arguments, 0)
    return Piece("(now | timestamp * 1000) | round", FILTER, NUMBER)


def _from_iso(translation: Translation, arguments: Arguments) -> Piece:
    only(arguments, 1, 1)
    return _as_time(translation, translation.write(arguments[0]))


def _from_format(translation: Translation, arguments: Arguments) -> Piece:
    value, format_ = only(arguments, 2)
    zone = translation.place.zone
    usage = f"parse_date({quote(strftime_of(text_in(format_)).replace('%-', '%'))}, {quote(zone)})"
    return Piece(f"{translation.write(value).at(FILTER)} | {usage}", FILTER, TIME, zone=zone)


def _from_milliseconds(translation: Translation, arguments: Arguments) -> Piece:
    value = translation.write(only(arguments, 1)[0])
    return Piece(f"({value.at(MULTIPLY)} / 1000)", PATH, TIME, zone=translation.place.zone)


def _from_seconds(translation: Translation, arguments: Arguments) -> Piece:
    return _as_time(translation, translation.write(only(arguments, 1)[0]))


_FUNCTIONS: dict[str, Function] = {
    "$": _node,
    "$node": _node,
    "$items": _items,
    "$if": _choice,
    "$ifEmpty": _if_empty,
    "$max": _extreme("max"),
    "$min": _extreme("min"),
    "Math.max": _extreme("max"),
    "Math.min": _extreme("min"),
    "Math.round": _round,
    "Math.floor": _filtered("floor", NUMBER),
    "Math.ceil": _filtered("ceil", NUMBER),
    "Math.abs": _filtered("abs", FRACTION),
    "Math.pow": _power,
    "JSON.stringify": _write_json,
    "JSON.parse": _filtered("fromjson", "any"),
    "Object.keys": _filtered("keys", LIST),
    "Object.values": _filtered("values", LIST),
    "Object.entries": _filtered("items", LIST),
    "Number": _filtered("float", FRACTION),
    "parseFloat": _filtered("float", FRACTION),
    "Number.parseFloat": _filtered("float", FRACTION),
    "parseInt": _integer,
    "Number.parseInt": _integer,
    "String": _text,
    "Array.isArray": _is_list,
    "isNaN": _has_no_number,
    "Number.isNaN": _has_no_number,
    "encodeURIComponent": _filtered("urlencode", TEXT),
    "decodeURIComponent": _filtered("urldecode", TEXT),
    "Date.now": _milliseconds,
    "DateTime.now": _now,
    "DateTime.local": _now,
    "DateTime.utc": _now_in_utc,
    "DateTime.fromISO": _from_iso,
    "DateTime.fromJSDate": _from_seconds,
    "DateTime.fromFormat": _from_format,
    "DateTime.fromMillis": _from_milliseconds,
    "DateTime.fromSeconds": _from_seconds,
}
