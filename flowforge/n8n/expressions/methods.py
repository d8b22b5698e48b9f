"""Methods of values: JavaScript's own, Luxon's on times, and those that n8n adds.

https://docs.n8n.io/code/builtin/data-transformation-functions/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from flowforge.n8n.data import Data, quote
from flowforge.n8n.expressions.found import Found, ItemOf, ItemsOf, PatternOf
from flowforge.n8n.expressions.functions import Arguments, only, text_in
from flowforge.n8n.expressions.lexer import NotRead
from flowforge.n8n.expressions.times import strftime_of, unit_of
from flowforge.n8n.expressions.tree import Arrow, Call, Fields, Listing, Literal, Member, Name, Tree, Unary
from flowforge.n8n.expressions.writing import (
    ADD,
    ANY,
    CHOICE,
    COMPARE,
    FILTER,
    FLAG,
    FRACTION,
    JOIN,
    LIST,
    MULTIPLY,
    NOT,
    NUMBER,
    OBJECT,
    PATH,
    TEXT,
    TIME,
    Piece,
)

if TYPE_CHECKING:
    from flowforge.n8n.expressions.translation import Translation

Method = Callable[["Translation", Piece, Arguments], Piece]

_UNLIKE_RE2 = ("(?=", "(?!", "(?<=", "(?<!", "\\1", "\\2", "\\k<", "\\u", "\\p{", "[^]", "\\c")
"""What RE2 does not have (https://github.com/google/re2/wiki/Syntax), or has with another meaning."""
_DATES = {
    "getFullYear": "%Y",
    "getDate": "%-d",
    "getHours": "%-H",
    "getMinutes": "%-M",
    "getSeconds": "%-S",
}


def call_method(translation: Translation, holder: Piece, name: str, arguments: Arguments) -> Piece:
    """Raises NotRead."""
    if holder.kind == TIME and name in _OF_TIMES:
        return _OF_TIMES[name](translation, holder, arguments)
    if holder.kind == TIME or name not in _OF_VALUES:
        raise NotRead(f"'{name}' is not known")
    return _OF_VALUES[name](translation, holder, arguments)


def call_of_items(translation: Translation, holder: ItemsOf, name: str, arguments: Arguments) -> Piece:
    """A method of the list of items of a node, in which each is `{json}`. Raises NotRead."""
    items = Piece(holder.output.items, FILTER, LIST)
    if name in _WITH_FUNCTIONS:
        return _with_function(translation, items, name, arguments, ItemOf(Data("item"), holder.output))
    raise NotRead(f"'{name}' of items is not read")


def call_of_pattern(translation: Translation, pattern: PatternOf, name: str, arguments: Arguments) -> Piece:
    """`/pattern/.test(text)`. Raises NotRead."""
    if name != "test":
        raise NotRead(f"'{name}' of a regular expression is not read")
    text = translation.write(only(arguments, 1)[0]).or_else("''")
    return text.filtered(f"regex_test({_pattern(pattern)})", FLAG)


def match_of(translation: Translation, call: Call, group: int) -> Piece | None:
    """`text.match(/pattern/)[1]`; None where it is something else."""
    function = call.function
    if not isinstance(function, Member) or function.key != Literal("match") or len(call.arguments) != 1:
        return None
    pattern = translation.find(call.arguments[0])
    if not isinstance(pattern, PatternOf) or "g" in pattern.flags:
        return None
    text = translation.write(function.holder).or_else("''")
    return text.filtered(f"regex_match({_pattern(pattern)}, {group})")


def _pattern(pattern: PatternOf) -> str:
    if any(unlike in pattern.source for unlike in _UNLIKE_RE2) or set(pattern.flags) - set("gims"):
        raise NotRead("the regular expression uses what RE2 does not have")
    flags = "".join(flag for flag in pattern.flags if flag != "g")
    source = pattern.source.replace("\\/", "/")
    if len(source) > 190:
        raise NotRead("the regular expression is too long")
    return quote(f"(?{flags}){source}" if flags else source)


# -- texts


def _filtered(usage: str, kind: str, fallback: str = "''") -> Method:
    def call(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
        only(arguments, 0)
        return _safe(holder, fallback).filtered(usage, kind)

    return call


def _safe(holder: Piece, fallback: str = "''") -> Piece:
    """With something in place of what is missing or null: JavaScript's error there ends in an empty value in n8n."""
    return holder.or_else(fallback) if holder.may_miss else holder


def _to_text(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
    only(arguments, 0)
    if holder.kind in (FRACTION, LIST, OBJECT):
        raise NotRead("it is written as text in another way")
    return holder.filtered("string", TEXT)


def _split(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    pattern = translation.find(only(arguments, 1)[0])
    if not isinstance(pattern, Piece) or pattern.text == "''":
        raise NotRead("a text is split by a text only")
    return _safe(holder).filtered(f"split({pattern.at(CHOICE)})", LIST)


def _replace_all(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    old, new = translation.find(only(arguments, 2)[0]), arguments[1]
    if isinstance(old, PatternOf):
        return _replace(translation, holder, arguments)
    if isinstance(new, Arrow) or not isinstance(old, Piece):
        raise NotRead("a function that replaces is not read")
    return _safe(holder).filtered(f"replace({old.at(CHOICE)}, {translation.write(new).at(CHOICE)})", TEXT)


def _replace(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    pattern = translation.find(only(arguments, 2)[0])
    if not isinstance(pattern, PatternOf) or "g" not in pattern.flags:
        raise NotRead("only the first place is replaced there, all are here")
    new = text_in(arguments[1])
    if "$&" in new or "$<" in new:
        raise NotRead("the replacement refers to what was found")
    return _safe(holder).filtered(f"regex_replace({_pattern(pattern)}, {quote(new)})", TEXT)


def _match(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    pattern = translation.find(only(arguments, 1)[0])
    if not isinstance(pattern, PatternOf) or "g" not in pattern.flags:
        raise NotRead("a match is read with its group, or of all places")
    found = _safe(holder).filtered(f"regex_find_all({_pattern(pattern)})", LIST)
    return found.or_else("none")


def _includes(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    part = translation.write(only(arguments, 1)[0])
    return Piece(f"{part.at(ADD)} in {_safe(holder).at(ADD)}", COMPARE, FLAG)


def _starts(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    start = text_in(only(arguments, 1)[0])
    return Piece(f"({_safe(holder).at(CHOICE)})[:{len(start)}] == {quote(start)}", COMPARE, FLAG)


def _ends(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    end = text_in(only(arguments, 1)[0])
    if not end:
        return Piece("true", PATH, FLAG)
    return Piece(f"({_safe(holder).at(CHOICE)})[-{len(end)}:] == {quote(end)}", COMPARE, FLAG)


def _slice(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    bounds = ":".join(str(_whole(argument)) for argument in only(arguments, 1, 2))
    return Piece(f"({_safe(holder).at(CHOICE)})[{bounds}{':' if len(arguments) == 1 else ''}]", FILTER, holder.kind)


def _substring(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    if any(_whole(argument) < 0 for argument in only(arguments, 1, 2)):
        raise NotRead("a negative position is not read")
    if len(arguments) == 2 and _whole(arguments[0]) > _whole(arguments[1]):
        raise NotRead("positions that stand the other way round are not read")
    return replace(_slice(translation, holder, arguments), kind=TEXT)


def _at(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    return holder.field(_whole(only(arguments, 1)[0]))


def _whole(tree: Tree) -> int:
    if isinstance(tree, Unary) and tree.operator == "-":
        return -_whole(tree.value)
    if not isinstance(tree, Literal) or isinstance(tree.value, bool) or not isinstance(tree.value, int):
        raise NotRead("this has to be a whole number that is written out")
    return tree.value


def _join(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    separator = translation.write(arguments[0]).at(CHOICE) if only(arguments, 0, 1) else "','"
    return _safe(holder, "[]").filtered(f"join({separator})", TEXT)


def _concat(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    other = translation.write(only(arguments, 1)[0])
    if holder.kind == TEXT:
        return Piece(f"{holder.at(JOIN)} ~ {other.at(MULTIPLY)}", JOIN, TEXT)
    if other.kind != LIST and holder.kind != LIST:
        raise NotRead("it is not known whether these are texts or lists")
    return Piece(f"{_safe(holder, '[]').at(ADD)} + {other.at(JOIN)}", ADD, LIST)


def _has(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    key = translation.write(only(arguments, 1)[0])
    return Piece(f"{key.at(ADD)} in {_safe(holder, '{}').at(ADD)}", COMPARE, FLAG)


def _fixed(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    decimals = _whole(arguments[0]) if only(arguments, 0, 1) else 0
    if not 0 <= decimals <= 15:
        raise NotRead("so many decimals are not read")
    return holder.filtered(f"format_number({decimals})", TEXT)


def _is_empty(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
    only(arguments, 0)
    return Piece(f"not {holder.at(NOT)}", NOT, FLAG)


def _is_filled(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
    only(arguments, 0)
    return Piece(f"not not {holder.at(NOT)}", NOT, FLAG)


def _edge(name: str) -> Method:
    def call(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
        only(arguments, 0)
        return holder.field(-1 if name == "last" else 0)

    return call


def _to_number(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
    only(arguments, 0)
    return holder.filtered("float", FRACTION)


def _rounded(usage: str) -> Method:
    def call(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
        digits = _whole(arguments[0]) if only(arguments, 0, 1) else 0
        return holder.filtered(f"{usage}({digits})" if digits else usage, FRACTION if digits else NUMBER)

    return call


# -- functions on lists


def _on_list(name: str) -> Method:
    def call(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
        return _with_function(translation, _safe(holder, "[]"), name, arguments, Piece("item", PATH))

    return call


def _with_function(translation: Translation, holder: Piece, name: str, arguments: Arguments, member: Found) -> Piece:
    usage, kind = _WITH_FUNCTIONS[name]
    function = only(arguments, 1)[0]
    if function == Name("Boolean") and name == "filter":
        return holder.filtered("filter(item)", LIST)
    if not isinstance(function, Arrow) or len(function.parameters) not in (1, 2):
        raise NotRead("the function is not read")
    if len(function.parameters) == 2:
        raise NotRead("a function of the member and its position is not read")
    body = translation.write_with(function.parameters[0], member, function.body)
    if "item" not in body.text:
        raise NotRead("a function that does not look at its member is not read")
    if body.kind in (FRACTION, TIME):
        raise NotRead("it is written as text in another way")
    return holder.filtered(f"{usage}({body.at(CHOICE)})", kind)


_WITH_FUNCTIONS = {
    "map": ("map", LIST),
    "filter": ("filter", LIST),
    "find": ("find", ANY),
    "some": ("any", FLAG),
    "every": ("all", FLAG),
}


# -- times


def _as_time(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    only(arguments, 0)
    return replace(holder.settled(), kind=TIME, zone=translation.place.zone)


def _format(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    format_ = strftime_of(text_in(only(arguments, 1)[0]))
    return holder.filtered(f"date({quote(format_)}, {quote(_zone(translation, holder))})", TEXT)


def _zone(translation: Translation, holder: Piece) -> str:
    return holder.zone if holder.kind == TIME else translation.place.zone


def _iso(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
    only(arguments, 0)
    return holder.filtered(f"iso({quote(holder.zone)})", TEXT)


def _iso_in_utc(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
    only(arguments, 0)
    return holder.filtered("iso('Z')", TEXT)


def _dated(format_: str, kind: str = TEXT) -> Method:
    def call(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
        only(arguments, 0, 2)
        number = " | int" if kind == NUMBER else ""
        return holder.filtered(f"date({quote(format_)}, {quote(holder.zone)}){number}", kind)

    return call


def _month(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
    only(arguments, 0)
    month = holder.filtered(f"date('%-m', {quote(holder.zone)}) | int")
    return Piece(f"{month.text} - 1", ADD, NUMBER)


def _weekday(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
    only(arguments, 0)
    day = holder.filtered(f"date('%u', {quote(holder.zone)}) | int")
    return Piece(f"{day.text} % 7", MULTIPLY, NUMBER)


def _milliseconds(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
    only(arguments, 0)
    return Piece(f"({holder.at(FILTER)} | timestamp * 1000) | round", FILTER, NUMBER)


def _moved(direction: str) -> Method:
    def call(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
        for amount, unit in _amounts(only(arguments, 1, 2)):
            holder = holder.filtered(f"{direction}({amount}, {quote(unit)}, {quote(holder.zone)})", TIME)
        return holder

    return call


def _amounts(arguments: Arguments) -> Iterator[tuple[int, str]]:
    """`{days: 1}`, or `1, 'days'`."""
    if len(arguments) == 2:
        yield _whole(arguments[0]), unit_of(text_in(arguments[1]))
        return
    if not isinstance(arguments[0], Fields):
        raise NotRead("how much later is read as numbers of units only")
    for key, value in arguments[0].pairs:
        yield _whole(value), unit_of(text_in(key))


def _unit(name: str) -> Method:
    def call(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
        unit = unit_of(text_in(only(arguments, 1)[0]))
        return holder.filtered(f"{name}({quote(unit)}, {quote(holder.zone)})", TIME)

    return call


def _in_zone(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
    return replace(holder, zone=text_in(only(arguments, 1)[0]))


def _in_utc(_: Translation, holder: Piece, arguments: Arguments) -> Piece:
    only(arguments, 0)
    return replace(holder, zone="UTC")


def _difference(translation: Translation, holder: Piece, arguments: Arguments) -> Piece:
    """`later.diff(earlier, 'days')`: its unit is a field of it, which is read as the number itself."""
    unit = "milliseconds" if len(only(arguments, 1, 2)) == 1 else _named_unit(arguments[1])
    other = translation.write(arguments[0]).at(CHOICE)
    if unit.startswith("milli"):
        return Piece(f"({holder.at(FILTER)} | diff({other}) * 1000) | round", FILTER, NUMBER)
    return Piece(f"{holder.at(FILTER)} | diff({other}, {quote(unit)})", FILTER, "duration")


def _named_unit(tree: Tree) -> str:
    one = tree.members[0] if isinstance(tree, Listing) and len(tree.members) == 1 else tree
    name = text_in(one)
    return name if name.startswith("milli") else unit_of(name)


_OF_TIMES: dict[str, Method] = {
    "toFormat": _format,
    "format": _format,
    "toISO": _iso,
    "toISODate": _dated("%Y-%m-%d"),
    "toISOString": _iso_in_utc,
    "toJSON": _iso_in_utc,
    "toString": _iso,
    "toMillis": _milliseconds,
    "valueOf": _milliseconds,
    "getTime": _milliseconds,
    "toSeconds": _filtered("timestamp", FRACTION),
    "toUnixInteger": _filtered("timestamp | floor", NUMBER),
    "plus": _moved("plus"),
    "minus": _moved("minus"),
    "startOf": _unit("start_of"),
    "endOf": _unit("end_of"),
    "beginningOf": _unit("start_of"),
    "setZone": _in_zone,
    "toUTC": _in_utc,
    "toJSDate": _as_time,
    "toDateTime": _as_time,
    "diff": _difference,
    "getMonth": _month,
    "getDay": _weekday,
    **{name: _dated(format_, NUMBER) for name, format_ in _DATES.items()},
}

_OF_VALUES: dict[str, Method] = {
    "toLowerCase": _filtered("lower", TEXT),
    "toUpperCase": _filtered("upper", TEXT),
    "trim": _filtered("trim", TEXT),
    "urlEncode": _filtered("urlencode", TEXT),
    "urlDecode": _filtered("urldecode", TEXT),
    "base64Encode": _filtered("base64", TEXT),
    "base64Decode": _filtered("from_base64", TEXT),
    "toString": _to_text,
    "toJsonString": _filtered("tojson", TEXT, "none"),
    "parseJson": _filtered("fromjson", ANY),
    "split": _split,
    "replace": _replace,
    "replaceAll": _replace_all,
    "match": _match,
    "includes": _includes,
    "startsWith": _starts,
    "endsWith": _ends,
    "slice": _slice,
    "substring": _substring,
    "at": _at,
    "charAt": _at,
    "concat": _concat,
    "hasOwnProperty": _has,
    "hasField": _has,
    "toFixed": _fixed,
    "isEmpty": _is_empty,
    "isNotEmpty": _is_filled,
    "toNumber": _to_number,
    "toFloat": _to_number,
    "toInt": _filtered("float | int", NUMBER),
    "round": _rounded("round"),
    "floor": _filtered("floor", NUMBER),
    "ceil": _filtered("ceil", NUMBER),
    "abs": _filtered("abs", FRACTION),
    "join": _join,
    "first": _edge("first"),
    "last": _edge("last"),
    "pop": _edge("last"),
    "reverse": _filtered("reverse", LIST, "[]"),
    "unique": _filtered("unique", LIST, "[]"),
    "removeDuplicates": _filtered("unique", LIST, "[]"),
    "sum": _filtered("sum", FRACTION, "[]"),
    "keys": _filtered("keys", LIST, "{}"),
    "values": _filtered("values", LIST, "{}"),
    "toDateTime": _as_time,
    "toDate": _as_time,
    **{name: _on_list(name) for name in _WITH_FUNCTIONS},
}
"""Of a value that is no time, or not known to be one."""
