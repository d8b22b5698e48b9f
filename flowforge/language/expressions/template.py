"""Text with `{{ expressions }}` in it: taking it apart, and putting it together with values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flowforge.language.evaluation.meter import EXPRESSIONS, Failure, Meter
from flowforge.language.evaluation.names import Hints, UnknownName
from flowforge.language.evaluation.operators import concatenate
from flowforge.language.evaluation.values import to_result, weigh
from flowforge.language.expressions.cache import BoundedCache
from flowforge.language.expressions.compiler import Evaluate, unknown_names
from flowforge.language.expressions.paths import PathReference, constant_path, path_references
from flowforge.language.expressions.secret_values import compile_expression, join_secret, mentions_secrets
from flowforge.language.expressions.syntax import MAX_LENGTH, parse
from flowforge.sentences import Count, message_of, sentence

OPEN, CLOSE = "{{", "}}"

_MAX_BRACKETS = 20
_MASK = "\0"
"""Stands in no definition: PostgreSQL's jsonb takes none."""
_STATEMENT = re.compile(r"\{[%#]")
_PIECE = re.compile(
    r"""'[^'\\]*(?:\\.[^'\\]*)*' | "[^"\\]*(?:\\.[^"\\]*)*" | [{}\[\]()] | [^'"{}\[\]()]+""", re.DOTALL | re.VERBOSE
)
_REMEMBERED_BYTES = 32_000_000
"""Memory for the texts of all the workflows that a process runs: some 25,000 expressions of the usual kind."""
_NODE_BYTES = 300
_EXPRESSION_BYTES = 500
_SHOWN_BEFORE, _SHOWN_AFTER = 20, 40


class TemplateFailure(Exception):
    """A text cannot be used or has no value, for the reason given, a sentence or a Failure; `source` is the expression
    that is to blame, or empty."""

    def __init__(
        self,
        reason: str | Failure,
        source: str = "",
        references: tuple[PathReference, ...] = (),
        unknown: Sequence[UnknownName] = (),
    ) -> None:
        super().__init__(reason)
        self.source = source
        self.references = references
        """The data that the expression uses, where that can be read although it cannot be computed."""
        self.unknown = unknown
        """All its unknown names, where one of them is the reason."""
        self.blamed = reason.blamed if isinstance(reason, Failure) else ""
        """The name in the expression that is wrong, where it is one."""

    def explain(self, hints: Hints) -> list[str]:
        """Return the reason; of unknown names every one, each with a hint if there is one left to give."""
        return [name.explain(hints) for name in self.unknown] or [self.reason]

    @property
    def reason(self) -> str:
        """Return the reason as a sentence."""
        reason = self.args[0]
        if isinstance(reason, UnknownName):
            return reason.explain(Hints())
        return message_of(reason) if isinstance(reason, Failure) else reason


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression, as it stands between `{{` and `}}`, ready to be computed."""

    source: str
    references: tuple[PathReference, ...]
    evaluate: Evaluate
    makes_data: bool
    """Whether its value may be new: a path only hands on what there is."""
    weight: int
    """Bytes of memory, about."""
    uses_secrets: bool = False
    """Whether its value may be, or hold, a Secret."""

    def value(self, scope: Mapping[str, Any], meter: Meter) -> Any:
        """Raises TemplateFailure."""
        try:
            meter.begin_expression()
            value = self.evaluate(scope, meter)
            if self.makes_data and isinstance(value, dict | list):
                meter.memory(weigh(value, meter).total)
            return value
        except Failure as error:
            raise TemplateFailure(error, self.source) from error
        except (TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
            # Their own texts may quote data, which may be secret.
            raise TemplateFailure(sentence("this cannot be computed with the data there is"), self.source) from error


@dataclass(frozen=True, slots=True)
class Template:
    """A text taken apart: literal text and expressions, in order."""

    parts: tuple[str | Expression, ...]
    uses_secrets: bool = False

    @property
    def weight(self) -> int:
        """Bytes of memory, about."""
        return sum(len(part) if isinstance(part, str) else part.weight for part in self.parts)

    @property
    def expressions(self) -> Iterator[Expression]:
        return (part for part in self.parts if isinstance(part, Expression))

    def render(self, scope: Mapping[str, Any], meter: Meter) -> Any:
        """One single expression keeps the type of its value; anything else is text. Raises TemplateFailure."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Expression):
            return to_result(self.parts[0].value(scope, meter))
        values = [part if isinstance(part, str) else part.value(scope, meter) for part in self.parts]
        try:
            return join_secret(meter, values) if self.uses_secrets else concatenate(meter, values)
        except Failure as error:
            raise TemplateFailure(error) from error


def template(text: str) -> Template:
    """The text taken apart; remembered. Raises TemplateFailure."""
    found = _templates.get(text)
    return _made_of(_parts(text), text) if found is None else found


def readings(text: str) -> list[Expression | TemplateFailure]:
    """Every expression of the text, or what is wrong with it: a wrong one does not hide the others."""
    found = _templates.get(text)
    if found is not None:
        return list(found.expressions)
    parts = _parts(text)
    if not any(isinstance(part, TemplateFailure) for part in parts):
        _made_of(parts, text)
    return [part for part in parts if not isinstance(part, str)]


def has_meaning(text: str) -> bool:
    """Whether anything in the text begins something that is computed or refused; else it is just text."""
    return OPEN in text or _STATEMENT.search(text) is not None


