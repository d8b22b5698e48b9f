"""Steps that stand beside or in place of those of a node: values in JavaScript, retries, what could not be mapped."""

from __future__ import annotations

from collections.abc import Sequence

from flowforge import jsonio
from flowforge.jsonio import JsonObject
from flowforge.language.blocks import BLOCKS
from flowforge.n8n.expressions.found import Place
from flowforge.n8n.javascript import CODE_SECONDS, code_for_values
from flowforge.n8n.model import Node
from flowforge.n8n.names import Names, shortened
from flowforge.n8n.values import Computed, literal

_LONGEST_PARAMETERS = 20_000


def disabled_step(node: Node, reason: str, names: Names) -> JsonObject:
    """A step that says what the node was, and why it is missing."""
    parameters = jsonio.indented(node.parameters) if node.parameters else ""
    output = {"node": node.type, "missing": reason, "parameters": parameters[:_LONGEST_PARAMETERS]}
    return {
        "id": names.new(node.name, node.name),
        "name": shortened(f"Missing: {node.name}"),
        "type": "TRANSFORM",
        "enabled": False,
        "config": {"output": {key: literal(text) for key, text in output.items()}},
    }


def code_before(computed: Computed, place: Place, node: Node) -> list[JsonObject]:
    """The CODE step for expressions that stay JavaScript; none where there are none."""
    if not computed.sources:
        return []
    source, given = code_for_values(computed.sources, place)
    return [
        {
            "id": computed.step,
            "name": shortened(f"Values for: {node.name}"),
            "type": "CODE",
            "config": {"language": "javascript", "input": given, "code": source, "seconds": CODE_SECONDS},
        }
    ]


def with_retries(node: Node, actions: Sequence[JsonObject]) -> list[JsonObject]:
    if node.tries <= 1:
        return list(actions)
    retry = {
        "attempts": max(1, min(node.tries, 100)),
        "delay": min(node.seconds_between_tries, 86_400.0),
        "factor": 1.0,
        "jitter": False,
        "on": "any",
    }
    return [action if action["type"] in BLOCKS else {**action, "retry": retry} for action in actions]


def with_errors(node: Node, actions: Sequence[JsonObject]) -> list[JsonObject]:
    """With what follows an error, where the node says that the workflow goes on."""
    if node.on_error == "stopWorkflow":
        return list(actions)
    return [action if action["type"] == "BRANCH" else {**action, "onError": "continue"} for action in actions]
