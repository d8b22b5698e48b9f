"""What steps and their types are called, and their icons."""

from __future__ import annotations

import re

from flowforge.connectors.catalog import Catalog
from flowforge.language.blocks import BLOCKS

BLOCK_ICONS = {
    "BRANCH": "branch",
    "FOR_EACH": "loop",
    "PARALLEL": "parallel",
    "WAIT": "clock",
    "RUN_WORKFLOW": "workflows",
    "STOP": "stop",
    "RESPOND": "reply",
}
ALSO_CALLED = {
    "BRANCH": "if switch filter decide",
    "FOR_EACH": "loop iterate repeat",
    "PARALLEL": "split fork",
    "WAIT": "delay sleep pause approval",
    "RUN_WORKFLOW": "call subworkflow",
    "STOP": "end exit fail",
    "RESPOND": "answer reply return webhook",
}
"""What people look for who know a step's type from elsewhere."""


def kind_of(catalog: Catalog, type_: str) -> tuple[str, str]:
    """Of a type that nobody knows, too."""
    if type_ in BLOCKS:
        return BLOCKS[type_].title, BLOCK_ICONS[type_]
    if type_ in catalog.types():
        connector = catalog.get(type_)
        return connector.title, connector.icon
    return type_ or "No type", "alert"


def title_of(catalog: Catalog, type_: str, name: str | None, id_: str | None) -> str:
    """What every page calls a step: its name, else the id that somebody has chosen for it, else its type."""
    chosen = id_ if id_ and not re.fullmatch(rf"{re.escape(type_)}(_\d+)?", id_, re.IGNORECASE) else None
    return name or chosen or kind_of(catalog, type_)[0]
