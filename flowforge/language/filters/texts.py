"""Filters on text."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Any

from flowforge.language.evaluation.meter import Failure, Meter
from flowforge.language.evaluation.operators import pay_for_search
from flowforge.language.evaluation.values import text, to_text, whole
from flowforge.language.filters.registry import Register

TEXT_FILTERS = Register()

_PIECE_BYTES = 80
_MOST_CHARACTERS = range(10_000_000)
_NO_WORD = re.compile(r"[^a-z0-9]+")


def _pay(meter: Meter, value: str, nanoseconds: int = 20, growth: int = 1) -> None:
    """Pay for making text out of text, one character at a time."""
    meter.work(len(value) * (2 if value.isascii() else nanoseconds))
    meter.memory(len(value) * (1 if value.isascii() else 4) * growth)


@TEXT_FILTERS.add("upper")
def upper(meter: Meter, value: Any) -> str:
    """Changes text to capital letters."""
    subject = text(value, "upper")
    _pay(meter, subject, growth=1 if subject.isascii() else 3)
    return subject.upper()


@TEXT_FILTERS.add("lower")
def lower(meter: Meter, value: Any) -> str:
    """Changes text to small letters."""
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
    """Removes white space at both ends."""
    subject = text(value, "trim")
    _pay(meter, subject)
    return subject.strip()


@TEXT_FILTERS.add("replace")
def replace(meter: Meter, value: Any, old: Any, new: Any) -> str:
    """Every occurrence of one text replaced by another."""
    subject, before, after = text(value, "replace"), text(old, "replace"), text(new, "replace")
    if not before:
        raise Failure("replace needs something to look for")
    pay_for_search(meter, subject, before, times=3)  # counting, and what Python's replace does: counting and finding
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
    if mark is None:
        meter.work(len(subject) * 10)
        pieces = 1 + len(subject) // 2
    else:
        pay_for_search(meter, subject, mark, times=2)
        pieces = 1 + subject.count(mark)
    meter.memory(len(subject) * (1 if subject.isascii() else 4) + pieces * _PIECE_BYTES)
    meter.work(pieces * 60)
    return subject.split(mark)


@TEXT_FILTERS.add("escape", "e")
def escape(meter: Meter, value: Any) -> str:
    """Safe inside HTML: `&`, `<`, `>` and quotes are written as entities."""
    subject = to_text(value, meter)
    meter.work(len(subject) * 20)
    special = sum(map(subject.count, "&<>\"'"))
    meter.memory((len(subject) + 5 * special) * (1 if subject.isascii() else 4) * 2)
    return html.escape(subject)


@TEXT_FILTERS.add("slugify")
def slugify(meter: Meter, value: Any, separator: Any = "-") -> str:
    """Small letters and digits, separators between the words, as in an address: accents go, the rest is left out."""
    subject, mark = text(value, "slugify"), text(separator, "slugify")
    if len(mark) > 1:
        raise Failure("slugify takes a separator of one character")
    meter.work(len(subject) * (60 if subject.isascii() else 400))
    meter.memory(len(subject) * (6 if subject.isascii() else 100))  # one character may decompose into eighteen
    plain = unicodedata.normalize("NFKD", subject).encode("ascii", "ignore").decode().lower()
    return _NO_WORD.sub(" ", plain).strip().replace(" ", mark)


@TEXT_FILTERS.add("string")
def string(meter: Meter, value: Any) -> str:
    """Turns a value into text: null is empty, objects and lists are JSON."""
    return to_text(value, meter)