def holds_expression(value: Any) -> bool:
    """Whether any text in a JSON value, keys aside, has a meaning."""
    if isinstance(value, str):
        return has_meaning(value)
    if isinstance(value, Mapping):
        return any(holds_expression(inner) for inner in value.values())
    return isinstance(value, list) and any(holds_expression(inner) for inner in value)


def split_template(text: str, split: Callable[[str], Iterable[str]]) -> list[str]:
    """Splits a text as `split` does, which sees a NUL in place of each expression. Raises TemplateFailure."""
    pieces = list(_pieces(text))
    sources = (f"{OPEN}{piece.text}{CLOSE}" for piece in pieces if isinstance(piece, _Source))
    masked = "".join(piece if isinstance(piece, str) else _MASK for piece in pieces)
    return [re.sub(_MASK, lambda _: next(sources), part) for part in split(masked)]


def forget_templates() -> None:
    """Empty the cache of parsed templates, as if the process had just begun."""
    _templates.forget()


@dataclass(frozen=True, slots=True)
class _Source:
    """Text between the braces."""

    text: str


_templates: BoundedCache[Template] = BoundedCache(_REMEMBERED_BYTES)


def _made_of(parts: list[str | Expression | TemplateFailure], text: str) -> Template:
    """Raises the first failure among the parts."""
    usable: list[str | Expression] = []
    for part in parts:
        if isinstance(part, TemplateFailure):
            raise part
        usable.append(part)
    made = Template(tuple(usable), any(isinstance(part, Expression) and part.uses_secrets for part in usable))
    _templates.keep(text, made, made.weight)
    return made


def _parts(text: str) -> list[str | Expression | TemplateFailure]:
    parts: list[str | Expression | TemplateFailure] = []
    try:
        for piece in _pieces(text):
            parts.append(_read(piece.text) if isinstance(piece, _Source) else piece)
    except TemplateFailure as error:
        parts.append(error)
    return parts


def _pieces(text: str) -> Iterator[str | _Source]:
    position, count = 0, 0
    while (start := text.find(OPEN, position)) >= 0:
        if start > position:
            yield _literal(text, position, start)
        count += 1
        if count > EXPRESSIONS:
            raise TemplateFailure(sentence("a text may have %(most)s expressions", most=Count(EXPRESSIONS)))
        end = _end_of_expression(text, start + len(OPEN))
        yield _Source(text[start + len(OPEN) : end])
        position = end + len(CLOSE)
    if position < len(text):
        yield _literal(text, position, len(text))


def _literal(text: str, start: int, end: int) -> str:
    found = _STATEMENT.search(text, start, end)
    if found:
        mark = found.group()
        raise TemplateFailure(
            sentence(
                "%(mark)s is not supported: there are only expressions; %(open)s '%(mark)s' %(close)s writes it"
                " (in %(text)s)",
                mark=mark,
                open=OPEN,
                close=CLOSE,
                text=_around(text, found.start()),
            )
        )
    return text[start:end]


def _end_of_expression(text: str, start: int) -> int:
    """Find the `}}` that ends the expression: not one inside quotes, nor one that closes objects."""
    position, limit, open_brackets = start, start + MAX_LENGTH + len(CLOSE), 0
    while piece := _PIECE.match(text, position, limit):
        mark = piece.group()
        if mark == "}" and open_brackets == 0:
            break
        open_brackets += (mark in "{[(") - (mark in "}])")
        if open_brackets > _MAX_BRACKETS:
            raise TemplateFailure(sentence("brackets are nested too deeply"), text[start:position])
        position = piece.end()
    if text.startswith(CLOSE, position):
        return position
    why = _unended(text, start, position, limit)
    raise TemplateFailure(sentence("%(why)s (in %(text)s)", why=why, text=_around(text, start - len(OPEN))))


def _unended(text: str, start: int, position: int, limit: int) -> str:
    if position >= limit or limit < len(text):
        return sentence(
            "%(open)s has no %(close)s within %(most)s characters", open=OPEN, close=CLOSE, most=Count(MAX_LENGTH)
        )
    if position < len(text) and text[position] in "'\"":
        return sentence("a quote is not closed")
    if text.find(CLOSE, start) >= 0:
        return sentence(
            "%(open)s has no %(close)s that ends it: the brackets in between do not match", open=OPEN, close=CLOSE
        )
    return sentence("%(open)s has no %(close)s that ends it", open=OPEN, close=CLOSE)


def _around(text: str, position: int) -> str:
    """The text around a position, as a message shows it: in quotes, on one line."""
    start, end = max(0, position - _SHOWN_BEFORE), position + _SHOWN_AFTER
    line = " ".join(text[start:end].split())
    return f"'{'…' if start else ''}{line}{'…' if end < len(text) else ''}'"


def _read(source: str) -> Expression | TemplateFailure:
    references: tuple[PathReference, ...] = ()
    try:
        if source.startswith("-") or source.endswith("-"):
            raise Failure(sentence("{{- and -}} are not supported; a space before a minus sign makes it one"))
        tree, size = parse(source)
        references = tuple(path_references(tree))
        weight = _EXPRESSION_BYTES + len(source) + size * _NODE_BYTES
        makes_data, uses_secrets = constant_path(tree) is None, mentions_secrets(tree)
        return Expression(source, references, compile_expression(tree), makes_data, weight, uses_secrets)
    except UnknownName as error:
        return TemplateFailure(error, source, references, unknown_names(tree))
    except Failure as error:
        return TemplateFailure(error, source)
