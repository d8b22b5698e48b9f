"""Names of months and days in the languages of the world, as the Unicode CLDR has them inside a date."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,2}", re.ASCII)
_MOST_REMEMBERED = 50
"""Languages whose names, and babel's own data, stay in memory: all 1,147 would take 200 MB."""
_loaded: set[str] = set()


@dataclass(frozen=True, slots=True)
class CalendarNames:
    """`months` from January on, `days` from Monday on."""

    months: tuple[str, ...]
    days: tuple[str, ...]


@lru_cache(_MOST_REMEMBERED)
def calendar_names(language: str, width: Literal["wide", "abbreviated"]) -> CalendarNames:
    """`language`: such as `de`, `pt-BR`, `sr-Latn`. Raises ValueError for one that is unknown."""
    from babel import Locale, UnknownLocaleError, localedata  # 0.2 s, for those alone who use it

    if not _LANGUAGE.fullmatch(language):
        raise ValueError("languages are named as in de or pt-BR")
    if len(_loaded) >= _MOST_REMEMBERED:
        localedata._cache.clear()  # it has no bound of its own
        _loaded.clear()
    _loaded.add(language)
    try:
        locale = Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError) as error:
        raise ValueError(f"there are no names in the language {language!r}") from error
    months, days = locale.months["format"][width], locale.days["format"][width]
    return CalendarNames(tuple(months[n] for n in range(1, 13)), tuple(days[n] for n in range(7)))
