"""Numbers, dates and times as the reader's language writes them (Unicode CLDR, by Babel).

Moments come in on the reader's clock. English ones are written by hand: they need no Babel, and read the same on both
sides of the Atlantic.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from jinja2.filters import do_filesizeformat

from flowforge.languages import ENGLISH
from webapp.translation import language

if TYPE_CHECKING:
    from babel import Locale

_NAME = re.compile(r"[A-Z][a-z]{2,}")


def number(value: int) -> str:
    """12,345"""
    locale = _locale()
    if locale is None:
        return f"{value:,}"
    from babel.numbers import format_decimal

    return format_decimal(value, locale=locale)


def decimal(value: float) -> str:
    """3.2: with one digit behind the point"""
    locale = _locale()
    if locale is None:
        return f"{value:,.1f}"
    from babel.numbers import format_decimal

    return format_decimal(value, "#,##0.0", locale=locale)


def percent(share: float) -> str:
    """95.0 %"""
    return f"{decimal(share * 100)} %"


def size(count: int, binary: bool = False) -> str:
    """1.2 kB"""
    amount, _, unit = do_filesizeformat(count, binary).partition(" ")
    return f"{decimal(float(amount)) if '.' in amount else amount} {unit}"


def moment(local: datetime) -> str:
    """4 Mar 2026, 06:06:07"""
    locale = _locale()
    if locale is None:
        return f"{local.day} {local:%b %Y, %H:%M:%S}"
    from babel.dates import format_datetime

    return format_datetime(local, "medium", locale=locale)


def minute(local: datetime) -> str:
    """Wed 4 Mar, 06:06"""
    locale = _locale()
    if locale is None:
        return f"{local:%a} {local.day} {local:%b, %H:%M}"
    from babel.dates import format_skeleton, format_time

    return f"{format_skeleton('MMMEd', local, locale=locale)}, {format_time(local, 'short', locale=locale)}"


def calendar_names(text: str) -> str:
    """The text with its English names of days and months in the reader's language: `nur am Montag`"""
    locale = _locale()
    if locale is None:
        return text
    english = _parsed(ENGLISH)
    names = {english.days["format"]["wide"][day]: name for day, name in locale.days["format"]["wide"].items()}
    names |= {english.months["format"]["wide"][month]: name for month, name in locale.months["format"]["wide"].items()}
    return _NAME.sub(lambda found: names.get(found[0], found[0]), text)


def _locale() -> Locale | None:
    """The locale of the reader's language; None for English."""
    tag = language.current()
    return None if tag == ENGLISH else _parsed(tag)


@cache
def _parsed(tag: str) -> Locale:
    from babel import Locale  # 0.1 s, for those alone who use it

    return Locale.parse(tag, sep="-")
