"""Parse the text between `{{` and `}}` to a syntax tree. The grammar is Jinja2's, and so is the parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.parser import Parser

from flowforge.language.evaluation.meter import Failure

MAX_LENGTH = 2_000
"""Characters of one expression."""
MAX_DEPTH = 50
"""Levels of its syntax tree: brackets, and terms of a chain."""
MAX_NODES = 400
_UNEXPECTED = re.compile(r"unexpected ('.*')")
_PLACES = {"'end of print statement'": "at its end", "'end of template'": "at its end"}

# Used for its grammar alone: Jinja2 neither compiles nor runs anything here.
_GRAMMAR = Environment(autoescape=False)  # noqa: S701 - it renders nothing


class Parsed(NamedTuple):
    tree: nodes.Expr
    size: int
    """Nodes of the tree."""


class Token(NamedTuple):
    kind: str
    """Jinja2's name for it: `name`, `operator`, `string`, `whitespace`, ..."""
    text: str


def tokens_of(source: str) -> list[Token]:
    """The source, taken apart without any loss. Raises Failure where a part of it cannot be read."""
    try:
        tokens = [Token(kind, text) for _, kind, text in _GRAMMAR.lexer.tokeniter(source, None, state="variable")]
    except TemplateSyntaxError as error:
        raise Failure(f"this is not an expression: {_reword(error)}") from error
    if any(token.kind == "variable_end" for token in tokens):
        raise Failure("the expression ends before its end")
    return tokens


def parse(source: str) -> Parsed:
    """Raises Failure when it is not one expression, or a larger one than the limits allow."""
    if not source.strip():
        raise Failure("there is nothing between {{ and }}")
    if len(source) > MAX_LENGTH:
        raise Failure(f"an expression may have {MAX_LENGTH:,} characters; this one has {len(source):,}")
    tree = _parse(source)
    return Parsed(tree, _size(tree))


def _parse(source: str) -> nodes.Expr:
    try:
        parser = Parser(_GRAMMAR, source, state="variable")
        tree = parser.parse_expression()
    except TemplateSyntaxError as error:
        raise Failure(f"this is not an expression: {_reword(error)}") from error
    except RecursionError as error:
        raise _too_complex() from error
    except ValueError as error:
        raise Failure("a number in it cannot be read") from error
    if not parser.stream.eos:
        raise Failure(f"the expression should end before {parser.stream.current.value!r}")
    return tree


def _reword(error: TemplateSyntaxError) -> str:
    message = error.message or "it cannot be read"
    unexpected = _UNEXPECTED.fullmatch(message)
    if unexpected:
        return f"something is missing {_PLACES.get(unexpected[1], f'before {unexpected[1]}')}"
    return message.replace("end of print statement", "its end").replace("end of template", "its end").rstrip(".")


def _size(tree: nodes.Node) -> int:
    """Raises Failure where it is larger or deeper than it may be."""
    count = 0
    for count, (_, depth) in enumerate(_walk(tree), start=1):
        if depth > MAX_DEPTH or count > MAX_NODES:
            raise _too_complex()
    return count


def _walk(tree: nodes.Node) -> Iterator[tuple[nodes.Node, int]]:
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((child, depth + 1) for child in node.iter_child_nodes())


def _too_complex() -> Failure:
    return Failure("the expression is nested too deeply or has too many parts; split it over several steps")
