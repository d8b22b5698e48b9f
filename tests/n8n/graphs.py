"""Workflows of n8n's for tests: nodes in few words, and the links between them."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

from flowforge import jsonio
from flowforge.connectors.sdk import CodeLimits, Program, run_code
from flowforge.n8n.importing import Imported, import_file
from flowforge.sentences import Sentence

Json = dict[str, Any]


def node(name: str, type_: str, parameters: Json | None = None, **more: Any) -> Json:
    return {"name": name, "type": f"n8n-nodes-base.{type_}", "parameters": parameters or {}, "typeVersion": 1} | more


def graph(nodes: list[Json], *links: str, **more: Any) -> Json:
    """`links`: "A > B", or "A 1 > B 2" for the second output and the third input."""
    connections: Json = {}
    for link in links:
        (source, output), (target, number) = (_end(end) for end in link.split(" > "))
        outputs = connections.setdefault(source, {}).setdefault("main", [])
        outputs.extend([] for _ in range(output + 1 - len(outputs)))
        outputs[output].append({"node": target, "type": "main", "index": number})
    return {"name": "Example", "nodes": nodes, "connections": connections} | more


def _end(text: str) -> tuple[str, int]:
    name, _, number = text.strip().rpartition(" ")
    return (name, int(number)) if name and number.isdecimal() else (text.strip(), 0)


def imported(written: Json) -> Imported:
    (found,) = import_file(jsonio.dumps(written))
    notes = [*found.report.remarks, *(note for node in found.report.nodes for note in node.notes)]
    assert all(isinstance(note, Sentence) for note in notes), "pages say notes in the reader's language"
    return found


def actions(written: Json) -> list[Json]:
    """The actions of the one workflow that it becomes."""
    (workflow,) = imported(written).workflows
    found: list[Json] = workflow.definition["actions"]
    return found


MANUAL = node("Start", "manualTrigger")
CALLED = node("Call", "webhook", {"httpMethod": "POST", "path": "x"})


def sets(name: str, **fields: Any) -> Json:
    rows = [{"name": key, "value": value, "type": "string"} for key, value in fields.items()]
    return node(name, "set", {"assignments": {"assignments": rows}}, typeVersion=3.4)


def decides(name: str, left: str, right: str) -> Json:
    test = {"leftValue": left, "rightValue": right, "operator": {"type": "string", "operation": "equals"}}
    return node(name, "if", {"conditions": {"combinator": "and", "conditions": [test]}}, typeVersion=2)


def run(config: Json, given: Json) -> Any:
    """The result of the code of a CODE step, with other input."""
    program = Program(config["language"], config["code"], jsonio.dumps({**config["input"], **given}))
    return run_code(program, CodeLimits(10, time.monotonic() + 60, 1_000_000), UUID(int=1), lambda *_: None)
