"""The right sides of conditions: literals of the expression language, and the texts that stand for them in a form."""

from __future__ import annotations

import json
import re

from jinja2 import nodes

from flowforge.language.evaluation.meter import Failure
from flowforge.language.expressions.syntax import parse
from flowforge.language.expressions.template import CLOSE, OPEN, Template, TemplateFailure, template

_PLAIN = re.compile(r"-?\d+(\.\d+)?|true|false")
"""Texts that are no texts but numbers, true or false."""


def literal_of(text: str) -> str:
    """The operand that a field's text stands for: `100`, `"large"`, `steps.a.b`; nothing for an empty one. A text in
    quotes is that text, whatever it holds."""
    stripped = text.strip()
    if not stripped or _PLAIN.fullmatch(stripped) or _quoted(stripped) is not None:
        return stripped
    read = _template(stripped)
    return _quote(stripped) if read is None else _concatenated(read)


def text_of(operand: str) -> str:
    """The text by which a field shows an operand; `literal_of` makes the same operand of it."""
    operand = operand.strip()
    if not operand or _PLAIN.fullmatch(operand):
        return operand
    constant = _constant(operand)
    if constant is None:
        return f"{OPEN} {operand} {CLOSE}"
    return constant if literal_of(constant) == _quote(constant) else _quote(constant)


def bare(text: str) -> str:
    """An expression without the braces around it."""
    stripped = text.strip()
    read = _template(stripped)
    return stripped[len(OPEN) : -len(CLOSE)].strip() if read is not None and len(read.parts) == 1 else stripped


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _quoted(text: str) -> str | None:
    return _constant(text) if len(text) > 1 and text[0] == text[-1] == '"' else None


def _constant(operand: str) -> str | None:
    """The text that an operand is; None for any other."""
    try:
        tree = parse(operand).tree
    except Failure:
        return None
    return tree.value if isinstance(tree, nodes.Const) and isinstance(tree.value, str) else None


def _template(text: str) -> Template | None:
    """A text with expressions in it; None for one without, and for one that cannot be read."""
    try:
        read = template(text) if OPEN in text else None
    except TemplateFailure:
        return None
    return read if read and list(read.expressions) else None


def _concatenated(read: Template) -> str:
    parts = [_quote(part) if isinstance(part, str) else part.source.strip() for part in read.parts]
    return parts[0] if len(parts) == 1 else " ~ ".join(_in_brackets(part) for part in parts)


def _in_brackets(operand: str) -> str:
    return operand if isinstance(parse(operand).tree, _TIGHT) else f"({operand})"


_TIGHT = (nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Filter)
