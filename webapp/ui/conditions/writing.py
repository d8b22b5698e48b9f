"""Rows of conditions, written as an expression. Rows that are not filled in stay visible as what is missing: such an
expression cannot be read, so it is reported, and never compares with something that nobody wrote."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jinja2 import nodes

from flowforge.language.evaluation.meter import Failure
from flowforge.language.expressions.syntax import parse, tokens_of
from flowforge.language.expressions.template import CLOSE, OPEN
from webapp.ui.conditions.operands import bare, literal_of
from webapp.ui.conditions.rows import Group, Member, Row
from webapp.ui.conditions.tokens import inside

_LOOSE = (nodes.Compare, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr)
"""Expressions that stand in brackets beside an operator."""
_TIGHT = (nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.List, nodes.Dict)
"""Expressions that need no brackets before a filter or a test."""


def write_condition(group: Group) -> str:
    """The condition inside its braces; nothing where there are no rows."""
    return f"{OPEN} {source_of(group)} {CLOSE}" if group.members else ""


def source_of(group: Group) -> str:
    word = " and " if group.match == "all" else " or "
    if len(group.members) == 1:
        return _source_of_member(group.members[0])
    return word.join(_as_part(member) for member in group.members)


def _as_part(member: Member) -> str:
    source = _source_of_member(member)
    is_whole = isinstance(member, Row) and not isinstance(_tree(source), nodes.And | nodes.Or | nodes.CondExpr)
    return source if is_whole else _bracketed(source)


def _source_of_member(member: Member) -> str:
    return source_of(member) if isinstance(member, Group) else _source_of_row(member)


def _source_of_row(row: Row) -> str:
    left, is_condition = bare(row.left), isinstance(_tree(bare(row.left)), _LOOSE)
    if row.is_blank:
        return "=="
    if is_condition and not row.right:  # somebody wrote all of the condition into its first field
        return left
    return _WRITERS.get(row.operator, _compare)(row, left).strip()


def _compare(row: Row, left: str) -> str:
    operator = row.operator if row.operator in _COMPARISONS else "=="
    return f"{_beside(left)} {operator} {_beside(literal_of(row.right))}"


def _search(word: str) -> Callable[[Row, str], str]:
    return lambda row, left: f"{_beside(literal_of(row.right))} {word} {_beside(left)}"


def _one_of(row: Row, left: str) -> str:
    """`[,]` for no values: unlike an empty list, that is reported."""
    texts = [text for text in row.right.split(",") if text.strip()]
    return f"{_beside(left)} in [{', '.join(map(literal_of, texts)) or ','}]"


def _match(row: Row, left: str) -> str:
    return f"{_before_filter(left)} | regex_test({literal_of(row.right)})"


def _after(text: str) -> Callable[[Row, str], str]:
    return lambda _, left: f"{_before_filter(left)} {text}"


def _is_true(value: str) -> Callable[[Row, str], str]:
    return lambda _, left: f"{_beside(left)} == {value}"


def _negated(text: str) -> Callable[[Row, str], str]:
    return lambda _, left: f"not {_before_filter(left)} {text}"


_COMPARISONS = ("==", "!=", ">", ">=", "<", "<=")
_WRITERS: Mapping[str, Callable[[Row, str], str]] = {
    "contains": _search("in"),
    "lacks": _search("not in"),
    "in": _one_of,
    "matches": _match,
    "true": _is_true("true"),
    "false": _is_true("false"),
    "filled": _after("| default(none)"),
    "empty": _negated("| default(none)"),
    "exists": _after("is defined"),
    "absent": _after("is not defined"),
    "truthy": lambda _, left: left,
    "falsy": _negated(""),
}


def _beside(operand: str) -> str:
    return _bracketed(operand) if isinstance(_tree(operand), _LOOSE) else operand


def _before_filter(operand: str) -> str:
    tree = _tree(operand)
    return operand if tree is None or isinstance(tree, _TIGHT) else _bracketed(operand)


def _bracketed(source: str) -> str:
    return source if _is_in_brackets(source) else f"({source})"


def _is_in_brackets(source: str) -> bool:
    try:
        return inside(tokens_of(source), "(", ")") is not None
    except Failure:
        return False


def _tree(source: str) -> nodes.Expr | None:
    """None for what cannot be read."""
    try:
        return parse(source).tree
    except Failure:
        return None
