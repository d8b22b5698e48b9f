"""What a step's type is called, and its icon."""

from __future__ import annotations

from flowforge.connectors.catalog import Catalog
from flowforge.language.blocks import BLOCKS

ICONS = {"slack": "message", "globe": "globe", "shuffle": "shuffle", "mail": "mail", "table": "table"}
"""Of connectors, by the name they declare."""
BLOCK_ICONS = {
    "BRANCH": "branch",
    "FOR_EACH": "loop",
    "PARALLEL": "parallel",
    "WAIT": "clock",
    "RUN_WORKFLOW": "workflows",
    "STOP": "stop",
    "RESPOND": "reply",
}


def kind_of(catalog: Catalog, type_: str) -> tuple[str, str]:
    """Of a type that nobody knows, too."""
    if type_ in BLOCKS:
        return BLOCKS[type_].title, BLOCK_ICONS[type_]
    if type_ in catalog.types():
        connector = catalog.get(type_)
        return connector.title, ICONS.get(connector.icon, "step")
    return type_ or "No type", "alert"
