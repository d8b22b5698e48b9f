"""The workflow that an action calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from flowforge.language.blocks import BLOCKS


class CalledWorkflow(NamedTuple):
    """The field and the value by which an action's config names the workflow it calls."""

    field: str
    named: Any
    """An id, a key, an expression, or whatever else stands there."""


def called_workflow(action: Mapping[str, Any]) -> CalledWorkflow | None:
    """Find the workflow that a stored action calls; None where it calls none or does not say which. The action may have
    any shape."""
    block, config = BLOCKS.get(str(action.get("type")).strip().upper()), action.get("config")
    if block is None or block.workflow_field is None or not isinstance(config, dict):
        return None
    named = config.get(block.workflow_field)
    return None if named is None else CalledWorkflow(block.workflow_field, named)
