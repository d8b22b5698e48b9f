"""Formats of times: the tokens of Luxon, which n8n uses, as those of strftime, which ours are.

https://moment.github.io/luxon/#/formatting?id=table-of-tokens
"""

from __future__ import annotations

import re

from flowforge.n8n.expressions.lexer import NotRead
from flowforge.sentences import sentence

_TOKEN = re.compile(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+")
_FORMATS = {
    "yyyy": "%Y", "y": "%Y", "yy": "%y", "MMMM": "%B", "LLLL": "%B", "MMM": "%b", "LLL": "%b", "MM": "%m", "LL": "%m",
    "M": "%-m", "L": "%-m", "dd": "%d", "d": "%-d", "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M",
    "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%L", "a": "%p", "EEEE": "%A", "cccc": "%A", "EEE": "%a", "ccc": "%a",
    "E": "%u", "c": "%u", "ZZ": "%:z", "ZZZ": "%z", "z": "%Z", "W": "%V", "WW": "%V", "kkkk": "%G", "ooo": "%j",
}  # fmt: skip
UNITS = {
    f"{unit}{plural}": f"{unit}s"
    for unit in ("second", "minute", "hour", "day", "week", "month", "quarter", "year")
    for plural in ("", "s")
}


def strftime_of(format_: str) -> str:
    """Raises NotRead for a token that has no counterpart."""
    return "".join(_translated(found) for found in _TOKEN.finditer(format_))


def _translated(found: re.Match[str]) -> str:
    whole = found[0]
    if whole.startswith("'"):
        return found[1].replace("%", "%%")
    if not found[2]:
        return whole.replace("%", "%%")
    if whole == "T":
        return "T"
    if whole not in _FORMATS:
        raise NotRead(sentence("the format of times has no '%(token)s'", token=whole))
    return _FORMATS[whole]


def unit_of(name: object) -> str:
    """Raises NotRead for what is no unit of time."""
    if not isinstance(name, str) or name.lower() not in UNITS:
        raise NotRead(sentence("the unit of time is not read"))
    return UNITS[name.lower()]
