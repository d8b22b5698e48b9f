"""A file of n8n's becomes workflows of ours, and a report of what was done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from flowforge.ascode.checking import problems_of
from flowforge.errors import Problem
from flowforge.jsonio import JsonObject
from flowforge.language.definition import LONGEST_NOTE
from flowforge.n8n.building import ODD_PARAMETERS, Budget, Builder, Gathered, TooLarge
from flowforge.n8n.graph import reached
from flowforge.n8n.model import Node, Workflow
from flowforge.n8n.names import key_of, shortened
from flowforge.n8n.reading import read
from flowforge.n8n.report import Report
from flowforge.n8n.triggers import Started, by_hand, is_trigger, started_by
from flowforge.sentences import sentence

MOST_TRIGGERS = 10
MOST_REPAIRS = 5


@dataclass(frozen=True, slots=True)
class ImportedWorkflow:
    """A definition of ours, and a payload that was pinned to its trigger in n8n."""

    definition: JsonObject
    key: str | None = None
    sample: JsonObject | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What was made of one workflow of n8n's: one of ours for each of its triggers."""

    workflows: Sequence[ImportedWorkflow]
    report: Report


@dataclass
class _Triggered:
    node: Node
    started: Started
    name: str
    steps: list[JsonObject] = field(default_factory=list)


def import_file(data: bytes) -> list[Imported]:
    """Raises Invalid where the file holds no workflow, or a larger one than the limits allow."""
    budget = Budget()
    return [_import(workflow, budget) for workflow in read(data)]


def _import(workflow: Workflow, budget: Budget) -> Imported:
    gathered = Gathered(budget)
    remarks = list(workflow.remarks)
    found = list(_triggered(workflow, gathered))
    if len(found) > MOST_TRIGGERS:
        remarks.append(
            sentence(
                "it has %(count)s triggers; workflows were made for the first %(most)s",
                count=len(found),
                most=MOST_TRIGGERS,
            )
        )
    made = [_made(workflow, each, gathered) for each in found[:MOST_TRIGGERS]]
    return Imported([each for each in made if each], _report(workflow, gathered, found, remarks))


def _made(workflow: Workflow, triggered: _Triggered, gathered: Gathered) -> ImportedWorkflow | None:
    """The definition; built again without the nodes whose steps our check refuses. None where none can be made."""
    notes = gathered.of(triggered.node.name)
    for _ in range(MOST_REPAIRS):
        builder = Builder(workflow, triggered.node, gathered)
        try:
            actions = builder.build(triggered.started.output, triggered.started.first)
        except TooLarge:
            notes.left = sentence("so many of its ways lead together that it would have too many steps")
            return None
        except RecursionError:
            notes.left = sentence("its ways part too often, one inside the other: make workflows of their own of some")
            return None
        definition = {"name": triggered.name, "trigger": triggered.started.trigger, "actions": actions}
        if settings := _settings(workflow):
            definition["settings"] = settings
        problems = problems_of({"definition": definition})
        if not problems:
            return ImportedWorkflow(definition, _key(workflow, triggered.node), _sample(workflow, triggered))
        refused = _refused(problems, definition, builder)
        if not refused:
            notes.left = sentence(
                "what is made of it does not pass our check: %(problem)s", problem=problems[0].in_full
            )
            return None
        gathered.refused |= refused
    notes.left = sentence("what is made of it does not pass our check")
    return None


def _settings(workflow: Workflow) -> JsonObject:
    note = "\n\n---\n\n".join(workflow.notes)[:LONGEST_NOTE]
    return {key: value for key, value in (("timeZone", workflow.time_zone), ("note", note)) if value}


def _refused(problems: Sequence[Problem], definition: JsonObject, builder: Builder) -> dict[str, str]:
    """The nodes whose steps have problems, with the first problem of each."""
    found: dict[str, str] = {}
    for problem in problems:
        node = builder.names.nodes.get(_step_at(definition, problem.pointer), "")
        if node and node not in builder.gathered.refused:
            found.setdefault(
                node, sentence("what is made of it does not pass our check: %(problem)s", problem=problem.message)
            )
    return found


