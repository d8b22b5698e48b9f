"""JSON that is written as text with expressions in it, as bodies of requests often are."""

from __future__ import annotations

import re
from typing import Any

from flowforge import jsonio
from flowforge.n8n.values import Values, literal, parts_of

_MARK = "\ue000{}\ue001"
_MARKED = re.compile("\ue000(\\d+)\ue001")
_ALONE = re.compile("\ue000(\\d+)\ue002")
"""A mark that stood outside of quotes: its value keeps its type."""


def read_template(values: Values, raw: str) -> Any:
    """The value that the text writes, its expressions in their places. Where the text is no JSON around them, the
    whole text is joined and read as JSON when the step runs. Raises Uncomputable."""
    template = raw[1:] if raw.startswith("=") else raw
    found = list(parts_of(template)) if raw.startswith("=") else [(False, template)]
    sources = [part for is_code, part in found if is_code]
    if len(found) == 1 and sources:
        return values.text(raw)
    numbered = iter(range(len(sources)))
    text = "".join(_MARK.format(next(numbered)) if is_code else part for is_code, part in found)
    decoded = _decoded(text)
    if decoded is None:
        return f"{{{{ ({values.bare(raw)}) | fromjson }}}}"
    expressions = [values.expression(source) for source in sources]
    return _filled(decoded, expressions)


def _decoded(text: str) -> Any:
    """The JSON with marks in it; marks outside of quotes are put into some."""
    try:
        return jsonio.loads(_quoted_marks(text))
    except ValueError:
        return None


def _quoted_marks(text: str) -> str:
    """The text with quotes around those marks that stand outside of them."""
    inside, out = False, []
    for part in re.split(r'(\\.|"|\ue000\d+\ue001)', text):
        if part == '"':
            inside = not inside
        alone = part.startswith("\ue000") and not inside
        out.append(f'"{part[:-1]}\ue002"' if alone else part)
    return "".join(out)


def _filled(value: Any, expressions: list[str]) -> Any:
    if isinstance(value, dict):
        return {_MARKED.sub("", str(key)): _filled(member, expressions) for key, member in value.items()}
    if isinstance(value, list):
        return [_filled(member, expressions) for member in value]
    if not isinstance(value, str):
        return value
    alone = _ALONE.fullmatch(value)
    if alone:
        return f"{{{{ {expressions[int(alone[1])]} }}}}"
    pieces = _MARKED.split(value)
    if len(pieces) == 3 and not pieces[0] and not pieces[2]:
        return f"{{{{ ({expressions[int(pieces[1])]}) ~ '' }}}}"
    return "".join(
        f"{{{{ {expressions[int(piece)]} }}}}" if number % 2 else literal(piece) for number, piece in enumerate(pieces)
    )
