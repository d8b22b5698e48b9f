"""Parse the text between `{{` and `}}` to a syntax tree. The grammar is Jinja2's, and so is the parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.parser import Parser

from flowforge.language.evaluation.meter import Failure
from flowforge.sentences import Count, sentence

MAX_LENGTH = 2_000
"""Characters of one expression."""
MAX_DEPTH = 50
"""Levels of its syntax tree: brackets, and terms of a chain."""
MAX_NODES = 400
_UNEXPECTED = re.compile(r"unexpected ('.*')")
_EXPECTED = re.compile(r"expected token ('.*'), got ('.*')")
_ENDS = ("'end of print statement'", "'end of template'")

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
        raise Failure(sentence("this is not an expression: %(mistake)s", mistake=_reword(error))) from error
    if any(token.kind == "variable_end" for token in tokens):
        raise Failure(sentence("the expression ends before its end"))
    return tokens


def parse(source: str) -> Parsed:
    """Raises Failure when it is not one expression, or a larger one than the limits allow."""
    if not source.strip():
        raise Failure(sentence("there is nothing between {{ and }}"))
    if len(source) > MAX_LENGTH:
        raise Failure(
            sentence(
                "an expression may have %(most)s characters; this one has %(count)s",
                most=Count(MAX_LENGTH),
                count=Count(len(source)),
            )
        )
    tree = _parse(source)
    return Parsed(tree, _size(tree))


def _parse(source: str) -> nodes.Expr:
    try:
        parser = Parser(_GRAMMAR, source, state="variable")
        tree = parser.parse_expression()
    except TemplateSyntaxError as error:
        raise Failure(sentence("this is not an expression: %(mistake)s", mistake=_reword(error))) from error
    except RecursionError as error:
        raise _too_complex() from error
    except ValueError as error:
        raise Failure(sentence("a number in it cannot be read")) from error
    if not parser.stream.eos:
        raise Failure(sentence("the expression should end before %(found)s", found=repr(parser.stream.current.value)))
    return tree


def _reword(error: TemplateSyntaxError) -> str:
    message = error.message or sentence("it cannot be read")
    unexpected = _UNEXPECTED.fullmatch(message)
    if unexpected:
        if unexpected[1] in _ENDS:
            return sentence("something is missing at its end")
        return sentence("something is missing before %(token)s", token=unexpected[1])
    message = message.replace("end of print statement", "its end").replace("end of template", "its end").rstrip(".")
    expected = _EXPECTED.fullmatch(message)
    if message == "expected name or number":
        return sentence("expected name or number")
    if expected:
        return sentence("expected token %(expected)s, got %(found)s", expected=expected[1], found=expected[2])
    return message


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
    return Failure(sentence("the expression is nested too deeply or has too many parts; split it over several steps"))
