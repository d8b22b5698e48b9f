"""/api/v1/workflows/{id}/steps/{stepId}/test, /data, /preview, /sample and /pins: trying a workflow before it is
trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint
from pydantic import Field

from flowforge.accounts.scopes import Scope
from flowforge.connectors.catalog import load_catalog
from flowforge.errors import Conflict, NotFound
from flowforge.jsonio import JsonObject
from flowforge.language.plan import can_be_pinned
from flowforge.language.pointers import pointer
from flowforge.language.scope_rules import written_steps
from flowforge.preview import step_tests
from flowforge.preview.excerpts import excerpt
from flowforge.preview.expression_context import context_at
from flowforge.preview.expression_context import sample as sample_of
from flowforge.preview.known_outputs import Source
from flowforge.preview.step_tests import StepTestRequest, Trial, Tried
from flowforge.workflows import pins
from flowforge.workflows.views import WorkflowView
from webapp.api import version_schemas
from webapp.api.version_schemas import Previewing
from webapp.context import backends, session
from webapp.endpoint import DELETED, Answer, Tag, endpoint, object_body
from webapp.identity import current_user_id
from webapp.query_params import Query
from webapp.services import drafts, workflows

blueprint = Blueprint("trials", __name__, url_prefix="/api/v1/workflows/<uuid:workflow_id>")


class DataQuery(Query):
    at: str = Field("", description="Pointer to a step of the draft; none: behind its last step.")


@dataclass(frozen=True, slots=True)
class KnownData:
    roots: JsonObject
    trigger: Source
    steps: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a text with expressions."""

    value: object


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why a value cannot be computed."""

    error: str


@dataclass(frozen=True, slots=True)
class Sample:
    trigger: JsonObject | None


@blueprint.post("/steps/<step_id>/test")
@endpoint(
    Tag.WORKFLOWS,
    version_schemas.Tried,
    takes=object_body(version_schemas.Trying, StepTestRequest.read, may_be_absent=True),
    refuses=(400, 409, 503),
    scope=Scope.RUN,
)
def test_step(workflow_id: UUID, step_id: str, body: StepTestRequest) -> Tried:
    """Run one step of the draft alone; what is not given comes from pins and the latest execution"""
    workflow = _workflow(workflow_id)
    definition = drafts().clear(session(), current_user_id(), workflow_id)
    steps = written_steps(definition)
    step = next((step for step in steps if step_id in (step.id, step.key)), None)
    if step is None:
        raise NotFound("there is no such step")
    context = context_at(session(), workflow.id, definition, pointer(step.path))
    data = body.data(context.data, steps)
    trial = Trial(workflow.id, workflow.user_id, workflow.name, definition, step_id, data)
    session().rollback()  # the step may take its time
    return step_tests.try_step(backends(), load_catalog(), trial, dry_run=body.dry_run)


@blueprint.get("/data")
@endpoint(Tag.WORKFLOWS, version_schemas.KnownData, query=DataQuery, refuses=(400, 409))
def data(workflow_id: UUID, query: DataQuery) -> KnownData:
    """Show the data that a step of the draft can refer to, as far as it can be computed; large values are cut"""
    workflow = _workflow(workflow_id)
    definition = drafts().clear(session(), current_user_id(), workflow_id)
    context = context_at(session(), workflow.id, definition, query.at)
    return KnownData(excerpt(context.roots), context.trigger_source, context.sources)


@blueprint.post("/preview")
@endpoint(Tag.WORKFLOWS, version_schemas.Preview, takes=Previewing, refuses=(409,), scope=Scope.READ)
def preview(workflow_id: UUID, body: Previewing) -> Value | Failure:
    """Compute a text with expressions at one step of the draft, or say why it cannot be computed"""
    workflow = _workflow(workflow_id)
    definition = drafts().clear(session(), current_user_id(), workflow_id)
    context = context_at(session(), workflow.id, definition, body.pointer)
    found = step_tests.preview(body.text, context)
    return Value(excerpt(found.value)) if found.problem is None else Failure(found.problem)


@blueprint.get("/sample")
@endpoint(Tag.WORKFLOWS, version_schemas.Sample)
def sample(workflow_id: UUID) -> Sample:
    """Show the pinned payload, else the newest one that came in; null where there is neither"""
    return Sample(sample_of(session(), _workflow(workflow_id).id))


@blueprint.get("/pins")
@endpoint(Tag.WORKFLOWS, {200: Answer(version_schemas.Pins, "Outputs by the step's id")})
def list_pins(workflow_id: UUID) -> dict[str, JsonObject]:
    """Outputs that stand for steps while a workflow is tried; `trigger` stands for what comes in"""
    return pins.pinned_outputs(session(), _workflow(workflow_id).id)


@blueprint.put("/pins/<step_id>")
@endpoint(Tag.WORKFLOWS, DELETED, takes=object_body(), refuses=(409,))
def pin(workflow_id: UUID, step_id: str, body: JsonObject) -> None:
    """Pin an output; the body is the output"""
    workflow = _workflow(workflow_id)
    if step_id != pins.TRIGGER:
        steps = written_steps(drafts().clear(session(), current_user_id(), workflow_id))
        step = next((step for step in steps if step.action.get("id") == step_id), None)
        if step is None:
            raise NotFound("there is no step with this id; steps without an id cannot be pinned")
        if not can_be_pinned(step.type):
            raise Conflict(f"{step.type} only steers: no output can stand for it")
    pins.pin(session(), workflow.id, step_id, body)


@blueprint.delete("/pins/<step_id>")
@endpoint(Tag.WORKFLOWS, DELETED)
def unpin(workflow_id: UUID, step_id: str) -> None:
    """Take a pinned output away"""
    pins.unpin(session(), _workflow(workflow_id).id, step_id)


def _workflow(workflow_id: UUID) -> WorkflowView:
    return workflows().get(session(), current_user_id(), workflow_id)
