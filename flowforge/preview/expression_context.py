"""The data for the expressions of a step, as far as it is known before a run: pinned, else computed from known data,
else recorded by the latest execution. Where nothing has come in yet, the trigger's kind gives a sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from flowforge.connectors.catalog import load_catalog
from flowforge.db import variables_store
from flowforge.db.variables_store import Values
from flowforge.errors import Invalid
from flowforge.jsonio import JsonObject
from flowforge.language.expressions.resolving import VARIABLES, workflow_root
from flowforge.language.expressions.unknown_values import Unknown
from flowforge.language.locations import Path
from flowforge.language.plan import Plan, Step, compile_plan
from flowforge.language.pointers import parsed
from flowforge.language.scope_rules import written_steps
from flowforge.preview.known_outputs import KnownOutputs, Source
from flowforge.preview.last_outputs import last_outputs, last_trigger
from flowforge.preview.preview_run import PreviewRun
from flowforge.preview.readable_definition import readable
from flowforge.preview.walk import Walk
from flowforge.sentences import sentence
from flowforge.triggers.kinds import sample_payload
from flowforge.workflows.credentials import masked_secrets
from flowforge.workflows.pins import TRIGGER, kept_outputs, pinned_output

LONGEST_SECONDS = 1.0
"""Time for computing; after that, recorded outputs have to do."""


@dataclass(frozen=True, slots=True)
class ExpressionContext:
    """The roots of expressions of one step, and where they come from."""

    data: JsonObject
    """`trigger`, `steps` by id and by number, `vars` where there are any, and inside blocks what these give (`item`,
    `loop`, `error`). Unknown stands where a value is not known."""
    trigger_source: Source
    workflow: JsonObject
    """The root `workflow`."""
    sources: dict[str, Source] = field(default_factory=dict)
    """Sources of the outputs that can be used there, by the step's id."""

    @property
    def roots(self) -> JsonObject:
        """The data without the outputs that are not known at all."""
        steps = {name: output for name, output in self.data["steps"].items() if not isinstance(output, Unknown)}
        known = {root: value for root, value in self.data.items() if not isinstance(value, Unknown)}
        return {**known, "steps": steps}


def context_at(session: Session, workflow_id: UUID, definition: Mapping[str, Any], at: str) -> ExpressionContext:
    """Collect the data for the step at the pointer `at`, of a definition in whatever state; for no pointer, behind its
    last step. Takes at most five statements. Raises Invalid where there is no such step."""
    path = parsed(at)
    index = _index_of(definition, path)
    plan = compile_plan(readable(definition, path), templated=True)
    last = last_outputs(session, workflow_id, in_loops=_has_frames(plan))
    known = KnownOutputs(kept_outputs(session, workflow_id), last, sample_payload(definition.get("trigger")))
    variables = variables_store.of_workflow(session.connection(), workflow_id)
    target = None if index is None else plan.step(index)
    outside = _around(workflow_id, definition, plan, variables)
    run = PreviewRun.begun(plan, known.trigger, outside)
    walk = Walk(load_catalog(), run, known, seconds=LONGEST_SECONDS, target=target).go()
    return _found(walk, known, variables, outside["workflow"])


def sample(session: Session, workflow_id: UUID) -> JsonObject | None:
    """The pinned payload, else the latest one; None where there is none yet."""
    pinned = pinned_output(session, workflow_id, TRIGGER)
    return last_trigger(session, workflow_id) if pinned is None else pinned


def _index_of(definition: Mapping[str, Any], path: Path) -> int | None:
    """The number of the step at the path; None for the whole definition."""
    if not path:
        return None
    for step in written_steps(definition):
        if step.path == path:
            return step.index
    raise Invalid.at("/at", sentence("there is no such step; it was moved or deleted meanwhile"))


def _has_frames(plan: Plan) -> bool:
    return any(body.kind.has_frames for step in plan.steps for body in step.bodies)


def _around(workflow_id: UUID, definition: Mapping[str, Any], plan: Plan, variables: Values) -> JsonObject:
    """The roots that do not come from the execution's data. Those of one execution alone are unknown."""
    return {
        "workflow": workflow_root(workflow_id, definition.get("name"), plan.settings.time_zone),
        "execution": Unknown("execution", is_root=True),
        "resume": Unknown("resume", is_root=True),
        "now": datetime.now(UTC),
        VARIABLES: variables,
        **masked_secrets([step.config for step in plan.steps]),
    }


def _found(walk: Walk, known: KnownOutputs, variables: Values, workflow: JsonObject) -> ExpressionContext:
    outputs = walk.context["steps"]
    data = {**walk.context, "steps": walk.run.plan.outputs(outputs)}
    if variables:
        data[VARIABLES] = variables
    steps = [step for step in walk.run.plan.steps if step.key in outputs]
    return ExpressionContext(data, known.trigger_source, workflow, {step.id: _source(walk, step) for step in steps})


def _source(walk: Walk, step: Step) -> Source:
    output = walk.steps[step.index].output
    return "unknown" if output is None else output.source
