"""The node types of n8n that have a counterpart: each is a function in a file of its subject.

A function is given the node (`Asked`), adds the steps that take its place, and returns what it gives.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from flowforge.n8n.asking import Asked, Result

Map = Callable[[Asked], Result]


@dataclass(frozen=True, slots=True)
class NodeType:
    map: Map
    whole_list: bool = False
    """Whether it works on all items together; others are done for each item."""


_FOUND: dict[str, NodeType] = {}


def node(*types: str, whole_list: bool = False) -> Callable[[Map], Map]:
    """Declares the function for node types, by their names without the package."""

    def register(function: Map) -> Map:
        _FOUND.update({type_: NodeType(function, whole_list) for type_ in types})
        return function

    return register


@cache
def node_types() -> Mapping[str, NodeType]:
    for found in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{found.name}")
    return _FOUND
