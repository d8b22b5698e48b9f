"""Filters on text."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import quote

from flowforge.language.meter import Failure, Meter
from flowforge.language.registry import Register
from flowforge.language.values import text, to_text, whole

TEXT_FILTERS = Register()

_PIECE_BYTES = 80
_QUOTED_BYTES = 24  # a four-byte character becomes %F0%9F%98%80, and there is a list of them on the way
_MOST_CHARACTERS = range(10_000_000)


def _pay(meter: Meter, value: str, nanoseconds: int = 20, growth: int = 1) -> None:
    """For making text out of text, one character at a time."""
    meter.work(len(value) * (2 if value.isascii() else nanoseconds))
    meter.memory(len(value) * (1 if value.isascii() else 4) * growth)


@TEXT_FILTERS.add("upper")
def upper(meter: Meter, value: Any) -> str:
    """In capital letters."""
    subject = text(value, "upper")
    _pay(meter, subject, growth=1 if subject.isascii() else 3)
    return subject.upper()


@TEXT_FILTERS.add("lower")
def lower(meter: Meter, value: Any) -> str:
    """In small letters."""
    subject = text(value, "lower")
    _pay(meter, subject, growth=1 if subject.isascii() else 3)
    return subject.lower()


@TEXT_FILTERS.add("capitalize")
def capitalize(meter: Meter, value: Any) -> str:
    """First letter a capital, the others small."""
    subject = text(value, "capitalize")
    _pay(meter, subject, growth=1 if subject.isascii() else 3)
    return subject.capitalize()


@TEXT_FILTERS.add("title")
def title(meter: Meter, value: Any) -> str:
    """Every word with a capital."""
    subject = text(value, "title")
    _pay(meter, subject, growth=1 if subject.isascii() else 3)
    return subject.title()


@TEXT_FILTERS.add("trim")
def trim(meter: Meter, value: Any) -> str:
    """Without white space at both ends."""
    subject = text(value, "trim")
    _pay(meter, subject)
    return subject.strip()


@TEXT_FILTERS.add("replace")
def replace(meter: Meter, value: Any, old: Any, new: Any) -> str:
    """Every occurrence of one text replaced by another."""
    subject, before, after = text(value, "replace"), text(old, "replace"), text(new, "replace")
    if not before:
        raise Failure("replace needs something to look for")
    meter.work(len(subject) * 10)
    count = subject.count(before)
    width = 1 if subject.isascii() and after.isascii() else 4
    meter.memory((len(subject) + count * (len(after) - len(before))) * width)
    meter.work(count * 50)
    return subject.replace(before, after)


@TEXT_FILTERS.add("truncate")
def truncate(meter: Meter, value: Any, length: Any = 255, end: Any = "…") -> str:
    """At most so many characters, the end included where something was cut."""
    subject, ending = text(value, "truncate"), text(end, "truncate")
    limit = whole(length, "truncate", _MOST_CHARACTERS)
    if len(subject) <= limit:
        return subject
    meter.memory(4 * limit)
    return (subject[: max(0, limit - len(ending))] + ending)[:limit]


@TEXT_FILTERS.add("split")
def split(meter: Meter, value: Any, separator: Any = None) -> list[str]:
    """The parts between separators, or between white space when none is given."""
    subject = text(value, "split")
    mark = None if separator is None else text(separator, "split")
    if mark == "":
        raise Failure("split needs a separator that is not empty")
    meter.work(len(subject) * 10)
    pieces = 1 + (len(subject) // 2 if mark is None else subject.count(mark))
    meter.memory(len(subject) * (1 if subject.isascii() else 4) + pieces * _PIECE_BYTES)
    meter.work(pieces * 60)
    return subject.split(mark)


@TEXT_FILTERS.add("escape", "e")
def escape(meter: Meter, value: Any) -> str:
    """Safe inside HTML: `&`, `<`, `>` and quotes are written as entities."""
    subject = to_text(value, meter)
    special = sum(map(subject.count, "&<>\"'"))
    meter.work(len(subject) * 20)
    meter.memory((len(subject) + 5 * special) * (1 if subject.isascii() else 4) * 2)
    return html.escape(subject)


@TEXT_FILTERS.add("urlencode")
def urlencode(meter: Meter, value: Any) -> str:
    """Safe as one part of a URL: everything but letters, digits and `_.-~` as %XX."""
    subject = to_text(value, meter)
    meter.work(len(subject) * (60 if subject.isascii() else 240))
    meter.memory(len(subject) * (_QUOTED_BYTES // 2 if subject.isascii() else _QUOTED_BYTES * 2))
    try:
        return quote(subject, safe="")
    except UnicodeEncodeError as error:
        raise Failure("the text holds half a character") from error


@TEXT_FILTERS.add("string")
def string(meter: Meter, value: Any) -> str:
    """As text: null is empty, objects and lists are JSON."""
    return to_text(value, meter)
