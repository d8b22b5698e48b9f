"""An expression, read as rows of conditions: taken apart by its words and brackets, so that each side stays as it was
written. What was read is written again: unless that is the same expression, it is more than rows can say."""

from __future__ import annotations

import re

from flowforge.language.evaluation.meter import Failure
from flowforge.language.expressions.syntax import MAX_LENGTH, parse, tokens_of
from webapp.ui.conditions.operands import text_of
from webapp.ui.conditions.rows import Group, Match, Member, Row
from webapp.ui.conditions.tokens import Tokens, inside, is_word, source_text, split, strip, top_level, unwrapped
from webapp.ui.conditions.writing import source_of

_COMPARISONS = ("==", "!=", ">", ">=", "<", "<=")
_BRACES = re.compile(r"\{\{(.*)\}\}", re.DOTALL)
_CONDITIONALS = ("if", "else")


class _MoreThanRows(Exception):
    pass


def read_condition(text: str) -> Group | None:
    """The rows of a condition; without any of an empty text. None where only an expression can say it."""
    found = _BRACES.fullmatch(text.strip())
    if found is not None and len(found[1]) > MAX_LENGTH:
        return None
    if found is None:
        return None if text.strip() else Group("all", ())
    try:
        group = _group(strip(tokens_of(found[1])))
    except (Failure, _MoreThanRows):
        return None
    return group if _is_same(source_of(group), found[1].strip()) else None


def _is_same(written: str, source: str) -> bool:
    if written == source:
        return True
    try:
        return parse(written).tree == parse(source).tree
    except Failure:
        return False


def _group(tokens: Tokens) -> Group:
    match, parts = _parts(tokens)
    return Group(match, tuple(_member(part) for part in parts))


def _parts(tokens: Tokens) -> tuple[Match, list[Tokens]]:
    """The parts between `or`, else those between `and`; `and` binds closer."""
    alternatives = split(tokens, "or")
    return ("any", alternatives) if len(alternatives) > 1 else ("all", split(tokens, "and"))


def _member(tokens: Tokens) -> Member:
    inner = unwrapped(tokens)
    match, parts = _parts(inner)
    return Group(match, tuple(map(_row, parts))) if len(parts) > 1 else _row(tokens)


def _row(tokens: Tokens) -> Row:
    tokens = unwrapped(strip(tokens))
    if not tokens:
        return Row()
    if len(_parts(tokens)[1]) > 1 or any(is_word(tokens[at], *_CONDITIONALS) for at in top_level(tokens)):
        raise _MoreThanRows
    for read in (_comparison, _existence, _negation, _filtered):
        if row := read(tokens):
            return row
    return Row(source_text(tokens), "truthy")


def _comparison(tokens: Tokens) -> Row | None:
    found = [at for at in top_level(tokens) if _is_comparison(tokens, at)]
    if len(found) > 1:
        raise _MoreThanRows
    if not found:
        return None
    before, word, after = tokens[: found[0]], tokens[found[0]].text, tokens[found[0] + 1 :]
    if word == "in":
        return _search(before, after)
    right = source_text(after)
    if word == "==" and right in ("true", "false"):
        return Row(source_text(before), right)
    return Row(source_text(before), word, text_of(right))


def _is_comparison(tokens: Tokens, at: int) -> bool:
    """Not the test after `is`, which may have the same name."""
    token, before = tokens[at], strip(tokens[:at])
    is_test = bool(before) and is_word(before[-1], "is")
    return (token.kind == "operator" and token.text in _COMPARISONS) or (is_word(token, "in") and not is_test)


def _search(item: Tokens, container: Tokens) -> Row:
    item, container = strip(item), strip(container)
    lacks = bool(item) and is_word(item[-1], "not")
    item = item[:-1] if lacks else item
    if not lacks and (members := inside(container, "[", "]")) is not None:
        texts = [text_of(source_text(part)) for part in split(members, ",")]
        return Row(source_text(item), "in", ", ".join(text for text in texts if text))
    return Row(source_text(container), "lacks" if lacks else "contains", text_of(source_text(item)))


def _existence(tokens: Tokens) -> Row | None:
    left, words = _ending(tokens, "is", "not", "defined")
    if words:
        return Row(left, "absent")
    left, words = _ending(tokens, "is", "defined")
    return Row(left, "exists") if words else None


def _negation(tokens: Tokens) -> Row | None:
    if not is_word(tokens[0], "not"):
        return None
    inner = unwrapped(strip(tokens[1:]))
    left, words = _ending(inner, "|", "default", "(", "none", ")")
    if words:
        return Row(left, "empty")
    if inner and is_word(inner[0], "not"):
        raise _MoreThanRows
    row = _row(inner) if inner else Row("", "truthy")
    if row.operator != "truthy":
        raise _MoreThanRows
    return Row(row.left, "falsy")


def _filtered(tokens: Tokens) -> Row | None:
    left, words = _ending(tokens, "|", "default", "(", "none", ")")
    if words:
        return Row(left, "filled")
    at = next((at for at in reversed(top_level(tokens)) if tokens[at].text == "|"), None)
    call = strip(tokens[at + 1 :]) if at is not None else ()
    argument = inside(strip(call[1:]), "(", ")") if call and is_word(call[0], "regex_test") else None
    if argument is None or len(split(argument, ",")) > 1:
        return None
    return Row(source_text(tokens[:at]), "matches", text_of(source_text(argument)))


def _ending(tokens: Tokens, *texts: str) -> tuple[str, bool]:
    """What stands before the texts, and whether the tokens end with them."""
    words = [at for at, token in enumerate(tokens) if token.kind != "whitespace"][-len(texts) :]
    if [tokens[at].text for at in words] != [*texts]:
        return "", False
    return source_text(tokens[: words[0]]), True
