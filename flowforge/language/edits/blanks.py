"""New steps, with nothing filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.language.blocks import BLOCKS
from flowforge.language.bodies import Bodies
from flowforge.language.edits.names import ids_in, make_fresh_id


def blank(definition: Mapping[str, Any], type_: str, *, called: str = "") -> JsonObject:
    """A new step of that type, with an unused id: made from `called` (`listPets`), or from the type."""
    block = BLOCKS.get(type_)
    action = _empty_action(definition, type_, _as_id(called))
    bodies = _empty_bodies(block.bodies) if block else {}
    if block is not None and block.begins_with is not None:
        bodies["actions"] = [_empty_action(definition, block.begins_with)]
    return action | bodies


def _empty_action(definition: Mapping[str, Any], type_: str, base: str = "") -> JsonObject:
    return {"id": make_fresh_id(base or type_.lower(), ids_in(definition.get("actions"))), "type": type_, "config": {}}


def _empty_bodies(bodies: Bodies) -> JsonObject:
    match bodies:
        case Bodies.BRANCHES:
            return {"branches": [{"name": "yes", "when": "", "actions": []}], "else": []}
        case Bodies.LANES:
            return {"branches": [{"name": "one", "actions": []}, {"name": "other", "actions": []}]}
        case Bodies.ACTIONS:
            return {"actions": []}
        case Bodies.NONE:
            return {}


def _as_id(name: str) -> str:
    """`listPets` as `list_pets`; empty where nothing of the name can stand in an id."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    id_ = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")[:50]
    return f"_{id_}" if re.match(r"\d|step_\d+$", id_) else id_
