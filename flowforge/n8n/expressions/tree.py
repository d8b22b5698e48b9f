"""The syntax tree of an expression in JavaScript."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, a number, true, false, null, or undefined (as None)."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression."""

    source: str
    flags: str


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """`holder.key`, or `holder[key]`."""

    holder: Tree
    key: Tree


@dataclass(frozen=True, slots=True)
class Call:
    function: Tree
    arguments: tuple[Tree, ...]
    new: bool = False


@dataclass(frozen=True, slots=True)
class Unary:
    operator: str
    value: Tree


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Tree
    right: Tree


@dataclass(frozen=True, slots=True)
class Choice:
    test: Tree
    then: Tree
    otherwise: Tree


@dataclass(frozen=True, slots=True)
class Listing:
    members: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """An object that is written out."""

    pairs: tuple[tuple[Tree, Tree], ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """A text in backticks: literal parts and values."""

    parts: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """A function of one expression."""

    parameters: tuple[str, ...]
    body: Tree


Tree: TypeAlias = Literal | Pattern | Name | Member | Call | Unary | Binary | Choice | Listing | Fields | Joined | Arrow
