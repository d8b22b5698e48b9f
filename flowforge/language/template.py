"""Text with `{{ expressions }}` in it: taking it apart, and putting it together with values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flowforge.language.compiler import Evaluate, compile_tree
from flowforge.language.meter import EXPRESSIONS, Failure, Meter
from flowforge.language.operators import concatenate
from flowforge.language.paths import PathReference, constant_path, path_references
from flowforge.language.syntax import MAX_LENGTH, parse
from flowforge.language.values import to_result, weigh

OPEN, CLOSE = "{{", "}}"

_MAX_BRACKETS = 20
_STATEMENT = re.compile(r"\{[%#]")
_PIECE = re.compile(
    r"""'[^'\\]*(?:\\.[^'\\]*)*' | "[^"\\]*(?:\\.[^"\\]*)*" | [{}\[\]()] | [^'"{}\[\]()]+""", re.DOTALL | re.VERBOSE
)
_CACHED_TEXT = 4_096
"""Longer texts are taken apart each time; the expressions in them are remembered all the same."""


class TemplateFailure(Exception):
    """A text cannot be used or has no value; `source` is the expression that is to blame, or empty."""

    def __init__(self, message: str, source: str = "") -> None:
        super().__init__(message)
        self.source = source


@dataclass(frozen=True, slots=True)
class Expression:
    """What stands between `{{` and `}}`, ready to be computed."""

    source: str
    references: tuple[PathReference, ...]
    evaluate: Evaluate
    makes_data: bool
    """Whether its value may be new: a path only hands on what there is."""

    def value(self, scope: Mapping[str, Any], meter: Meter) -> Any:
        """Raises TemplateFailure."""
        try:
            meter.begin_expression()
            value = self.evaluate(scope, meter)
            if self.makes_data and isinstance(value, dict | list):
                meter.memory(weigh(value, meter).total)
            return value
        except Failure as error:
            raise TemplateFailure(str(error), self.source) from error
        except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
            # Their own texts may quote data, which may be secret.
            raise TemplateFailure("this cannot be computed with the data there is", self.source) from error


@dataclass(frozen=True, slots=True)
class Template:
    """A text taken apart: literal text and expressions, in order."""

    parts: tuple[str | Expression, ...]

    @property
    def expressions(self) -> Iterator[Expression]:
        return (part for part in self.parts if isinstance(part, Expression))

    def render(self, scope: Mapping[str, Any], meter: Meter) -> Any:
        """One single expression keeps the type of its value; anything else is text. Raises TemplateFailure."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Expression):
            return to_result(self.parts[0].value(scope, meter))
        values = [part if isinstance(part, str) else part.value(scope, meter) for part in self.parts]
        try:
            return concatenate(meter, values)
        except Failure as error:
            raise TemplateFailure(str(error)) from error


def template(text: str) -> Template:
    """The text taken apart; remembered. Raises TemplateFailure."""
    return _cached_template(text) if len(text) <= _CACHED_TEXT else _take_apart(text)


def has_meaning(text: str) -> bool:
    """Whether anything in the text begins something that is computed or refused; else it is just text."""
    return OPEN in text or _STATEMENT.search(text) is not None


def _take_apart(text: str) -> Template:
    return Template(tuple(_parts(text)))


_cached_template: Callable[[str], Template] = lru_cache(maxsize=1_024)(_take_apart)


def _parts(text: str) -> Iterator[str | Expression]:
    position, count = 0, 0
    while (start := text.find(OPEN, position)) >= 0:
        if start > position:
            yield _literal(text[position:start])
        count += 1
        if count > EXPRESSIONS:
            raise TemplateFailure(f"a text may have {EXPRESSIONS:,} expressions")
        end = _end_of_expression(text, start + len(OPEN))
        yield _expression(text[start + len(OPEN) : end])
        position = end + len(CLOSE)
    if position < len(text):
        yield _literal(text[position:])


def _literal(text: str) -> str:
    found = _STATEMENT.search(text)
    if found:
        mark = found.group()
        raise TemplateFailure(f"{mark} is not supported: there are only expressions; {OPEN} '{mark}' {CLOSE} writes it")
    return text


def _end_of_expression(text: str, start: int) -> int:
    """Where the `}}` stands that ends the expression: not one inside quotes, nor one that closes objects."""
    position, limit, open_brackets = start, start + MAX_LENGTH + len(CLOSE), 0
    while piece := _PIECE.match(text, position, limit):
        mark = piece.group()
        if mark == "}" and open_brackets == 0:
            break
        open_brackets += (mark in "{[(") - (mark in "}])")
        if open_brackets > _MAX_BRACKETS:
            raise TemplateFailure("brackets are nested too deeply", text[start:position])
        position = piece.end()
    if text.startswith(CLOSE, position):
        return position
    raise TemplateFailure(_unended(text, position, limit))


def _unended(text: str, position: int, limit: int) -> str:
    if position >= limit or limit < len(text):
        return f"{OPEN} without {CLOSE} within {MAX_LENGTH:,} characters"
    if position < len(text) and text[position] in "'\"":
        return "a quote is not closed"
    return f"{OPEN} without {CLOSE}"


def _expression(source: str) -> Expression:
    try:
        return _compiled(source)
    except Failure as error:
        raise TemplateFailure(str(error), source) from error


@lru_cache(maxsize=1_024)
def _compiled(source: str) -> Expression:
    if source.startswith("-") or source.endswith("-"):
        raise Failure("{{- and -}} are not supported; a space before a minus sign makes it one")
    tree = parse(source)
    return Expression(source, tuple(path_references(tree)), compile_tree(tree), constant_path(tree) is None)
