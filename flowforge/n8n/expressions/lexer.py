"""The tokens of an expression in JavaScript (ECMA-262, section 12)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from flowforge.sentences import sentence


class NotRead(Exception):
    """The text is outside the subset of JavaScript that is read; the message says why."""


class Token(NamedTuple):
    kind: str
    """`number`, `text`, `backtick`, `pattern`, `name`, `mark` or `end`."""
    text: str
    """Of a text what it stands for, of others what is written."""


_SPACE = re.compile(r"(?:\s|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_NAME = re.compile(r"[A-Za-z_$\u00a1-\uffff][\w$\u00a1-\uffff]*")
_MARK = re.compile(r"\.\.\.|===|!==|=>|\?\?|\?\.(?!\d)|\*\*|==|!=|<=|>=|&&|\|\||[-+*/%<>!?:.,(){}\[\]=;&|^~]")
_PATTERN = re.compile(r"/((?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)/([a-z]*)")
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": ""}
_VALUES = {"number", "text", "backtick", "name"}
_BEFORE_A_PATTERN = {"return", "typeof", "in", "instanceof"}


def tokens_of(source: str) -> list[Token]:
    """Raises NotRead."""
    found: list[Token] = []
    position = 0
    while position < len(source):
        space = _SPACE.match(source, position)
        if space:
            position = space.end()
            continue
        token, position = _token(source, position, found[-1] if found else None)
        found.append(token)
    return [*found, Token("end", "")]


def _token(source: str, at: int, before: Token | None) -> tuple[Token, int]:
    first = source[at]
    if first in "'\"":
        end = _end_of_quoted(source, at)
        return Token("text", unescape(source[at + 1 : end])), end + 1
    if first == "`":
        end = _end_of_backtick(source, at)
        return Token("backtick", source[at + 1 : end]), end + 1
    pattern = _PATTERN.match(source, at) if first == "/" and not _is_value(before) else None
    if pattern:
        return Token("pattern", pattern[0]), pattern.end()
    for kind, expression in (("number", _NUMBER), ("name", _NAME), ("mark", _MARK)):
        found = expression.match(source, at)
        if found:
            return Token(kind, found[0]), found.end()
    raise NotRead(sentence("the character '%(character)s' has no meaning here", character=first))


def _is_value(token: Token | None) -> bool:
    """Whether the token ends a value, so that `/` divides it."""
    if token is None or (token.kind == "name" and token.text in _BEFORE_A_PATTERN):
        return False
    return token.kind in _VALUES or token.text in (")", "]", "}")


def _end_of_quoted(source: str, at: int) -> int:
    position = at + 1
    while position < len(source) and source[position] != source[at]:
        position += 2 if source[position] == "\\" else 1
    if position >= len(source):
        raise NotRead(sentence("a text has no end"))
    return position


def _end_of_backtick(source: str, at: int) -> int:
    position, depth = at + 1, 0
    while position < len(source) and (depth or source[position] != "`"):
        if source.startswith("${", position):
            depth, position = depth + 1, position + 2
        elif depth and source[position] in "{}":
            depth, position = depth + (1 if source[position] == "{" else -1), position + 1
        elif depth and source[position] in "'\"":
            position = _end_of_quoted(source, position) + 1
        elif depth and source[position] == "`":
            position = _end_of_backtick(source, position) + 1
        else:
            position += 2 if source[position] == "\\" else 1
    if position >= len(source):
        raise NotRead(sentence("a text in backticks has no end"))
    return position


def backtick_parts(content: str) -> Iterator[tuple[bool, str]]:
    """The parts of a text in backticks: `(False, text)` and `(True, source)`."""
    position = 0
    while position < len(content):
        start = _start_of_value(content, position)
        if start > position:
            yield False, unescape(content[position:start])
        if start == len(content):
            return
        end = _end_of_value(content, start + 2)
        yield True, content[start + 2 : end]
        position = end + 1


def _start_of_value(content: str, position: int) -> int:
    while position < len(content) and not content.startswith("${", position):
        position += 2 if content[position] == "\\" else 1
    return min(position, len(content))


def _end_of_value(content: str, position: int) -> int:
    depth = 1
    while position < len(content):
        mark = content[position]
        if mark in "'\"":
            position = _end_of_quoted(content, position)
        elif mark == "`":
            position = _end_of_backtick(content, position)
        depth += (mark == "{") - (mark == "}")
        if not depth:
            return position
        position += 1
    raise NotRead(sentence("a value in backticks has no end"))


def unescape(text: str) -> str:
    return _ESCAPE.sub(_unescaped, text)


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    if code[0] in "ux" and len(code) > 1:
        number = int(code[1:].strip("{}"), 16)
        return chr(number) if number < 0x110000 else "\ufffd"
    return _SIMPLE.get(code, code)
