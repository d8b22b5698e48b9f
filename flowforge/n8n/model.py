"""A workflow of n8n's as it was read: nodes, and the links between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flowforge.jsonio import JsonObject

MAIN = "main"
"""The kind of links along which items flow; the others (`ai_tool`, ...) give a node its parts."""


_ITEM_LISTS = {"splitOutItems": "splitOut", "aggregateItems": "aggregate", "concatenateItems": "aggregate"}
"""The operations of Item Lists whose nodes have other names."""


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    type: str
    """With its package, such as `n8n-nodes-base.slack`."""
    version: float
    parameters: JsonObject
    credentials: Mapping[str, str] = field(default_factory=dict)
    """Names of credentials by their types."""
    disabled: bool = False
    on_error: str = "stopWorkflow"
    tries: int = 1
    seconds_between_tries: float = 1.0
    once: bool = False
    """Whether it looks at the first item only."""
    notes: str = ""
    webhook_id: str = ""

    @property
    def kind(self) -> str:
        """Its type without the package; of Item Lists, the node that its operation has become."""
        kind = self.type.rsplit(".", 1)[-1]
        if kind != "itemLists":
            return kind
        operation = str(self.parameters.get("operation", "splitOutItems"))
        return _ITEM_LISTS.get(operation, operation)


@dataclass(frozen=True, slots=True)
class Link:
    source: str
    output: int
    target: str
    input: int
    kind: str = MAIN


@dataclass(frozen=True)
class Workflow:
    name: str
    nodes: Mapping[str, Node]
    links: Sequence[Link]
    pins: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """Items that were pinned to nodes, as their JSON."""
    notes: Sequence[str] = ()
    """Texts of its sticky notes."""
    time_zone: str | None = None
    id: str = ""
    """By which other workflows call it."""
    remarks: Sequence[str] = ()
    """Parts of the file that could not be used."""

    @cached_property
    def _out(self) -> Mapping[str, list[Link]]:
        return _grouped(self.links, "source")

    @cached_property
    def _in(self) -> Mapping[str, list[Link]]:
        return _grouped(self.links, "target")

    @property
    def called_by(self) -> str:
        """What others, and itself, call it by; its name where the file has no id."""
        return self.id or self.name

    def links_from(self, name: str) -> list[Link]:
        """The links along which its items go on."""
        return [link for link in self._out.get(name, ()) if link.kind == MAIN]

    def links_to(self, name: str) -> list[Link]:
        return [link for link in self._in.get(name, ()) if link.kind == MAIN]

    def parts_of(self, name: str, kind: str) -> list[Node]:
        """The nodes that are linked to it as its parts of that kind, such as `ai_tool`."""
        return [self.nodes[link.source] for link in self._in.get(name, ()) if link.kind == kind]

    def is_part(self, name: str) -> bool:
        """Whether it only serves another node."""
        return any(link.kind != MAIN for link in self._out.get(name, ()))


def _grouped(links: Sequence[Link], end: str) -> Mapping[str, list[Link]]:
    groups: dict[str, list[Link]] = {}
    for link in links:
        groups.setdefault(getattr(link, end), []).append(link)
    return groups