def _step_at(definition: JsonObject, pointer: str) -> str:
    """The id of the innermost step at a JSON pointer."""
    value: Any = definition
    id_ = ""
    for part in pointer.split("/")[1:]:
        value = value[int(part)] if isinstance(value, list) and int(part) < len(value) else _field(value, part)
        if isinstance(value, dict) and isinstance(value.get("id"), str) and "type" in value:
            id_ = value["id"]
    return id_


def _field(value: Any, name: str) -> Any:
    return value.get(name.replace("~1", "/").replace("~0", "~")) if isinstance(value, dict) else None


def _key(workflow: Workflow, trigger: Node) -> str | None:
    """The key by which other workflows of the same import call what follows the trigger; None where none can."""
    return key_of(workflow.called_by) if trigger.kind == "executeWorkflowTrigger" else None


def _sample(workflow: Workflow, triggered: _Triggered) -> JsonObject | None:
    """The payload of our trigger that the first pinned item stands for; None where it has another form."""
    pinned = workflow.pins.get(triggered.node.name)
    item = pinned[0] if pinned else None
    if not isinstance(item, dict):
        return None
    if triggered.started.type == "webhook" and triggered.node.kind == "webhook":
        return {"body": item.get("body"), "headers": item.get("headers", {}), "queryParams": item.get("query", {})}
    if triggered.started.type == "webhook":
        return {"body": item}
    return item if triggered.started.type == "manual" else None


def _triggered(workflow: Workflow, gathered: Gathered) -> Iterator[_Triggered]:
    """Each trigger of ours that is to be made, with the name of its workflow."""
    starts = [node for node in workflow.nodes.values() if _starts(workflow, node)]
    if not starts:
        starts = _beginnings(workflow)
    several = len([node for node in starts if workflow.links_from(node.name)]) > 1
    for node in starts:
        if not workflow.links_from(node.name) and several:
            continue
        triggers = _started(node, workflow, gathered)
        for number, started in enumerate(triggers):
            suffix = f" ({number + 1})" if len(triggers) > 1 else ""
            name = f"{workflow.name[:150]} – {node.name[:80]}{suffix}" if several else f"{workflow.name[:240]}{suffix}"
            yield _Triggered(node, started, shortened(name))


def _started(node: Node, workflow: Workflow, gathered: Gathered) -> list[Started]:
    notes = gathered.of(node.name)
    try:
        found = started_by(node, workflow)
    except ODD_PARAMETERS:
        found = []
    if not found:
        if is_trigger(node):
            notes.left = sentence("there is no counterpart of the trigger %(type)s: choose another one", type=node.type)
        found = [by_hand()]
    for started in found:
        notes.add(started.notes)
        gathered.connections += [name for name in started.connections if name not in gathered.connections]
    return found


def _starts(workflow: Workflow, node: Node) -> bool:
    """Whether it is a trigger; one that items lead to is a node like others, such as a webhook that is waited for."""
    return is_trigger(node) and not workflow.is_part(node.name) and not workflow.links_to(node.name)


def _beginnings(workflow: Workflow) -> list[Node]:
    """The nodes that nothing leads to, where there is no trigger."""
    nodes = [node for node in workflow.nodes.values() if not workflow.is_part(node.name)]
    return [node for node in nodes if not workflow.links_to(node.name) and workflow.links_from(node.name)][:1]


def _report(workflow: Workflow, gathered: Gathered, found: Sequence[_Triggered], remarks: list[str]) -> Report:
    ran: set[str] = set()
    for each in found:
        ran |= reached(workflow, each.node.name)
    for note in workflow.nodes.values():
        if note.name in ran:
            gathered.of(note.name)
    parts = [node for node in workflow.nodes.values() if workflow.is_part(node.name)]
    idle = [node.name for node in workflow.nodes.values() if node.name not in ran and node not in parts]
    if idle:
        remarks.append(
            sentence(
                "no trigger leads to %(names)s%(more)s: left out",
                names=", ".join(idle[:10]),
                more=" …" if len(idle) > 10 else "",
            )
        )
    nodes = [notes.report(name, workflow.nodes[name].type) for name, notes in gathered.notes.items()]
    return Report(
        workflow.name,
        nodes,
        remarks,
        gathered.connections,
        workflow.notes,
        gathered.tally.translated + gathered.tally.in_code + len(gathered.tally.failed),
        gathered.tally.in_code,
        gathered.tally.failed,
    )
