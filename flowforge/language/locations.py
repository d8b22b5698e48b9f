"""Locations of the actions of a definition, whether it is read or still being written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from flowforge.language.bodies import BodyKind
from flowforge.language.pointers import Part

Path = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A list of actions that something stands in, other than the workflow's own."""

    owner: Location
    """The action that has the list."""
    kind: BodyKind
    body: Path
    """Path from the owner to the list: `("branches", 0, "actions")`."""


@dataclass(frozen=True, slots=True)
class Location(ABC):
    """The location of an action."""

    index: int
    """Its number among all actions of the workflow, from 0, in the order in which they are written."""
    path: Path
    enclosures: tuple[Enclosure, ...]
    """The lists around it, the outermost first."""

    @property
    @abstractmethod
    def own_id(self) -> str | None:
        """The id that is written, if any."""

    @property
    @abstractmethod
    def type(self) -> str:
        """Its type, in capitals."""

    @property
    @abstractmethod
    def runs(self) -> bool:
        """False where it is disabled itself."""

    @property
    @abstractmethod
    def config(self) -> Mapping[str, Any]:
        """Its config; empty where it has none."""

    @property
    def key(self) -> str:
        """The name under which its output is recorded (contract.md, section 7)."""
        return f"step_{self.index}"

    @property
    def id(self) -> str:
        """Its own id, or the one by its number."""
        return self.own_id or self.key

    def is_inside(self, owner: Location) -> bool:
        return any(inner.owner.path == owner.path for inner in self.enclosures)


@dataclass(frozen=True, slots=True)
class End(Location):
    """The point behind the last action of a workflow."""

    own_id = None
    type = ""
    runs = True
    config: ClassVar[Mapping[str, Any]] = {}
