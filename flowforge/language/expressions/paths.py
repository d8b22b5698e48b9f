"""Paths in a syntax tree: `steps.fetch.items[0]`, and which of them an expression refers to.

What an expression on `item` says of its members (`rows | map(item.price)`) refers to nothing outside of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from jinja2 import nodes

from flowforge.language.evaluation.item_expressions import ITEM, ITEM_ROOTS, OUTER
from flowforge.language.evaluation.lookup import THIS_VALUE
from flowforge.language.filters.all_filters import FILTERS
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
    """Every path in the tree that leads to data outside of it, from left to right."""
    return list(_references(tree, optional=False))


def expression_on_item(node: nodes.Filter) -> nodes.Expr | None:
    """The argument of a filter that is evaluated for each member of its list; None where it has none."""
    argument = _possibly_on_item(node)
    is_one = argument is not None and any(used.root in ITEM_ROOTS for used in path_references(argument))
    return argument if is_one else None


def _references(node: nodes.Node, *, optional: bool) -> Iterator[PathReference]:
    keys = constant_path(node)
    if keys is not None:
        yield PathReference(str(keys[0]), keys[1:], optional)
        return
    tests_existence = isinstance(node, nodes.Filter | nodes.Test) and node.name in EXISTENCE_TESTS
    subject = node.node if isinstance(node, nodes.Filter | nodes.Test) else None
    within = optional and isinstance(node, nodes.Getattr | nodes.Getitem)
    on_item = _possibly_on_item(node) if isinstance(node, nodes.Filter) else None
    for child in node.iter_child_nodes():
        found = _references(child, optional=within or (tests_existence and child is subject))
        is_on_item = on_item is not None and on_item is (child.value if isinstance(child, nodes.Keyword) else child)
        yield from _seen_from_outside(list(found)) if is_on_item else found


def _possibly_on_item(node: nodes.Filter) -> nodes.Expr | None:
    if node.name not in FILTERS:
        return None
    return FILTERS[node.name].on_item_among(node.args, {str(keyword.key): keyword.value for keyword in node.kwargs})


def _seen_from_outside(used: list[PathReference]) -> list[PathReference]:
    """The references of an argument that may be an expression on `item`. If it is one, `item` and `index` are its own,
    and `outer` is the `item` around it."""
    if all(each.root not in ITEM_ROOTS for each in used):
        return used
    return [
        replace(each, root=ITEM) if each.root == OUTER else each
        for each in used
        if each.root == OUTER or each.root not in ITEM_ROOTS
    ]


def _is_key(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
