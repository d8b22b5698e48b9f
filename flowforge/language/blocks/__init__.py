"""All blocks there are: each file of this package declares one."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from flowforge.language.block import Block, InnerRoot
from flowforge.language.bodies import BodyKind


def _declared() -> dict[str, Block[Any]]:
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return {module.BLOCK.type: module.BLOCK for module in modules}


BLOCKS: Mapping[str, Block[Any]] = _declared()
"""All blocks by type."""
INNER_ROOTS: Mapping[str, InnerRoot] = {
    name: root for block in BLOCKS.values() for name, root in block.inner_roots.items()
}
"""The roots of expressions that exist only inside one of them."""


def body_kind(type_: str, key: str) -> BodyKind:
    """The kind of a list inside an action of that type; `key`: `branches`, `else`, `actions`, `onReject` or
    `onError`."""
    if key == "onError":
        return BodyKind.HANDLER
    if key == "onReject":
        return BodyKind.REJECTION
    if key == "actions":
        return BodyKind.LOOP
    block = BLOCKS.get(type_)
    return block.bodies.kind_of_branches if block else BodyKind.BRANCH
