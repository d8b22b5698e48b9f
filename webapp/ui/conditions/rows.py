"""Conditions as rows: a value, an operator, and what it is compared with; several of them in groups."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from webapp.translation.texts import lazy

Match = Literal["all", "any"]

OPERATORS: Mapping[str, str] = {
    "==": lazy("is"),
    "!=": lazy("is not"),
    ">": lazy("is greater than"),
    ">=": lazy("is at least"),
    "<": lazy("is less than"),
    "<=": lazy("is at most"),
    "contains": lazy("contains"),
    "lacks": lazy("does not contain"),
    "in": lazy("is one of"),
    "matches": lazy("matches regex"),
    "true": lazy("is true"),
    "false": lazy("is false"),
    "filled": lazy("is not empty"),
    "empty": lazy("is empty"),
    "exists": lazy("exists"),
    "absent": lazy("does not exist"),
    "truthy": lazy("is truthy"),
    "falsy": lazy("is falsy"),
}
UNARY = frozenset({"true", "false", "filled", "empty", "exists", "absent", "truthy", "falsy"})
"""Operators without a right side."""


@dataclass(frozen=True, slots=True)
class Row:
    left: str = ""
    """An expression without braces: `trigger.body.total`."""
    operator: str = "=="
    right: str = ""
    """A number, true, false, an expression inside braces, a text; of `in` several, separated by commas."""

    @property
    def is_blank(self) -> bool:
        return not (self.left or self.right)


@dataclass(frozen=True, slots=True)
class Group:
    match: Match
    """Whether all of its members have to hold, or any of them."""
    members: tuple[Member, ...]

    @property
    def rows(self) -> Iterator[Row]:
        for member in self.members:
            yield from (member,) if isinstance(member, Row) else member.rows


Member = Row | Group


def without_blanks(group: Group) -> Group:
    """The group without rows that say nothing, and without groups that have no others."""
    kept = (without_blanks(each) if isinstance(each, Group) else each for each in group.members)
    return Group(group.match, tuple(each for each in kept if any(not row.is_blank for row in _rows(each))))


def _rows(member: Member) -> Iterator[Row]:
    return iter((member,)) if isinstance(member, Row) else member.rows
