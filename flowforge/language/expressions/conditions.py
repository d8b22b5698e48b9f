"""Conditions as they are written: all of one stands between its braces, since any text around them always holds."""

from __future__ import annotations

from typing import Any

from flowforge.language.expressions.paths import PathReference
from flowforge.language.expressions.template import CLOSE, OPEN, Expression, Template, TemplateFailure, template
from flowforge.sentences import sentence

_LONGEST_SHOWN = 120


def trimmed(condition: Any) -> Any:
    """The condition without blanks around it: a block of YAML ends with a line break."""
    return condition.strip() if isinstance(condition, str) else condition


def problem_of_condition(text: str) -> str | None:
    """What is wrong with a condition that has text around its braces, with the one that was probably meant; None for
    any other, and for one that cannot be read."""
    read = _read(text)
    if read is None or (len(read.parts) == 1 and isinstance(read.parts[0], Expression)):
        return None
    return sentence("has text around its braces, so it would always hold; %(advice)s", advice=_advice(read))


def _advice(read: Template) -> str:
    meant = f"{OPEN} {' '.join(_sources(read))} {CLOSE}"
    if len(meant) <= _LONGEST_SHOWN and (joined := _read(meant)) and _data_used(joined) == _data_used(read):
        return sentence("did you mean %(meant)s?", meant=meant)
    return sentence("put all of the condition between %(open)s and %(close)s", open=OPEN, close=CLOSE)


def _data_used(read: Template) -> list[PathReference]:
    return [reference for expression in read.expressions for reference in expression.references]


def _sources(read: Template) -> list[str]:
    """The parts of the text as they would stand inside of the braces."""
    return [part.strip() if isinstance(part, str) else part.source.strip() for part in read.parts]


def _read(text: str) -> Template | None:
    try:
        return template(text.strip())
    except TemplateFailure:
        return None
