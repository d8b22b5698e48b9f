"""Definitions from before a default changed its meaning: the old meaning is written into them, so that they go on doing
what they did.

- A workflow went on where an approval was refused.
- A text that an expression gave could hold several recipients of a mail.
"""

from __future__ import annotations

from typing import Any

from flowforge.jsonio import JsonObject
from flowforge.language.expressions.template import OPEN
from flowforge.language.tree import map_actions

_RECIPIENTS = ("to", "cc", "bcc")


def with_former_meanings(actions: Any) -> Any:
    """The actions, of whatever shape, and those inside them. What says already what it means is left alone."""
    return map_actions(actions, _with_former_meaning)


def _with_former_meaning(action: JsonObject) -> JsonObject:
    type_, config = str(action.get("type")).strip().upper(), action.get("config")
    if not isinstance(config, dict):
        return action
    if type_ == "WAIT" and config.get("for") == "approval" and "onReject" not in action:
        return {**action, "onReject": "continue"}
    if type_ == "SEND_EMAIL" and "severalAddresses" not in config and _has_computed_recipients(config):
        return {**action, "config": {**config, "severalAddresses": True}}
    return action


def _has_computed_recipients(config: JsonObject) -> bool:
    return any(isinstance(text := config.get(name), str) and OPEN in text for name in _RECIPIENTS)
