"""A workflow's definition as a text that people write."""

from __future__ import annotations

import json
from dataclasses import dataclass

import orjson

from flowforge import jsonio
from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.language.blocks import BLOCKS
from flowforge.sentences import sentence
from flowforge.triggers.kinds import trigger_kinds
from flowforge.workflows.views import WorkflowView

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


@dataclass(frozen=True)
class DefinitionHelp:
    """Lists the types that a definition may name, for those who write it as a text."""

    trigger_types: list[str]
    action_types: list[str]
    """Of steps and of blocks, sorted."""


def definition_help() -> DefinitionHelp:
    return DefinitionHelp(list(trigger_kinds()), sorted([*load_catalog().types(), *BLOCKS]))


def written(workflow: WorkflowView) -> str:
    """Writes a workflow's own parts, secrets masked."""
    parts = {"name": workflow.name, "trigger": workflow.trigger, "actions": workflow.actions}
    return json.dumps(jsonio.loads(jsonio.dumps(parts)), indent=2, ensure_ascii=False) + "\n"


def read_object(text: str) -> JsonObject:
    """Raises Invalid, with the line and column of the mistake."""
    try:
        value = jsonio.loads(text)
    except orjson.JSONDecodeError as error:
        mistake = sentence(
            "this is not JSON: %(error)s, at line %(line)s, column %(column)s",
            error=error.msg,
            line=error.lineno,
            column=error.colno,
        )
        raise Invalid.at("", mistake) from error
    if not isinstance(value, dict):
        raise Invalid.at("", sentence("must be a JSON object: { … }"))
    return value
