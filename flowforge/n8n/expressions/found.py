"""What a part of an expression can lead to: a value, or something that only together with what follows is one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

from flowforge.n8n.data import Data, Output
from flowforge.n8n.expressions.writing import Piece


class Place(Protocol):
    """The data that an expression can refer to, where it stands."""

    @property
    def zone(self) -> str:
        """The time zone of the workflow."""

    @property
    def depth(self) -> int:
        """How many loops are around it."""

    @property
    def given(self) -> Output:
        """What flows into the node."""

    @property
    def resumed_by(self) -> str | None:
        """The id of the step that waits for a call; None where there is none, or more than one."""

    def node(self, name: str) -> Output | None:
        """What another node gave; None where it has not run by then."""


@dataclass(frozen=True, slots=True)
class NodeOf:
    """`$('name')`, `$node['name']` or `$input`; of a node that has not run by then, without output."""

    output: Output | None


@dataclass(frozen=True, slots=True)
class ItemOf:
    """`$('name').item`, `.first()`, or a member of `.all()`."""

    data: Data
    output: Output


@dataclass(frozen=True, slots=True)
class ItemsOf:
    """`$('name').all()`."""

    output: Output


@dataclass(frozen=True, slots=True)
class FilesOf:
    """`$binary`, or the `binary` of an item."""

    output: Output


@dataclass(frozen=True, slots=True)
class PatternOf:
    """A regular expression, before it is used."""

    source: str
    flags: str


@dataclass(frozen=True, slots=True)
class Group:
    """A name that only has a meaning together with what follows: `Math`, `$workflow`, `$node`."""

    name: str


Found: TypeAlias = Piece | Data | NodeOf | ItemOf | ItemsOf | FilesOf | PatternOf | Group
