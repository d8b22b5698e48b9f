"""Paths in a syntax tree: `steps.fetch.items[0]`, and which of them an expression refers to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from jinja2 import nodes

from flowforge.language.evaluation.lookup import THIS_VALUE
from flowforge.language.pointers import Part, dotted

EXISTENCE_TESTS = {"default", "d", "defined", "undefined"}


@dataclass(frozen=True, slots=True)
class PathReference:
    """A name the expression uses, with the keys after it as far as they are written out."""

    root: str
    keys: tuple[Part, ...]
    optional: bool
    """Whether the expression provides for its absence."""


def constant_path(node: nodes.Node) -> tuple[Part, ...] | None:
    """The root and the keys, where all of them are written out; None for any other node."""
    keys: list[Part] = []
    while not isinstance(node, nodes.Name):
        if isinstance(node, nodes.Getattr):
            keys.append(node.attr)
        elif isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and _is_key(node.arg.value):
            keys.append(node.arg.value)
        else:
            return None
        node = node.node
    keys.append(node.name)
    return tuple(reversed(keys))


def trail(node: nodes.Node) -> str:
    """Describe the node's value as messages name it."""
    keys = constant_path(node)
    return THIS_VALUE if keys is None else dotted(keys)


def path_references(tree: nodes.Node) -> list[PathReference]:
    """Every path in the tree, from left to right."""
    return list(_references(tree, optional=False))


def _references(node: nodes.Node, *, optional: bool) -> Iterator[PathReference]:
    keys = constant_path(node)
    if keys is not None:
        yield PathReference(str(keys[0]), keys[1:], optional)
        return
    tests_existence = isinstance(node, nodes.Filter | nodes.Test) and node.name in EXISTENCE_TESTS
    subject = node.node if isinstance(node, nodes.Filter | nodes.Test) else None
    within = optional and isinstance(node, nodes.Getattr | nodes.Getitem)
    for child in node.iter_child_nodes():
        yield from _references(child, optional=within or (tests_existence and child is subject))


def _is_key(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
