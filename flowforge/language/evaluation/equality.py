"""Equality of values. JSON has types, but forms, queries, mails and tables hold text only: `"20"` is a number there.

A text equals a number, true, false or a time where it is that value, written out: `"20"`, `"20.0"` and `"2e1"` equal
20, `"020"` and `"20 "` do not. Null equals only null. Members of lists and objects are compared as JSON has them.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from flowforge import jsonio
from flowforge.language.evaluation.meter import Meter
from flowforge.language.evaluation.values import to_text

NUMBER = re.compile(rf"-?(?:0|[1-9][0-9]{{0,{jsonio.MOST_DIGITS}}})(\.[0-9]{{1,400}})?([eE][+-]?[0-9]{{1,3}})?")
"""A number as JSON writes it (RFC 8259, 6)."""
_READ_NANOSECONDS = 2_000


def same(meter: Meter, left: Any, right: Any) -> bool:
    """Whether two values are equal; the caller has paid for comparing values of one type."""
    if isinstance(left, str) is isinstance(right, str):
        return bool(left == right)
    text, value = (left, right) if isinstance(left, str) else (right, left)
    return _is_written_as(meter, text, value)


def is_among(meter: Meter, item: Any, members: list[Any] | tuple[Any, ...]) -> bool:
    """Whether one of the members is the same as the item; the caller has paid for looking at each of them."""
    return item in members or any(
        same(meter, item, member) for member in members if isinstance(item, str) is not isinstance(member, str)
    )


def _is_written_as(meter: Meter, text: str, value: Any) -> bool:
    if isinstance(value, bool | datetime):
        return text == to_text(value, meter)
    if not isinstance(value, int | float):
        return False
    meter.work(_READ_NANOSECONDS)
    written = NUMBER.fullmatch(text)
    return written is not None and (float(text) if any(written.groups()) else int(text)) == value
