"""Parameters of statements: `:name` in the text, a value beside it, brought together by the driver alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flowforge.connectors.errors import ConnectorError
from flowforge.language.evaluation.names import hint

_PARTS = r"""
    (?P<skipped>
        {quoted} | `(?:[^`]|``)*(?:`|\Z) | --[^\n]* | /\*.*?(?:\*/|\Z)
        | \$(?P<tag>[A-Za-z_]\w*|)\$.*?(?:\$(?P=tag)\$|\Z) | ::
    )
    | (?<![\w:]):(?P<name>[A-Za-z_]\w*)
    | (?P<percent>%)
"""
# What is never closed goes to the end, so that each character is looked at once.
_ESCAPED = r"""[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z)"""
_STANDARD_QUOTES = rf"""{_ESCAPED} | '(?:[^']|'')*(?:'|\Z) | "(?:[^"]|"")*(?:"|\Z)"""
_BACKSLASH_QUOTES = r"""'(?:[^'\\]|''|\\.)*(?:'|\Z) | "(?:[^"\\]|""|\\.)*(?:"|\Z)"""
_BRACKETS = r"""\[(?:[^\]]|\]\])*(?:\]|\Z) | '(?:[^']|'')*(?:'|\Z) | "(?:[^"]|"")*(?:"|\Z)"""
_FLAGS = re.DOTALL | re.VERBOSE
Quoting = Literal["standard", "backslashes", "brackets"]
"""The way texts and names are quoted: as the standard says; texts escape by backslashes, as MySQL's do; names may stand
in brackets, as SQL Server's do."""
_PATTERNS: Mapping[Quoting, re.Pattern[str]] = {
    "standard": re.compile(_PARTS.format(quoted=_STANDARD_QUOTES), _FLAGS),
    "backslashes": re.compile(_PARTS.format(quoted=_BACKSLASH_QUOTES), _FLAGS),
    "brackets": re.compile(_PARTS.format(quoted=_BRACKETS), _FLAGS),
}
_COMMENT = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_WITHIN = re.compile(rf"""{_COMMENT.pattern}|'(?:[^']|'')*(?:'|\Z)|"(?:[^"]|"")*(?:"|\Z)""", re.DOTALL)

Adapt = Callable[[Any], Any]
"""Gives a value of JSON as the driver takes it."""


@dataclass(frozen=True, slots=True)
class ParameterStyle:
    """The way a driver wants parameters to be written."""

    placeholder: Callable[[str], str]
    percent: str
    """What stands for a percent sign."""


PYFORMAT = ParameterStyle(lambda name: f"%({name})s", "%%")
"""PEP 249."""
DOLLAR = ParameterStyle(lambda name: f"${name}", "%")
"""SQLite, DuckDB."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A statement as a driver takes it."""

    text: str
    values: Mapping[str, Any] | None
    """None: the driver takes the text as it is."""


def bind(
    text: str,
    parameters: Mapping[str, Any],
    adapt: Adapt,
    *,
    style: ParameterStyle = PYFORMAT,
    quoting: Quoting = "standard",
) -> Bound:
    """The statement with its parameters; a list stands for its members, separated by commas, as IN takes them.

    Texts, quoted names and comments are left alone. Raises ConnectorError for a parameter that is not given, or not
    used.
    """
    values: dict[str, Any] = {}
    used: set[str] = set()

    def replaced(found: re.Match[str]) -> str:
        if not found["name"]:
            return found[0].replace("%", style.percent)
        used.add(found["name"])
        placed = _placed(found["name"], _given(found["name"], parameters), adapt)
        values.update(placed)
        return ", ".join(map(style.placeholder, placed))

    bound = _PATTERNS[quoting].sub(replaced, text)
    _require_used(parameters, used)
    return Bound(bound, values) if values else Bound(text, None)


def is_changing(text: str) -> bool:
    """Whether nothing but rows can have changed after it: INSERT, UPDATE, DELETE, REPLACE or MERGE."""
    return first_word(text) in {"INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE"}


def first_word(text: str) -> str:
    """In capitals, comments passed over."""
    word = re.search(r"[A-Za-z]+", _COMMENT.sub(" ", text))
    return word[0].upper() if word else ""


def mentions(text: str, word: str) -> bool:
    """Whether a word stands in the statement itself, rather than in a text, a quoted name or a comment of it."""
    return re.search(rf"\b{word}\b", _WITHIN.sub(" ", text), re.IGNORECASE) is not None


def _placed(name: str, value: Any, adapt: Adapt) -> dict[str, Any]:
    if not isinstance(value, list):
        return {name: adapt(value)}
    members = value or [None]  # IN (NULL) holds nothing
    return {f"{name}__of_list_{place}": adapt(member) for place, member in enumerate(members)}


def _given(name: str, parameters: Mapping[str, Any]) -> Any:
    if name not in parameters:
        raise ConnectorError(f"sql: there is no parameter '{name}'{hint(name, parameters)}", permanent=True)
    return parameters[name]


def _require_used(parameters: Mapping[str, Any], used: set[str]) -> None:
    unused = [name for name in parameters if name not in used]
    if unused:
        raise ConnectorError(f"parameters: '{unused[0]}' is not in the SQL: write :{unused[0]} there", permanent=True)
