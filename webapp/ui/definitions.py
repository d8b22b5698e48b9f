"""A workflow's definition as a text that people write."""

from __future__ import annotations

import json

import orjson

from flowforge import jsonio
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.workflows.shown import ShownWorkflow

STARTER = """\
{
  "name": "Greet whoever calls",
  "trigger": {
    "type": "webhook"
  },
  "actions": [
    {
      "id": "greeting",
      "type": "TRANSFORM",
      "config": {
        "output": {
          "text": "Hello {{ trigger.body.name }}!",
          "sentBy": "{{ trigger.method }}"
        }
      }
    }
  ]
}
"""


def written(shown: ShownWorkflow) -> str:
    """Writes a workflow's own parts, secrets masked."""
    parts = {"name": shown.name, "trigger": shown.trigger, "actions": shown.actions}
    return json.dumps(jsonio.loads(jsonio.dumps(parts)), indent=2, ensure_ascii=False) + "\n"


def read_object(text: str) -> JsonObject:
    """Raises Invalid, with the line and column of the mistake."""
    try:
        value = jsonio.loads(text)
    except orjson.JSONDecodeError as error:
        where = f"at line {error.lineno}, column {error.colno}"
        raise Invalid.at("", f"this is not JSON: {error.msg}, {where}") from error
    if not isinstance(value, dict):
        raise Invalid.at("", "must be a JSON object: { … }")
    return value
