"""Parameters of nodes as values of ours: texts with expressions, and what is inside lists and objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flowforge.language.evaluation.meter import Failure
from flowforge.language.expressions.compiler import compile_tree
from flowforge.language.expressions.syntax import parse as parse_ours
from flowforge.n8n.data import as_seen_from, quote
from flowforge.n8n.expressions.found import Place
from flowforge.n8n.expressions.lexer import NotRead, tokens_of
from flowforge.n8n.expressions.parser import parse
from flowforge.n8n.expressions.translation import Translation
from flowforge.n8n.expressions.writing import FRACTION, TIME, Piece
from flowforge.sentences import joined, message_of, sentence

_BRACES = re.compile(r"\{(?=[{%#])")
_LONGEST_TEXT = 100_000


@dataclass
class Tally:
    """How many expressions there were, and what became of them."""

    translated: int = 0
    in_code: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    """Those that nothing could be made of, each with the reason."""


class Uncomputable(Exception):
    """An expression can be neither translated nor run as code; the message says why."""


@dataclass
class Computed:
    """Expressions that stay JavaScript: a CODE step before the one that uses them gives their values."""

    step: str
    """The id of that step."""
    sources: dict[str, str] = field(default_factory=dict)
    """By the names under which the step gives them."""

    def path(self, source: str) -> str:
        """The path of the value of an expression."""
        known = next((name for name, other in self.sources.items() if other == source), None)
        name = known or f"value{len(self.sources) + 1}"
        self.sources[name] = source
        return f"steps.{self.step}.result.{name}"


@dataclass
class Values:
    """What is translated for one step."""

    place: Place
    computed: Computed
    tally: Tally
    notes: list[str] = field(default_factory=list)

    def value(self, raw: Any) -> Any:
        """A parameter with all that is inside it. Raises Uncomputable."""
        if isinstance(raw, str):
            return self.text(raw)
        if isinstance(raw, dict):
            return {str(key): self.value(member) for key, member in raw.items()}
        if isinstance(raw, list):
            return [self.value(member) for member in raw]
        return raw

    def text(self, raw: str) -> str:
        """A text: one that begins with `=` is a template. Raises Uncomputable."""
        if not raw.startswith("="):
            return literal(raw)
        return "".join(
            f"{{{{ {self.expression(part)} }}}}" if is_code else literal(part) for is_code, part in parts_of(raw[1:])
        )

    def expression(self, source: str) -> str:
        """An expression between `{{` and `}}`, as it stands there. Raises Uncomputable."""
        source = source.strip()
        try:
            written = self._translated(source)
            self.tally.translated += 1
        except NotRead as error:
            written = self._as_code(source, str(error))
        return written

    def bare(self, raw: Any) -> str:
        """A parameter as a part of an expression of ours. Raises Uncomputable."""
        if isinstance(raw, str) and raw.startswith("="):
            found = list(parts_of(raw[1:]))
            if len(found) == 1 and found[0][0]:
                return self.expression(found[0][1])
            pieces = (self.expression(part) if is_code else quote(part) for is_code, part in found)
            return " ~ ".join(f"({piece})" for piece in pieces) or "''"
        return literal_expression(raw)

    def fits(self, expression: str) -> str:
        """An expression of ours, as seen from here. Raises Uncomputable where it is too large."""
        written = as_seen_from(expression, self.place.depth)
        try:
            compile_tree(parse_ours(written).tree)
        except Failure as error:
            raise Uncomputable(message_of(error)) from error
        return written

    def _translated(self, source: str) -> str:
        translation = Translation(self.place)
        piece = _finished(translation.write(parse(source)))
        written = as_seen_from(piece.text, self.place.depth)
        try:
            compile_tree(parse_ours(written).tree)
        except Failure as error:
            raise NotRead(message_of(error)) from error
        self.notes += [note for note in translation.notes if note not in self.notes]
        return written

    def _as_code(self, source: str, reason: str) -> str:
        problem = why_no_code(source)
        if problem is not None:
            self.tally.failed.append((source, problem))
            raise Uncomputable(joined(": ", [f"{{{{ {source[:200]} }}}}", problem]))
        self.tally.in_code += 1
        return self.computed.path(source)


def _finished(piece: Piece) -> Piece:
    """As a value that leaves the expression. Raises NotRead where it would be written in another way."""
    settled = piece.settled()
    if settled.kind == TIME:
        return settled.filtered(f"iso({quote(settled.zone)})")
    if settled.kind in (FRACTION, "duration") and not _is_written_out(settled):
        raise NotRead("a number without decimals is written with them here")
    return settled


def _is_written_out(piece: Piece) -> bool:
    return re.fullmatch(r"-?[\d.]+", piece.text) is not None


def parts_of(template: str) -> Iterator[tuple[bool, str]]:
    """The literal parts of a template, and its expressions."""
    position = 0
    while position < len(template):
        start = template.find("{{", position)
        end = template.find("}}", start + 2) if start >= 0 else -1
        if end < 0:
            yield False, template[position:]
            return
        if start > position:
            yield False, template[position:start]
        yield True, template[start + 2 : end]
        position = end + 2


def literal(text: str) -> str:
    """A text that means nothing but itself."""
    plain = text.replace("\x00", "")[:_LONGEST_TEXT]
    return _BRACES.sub("{{ '{' }}", plain)


def literal_value(raw: Any) -> Any:
    """The same of all texts in a value."""
    if isinstance(raw, str):
        return literal(raw)
    if isinstance(raw, dict):
        return {str(key).replace("\x00", ""): literal_value(member) for key, member in raw.items()}
    return [literal_value(member) for member in raw] if isinstance(raw, list) else raw


def literal_expression(raw: Any) -> str:
    """A value that is written out, as an expression of ours."""
    if raw is None:
        return "none"
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, str):
        return quote(raw)
    if isinstance(raw, dict):
        return f"{{{', '.join(f'{quote(str(key))}: {literal_expression(value)}' for key, value in raw.items())}}}"
    if isinstance(raw, list):
        return f"[{', '.join(map(literal_expression, raw))}]"
    return repr(raw)


_OUT_OF_REACH = (
    (re.compile(r"\$fromAI\b"), sentence("only an AI agent can fill it in")),
    (re.compile(r"\$(?:response|request|pageCount)\b"), sentence("it belongs to paging")),
    (re.compile(r"\$(?:env|credentials|secrets)\b"), sentence("code steps do not see the environment")),
    (re.compile(r"\$(?:getWorkflowStaticData|memory|connections|parameter|prevNode)\b"), sentence("it is n8n's own")),
    (re.compile(r"\b(?:document|window|require|process|fetch)\b\s*[.(]"), sentence("code steps have no such thing")),
)


def why_no_code(source: str) -> str | None:
    """Why an expression cannot be run as JavaScript; None where it can."""
    if not source.strip():
        return sentence("it is empty")
    found = (reason for pattern, reason in _OUT_OF_REACH if pattern.search(source))
    return next(found, None) or _why_unbalanced(source)


def _why_unbalanced(source: str) -> str | None:
    try:
        marks = [token.text for token in tokens_of(source) if token.kind == "mark"]
    except NotRead as error:
        return message_of(error)
    pairs = {")": "(", "]": "[", "}": "{"}
    waiting: list[str] = []
    for mark in marks:
        if mark in pairs.values():
            waiting.append(mark)
        elif mark in pairs and (not waiting or waiting.pop() != pairs[mark]):
            return sentence("its brackets do not match")
    return sentence("its brackets do not match") if waiting else None
