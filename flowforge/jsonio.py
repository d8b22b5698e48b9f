"""JSON as the wire contract writes it: UUIDs as text, times in UTC with three decimals and `Z` (section 1)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from flowforge import exact_json

JsonObject = dict[str, Any]
"""An object of free JSON: what people and programs write, send and give back; nothing here knows its shape."""

Written = orjson.Fragment
"""JSON that is written already; `dumps` takes it as it is."""

MOST_DIGITS = exact_json.MOST_DIGITS
"""Of a whole number."""
_HEADROOM = 40
_DIGITS_OF_A_DATE = len("20260304")
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
_TEXTS, _LISTS = (str, bytes), (list, tuple, set, frozenset)
_OTHERS = (int, float, type(None), *_LISTS)
"""Certainly no mappings, which takes longer to find out."""
_BYTE_ORDER_MARK = codecs.BOM_UTF8
# NUL is legal in JSON text but PostgreSQL's jsonb refuses it.
_MAYBE_NUL = rb"\u0000"
_ESCAPED_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def dumps(value: Any) -> bytes:
    """UTF-8 JSON; what has an `as_json` method is written as that, half a surrogate pair as U+FFFD. Raises TypeError
    for what JSON cannot hold."""
    return _dumps(value, _OPTIONS)


def indented(value: Any) -> str:
    """JSON for people. Raises TypeError for what JSON cannot hold."""
    return _dumps(value, _OPTIONS | orjson.OPT_INDENT_2).decode()


def dumps_for_database(value: Any) -> str:
    """JSON text that PostgreSQL's jsonb accepts: NUL characters become U+FFFD."""
    text = dumps(value)
    if _MAYBE_NUL in text:  # a look costs a fiftieth of the expression
        text = _ESCAPED_NUL.sub(rb"\1\\ufffd", text)
    return text.decode()


def carried_for_database(value: Any) -> str:
    """`dumps_for_database` for what messages and documents will carry inside them.

    JSON can be read from deeper nesting than it can be written in: raises TypeError if there would be no room left
    around it.
    """
    for _ in range(_HEADROOM):
        value = [value]
    return dumps_for_database(value)[_HEADROOM:-_HEADROOM]


def written(text: str) -> Written:
    return Written(text)


class TooLarge(ValueError):
    """JSON that exceeds its limit; the text goes on from "has": how many bytes, and what the limit is."""


def dumps_within(value: Any, limit: int, *, carried: bool = False) -> bytes:
    """Like `dumps`, but raises TooLarge before much more than `limit` bytes are made.

    A small value can be large when written: the same text may stand in it a thousand times. `carried`: raises
    TypeError where no room is left for what will carry it, see `carried_for_database`.
    """
    if more_than(value, limit):
        raise TooLarge(f"more than {limit} bytes, which is the limit")
    room = _HEADROOM if carried else 0
    for _ in range(room):
        value = [value]
    data = dumps(value)
    data = data[room : len(data) - room]
    if len(data) > limit:
        raise TooLarge(f"{len(data)} bytes; the limit is {limit}")
    return data


def why_not_json(error: TypeError) -> str:
    """Explain to people what `dumps` and its like raised."""
    cause = str(error.__cause__ or error)
    return "it is nested too deeply" if "recursion" in cause.lower() else writable(cause)


def writable(text: str) -> str:
    """Replace what JSON and PostgreSQL cannot hold in a text: half characters and NUL, with U+FFFD."""
    return exact_json.without_halves(text).replace("\0", "\ufffd")


def loads(data: bytes | str) -> Any:
    """Reads JSON: whole numbers of any size are exact, a byte order mark is passed over, half a surrogate pair becomes
    U+FFFD. Raises ValueError when the text is not JSON."""
    encoded = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if exact_json.may_hold_long_numbers(encoded):
        return exact_json.loads(encoded.removeprefix(_BYTE_ORDER_MARK))
    try:
        return orjson.loads(encoded)
    except orjson.JSONDecodeError:
        mended = exact_json.whole_pairs(encoded.removeprefix(_BYTE_ORDER_MARK))
        if mended == encoded:
            raise
        return orjson.loads(mended)


def format_time(moment: datetime) -> str:
    """2026-03-04T05:06:07.089Z: always as long, so that texts sort as their times do."""
    in_utc = moment.astimezone(UTC)
    to_the_second = orjson.dumps(in_utc)[1:20].decode()  # a third of what `isoformat` takes
    return f"{to_the_second}.{in_utc.microsecond // 1000:03}Z"


def format_id(id_: UUID) -> str:
    """The text that `str` gives."""
    return orjson.dumps(id_)[1:-1].decode()  # two fifths of what `str` takes


def parse_time(value: str | float | int) -> datetime:
    """Read what any implementation writes: ISO-8601 with none to nine decimals, or epoch seconds as a number.

    Raises ValueError for anything else. (contract.md, sections 1 and 3.2)
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (OverflowError, OSError) as error:
            raise ValueError(f"out of range: {value}") from error
    if not isinstance(value, str):
        raise ValueError(f"not a time: {value!r}")
    text = value.strip()
    if text.isdecimal() and len(text) != _DIGITS_OF_A_DATE:  # fromisoformat takes any digit for the T
        raise ValueError(f"not a time: {text[:40]}")
    moment = datetime.fromisoformat(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"out of range: {text}") from error


def more_than(value: Any, limit: int, *, each: int = 1) -> bool:
    """Whether a value certainly has more than `limit` bytes. `each`: the bytes of a part beside its text."""
    return least_size(value, limit, each=each) > limit


def least_size(value: Any, limit: int, *, each: int = 1) -> int:
    """The bytes that a value has at least; of one that has more than `limit` they are not all counted, so that it ends
    even if the value holds itself. `each`: the bytes of a part beside its text."""
    left, waiting = limit - each, [value]
    while waiting and left >= 0:
        part = waiting.pop()
        if isinstance(part, _TEXTS):
            left -= len(part)
        elif isinstance(part, dict) or (not isinstance(part, _OTHERS) and isinstance(part, Mapping)):
            left -= 2 * each * len(part)
            if left >= 0:
                waiting += part.keys()
                waiting += part.values()
        elif isinstance(part, _LISTS):
            left -= each * len(part)
            if left >= 0:
                waiting += part
    return limit - left


def _dumps(value: Any, options: int) -> bytes:
    try:
        return orjson.dumps(value, default=_encode, option=options)
    except TypeError:
        try:
            writable = exact_json.writable(value)
        except RecursionError:
            writable = value
        return orjson.dumps(writable, default=_encode, option=options)


def _encode(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    if hasattr(value, "as_json"):
        return value.as_json()
    raise TypeError(f"{type(value).__name__} is not JSON serialisable")
