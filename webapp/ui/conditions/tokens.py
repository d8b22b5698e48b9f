"""Parts of an expression, told apart by the words and brackets between them."""

from __future__ import annotations

from collections.abc import Sequence

from flowforge.language.expressions.syntax import Token

Tokens = Sequence[Token]


def split(tokens: Tokens, text: str) -> list[Tokens]:
    marks = [at for at in top_level(tokens) if tokens[at].text == text and tokens[at].kind in ("name", "operator")]
    starts, ends = [0, *(at + 1 for at in marks)], [*marks, len(tokens)]
    return [strip(tokens[start:end]) for start, end in zip(starts, ends, strict=True)]


def top_level(tokens: Tokens) -> list[int]:
    """The positions outside of all brackets, those of the brackets included."""
    found, depth = [], 0
    for at, token in enumerate(tokens):
        depth -= _is_bracket(token, "}])")
        if depth == 0:
            found.append(at)
        depth += _is_bracket(token, "{[(")
    return found


def unwrapped(tokens: Tokens) -> Tokens:
    """Without brackets around all of it."""
    while (inner := inside(tokens, "(", ")")) is not None:
        tokens = strip(inner)
    return tokens


def inside(tokens: Tokens, opening: str, closing: str) -> Tokens | None:
    """The tokens between brackets that stand around all of it."""
    ends = len(tokens) > 1 and tokens[0].text == opening and tokens[-1].text == closing
    return tokens[1:-1] if ends and top_level(tokens) == [0, len(tokens) - 1] else None


def _is_bracket(token: Token, marks: str) -> bool:
    return token.kind == "operator" and token.text in marks


def is_word(token: Token, *words: str) -> bool:
    return token.kind == "name" and token.text in words


def strip(tokens: Tokens) -> Tokens:
    words = [at for at, token in enumerate(tokens) if token.kind != "whitespace"]
    return tokens[words[0] : words[-1] + 1] if words else ()


def source_text(tokens: Tokens) -> str:
    return "".join(token.text for token in tokens).strip()
